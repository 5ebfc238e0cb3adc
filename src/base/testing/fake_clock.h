// A clock that moves only when the test says so. Threads: any.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace tidemark::testing {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(Time start) : wall_ns_(start.time_since_epoch().count()) {}
  Time now() const override { return Time(std::chrono::nanoseconds(wall_ns_.load())); }
  Ticks ticks() const override { return Ticks(std::chrono::nanoseconds(steady_ns_.load())); }

  void advance(std::chrono::nanoseconds by) {
    wall_ns_ += by.count();
    steady_ns_ += by.count();
  }
  void jump_wall(std::chrono::nanoseconds by) { wall_ns_ += by.count(); }  // what NTP or an operator does

 private:
  std::atomic<std::int64_t> wall_ns_;
  std::atomic<std::int64_t> steady_ns_{1};
};

}  // namespace tidemark::testing
