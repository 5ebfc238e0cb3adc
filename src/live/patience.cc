#include "live/patience.h"

#include <condition_variable>
#include <mutex>

namespace tidemark::live {

bool pause_for(const std::stop_token& stop, std::chrono::nanoseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace tidemark::live
