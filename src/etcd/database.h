// What an etcd database says besides its rows; checks of all of it; and the small buckets of a new one.
//
// Buckets, keys and encodings: doc/format/etcd.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "bolt/bulk_writer.h"
#include "bolt/reader.h"
#include "etcd/cluster.h"
#include "etcd/hashkv.h"
#include "etcd/member.h"
#include "etcd/row.h"

namespace tidemark::etcd {

enum class AlarmKind : std::int64_t { none = 0, no_space = 1, corrupt = 2 };

struct Alarm {
  MemberId member;
  AlarmKind kind = AlarmKind::none;
};

struct DatabaseState {
  // The revision the store comes up at: max(last row, finished, scheduled compaction), at least 1.
  Revision revision;
  Revision last_row;                              // 0: no rows
  Revision finished_compaction{kNeverCompacted};  // -1: never
  Revision scheduled_compaction{kNeverCompacted};
  std::optional<std::uint64_t> consistent_index;  // the raft index this database has applied
  std::optional<std::uint64_t> term;
  std::string cluster_version;  // "3.5.0"; empty: undecided
  std::string storage_version;  // "3.6.0"; empty before 3.6
  std::string downgrade;        // JSON, as found; empty: none
  std::vector<LeaseState> leases;
  bool auth_enabled = false;
  std::uint64_t auth_revision = 0;
  std::uint64_t auth_users = 0, auth_roles = 0;  // how many
  std::vector<Alarm> alarms;
  std::vector<ClusterMember> members;
  std::vector<MemberId> removed_members;

  // Up to here rows may be missing because a compaction removed them.
  Revision compacted() const { return std::max(finished_compaction, scheduled_compaction); }
};

struct Compaction {
  Revision revision;  // as DatabaseState's
  Revision last_row;
  Revision finished{kNeverCompacted};
  Revision scheduled{kNeverCompacted};
};
// Only the revisions of read_state(): touches one path of the tree.
Result<Compaction> read_compaction(const bolt::Reader& database);

// Reads everything but the rows. A missing small bucket is an empty one. Errc::corrupt: a value of the wrong length, a
// message that does not parse, no `key` bucket.
Result<DatabaseState> read_state(const bolt::Reader& database);

enum class RowRules {
  shape,   // each row for itself, order and contiguity: no memory, fastest
  chains,  // and every key's history: create, version, deletions of what exists. 37 to 74 bytes a live key
};

struct RowFinding {
  bool fatal = true;  // false: worth knowing (a lease that is missing), etcd starts with it
  std::string text;   // "row 300/2: …"
};

struct RowReport {
  std::vector<RowFinding> findings;  // in the order they were met: the first so many fatal ones, as many others
  std::uint64_t more_fatal = 0;      // met and not kept
  std::uint64_t more_harmless = 0;
  std::uint64_t rows = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t live_keys = 0;      // only with RowRules::chains
  bool sound() const;               // nothing fatal, kept or not
  std::string first_fault() const;  // the text of the first fatal one; empty: there is none
};

// One pass over the `key` bucket, then the small buckets. Rules: see doc/format/etcd.md, "What must hold". Above the
// compaction a missing revision is a finding: bbolt cannot see such a hole. The record that etcd's own revision bump
// leaves (an empty value) is accepted. Fails only when the tree itself cannot be walked.
// `most_findings` of each kind are kept, so that no crowd of harmless ones hides a fatal one.
// `each` sees the sound rows on the way, in their order; `value` is what stands in the database (a mvccpb.KeyValue).
using EachRow = std::function<void(const RowId&, const KeyValue&, Bytes value)>;
Result<RowReport> check_rows(const bolt::Reader& database, RowRules rules, std::size_t most_findings = 100,
                             const EachRow& each = {});

// What to write into a restored database besides its rows.
struct SmallBuckets {
  NewCluster cluster;
  std::optional<Revision> compacted;  // scheduled and finished; set it also for a bump. Without: never compacted
  bool term = true;                   // false: leave meta.term out, for a start under 3.4 that is upgraded later
  std::vector<LeaseState> leases;     // any order; remaining_ttl_s 0: not written. Ids must be unique
};

// All ten buckets except `key`: they start on etcd 3.4 to 3.7. consistent_index is the number of members, because the
// new log holds exactly one entry for each; users and roles are copied from `base`; alarms, versions, downgrades and
// removed members are left behind.
Status write_small_buckets(bolt::BulkWriter& to, const bolt::Reader& base, const SmallBuckets& what);

}  // namespace tidemark::etcd
