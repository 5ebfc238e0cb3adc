// A credential that ends: held, fetched anew in time, and not asked for again and again while nobody gives it out.
//
//   Renewed<Token> token(clock, 5min);
//   TM_LET(const Token now, token.get([&] { return ask_the_service(); }));
//
// What is held serves until `before` its end; then it is fetched, and while that fails the old one serves until it
// ends. A failure is remembered for kPause: who asks meanwhile is told it at once, so that a token service that is down
// costs one call its deadline and not every one. T has std::optional<Time> ends() const; nullopt: it does not end.
// Threads: any; one fetches, the others wait for it.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"

namespace tidemark::store {

// The part that does not depend on what is held. One thread at a time.
class FetchPause {
 public:
  static constexpr std::chrono::seconds kPause{30};

  explicit FetchPause(const Clock& clock) : clock_(clock) {}
  // The last failure with how long ago it was, while it is too early to ask again; nullopt: ask.
  std::optional<Error> still() const;
  void failed(const Error& why);  // being stopped is no failure of theirs
  void succeeded() { failure_.reset(); }
  void tell_not_renewed(const Error& why, Time ends);  // in the log, once a failure

 private:
  const Clock& clock_;
  std::optional<Error> failure_;
  Ticks when_{};
};

template <class T>
class Renewed {
 public:
  Renewed(const Clock& clock, std::chrono::nanoseconds before) : clock_(clock), before_(before), pause_(clock) {}

  template <class Fetch>
  Result<T> get(const Fetch& fetch) {
    const std::scoped_lock lock(mutex_);
    const std::optional<Time> ends = held_ ? held_->ends() : std::nullopt;
    if (held_ && (!ends || clock_.now() < *ends - before_)) return *held_;
    const auto serves = [&] { return held_ && clock_.now() < *ends; };  // asking may have taken its time
    if (const auto known = pause_.still()) {
      if (serves()) return *held_;
      return std::unexpected(*known);
    }
    Result<T> fresh = fetch();
    if (fresh) {
      pause_.succeeded();
      held_ = *std::move(fresh);
      return *held_;
    }
    pause_.failed(fresh.error());
    if (!serves()) return fresh;
    pause_.tell_not_renewed(fresh.error(), *ends);
    return *held_;
  }

  // Lets go of what is held, if it is the one: the next get() fetches. False: it was not.
  template <class IsIt>
  bool drop(const IsIt& is_it) {
    const std::scoped_lock lock(mutex_);
    if (!held_ || !is_it(*held_)) return false;
    held_.reset();
    return true;
  }
  std::optional<T> held() const {
    const std::scoped_lock lock(mutex_);
    return held_;
  }

 private:
  const Clock& clock_;
  const std::chrono::nanoseconds before_;
  mutable std::mutex mutex_;
  FetchPause pause_;
  std::optional<T> held_;
};

}  // namespace tidemark::store
