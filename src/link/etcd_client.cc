#include "link/etcd_client.h"

#include "link/lease_reader.h"
#include "link/session.h"
#include "link/snapshot_stream.h"
#include "link/watch_stream.h"

namespace tidemark::link {

namespace {

using std::chrono::milliseconds;

// Runs one unary method: unary(session, "status", timeout, &Connection::maintenance, &pb::Maintenance::Stub::Status,
// …).
enum class Needs { leader, nothing };
template <class Stub, class Request, class Response>
Status unary(Session& session, std::string_view doing, milliseconds timeout, Needs needs,
             std::unique_ptr<Stub> Connection::* stub,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             const std::type_identity_t<Request>& request, Response& response, std::string* endpoint = nullptr,
             const std::stop_token& stop = {}) {
  return session.run(doing, timeout, [&](const Attempt& attempt) -> std::optional<Fault> {
    grpc::ClientContext context;
    attempt.dress(context, true, needs == Needs::leader);
    const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
    Connection& on = *attempt.connection;
    const grpc::Status status = ((*(on.*stub)).*method)(&context, request, &response);
    if (!status.ok()) return on.judge(status, doing);
    if (endpoint != nullptr) *endpoint = on.endpoint.text;
    return std::nullopt;
  });
}

class EtcdClient final : public etcd::Member {
 public:
  explicit EtcdClient(std::shared_ptr<Session> session) : session_(std::move(session)) {}

  Result<etcd::MemberStatus> status() override {
    pb::StatusResponse r;
    etcd::MemberStatus status;
    TM_CHECK(unary(*session_, "status", call_timeout(), Needs::nothing, &Connection::maintenance,
                   &pb::Maintenance::Stub::Status, {}, r, &status.endpoint));
    status.version = r.version();
    status.storage_version = r.storageversion();
    status.cluster = ClusterId(r.header().cluster_id());
    status.member = MemberId(r.header().member_id());
    status.leader = MemberId(r.leader());
    status.revision = Revision(r.header().revision());
    status.raft_term = r.raftterm();
    status.raft_index = r.raftindex();
    status.db_size = r.dbsize();
    status.db_size_in_use = r.dbsizeinuse();
    status.is_learner = r.islearner();
    return status;
  }

  Result<Revision> head() override {
    pb::RangeRequest request;
    request.set_key(std::string(1, '\0'));
    request.set_count_only(true);
    pb::RangeResponse r;
    TM_CHECK(unary(*session_, "read the revision", call_timeout(), Needs::leader, &Connection::kv, &pb::KV::Stub::Range,
                   request, r));
    return Revision(r.header().revision());
  }

  Result<etcd::HashKv> hash_kv(Revision at, const std::stop_token& stop) override {
    pb::HashKVRequest request;
    request.set_revision(at.raw());
    pb::HashKVResponse r;
    TM_CHECK(unary(*session_, "hash of the keys", session_->options().hash_timeout, Needs::nothing,
                   &Connection::maintenance, &pb::Maintenance::Stub::HashKV, request, r, nullptr, stop));
    const Revision header(r.header().revision());
    Revision hashed = at;
    if (at == Revision()) hashed = r.hash_revision() != 0 ? Revision(r.hash_revision()) : header;
    return etcd::HashKv{r.hash(), hashed, Revision(r.compact_revision()), header};
  }

  Result<std::vector<etcd::ClusterMember>> members() override {
    pb::MemberListRequest request;
    request.set_linearizable(true);
    pb::MemberListResponse r;
    TM_CHECK(unary(*session_, "list of members", call_timeout(), Needs::leader, &Connection::cluster,
                   &pb::Cluster::Stub::MemberList, request, r));
    std::vector<etcd::ClusterMember> members;
    for (const auto& m : r.members()) {
      members.push_back({MemberId(m.id()),
                         m.name(),
                         {m.peerurls().begin(), m.peerurls().end()},
                         {m.clienturls().begin(), m.clienturls().end()},
                         m.islearner()});
    }
    return members;
  }

  Result<std::vector<etcd::LeaseState>> leases() override {
    std::vector<etcd::LeaseState> leases;
    TM_CHECK(session_->run("list of leases", call_timeout(),
                           [&](const Attempt& attempt) { return read_leases(attempt, leases); }));
    return leases;
  }

  Result<std::unique_ptr<etcd::WatchFeed>> watch(Revision from) override {
    if (from < Revision(1)) return fail(Errc::invalid, "watch from revision {}: the first is 1", from);
    std::unique_ptr<WatchStream> stream;
    bool refused_before = false;
    TM_CHECK(session_->run("watch", call_timeout(), [&](const Attempt& attempt) {
      stream = std::make_unique<WatchStream>(session_, attempt, from);
      std::optional<Fault> fault = stream->wait_created(attempt.deadline);
      // Etcd 3.4 says "permission denied" to a watch with an expired token: worth a new one, once.
      if (fault && fault->error.code == Errc::denied && !attempt.token.empty() && !refused_before) {
        refused_before = fault->needs_token = true;
      }
      return fault;
    }));
    return stream;
  }

  Result<std::uint64_t> snapshot(io::Sink& into,
                                 const std::function<void(std::uint64_t, std::uint64_t)>& progress) override {
    SnapshotResult result;
    TM_CHECK(session_->run("snapshot", session_->options().chunk_timeout, [&](const Attempt& attempt) {
      return receive_snapshot(attempt, session_->options().chunk_timeout, into, progress, result);
    }));
    if (result.sink_error) return std::unexpected(*result.sink_error);
    return result.bytes;
  }

 private:
  milliseconds call_timeout() const { return session_->options().call_timeout; }

  const std::shared_ptr<Session> session_;
};

Result<std::vector<Endpoint>> check(const EtcdOptions& options) {
  if (options.endpoints.empty()) return fail(Errc::invalid, "no etcd endpoint is given");
  if (options.cert_file.empty() != options.key_file.empty()) {
    return fail(Errc::invalid, "a client certificate and its key are given together or not at all");
  }
  if (options.skip_server_check && !options.ca_file.empty()) {
    return fail(Errc::invalid, "a CA and leaving out the check of the server exclude each other");
  }
  if (options.user.empty() && !options.password.empty()) return fail(Errc::invalid, "a password without a user");
  const bool tls_given = !options.ca_file.empty() || !options.cert_file.empty() || !options.server_name.empty() ||
                         options.skip_server_check;
  std::vector<Endpoint> endpoints;
  for (const std::string& text : options.endpoints) {
    TM_LET(Endpoint endpoint, parse_endpoint(text, tls_given));
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

}  // namespace

Result<std::unique_ptr<etcd::Member>> connect_etcd(EtcdOptions options) {
  TM_LET(std::vector<Endpoint> endpoints, check(options));
  auto client = std::make_unique<EtcdClient>(std::make_shared<Session>(std::move(options), std::move(endpoints)));
  TM_CHECK(client->status());
  return client;
}

}  // namespace tidemark::link
