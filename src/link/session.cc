#include "link/session.h"

#include <algorithm>

namespace tidemark::link {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Fault Connection::judge(const grpc::Status& status, std::string_view doing) const {
  Fault fault = link::judge(static_cast<WireCode>(status.error_code()), status.error_message(), endpoint.text, doing);
  if (fault.lost_connection && endpoint.tls && fault.error.hint.empty()) {
    fault.error.hint = "check the CA, and whether the server asks for a client certificate";
  }
  return fault;
}

void Attempt::dress(grpc::ClientContext& context, bool with_deadline, bool require_leader) const {
  if (with_deadline) context.set_deadline(grpc_deadline(deadline));
  if (!token.empty()) context.AddMetadata("token", token);
  if (require_leader) context.AddMetadata("hasleader", "true");
}

Session::Session(EtcdOptions options, std::vector<Endpoint> endpoints)
    : options_(std::move(options)), endpoints_(std::move(endpoints)) {}

Result<std::shared_ptr<Connection>> Session::connection() {
  const std::lock_guard lock(mutex_);
  if (connection_ != nullptr) return connection_;
  auto made = std::make_shared<Connection>();
  made->endpoint = endpoints_[current_];
  TM_LET(made->channel, open_channel(made->endpoint, options_));
  made->kv = pb::KV::NewStub(made->channel);
  made->watch = pb::Watch::NewStub(made->channel);
  made->lease = pb::Lease::NewStub(made->channel);
  made->cluster = pb::Cluster::NewStub(made->channel);
  made->maintenance = pb::Maintenance::NewStub(made->channel);
  made->auth = pb::Auth::NewStub(made->channel);
  connection_ = std::move(made);
  return connection_;
}

void Session::leave(const std::shared_ptr<Connection>& connection, const Fault& fault) {
  const std::lock_guard lock(mutex_);
  if (connection_ != connection) return;  // somebody else has moved on already
  if (!fault.try_elsewhere && !fault.lost_connection) return;
  if (endpoints_.size() == 1 && !fault.lost_connection) return;
  current_ = (current_ + 1) % endpoints_.size();
  connection_ = nullptr;
}

void Session::forget_token(const std::string& token) {
  const std::lock_guard lock(mutex_);
  auth_is_off_ = false;
  if (token_ == token) token_.clear();
}

// Fills attempt.token. A server without authentication is served without one, whatever the options say.
std::optional<Fault> Session::ensure_token(Attempt& attempt) {
  if (options_.user.empty()) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    attempt.token = token_;
    if (!token_.empty() || auth_is_off_) return std::nullopt;
  }
  pb::AuthenticateRequest request;
  request.set_name(options_.user);
  request.set_password(options_.password);
  pb::AuthenticateResponse response;
  grpc::ClientContext context;
  attempt.dress(context, true, false);
  const grpc::Status status = attempt.connection->auth->Authenticate(&context, request, &response);
  const std::lock_guard lock(mutex_);
  if (status.ok()) {
    token_ = attempt.token = response.token();
    return std::nullopt;
  }
  Fault fault = attempt.connection->judge(status, fmt::format("authenticate as '{}'", options_.user));
  fault.needs_token = false;
  auth_is_off_ = fault.auth_is_off;
  if (auth_is_off_) return std::nullopt;
  return fault;
}

std::optional<Fault> Session::try_once(Attempt& attempt, const Call& call) {
  // Not connected: the call is made all the same, and its status says why it cannot be.
  wait_connected(*attempt.connection->channel, std::min(attempt.deadline, steady_clock::now() + options_.dial_timeout));
  if (auto fault = ensure_token(attempt)) return fault;
  return call(attempt);
}

Status Session::run(std::string_view doing, milliseconds timeout, const Call& call) {
  const Deadline end = steady_clock::now() + timeout;
  bool token_renewed = false;
  std::size_t endpoints_left = endpoints_.size();
  for (;;) {
    TM_LET(std::shared_ptr<Connection> on, named(doing, connection()));
    // A silent endpoint gets its share of the time, so that there is some left for the others.
    const auto now = steady_clock::now();
    Attempt attempt{std::move(on), {}, now + (end - now) / static_cast<int>(endpoints_left)};
    const std::optional<Fault> fault = try_once(attempt, call);
    if (!fault) return {};
    if (fault->needs_token && !options_.user.empty() && !token_renewed) {
      token_renewed = true;
      forget_token(attempt.token);
      continue;
    }
    leave(attempt.connection, *fault);
    if (!fault->try_elsewhere || --endpoints_left == 0 || steady_clock::now() >= end) {
      return std::unexpected(fault->error);
    }
  }
}

}  // namespace tidemark::link
