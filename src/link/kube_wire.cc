#include "link/kube_wire.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/json_text.h"
#include "link/kube_refusal.h"

namespace tidemark::link {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kMostBody = 64UL << 20U, kMostRefusal = 1UL << 20U;

// As a server means it that asks to be asked again: it has done nothing.
net::Verdict verdict_of_refusal(const KubeCall& call, int status, const KubeRefusal& refusal,
                                std::optional<nanoseconds> after) {
  if (status == 429) return {net::Fault::throttled, after};
  if (status < 500 && status != 408) return {};
  // Whoever should answer for the server is away for longer than a retry waits, and other calls need no retries.
  if (refusal.message.find("failed calling webhook") != std::string::npos) return {};
  if (after) return {status == 503 ? net::Fault::throttled : net::Fault::passing, after};
  return {call.repeatable ? net::Fault::passing : net::Fault::lasting};
}

net::RetryPolicy within(net::RetryPolicy policy, nanoseconds call_within) {
  policy.budget = std::min(policy.budget, call_within);
  policy.longest_wait = std::min(policy.longest_wait, call_within / 4);
  return policy;
}

}  // namespace

KubeWire::KubeWire(KubeAccess access, const KubeClientOptions& options, const Clock& clock)
    : access_(std::move(access)),
      options_(options),
      clock_(clock),
      proof_(access_, clock),
      gate_(within(options.retry, options.call_within), clock, options.seed) {}

net::ClientOptions KubeWire::client_options(const Proof& proof) const {
  net::ClientOptions to;
  to.ca_file = access_.authority.file;
  to.ca_pem = access_.authority.text;
  to.only_these_authorities = access_.authority.given();
  to.cert_file = proof.certificate.file;
  to.cert_pem = proof.certificate.text;
  to.key_file = proof.key.file;
  to.key_pem = proof.key.text;
  to.server_name = access_.tls_server_name;
  to.skip_server_check = access_.skip_server_check;
  to.proxy = access_.proxy;
  to.user_agent = options_.agent;
  to.http2 = true;
  return to;
}

std::shared_ptr<net::Client> KubeWire::client_for(const Proof& proof) {
  const std::scoped_lock lock(mutex_);
  if (client_ == nullptr || issue_ != proof.issue) {
    if (client_ != nullptr) {
      earlier_.requests += client_->traffic().requests;
      earlier_.received_bytes += client_->traffic().received_bytes;
    }
    client_ = std::make_shared<net::Client>(client_options(proof), clock_);
    issue_ = proof.issue;
  }
  return client_;
}

void KubeWire::count(std::uint64_t KubeTraffic::* what) {
  const std::scoped_lock lock(mutex_);
  earlier_.*what += 1;
}

KubeTraffic KubeWire::traffic() const {
  const std::scoped_lock lock(mutex_);
  KubeTraffic all = earlier_;
  if (client_ != nullptr) {
    all.requests += client_->traffic().requests;
    all.received_bytes += client_->traffic().received_bytes;
  }
  return all;
}

// What kept the answer, or the end of it, from coming.
Error KubeWire::of_wire(const KubeCall& call, const Error& error) {
  Error told{error.code, fmt::format("{}: {}", call.doing, error.what), error.hint};
  if (is_no_answer(error.code) && !call.repeatable) told.hint = "it may have been done: look before doing it again";
  return told;
}

KubeWire::Try KubeWire::refusal_of(const KubeCall& call, int status, std::string_view body,
                                   std::string_view retry_after, Proof proof) const {
  const KubeRefusal refusal = read_refusal(status, body);
  auto after = net::parse_retry_after(retry_after, clock_.now());
  if (!after && refusal.after) after = *refusal.after;
  return {.status = std::unexpected(error_of(refusal, call.doing)),
          .verdict = verdict_of_refusal(call, status, refusal, after),
          .disbelieved = status == 401,
          .proof = std::move(proof)};
}

KubeWire::Try KubeWire::no_answer(const KubeCall& call, const Error& why) const {
  Error error = of_wire(call, why);
  if (error.code == Errc::denied) {
    error.hint = fmt::format("is certificate-authority of the cluster '{}' in the kubeconfig that of this server?",
                             access_.cluster);
  }
  return {.status = std::unexpected(std::move(error)),
          .verdict = call.repeatable ? net::verdict_of(why) : net::Verdict()};
}

