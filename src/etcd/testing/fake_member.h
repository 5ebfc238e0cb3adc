// An etcd in memory that does what the test tells it: history, watches, compactions, snapshots, and everything that
// goes wrong with them. Threads: any.
//
// The rules it keeps are etcd's: the first write is revision 2, a compacted start is refused, a watch delivers whole
// revisions in order, a snapshot is a real database (rows, meta, leases) with its digest behind it.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "etcd/member.h"

namespace tidemark::etcd::testing {

struct Change {
  std::string key;
  std::string value;
  bool deletion = false;
  std::int64_t lease = 0;
};

class FakeMember final : public Member {
 public:
  explicit FakeMember(ClusterId cluster = ClusterId{0xC1}, MemberId member = MemberId{0xA1})
      : cluster_(cluster), member_(member) {}

  // Writes. Deleting a key that does not exist changes nothing and makes no revision.
  Revision put(const std::string& key, const std::string& value, std::int64_t lease = 0);
  Revision del(const std::string& key);
  Revision txn(const std::vector<Change>& changes);  // requires: no key twice, deletions of what exists
  void compact(Revision at);
  void grant(std::int64_t lease, std::int64_t ttl_s);

  // Faults.
  void break_watches();             // every open stream ends with Errc::unavailable
  void set_unavailable(bool down);  // every call fails with Errc::unavailable, and open streams too
  void skip_revision(Revision at);  // the next watch to deliver it leaves it out: a hole
  void turn_back(Revision to);      // restored from a backup: history ends at `to`, watches break
  void become(ClusterId cluster);   // restored as another cluster
  void fail_snapshots(int how_many, Errc with);
  void damage_next_snapshot();  // its rows are cut: the digest is right, the database is not
  void batch_limit(std::size_t revisions) { batch_limit_ = revisions; }  // most revisions in one watch answer
  // Called before a snapshot's first byte: to write while it is being taken.
  void before_snapshot(std::function<void()> call) { before_snapshot_ = std::move(call); }

  Revision revision();
  Revision compacted();
  void hold_hashes();  // from now on HashKV is answered only by its cancellation, or after a minute
  int hashes_cancelled();
  int watches_opened();

  Result<MemberStatus> status() override;
  Result<Revision> head() override;
  Result<std::unique_ptr<WatchFeed>> watch(Revision from) override;
  Result<std::uint64_t> snapshot(io::Sink& into,
                                 const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  Result<HashKv> hash_kv(Revision at, const std::stop_token& stop) override;
  Result<std::vector<ClusterMember>> members() override;
  Result<std::vector<LeaseState>> leases() override;

 private:
  class Feed;
  struct Stored {  // one event with its bytes
    bool deletion = false;
    std::string key, value;
    Revision create, mod;
    std::int64_t version = 0, lease = 0;
    Event view() const;
  };
  using History = std::map<Revision, std::vector<Stored>>;

  Revision apply(const std::vector<Change>& changes);  // mutex_ held
  Status reachable() const;                            // mutex_ held
  Result<Buffer> database();                           // mutex_ held: a bbolt file

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool hashes_held_ = false;
  int hashes_cancelled_ = 0;
  ClusterId cluster_;
  MemberId member_;
  Revision revision_{1}, compacted_{-1};
  History history_;
  std::map<std::string, Stored> live_;
  std::map<std::int64_t, std::int64_t> leases_;
  std::set<Revision> skip_;
  bool down_ = false;
  std::uint64_t generation_ = 0;  // watches of an older one are broken
  int watches_ = 0, snapshot_failures_ = 0;
  Errc snapshot_error_ = Errc::unavailable;
  bool damage_snapshot_ = false;
  std::size_t batch_limit_ = 1000;
  std::function<void()> before_snapshot_;
};

}  // namespace tidemark::etcd::testing
