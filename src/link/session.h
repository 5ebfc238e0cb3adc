// Which endpoint to talk to, and as whom: failover and authentication for every call of the client.
//
// Threads: any. Only link/'s own files include this.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "link/channel.h"
#include "link/fault.h"

#include "etcd_rpc.grpc.pb.h"

namespace tidemark::link {

namespace pb = etcdserverpb;

struct Connection {
  Endpoint endpoint;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<pb::KV::Stub> kv;
  std::unique_ptr<pb::Watch::Stub> watch;
  std::unique_ptr<pb::Lease::Stub> lease;
  std::unique_ptr<pb::Cluster::Stub> cluster;
  std::unique_ptr<pb::Maintenance::Stub> maintenance;
  std::unique_ptr<pb::Auth::Stub> auth;

  Fault judge(const grpc::Status& status, std::string_view doing) const;
};

// One try of a call on one connection.
struct Attempt {
  std::shared_ptr<Connection> connection;
  std::string token;  // empty: none
  Deadline deadline;

  // Puts deadline (unless the call is a long stream), token and "only with a leader" on a call.
  void dress(grpc::ClientContext& context, bool with_deadline, bool require_leader) const;
};

class Session {
 public:
  // Requires: at least one endpoint.
  Session(EtcdOptions options, std::vector<Endpoint> endpoints);

  // Runs `call` on the current endpoint; after a fault that another endpoint may not have, on the others, each once;
  // after a fault of the token, again with a new one. Ends within `timeout` if `call` keeps its attempt's deadline.
  using Call = std::function<std::optional<Fault>(const Attempt&)>;
  Status run(std::string_view doing, std::chrono::milliseconds timeout, const Call& call);

  // A stream on that connection broke: the next call goes elsewhere, or to the same endpoint on a new connection.
  void leave(const std::shared_ptr<Connection>& connection, const Fault& fault);

  const EtcdOptions& options() const { return options_; }

 private:
  Result<std::shared_ptr<Connection>> connection();
  std::optional<Fault> ensure_token(Attempt& attempt);
  std::optional<Fault> try_once(Attempt& attempt, const Call& call);
  void forget_token(const std::string& token);

  const EtcdOptions options_;
  const std::vector<Endpoint> endpoints_;
  std::mutex mutex_;  // guards what follows
  std::size_t current_ = 0;
  std::shared_ptr<Connection> connection_;
  std::string token_;
  bool auth_is_off_ = false;
};

}  // namespace tidemark::link