KubeWire::Try KubeWire::once(const KubeCall& call, Proof proof, const net::Request& request,
                             const std::stop_token& stop, const Take& take) {
  auto response = client_for(proof)->send(request, stop);
  if (!response) return no_answer(call, response.error());
  if (response->status() < 200 || response->status() > 299) {
    const auto body = io::read_all(*response, kMostRefusal);
    return refusal_of(call, response->status(), body ? as_text(*body) : std::string_view(),
                      response->header("Retry-After"), std::move(proof));
  }
  const Status taken = take(*response);
  if (taken) return {.status = {}};
  const bool cut = call.repeatable && call.repeat_body &&
                   (taken.error().code == Errc::unavailable || taken.error().code == Errc::timeout ||
                    taken.error().code == Errc::torn);
  return {.status = std::unexpected(of_wire(call, taken.error())),
          .verdict = {cut ? net::Fault::passing : net::Fault::lasting}};
}

Status KubeWire::repeat(const KubeCall& call, const std::stop_token& stop, const Once& once) {
  const Ticks until = clock_.ticks() + options_.call_within;
  net::Attempts attempts(gate_, stop);
  for (bool renewed = false;;) {
    TM_CHECK(named(call.doing, attempts.ready()));
    Try tried = [&]() -> Try {
      const nanoseconds left = until - clock_.ticks();
      if (left.count() <= 0) {
        return {.status = fail(Errc::timeout, "{}: not done within {} s", call.doing,
                               std::chrono::duration<double>(options_.call_within).count())};
      }
      auto proof = proof_.get(left, stop);
      if (!proof) return {.status = std::unexpected(of_wire(call, proof.error()))};
      net::Request request{.method = call.method, .url = access_.server + call.path, .headers = proof->headers};
      request.headers.push_back({"Accept", call.accept});
      if (!call.content_type.empty()) request.headers.push_back({"Content-Type", call.content_type});
      request.body = call.body;
      request.connect_within = std::min(options_.connect_within, left);
      request.deadline = left + call.lasts;
      request.silence = call.silence.count() != 0 ? call.silence : request.deadline;
      return once(*std::move(proof), std::move(request));
    }();
    if (tried.status) {
      attempts.succeeded();
      return {};
    }
    if (tried.disbelieved && tried.proof.can_be_newer && !renewed) {
      renewed = true;
      proof_.refused(tried.proof);
      continue;
    }
    if (tried.verdict.fault == net::Fault::throttled) count(&KubeTraffic::throttled);
    TM_CHECK(attempts.again(tried.status.error(), tried.verdict));
    if (clock_.ticks() >= until) return tried.status;  // it says more than that the time is over
    count(&KubeTraffic::retries);
  }
}

Status KubeWire::send(const KubeCall& call, const std::stop_token& stop, const Take& take) {
  return repeat(call, stop, [&](Proof proof, const net::Request& request) {
    return once(call, std::move(proof), request, stop, take);
  });
}

Result<std::unique_ptr<net::WebSocket>> KubeWire::upgrade(const KubeCall& call, std::span<const std::string> protocols,
                                                          const std::stop_token& stop) {
  std::unique_ptr<net::WebSocket> socket;
  TM_CHECK(repeat(call, stop, [&](Proof proof, net::Request request) -> Try {
    request.headers.push_back({"User-Agent", options_.agent});
    const std::shared_ptr<net::Client> client = client_for(proof);
    auto answer = net::open_web_socket(*client, request, protocols, stop);
    if (!answer) return no_answer(call, answer.error());
    if (!answer->socket) {
      const net::Answer& refusal = answer->refusal;
      return refusal_of(call, refusal.status, refusal.text(), refusal.header("Retry-After"), std::move(proof));
    }
    socket = std::move(answer->socket);
    return {.status = {}};
  }));
  return socket;
}

Result<nlohmann::json> KubeWire::ask(const KubeCall& call, const std::stop_token& stop) {
  Buffer body;
  TM_CHECK(send(call, stop, [&](io::Source& from) -> Status {
    TM_LET(body, io::read_all(from, kMostBody));
    return {};
  }));
  return named(call.doing, kube::parse_json(body));
}

}  // namespace tidemark::link
