// The seconds in the names of fulls and deltas: never before the last one's, even when the wall clock is set back.
// Threads: any.
#pragma once

#include <algorithm>
#include <mutex>

#include "base/clock.h"

namespace tidemark::capture {

class NameTime {
 public:
  explicit NameTime(std::int64_t newest_unix_s = 0) : newest_(newest_unix_s) {}

  // For an object whose newest event came at `last_event`.
  std::int64_t take(Time now, Time last_event = {}) {
    const std::lock_guard lock(mutex_);
    newest_ = std::max({newest_, seconds_up(now), seconds_up(last_event)});
    return newest_;
  }
  std::int64_t newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }

 private:
  static std::int64_t seconds_up(Time t) {
    return std::chrono::ceil<std::chrono::seconds>(t).time_since_epoch().count();
  }
  mutable std::mutex mutex_;
  std::int64_t newest_;
};

}  // namespace tidemark::capture
