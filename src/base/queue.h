// A queue between two stages of a pipeline, bounded in bytes (or in whatever unit `cost` counts).
//
// push() waits for room; an item larger than the whole capacity is let in alone. close() ends the input: pop() drains
// what is left, then returns nullopt. abort() drops what is left and wakes everybody.
// Threads: any number on both sides.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace tidemark {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  // False when the queue is closed or aborted: the item was not taken.
  bool push(T item, std::size_t cost) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || used_ == 0 || used_ + cost <= capacity_; });
    if (closed_) return false;
    used_ += cost;
    items_.emplace_back(std::move(item), cost);
    filled_.notify_one();
    return true;
  }

  // nullopt: closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
    return take();
  }

  // nullopt: nothing came in time, or closed and empty (closed() tells which).
  template <class Duration>
  std::optional<T> pop_for(Duration wait) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, wait, [&] { return closed_ || !items_.empty(); });
    return take();
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }

  void abort() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    items_.clear();
    used_ = 0;
    room_.notify_all();
    filled_.notify_all();
  }

  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }
  std::size_t used() const {
    const std::lock_guard lock(mutex_);
    return used_;
  }

 private:
  std::optional<T> take() {
    if (items_.empty()) return std::nullopt;
    std::pair<T, std::size_t> front = std::move(items_.front());
    items_.pop_front();
    used_ -= front.second;
    room_.notify_all();
    return std::move(front.first);
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::deque<std::pair<T, std::size_t>> items_;
  std::size_t used_ = 0;
  bool closed_ = false;
};

}  // namespace tidemark
