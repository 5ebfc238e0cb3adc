// Writes to a real etcd, for tests: what the product itself never does.
//
// One endpoint, no failover; every call has a deadline of 120 s and fails with the server's words.
// Threads: any; calls may run concurrently.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "kit/etcd_process.h"

namespace tidemark::testing {

struct WriteOp {
  enum class Kind { put, remove, remove_range };
  Kind kind = Kind::put;
  std::string key{};
  std::string value{};      // put
  std::string range_end{};  // remove_range: up to this, exclusive; "\0" (one zero byte): to the end
  LeaseId lease{};          // put
};

struct StoredKey {
  std::string key, value;
  Revision create, mod;
  std::int64_t version = 0;
  LeaseId lease;
  friend bool operator==(const StoredKey&, const StoredKey&) = default;
};

struct StoredLease {
  LeaseId id;
  std::int64_t granted_ttl_s = 0, remaining_ttl_s = 0;
  std::vector<std::string> keys;
};

class EtcdWriter {
 public:
  // Uses the process's client URL and TLS files (as a client), or any `host:port` without TLS.
  static Result<EtcdWriter> connect(const EtcdProcess& etcd);
  static Result<EtcdWriter> connect(const std::string& host_and_port);
  EtcdWriter(EtcdWriter&&) noexcept;
  EtcdWriter& operator=(EtcdWriter&&) noexcept;
  ~EtcdWriter();

  // Each returns the store's revision after it.
  Result<Revision> put(const std::string& key, const std::string& value, LeaseId lease = {});
  Result<Revision> del(const std::string& key);
  Result<Revision> del_range(const std::string& key, const std::string& range_end);
  Result<Revision> txn(const std::vector<WriteOp>& ops);
  Status compact(Revision at, bool physical = true);  // physical: returns when it is done on disk
  Status defragment();

  Result<LeaseId> lease_grant(std::int64_t ttl_s, LeaseId id = {});  // id 0: the server's choice
  Status lease_revoke(LeaseId id);
  Result<std::vector<StoredLease>> leases();  // by id

  // Every key at a revision (0: now), in key order, in pages; `head` gets the store's revision.
  Result<std::vector<StoredKey>> read_all(Revision at = {}, Revision* head = nullptr);
  Result<Revision> head();

  struct Hash {
    std::uint32_t hash = 0;
    Revision compact, header;
  };
  Result<Hash> hash_kv(Revision at);

  struct AddedMember {
    std::uint64_t id = 0;
    std::string initial_cluster;  // for the new member's own flag; its name is `name`
  };
  Result<AddedMember> member_add(const std::string& name, const std::string& peer_url, bool learner = false);
  Status member_remove(std::uint64_t id);
  Status member_promote(std::uint64_t id);
  Status disarm_alarms();
  Result<std::uint64_t> leader();        // 0: none
  Result<std::uint64_t> member_id();     // whom we are talking to
  Status move_leader(std::uint64_t to);  // Requires: we talk to the leader

  Status user_add(const std::string& name, const std::string& password, const std::string& role);
  Status role_add(const std::string& name, const std::string& key, const std::string& range_end);  // read and write
  Status auth_enable();  // Requires: a user root with the role root
  Status authenticate(const std::string& user, const std::string& password);  // for the calls that follow

 private:
  struct Connection;
  explicit EtcdWriter(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace tidemark::testing
