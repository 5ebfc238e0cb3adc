// Time comes in through constructors. Policy functions take `now`; only the edges hold a Clock.
#pragma once

#include <chrono>

namespace tidemark {

using Time = std::chrono::sys_time<std::chrono::nanoseconds>;  // wall time, UTC; may jump
using Ticks = std::chrono::steady_clock::time_point;           // never goes back; for waits and deadlines

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual Ticks ticks() const = 0;
};

// The operating system's clocks. Threads: any.
const Clock& system_clock();

}  // namespace tidemark
