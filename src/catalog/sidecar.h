// The small JSON objects that Tidemark writes beside a bucket's snapshots, under `tidemark/` in the store's prefix.
//
// They add what Gardener's layout cannot say: whose history this is, who published a delta, what is missing, where to
// seek, what was true at a full. A bucket without any of them is read all the same.
// Each begins {"kind":…,"formatVersion":1,…}. Readers ignore fields they do not know, refuse a newer formatVersion
// (Errc::unsupported) and everything that is not what its kind says (Errc::corrupt, naming the field).
// Byte tables: doc/format/sidecars.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "io/compress.h"

namespace tidemark::catalog {

// tidemark/lineage.json: the one history that this prefix holds.
struct Lineage {
  ClusterId cluster;
  MemberId member;  // the member it was first recorded from
  Revision first;   // the first revision that was recorded
  Time created;
  std::uint32_t number = 1;  // 1: the first lineage of a cluster; later ones live in prefixes of their own
  friend bool operator==(const Lineage&, const Lineage&) = default;
};

// tidemark/lineages/000002.json, in the prefix of lineage 1: where the history went on after it had been turned back.
struct LineageSuccessor {
  std::uint32_t number = 2;
  std::string store;   // the name of the successor's prefix, beside this one: "lineage-2.prod"
  std::string reason;  // "etcd went back from revision 1200 to 900"
  Time created;
  ClusterId cluster;
  friend bool operator==(const LineageSuccessor&, const LineageSuccessor&) = default;
};

// tidemark/claims/<start, 20 digits>-<epoch, 6 digits>.json: who may publish the delta that begins at `start`. Of all
// claims of one start the highest epoch counts.
struct Claim {
  Revision start;
  std::uint32_t epoch = 1;
  std::string recorder;  // a UUID, new for each process
  std::string object;    // the key it will put: "v2/Incr-…"
  Time created;
  friend bool operator==(const Claim&, const Claim&) = default;
};

// tidemark/gaps/<first, 20 digits>-<last, 20 digits>.json: revisions that the recorder never got.
struct GapRecord {
  RevisionSpan span;
  std::string reason;
  Time created;
  friend bool operator==(const GapRecord&, const GapRecord&) = default;
};

// tidemark/seek/<object's name>.json: where the gzip members of an object begin.
struct SeekTable {
  std::string object;  // key
  std::vector<io::GzipMember> members;
  std::vector<Revision> first_revisions;  // of the first event in each member; empty when not known
  friend bool operator==(const SeekTable& a, const SeekTable& b);
};

struct HashSample {
  std::uint32_t hash = 0;
  Revision revision, compact_revision;
  friend bool operator==(const HashSample&, const HashSample&) = default;
};

struct LeaseRecord {
  LeaseId id;
  std::int64_t ttl_s = 0;        // as granted
  std::int64_t remaining_s = 0;  // when it was asked
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

struct MemberRecord {
  MemberId id;
  std::string name;
  std::vector<std::string> peer_urls, client_urls;
  bool learner = false;
  friend bool operator==(const MemberRecord&, const MemberRecord&) = default;
};

// tidemark/state/<object's name>.json: what etcd said about itself when the object was taken.
struct State {
  std::string object;  // key
  Revision revision;   // of the answers below
  std::optional<HashSample> hash_kv;
  std::vector<LeaseRecord> leases;
  std::vector<MemberRecord> members;
  std::string version;          // "3.5.21"
  std::string storage_version;  // "3.5"; empty before 3.6
  std::uint64_t db_size = 0;    // bytes; 0 when not known
  std::string raw_sha256;       // lower-case hex of the uncompressed object without its own digest; empty: not known
  friend bool operator==(const State&, const State&) = default;
};

// One line of JSON with a newline.
std::string print_sidecar(const Lineage& lineage);
std::string print_sidecar(const LineageSuccessor& successor);
std::string print_sidecar(const Claim& claim);
std::string print_sidecar(const GapRecord& gap);
std::string print_sidecar(const SeekTable& table);
std::string print_sidecar(const State& state);

Result<Lineage> parse_lineage(std::string_view text);
Result<LineageSuccessor> parse_successor(std::string_view text);
Result<Claim> parse_claim(std::string_view text);
Result<GapRecord> parse_gap(std::string_view text);
Result<SeekTable> parse_seek_table(std::string_view text);
Result<State> parse_state(std::string_view text);

// Keys, relative to the store's prefix. `object` is a key ("v2/Full-…"); only its last part goes into the name, so that
// no sidecar's key holds "v1" or "v2".
inline constexpr std::string_view kLineageKey = "tidemark/lineage.json";
inline constexpr std::string_view kSuccessorPrefix = "tidemark/lineages/";
inline constexpr std::string_view kClaimPrefix = "tidemark/claims/";
inline constexpr std::string_view kGapPrefix = "tidemark/gaps/";
std::string successor_key(std::uint32_t number);
std::string claim_key(Revision start, std::uint32_t epoch);
std::string claims_of(Revision start);  // the prefix of all claims of one start
std::string gap_key(RevisionSpan span);
std::string seek_key(std::string_view object);
std::string state_key(std::string_view object);
// Not JSON: a block of the history index (doc/format/index.md).
inline constexpr std::string_view kIndexPrefix = "tidemark/index/";
std::string index_key(std::string_view object);

// Start and epoch of a claim's key; nullopt when it is none.
std::optional<std::pair<Revision, std::uint32_t>> parse_claim_key(std::string_view key);

// No sidecar is larger: the limit for ObjectStore::get.
inline constexpr std::uint64_t kMaxSidecarBytes = 64UL << 20U;

}  // namespace tidemark::catalog
