#include "base/clock.h"

namespace tidemark {

namespace {
class SystemClock final : public Clock {
 public:
  Time now() const override { return std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now()); }
  Ticks ticks() const override { return std::chrono::steady_clock::now(); }
};
}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace tidemark
