#include "kit/etcd_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "etcd_rpc.grpc.pb.h"

namespace tidemark::testing {

namespace pb = etcdserverpb;

struct EtcdWriter::Connection {
  explicit Connection(const std::shared_ptr<grpc::Channel>& channel)
      : kv(pb::KV::NewStub(channel)),
        lease(pb::Lease::NewStub(channel)),
        cluster(pb::Cluster::NewStub(channel)),
        maintenance(pb::Maintenance::NewStub(channel)),
        auth(pb::Auth::NewStub(channel)) {}

  // Calls one method: invoke(kv, &pb::KV::Stub::Put, request).
  template <class Stub, class Request, class Response>
  Result<Response> invoke(const std::unique_ptr<Stub>& stub,
                          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                          const std::type_identity_t<Request>& request) {
    grpc::ClientContext context;
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(120, GPR_TIMESPAN));
    context.set_deadline(deadline);
    if (!token.empty()) context.AddMetadata("token", token);
    Response response;
    const grpc::Status status = ((*stub).*method)(&context, request, &response);
    if (status.ok()) return response;
    return fail(status.error_code() == grpc::UNAVAILABLE ? Errc::unavailable : Errc::invalid, "{}: {}",
                Request().GetTypeName(), status.error_message());
  }

  std::unique_ptr<pb::KV::Stub> kv;
  std::unique_ptr<pb::Lease::Stub> lease;
  std::unique_ptr<pb::Cluster::Stub> cluster;
  std::unique_ptr<pb::Maintenance::Stub> maintenance;
  std::unique_ptr<pb::Auth::Stub> auth;
  std::string token;
};

namespace {

std::shared_ptr<grpc::Channel> open_channel(const std::string& target,
                                            const std::shared_ptr<grpc::ChannelCredentials>& c) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 300);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(target, c, arguments);
}

Result<std::string> text_of(const io::Path& path) {
  TM_LET(const Buffer bytes, io::read_file(path, 1 << 20));
  return std::string(as_text(bytes));
}

void fill(pb::RequestOp& op, const WriteOp& from) {
  if (from.kind == WriteOp::Kind::put) {
    auto& put = *op.mutable_request_put();
    put.set_key(from.key);
    put.set_value(from.value);
    put.set_lease(from.lease.raw());
    return;
  }
  auto& remove = *op.mutable_request_delete_range();
  remove.set_key(from.key);
  if (from.kind == WriteOp::Kind::remove_range) remove.set_range_end(from.range_end);
}

}  // namespace

