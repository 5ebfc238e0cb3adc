#include "net/testing/breaking_proxy.h"

#include <algorithm>

namespace tidemark::net::testing {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool between_hops(std::string_view name) {
  const std::string low = lower(name);
  return low == "connection" || low == "keep-alive" || low == "transfer-encoding" || low == "expect" ||
         low == "content-length";
}

}  // namespace

BreakingProxy::BreakingProxy(std::string upstream, ClientOptions client)
    : upstream_(std::move(upstream)),
      client_(std::move(client)),
      server_([this](const Received& request) { return serve(request); }) {}

void BreakingProxy::break_call(int n, Break how) {
  heal();
  const std::scoped_lock lock(mutex_);
  at_[n] = std::move(how);
}

void BreakingProxy::break_all(Break how, std::function<bool(const Received&)> which) {
  heal();
  const std::scoped_lock lock(mutex_);
  all_ = std::move(how);
  which_ = std::move(which);
}

void BreakingProxy::heal() {
  const std::scoped_lock lock(mutex_);
  at_.clear();
  all_ = {};
  which_ = frozen_ = {};
  first_answers_.clear();
  log_.clear();
}

void BreakingProxy::freeze_answers_to(std::function<bool(const Received&)> which) {
  heal();
  const std::scoped_lock lock(mutex_);
  frozen_ = std::move(which);
}

int BreakingProxy::calls() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(log_.size());
}

std::vector<std::string> BreakingProxy::log() const {
  const std::scoped_lock lock(mutex_);
  return log_;
}

Break BreakingProxy::take(const Received& request) {
  const std::scoped_lock lock(mutex_);
  log_.push_back(request.method + " " + request.target);
  const auto at = at_.find(static_cast<int>(log_.size()));
  if (at != at_.end()) return at->second;
  return which_ && !which_(request) ? Break{} : all_;
}

Reply BreakingProxy::forward(const Received& request) {
  Request out{.method = request.method, .url = upstream_ + request.target, .body = as_bytes(request.body)};
  for (const Header& header : request.headers) {
    if (!between_hops(header.name)) out.headers.push_back(header);
  }
  auto response = client_.send(out);
  if (!response) return {.drop = true};
  Reply reply{.status = response->status()};
  for (const Header& header : response->headers()) {
    const bool length = lower(header.name) == "content-length";
    if (!between_hops(header.name) || (length && request.method == "HEAD")) reply.headers.push_back(header);
  }
  const auto body = io::read_all(*response, 1UL << 30U);
  if (!body) return {.drop = true};
  reply.body = as_text(*body);
  return reply;
}

Reply BreakingProxy::serve(const Received& request) {
  const Break how = take(request);
  if (how.kind == Break::Kind::drop) return {.drop = true};
  if (how.kind == Break::Kind::answer) return {.status = how.status, .headers = how.headers, .body = how.body};
  Reply reply = forward(request);
  if (how.kind == Break::Kind::lose_answer) reply.drop = true;
  if (how.kind == Break::Kind::cut) {
    reply.drop = reply.body.empty();
    reply.cut_after = reply.body.size() / 2;
  }
  if (how.kind == Break::Kind::garble) reply.body = how.body;
  const std::scoped_lock lock(mutex_);
  if (frozen_ && request.method == "GET" && frozen_(request)) {
    return first_answers_.try_emplace(request.target, reply).first->second;
  }
  return reply;
}

}  // namespace tidemark::net::testing
