// What a server of the past has done, for metrics and tests. Threads: any; each number for itself is right.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

#include "serve/reply.h"

namespace tidemark::serve {

// What a request wants, in the words of an API server's metrics where it has one. review: what the caller may do;
// discovery: every other path that is read; write: whatever would change something; none: no request of the API.
enum class Verb : std::uint8_t { get, list, watch, review, discovery, write, none };
inline constexpr std::array kVerbNames = {"get", "list", "watch", "review", "discovery", "write", "none"};

Verb verb_of(const Request& request);

// Requests that were answered, by verb: how, and how long that took.
class RequestTally {
 public:
  // Upper bounds of the buckets, in seconds; longer ones are in none.
  static constexpr std::array kBounds = {0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0};
  struct Row {
    std::map<int, std::uint64_t> codes;                  // how many of each; 0: nothing was sent
    std::array<std::uint64_t, kBounds.size()> within{};  // not cumulative
    std::uint64_t count = 0, bytes = 0;                  // bytes: of bodies, as they were sent
    double seconds = 0;
  };
  using Rows = std::array<Row, kVerbNames.size()>;

  void add(Verb verb, int code, std::chrono::nanoseconds took, std::uint64_t bytes);
  Rows rows() const;

 private:
  mutable std::mutex mutex_;
  Rows rows_;
};

struct Counters {
  RequestTally requests = {};
  std::atomic<std::uint64_t> in_flight{0};  // watches among them
  std::atomic<std::uint64_t> moments{0};    // open now
  std::atomic<std::uint64_t> cache_bytes{0};
  std::atomic<std::uint64_t> reads{0};       // of objects, one namespace or one kind, which the cache did not have
  std::atomic<std::uint64_t> unreadable{0};  // values that were met in those
};

// An answer on its way, which knows how it went. Requires: `to` outlives it. Threads: that of the request.
class CountedReply final : public Reply {
 public:
  explicit CountedReply(Reply& to) : to_(to) {}
  Status send(int code, const ReplyHeaders& headers, std::string body) override;
  Status begin(int code, const ReplyHeaders& headers, bool last) override;
  Status write(std::string_view piece) override;
  Status end() override { return to_.end(); }
  bool quiet_until(Ticks deadline) override { return to_.quiet_until(deadline); }

  int code() const { return code_; }  // 0: nothing was sent
  std::uint64_t bytes() const { return bytes_; }

 private:
  Reply& to_;
  int code_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace tidemark::serve