EtcdWriter::EtcdWriter(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
EtcdWriter::EtcdWriter(EtcdWriter&&) noexcept = default;
EtcdWriter& EtcdWriter::operator=(EtcdWriter&&) noexcept = default;
EtcdWriter::~EtcdWriter() = default;

Result<EtcdWriter> EtcdWriter::connect(const EtcdProcess& etcd) {
  const std::string target = fmt::format("127.0.0.1:{}", etcd.setup().client_port);
  if (!etcd.setup().tls) return connect(target);
  grpc::SslCredentialsOptions ssl;
  TM_LET(ssl.pem_root_certs, text_of(etcd.setup().tls->ca));
  TM_LET(ssl.pem_cert_chain, text_of(etcd.setup().tls->cert));
  TM_LET(ssl.pem_private_key, text_of(etcd.setup().tls->key));
  return EtcdWriter(std::make_unique<Connection>(open_channel(target, grpc::SslCredentials(ssl))));
}

Result<EtcdWriter> EtcdWriter::connect(const std::string& host_and_port) {
  return EtcdWriter(std::make_unique<Connection>(open_channel(host_and_port, grpc::InsecureChannelCredentials())));
}

Result<Revision> EtcdWriter::put(const std::string& key, const std::string& value, LeaseId lease) {
  pb::PutRequest request;
  request.set_key(key);
  request.set_value(value);
  request.set_lease(lease.raw());
  TM_LET(const auto response, connection_->invoke(connection_->kv, &pb::KV::Stub::Put, request));
  return Revision(response.header().revision());
}

Result<Revision> EtcdWriter::del(const std::string& key) { return del_range(key, ""); }

Result<Revision> EtcdWriter::del_range(const std::string& key, const std::string& range_end) {
  pb::DeleteRangeRequest request;
  request.set_key(key);
  request.set_range_end(range_end);
  TM_LET(const auto response, connection_->invoke(connection_->kv, &pb::KV::Stub::DeleteRange, request));
  return Revision(response.header().revision());
}

Result<Revision> EtcdWriter::txn(const std::vector<WriteOp>& ops) {
  pb::TxnRequest request;
  for (const WriteOp& op : ops) fill(*request.add_success(), op);
  TM_LET(const auto response, connection_->invoke(connection_->kv, &pb::KV::Stub::Txn, request));
  return Revision(response.header().revision());
}

Status EtcdWriter::compact(Revision at, bool physical) {
  pb::CompactionRequest request;
  request.set_revision(at.raw());
  request.set_physical(physical);
  TM_CHECK(connection_->invoke(connection_->kv, &pb::KV::Stub::Compact, request));
  return {};
}

Status EtcdWriter::defragment() {
  TM_CHECK(connection_->invoke(connection_->maintenance, &pb::Maintenance::Stub::Defragment, {}));
  return {};
}

Result<LeaseId> EtcdWriter::lease_grant(std::int64_t ttl_s, LeaseId id) {
  pb::LeaseGrantRequest request;
  request.set_ttl(ttl_s);
  request.set_id(id.raw());
  TM_LET(const auto response, connection_->invoke(connection_->lease, &pb::Lease::Stub::LeaseGrant, request));
  return LeaseId(response.id());
}

Status EtcdWriter::lease_revoke(LeaseId id) {
  pb::LeaseRevokeRequest request;
  request.set_id(id.raw());
  TM_CHECK(connection_->invoke(connection_->lease, &pb::Lease::Stub::LeaseRevoke, request));
  return {};
}

Result<std::vector<StoredLease>> EtcdWriter::leases() {
  TM_LET(const auto all, connection_->invoke(connection_->lease, &pb::Lease::Stub::LeaseLeases, {}));
  std::vector<StoredLease> leases;
  for (const auto& one : all.leases()) {
    pb::LeaseTimeToLiveRequest request;
    request.set_id(one.id());
    request.set_keys(true);
    TM_LET(const auto ttl, connection_->invoke(connection_->lease, &pb::Lease::Stub::LeaseTimeToLive, request));
    StoredLease lease{LeaseId(one.id()), ttl.grantedttl(), ttl.ttl(), {ttl.keys().begin(), ttl.keys().end()}};
    std::ranges::sort(lease.keys);
    leases.push_back(std::move(lease));
  }
  std::ranges::sort(leases, {}, &StoredLease::id);
  return leases;
}

Result<std::vector<StoredKey>> EtcdWriter::read_all(Revision at, Revision* head) {
  std::vector<StoredKey> keys;
  pb::RangeRequest request;
  request.set_key(std::string(1, '\0'));
  request.set_range_end(std::string(1, '\0'));
  request.set_limit(2000);
  request.set_revision(at.raw());
  for (;;) {
    TM_LET(const auto page, connection_->invoke(connection_->kv, &pb::KV::Stub::Range, request));
    if (head != nullptr) *head = Revision(page.header().revision());
    // The pages after the first are of the first one's revision.
    if (request.revision() == 0) request.set_revision(page.header().revision());
    for (const auto& kv : page.kvs()) {
      keys.push_back({kv.key(), kv.value(), Revision(kv.create_revision()), Revision(kv.mod_revision()), kv.version(),
                      LeaseId(kv.lease())});
    }
    if (!page.more()) return keys;
    request.set_key(keys.back().key + '\0');
  }
}

Result<Revision> EtcdWriter::head() {
  pb::RangeRequest request;
  request.set_key("a");
  request.set_count_only(true);
  TM_LET(const auto response, connection_->invoke(connection_->kv, &pb::KV::Stub::Range, request));
  return Revision(response.header().revision());
}

Result<EtcdWriter::Hash> EtcdWriter::hash_kv(Revision at) {
  pb::HashKVRequest request;
  request.set_revision(at.raw());
  TM_LET(const auto r, connection_->invoke(connection_->maintenance, &pb::Maintenance::Stub::HashKV, request));
  return Hash{r.hash(), Revision(r.compact_revision()), Revision(r.header().revision())};
}

Result<EtcdWriter::AddedMember> EtcdWriter::member_add(const std::string& name, const std::string& peer_url,
                                                       bool learner) {
  pb::MemberAddRequest request;
  request.add_peerurls(peer_url);
  request.set_islearner(learner);
  TM_LET(const auto response, connection_->invoke(connection_->cluster, &pb::Cluster::Stub::MemberAdd, request));
  AddedMember added{response.member().id(), {}};
  for (const auto& member : response.members()) {
    const std::string& known = member.id() == added.id ? name : member.name();
    for (const auto& url : member.peerurls()) {
      added.initial_cluster += fmt::format("{}{}={}", added.initial_cluster.empty() ? "" : ",", known, url);
    }
  }
  return added;
}

Status EtcdWriter::member_remove(std::uint64_t id) {
  pb::MemberRemoveRequest request;
  request.set_id(id);
  TM_CHECK(connection_->invoke(connection_->cluster, &pb::Cluster::Stub::MemberRemove, request));
  return {};
}

Status EtcdWriter::member_promote(std::uint64_t id) {
  pb::MemberPromoteRequest request;
  request.set_id(id);
  TM_CHECK(connection_->invoke(connection_->cluster, &pb::Cluster::Stub::MemberPromote, request));
  return {};
}

Status EtcdWriter::disarm_alarms() {
  TM_LET(const auto all, connection_->invoke(connection_->maintenance, &pb::Maintenance::Stub::Alarm, {}));
  for (const auto& alarm : all.alarms()) {
    pb::AlarmRequest request;
    request.set_action(pb::AlarmRequest::DEACTIVATE);
    request.set_memberid(alarm.memberid());
    request.set_alarm(alarm.alarm());
    TM_CHECK(connection_->invoke(connection_->maintenance, &pb::Maintenance::Stub::Alarm, request));
  }
  return {};
}

Result<std::uint64_t> EtcdWriter::leader() {
  TM_LET(const auto status, connection_->invoke(connection_->maintenance, &pb::Maintenance::Stub::Status, {}));
  return status.leader();
}
Result<std::uint64_t> EtcdWriter::member_id() {
  TM_LET(const auto status, connection_->invoke(connection_->maintenance, &pb::Maintenance::Stub::Status, {}));
  return status.header().member_id();
}

Status EtcdWriter::move_leader(std::uint64_t to) {
  pb::MoveLeaderRequest request;
  request.set_targetid(to);
  TM_CHECK(connection_->invoke(connection_->maintenance, &pb::Maintenance::Stub::MoveLeader, request));
  return {};
}

Status EtcdWriter::role_add(const std::string& name, const std::string& key, const std::string& range_end) {
  pb::AuthRoleAddRequest role;
  role.set_name(name);
  TM_CHECK(connection_->invoke(connection_->auth, &pb::Auth::Stub::RoleAdd, role));
  if (key.empty()) return {};
  pb::AuthRoleGrantPermissionRequest grant;
  grant.set_name(name);
  grant.mutable_perm()->set_permtype(authpb::Permission::READWRITE);
  grant.mutable_perm()->set_key(key);
  grant.mutable_perm()->set_range_end(range_end);
  TM_CHECK(connection_->invoke(connection_->auth, &pb::Auth::Stub::RoleGrantPermission, grant));
  return {};
}

Status EtcdWriter::user_add(const std::string& name, const std::string& password, const std::string& role) {
  pb::AuthUserAddRequest user;
  user.set_name(name);
  user.set_password(password);
  TM_CHECK(connection_->invoke(connection_->auth, &pb::Auth::Stub::UserAdd, user));
  pb::AuthUserGrantRoleRequest grant;
  grant.set_user(name);
  grant.set_role(role);
  TM_CHECK(connection_->invoke(connection_->auth, &pb::Auth::Stub::UserGrantRole, grant));
  return {};
}

Status EtcdWriter::auth_enable() {
  TM_CHECK(connection_->invoke(connection_->auth, &pb::Auth::Stub::AuthEnable, {}));
  return {};
}

Status EtcdWriter::authenticate(const std::string& user, const std::string& password) {
  pb::AuthenticateRequest request;
  request.set_name(user);
  request.set_password(password);
  TM_LET(const auto response, connection_->invoke(connection_->auth, &pb::Auth::Stub::Authenticate, request));
  connection_->token = response.token();
  return {};
}

}  // namespace tidemark::testing
