// When to try again, and when to give up: exponential waits with jitter, under a budget, and one pause for everybody
// when the other side says that it is too much.
//
// A call makes one Attempts; all calls to one service share a RetryGate. Three things end the tries of a call: their
// number, their time, and the gate's tokens (a retry takes one, a success brings a tenth back), so that a service that
// is down is not hit ten times as hard by everybody who waits for it.
// Threads: RetryGate: any. Attempts: one.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tidemark::net {

// What a failure says about the next try.
enum class Fault {
  lasting,    // the same again
  passing,    // may work at once
  throttled,  // too much: wait, and let the others wait too
};

struct Verdict {
  Fault fault = Fault::lasting;
  std::optional<std::chrono::nanoseconds> after{};  // the server's own wish (Retry-After)
};

struct RetryPolicy {
  int most_tries = 8;
  std::chrono::nanoseconds first_wait = std::chrono::milliseconds(100);  // doubles each time
  std::chrono::nanoseconds longest_wait = std::chrono::seconds(20);      // also for Retry-After
  std::chrono::nanoseconds budget = std::chrono::minutes(1);             // one call, waits included
  int tokens = 100;                                                      // retries that may be under way in a bad time
  // Who is called. Named in one warning when a call has waited for `silent`, and not again before one succeeds, so that
  // nobody sits in front of a program that says nothing for a minute. Empty: nothing is logged.
  std::string service{};
  std::chrono::nanoseconds silent = std::chrono::seconds(2);
};

class RetryGate {
 public:
  // Waits, ended by `stop`; false: stop was requested. The default really waits.
  using Wait = std::function<bool(std::chrono::nanoseconds, const std::stop_token&)>;

  RetryGate(const RetryPolicy& policy, const Clock& clock, std::uint64_t seed, Wait wait = {});
  const RetryPolicy& policy() const { return policy_; }

 private:
  friend class Attempts;
  bool take_token();
  void succeeded();
  std::chrono::nanoseconds jittered(std::chrono::nanoseconds most);  // between half of it and all of it
  void pause_all(std::chrono::nanoseconds time);
  std::chrono::nanoseconds pause_left();
  bool begins_to_tell();  // true once in each bad time

  const RetryPolicy policy_;
  const Clock& clock_;
  const Wait wait_;
  std::mutex mutex_;
  std::mt19937_64 random_;
  double tokens_;
  bool told_ = false;
  Ticks open_from_{};
};

class Attempts {
 public:
  Attempts(RetryGate& gate, std::stop_token stop);

  // Before each try: waits while everybody was told to wait. Errc::cancelled.
  Status ready();
  // After a try that failed: waits, then returns ok for another one. Else `why`, with how often it was tried.
  Status again(const Error& why, const Verdict& verdict);
  void succeeded() { gate_.succeeded(); }
  int tries() const { return tries_; }

 private:
  void tell(const Error& why, std::chrono::nanoseconds so_far);

  RetryGate& gate_;
  std::stop_token stop_;
  Ticks began_;
  int tries_ = 1;
};

// "120", or an HTTP date. nullopt: neither.
std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view text, Time now);

// A failure of the wire: what Client::send() returned.
Verdict verdict_of(const Error& error);
// A status, by HTTP's own rules: 408, 429, 500, 502, 503, 504 pass.
Verdict verdict_of_status(int status, std::string_view retry_after, Time now);

}  // namespace tidemark::net
