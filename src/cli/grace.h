// A stop that comes later than the one that was asked for: what is under way gets time to end by itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace tidemark::cli {

class Grace {
 public:
  // token() is stopped `time` after `stop` was. Threads: token() any.
  Grace(std::stop_token stop, std::chrono::nanoseconds time);
  std::stop_token token() const { return late_.get_token(); }

 private:
  void run(const std::stop_token& ended);

  const std::stop_token stop_;
  const std::chrono::nanoseconds time_;
  std::stop_source late_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace tidemark::cli
