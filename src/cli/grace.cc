#include "cli/grace.h"

#include <utility>

namespace tidemark::cli {

Grace::Grace(std::stop_token stop, std::chrono::nanoseconds time)
    : stop_(std::move(stop)), time_(time), thread_([this](const std::stop_token& ended) { run(ended); }) {}

void Grace::run(const std::stop_token& ended) {
  const std::stop_callback wake(stop_, [this] {
    const std::scoped_lock lock(mutex_);
    asked_.notify_all();
  });
  std::unique_lock lock(mutex_);
  asked_.wait(lock, ended, [this] { return stop_.stop_requested(); });
  asked_.wait_for(lock, ended, time_, [] { return false; });
  lock.unlock();
  if (!ended.stop_requested()) late_.request_stop();
}

}  // namespace tidemark::cli
