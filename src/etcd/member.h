// A living etcd, as the verbs see it. link/ implements it over gRPC; etcd/testing/ has a fake for unit tests.
//
// Threads: calls may run concurrently; a WatchFeed belongs to one reader, only cancel() may come from elsewhere.
// Deadlines: every call ends within the client's configured deadline; the snapshot's deadline is per chunk of progress.
// Errors: unavailable (no endpoint answers), denied (TLS, user or password), timeout, compacted, no_space.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "etcd/row.h"
#include "io/stream.h"

namespace tidemark::etcd {

struct MemberStatus {
  std::string version;          // "3.5.35"
  std::string storage_version;  // "3.6.0"; empty before 3.6
  ClusterId cluster;
  MemberId member;
  MemberId leader;    // 0: no leader
  Revision revision;  // of the answering member; may lag behind the leader's
  std::uint64_t raft_term = 0;
  std::uint64_t raft_index = 0;
  std::int64_t db_size = 0;
  std::int64_t db_size_in_use = 0;
  bool is_learner = false;
  std::string endpoint;  // which endpoint answered
};

struct HashKv {
  std::uint32_t hash = 0;
  Revision at;       // the revision asked for (the header's when 0 was asked)
  Revision compact;  // -1: never compacted
  Revision header;   // the member's revision when it answered
};

struct ClusterMember {
  MemberId id;
  std::string name;
  std::vector<std::string> peer_urls, client_urls;
  bool is_learner = false;
};

struct LeaseState {
  LeaseId id;
  std::int64_t granted_ttl_s = 0;
  std::int64_t remaining_ttl_s = 0;
};

// What one watch answer held: whole revisions only, in order. The events' views live as long as `owner`.
struct WatchBatch {
  std::vector<Event> events;  // empty: a progress notification
  Revision header;  // the server's revision when it sent this. Never a resume point on servers before 3.4.25/3.5.8
  std::size_t bytes = 0;  // about what it occupies in memory
  std::shared_ptr<const void> owner;
};

class WatchFeed {
 public:
  virtual ~WatchFeed() = default;
  // Waits until the deadline for the next batch; nullopt: nothing came. After an error the feed is dead: open a new
  // one. Errc::compacted: the start is gone; compact_revision() says up to where. Errc::unavailable: the stream broke.
  virtual Result<std::optional<WatchBatch>> next(std::chrono::milliseconds wait) = 0;
  virtual Revision compact_revision() const = 0;  // after Errc::compacted
  virtual void cancel() = 0;                      // any thread; next() returns Errc::cancelled
};

class Member {
 public:
  virtual ~Member() = default;

  virtual Result<MemberStatus> status() = 0;
  // The cluster's revision by a linearizable read: it is not behind anything acknowledged before the call.
  virtual Result<Revision> head() = 0;
  // A watch on the whole key space from `from` on (inclusive): key "\0", range_end "\0", so that the ordinal of an
  // event inside its revision is etcd's sub-revision. Fragments are put together before they are handed out.
  virtual Result<std::unique_ptr<WatchFeed>> watch(Revision from) = 0;
  // Streams the database followed by its SHA-256 (32 bytes) into `into`, and checks length and digest on the way.
  // `progress` hears bytes so far and bytes in all. Does not call into.finish().
  virtual Result<std::uint64_t> snapshot(io::Sink& into,
                                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) = 0;
  // The member walks every row for it: seconds for a gigabyte. Errc::cancelled soon after `stop` is requested.
  virtual Result<HashKv> hash_kv(Revision at, const std::stop_token& stop) = 0;
  virtual Result<std::vector<ClusterMember>> members() = 0;
  // Ids only when ttl cannot be asked (auth): granted_ttl_s is 0 then.
  virtual Result<std::vector<LeaseState>> leases() = 0;
};

}  // namespace tidemark::etcd
