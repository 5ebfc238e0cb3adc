#include "net/retry.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <utility>

#include "base/log.h"
#include "base/rfc3339.h"
#include "net/http_date.h"

namespace tidemark::net {
namespace {

using std::chrono::nanoseconds;

bool really_wait(nanoseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

RetryGate::RetryGate(const RetryPolicy& policy, const Clock& clock, std::uint64_t seed, Wait wait)
    : policy_(policy),
      clock_(clock),
      wait_(wait ? std::move(wait) : really_wait),
      random_(seed),
      tokens_(policy.tokens) {}

bool RetryGate::take_token() {
  const std::scoped_lock lock(mutex_);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void RetryGate::succeeded() {
  const std::scoped_lock lock(mutex_);
  tokens_ = std::min(tokens_ + 0.1, static_cast<double>(policy_.tokens));
  told_ = false;
}

bool RetryGate::begins_to_tell() {
  const std::scoped_lock lock(mutex_);
  return !std::exchange(told_, true);
}

nanoseconds RetryGate::jittered(nanoseconds most) {
  const std::scoped_lock lock(mutex_);
  std::uniform_int_distribution<std::int64_t> within(most.count() / 2, most.count());
  return nanoseconds(within(random_));
}

void RetryGate::pause_all(nanoseconds time) {
  const std::scoped_lock lock(mutex_);
  open_from_ = std::max(open_from_, clock_.ticks() + time);
}

nanoseconds RetryGate::pause_left() {
  const std::scoped_lock lock(mutex_);
  return open_from_ - clock_.ticks();
}

Attempts::Attempts(RetryGate& gate, std::stop_token stop)
    : gate_(gate), stop_(std::move(stop)), began_(gate.clock_.ticks()) {}

Status Attempts::ready() {
  if (stop_.stop_requested()) return fail(Errc::cancelled, "asked to stop");
  const nanoseconds left = gate_.pause_left();
  if (left.count() > 0 && !gate_.wait_(left, stop_)) return fail(Errc::cancelled, "asked to stop");
  return {};
}

void Attempts::tell(const Error& why, nanoseconds so_far) {
  const RetryPolicy& policy = gate_.policy_;
  if (policy.service.empty() || so_far < policy.silent || !gate_.begins_to_tell()) return;
  log_warning("no answer yet, trying again", "service={} reason=\"{}\" for_at_most={}", policy.service, why.what,
              print_duration(policy.budget - so_far));
}

Status Attempts::again(const Error& why, const Verdict& verdict) {
  const RetryPolicy& policy = gate_.policy_;
  if (tries_ == 1) began_ = gate_.clock_.ticks();  // a first try may be a long one; the budget is for what follows it
  const auto give_up = [&](std::string_view reason) -> Status {
    Error error = why;
    if (tries_ > 1) error.what += fmt::format(" (tried {} times; {})", tries_, reason);
    return std::unexpected(std::move(error));
  };
  if (verdict.fault == Fault::lasting) return give_up("this one is no passing trouble");
  if (tries_ >= policy.most_tries) return give_up("that is enough");
  nanoseconds wait = policy.first_wait;
  for (int i = 1; i < tries_ && wait < policy.longest_wait; ++i) wait *= 2;
  wait = gate_.jittered(std::min(wait, policy.longest_wait));
  if (verdict.after) wait = std::max(wait, std::min(*verdict.after, policy.longest_wait));
  const nanoseconds so_far = gate_.clock_.ticks() - began_;
  if (so_far + wait > policy.budget) return give_up("the time for it is used up");
  // A server that says when to come again is not down.
  if (!verdict.after && !gate_.take_token()) return give_up("too many retries are under way");
  if (verdict.fault == Fault::throttled) gate_.pause_all(wait);
  ++tries_;
  tell(why, so_far + wait);  // in front of the wait, which may be the long one
  if (!gate_.wait_(wait, stop_)) return fail(Errc::cancelled, "asked to stop after: {}", why.what);
  return {};
}

std::optional<nanoseconds> parse_retry_after(std::string_view text, Time now) {
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) return std::chrono::seconds(seconds);
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  return std::max(nanoseconds{0}, nanoseconds(*date - now));
}

Verdict verdict_of(const Error& error) {
  const bool passing = error.code == Errc::unavailable || error.code == Errc::timeout;
  return {passing ? Fault::passing : Fault::lasting};
}

Verdict verdict_of_status(int status, std::string_view retry_after, Time now) {
  switch (status) {
    case 429:
    case 503: return {Fault::throttled, parse_retry_after(retry_after, now)};
    case 408:
    case 500:
    case 502:
    case 504: return {Fault::passing, parse_retry_after(retry_after, now)};
    default: return {};
  }
}

}  // namespace tidemark::net
