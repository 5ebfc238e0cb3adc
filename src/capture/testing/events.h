// Events with bytes of their own, for tests.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "etcd/row.h"

namespace tidemark::capture::testing {

// Owns what its events view. Revisions count up from `first`.
class Events {
 public:
  explicit Events(std::int64_t first) : next_(first) {}
  // One revision with so many puts (and a deletion at its end).
  Events& revision(int puts = 1, bool deletion = false, std::size_t value_bytes = 8) {
    for (int i = 0; i < puts; i++) add(false, value_bytes);
    if (deletion) add(true, 0);
    next_++;
    return *this;
  }
  Events& revisions(int count) {
    for (int i = 0; i < count; i++) revision();
    return *this;
  }
  const std::vector<etcd::Event>& all() const { return events_; }

 private:
  void add(bool deletion, std::size_t value_bytes) {
    etcd::Event event;
    event.deletion = deletion;
    event.kv.key = keep("key-" + std::to_string(serial_++));
    event.kv.mod = Revision(next_);
    if (!deletion) {
      event.kv.value = keep(std::string(value_bytes, 'v'));
      event.kv.create = Revision(next_);
      event.kv.version = 1;
      event.kv.lease = LeaseId(next_ % 3);
    }
    events_.push_back(event);
  }
  Bytes keep(std::string text) { return as_bytes(texts_.emplace_back(std::move(text))); }

  std::int64_t next_;
  int serial_ = 0;
  std::deque<std::string> texts_;
  std::vector<etcd::Event> events_;
};

}  // namespace tidemark::capture::testing
