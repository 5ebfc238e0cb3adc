// Waiting that ends when it is asked to, and retries that wait longer each time.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace tidemark::capture {

// False: stop was requested.
inline bool pause_for(const std::stop_token& stop, std::chrono::nanoseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

class Backoff {
 public:
  Backoff(std::chrono::nanoseconds first, std::chrono::nanoseconds most) : first_(first), most_(most), next_(first) {}
  void reset() { next_ = first_; }
  bool fresh() const { return next_ == first_; }  // nothing has failed since reset()
  bool wait(const std::stop_token& stop) {
    const auto time = next_;
    next_ = std::min(most_, next_ * 2);
    return pause_for(stop, time);
  }

 private:
  const std::chrono::nanoseconds first_, most_;
  std::chrono::nanoseconds next_;
};

}  // namespace tidemark::capture
