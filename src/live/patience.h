// Waiting for what a cluster does in its own time, with an end.
#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>

#include "base/clock.h"

namespace tidemark::live {

// False: stop was requested.
bool pause_for(const std::stop_token& stop, std::chrono::nanoseconds time);

// The pauses between one look and the next: short at first, a second at most.
class Patience {
 public:
  Patience(const Clock& clock, std::chrono::nanoseconds at_most) : clock_(clock), end_(clock.ticks() + at_most) {}
  bool over() const { return clock_.ticks() >= end_; }
  // False: the time is over, or stop was requested.
  bool wait(const std::stop_token& stop) {
    const auto time = next_;
    next_ = std::min<std::chrono::nanoseconds>(next_ * 2, std::chrono::seconds(1));
    return !over() && pause_for(stop, time);
  }

 private:
  const Clock& clock_;
  const Ticks end_;
  std::chrono::nanoseconds next_ = std::chrono::milliseconds(20);
};

}  // namespace tidemark::live
