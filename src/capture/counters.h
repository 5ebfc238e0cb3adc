// What a recorder has done, for metrics and tests. Threads: any; each number for itself is right.
#pragma once

#include <atomic>
#include <cstdint>

namespace tidemark::capture {

struct Counters {
  std::atomic<std::int64_t> head_revision{0}, acknowledged_revision{0}, published_revision{0}, full_revision{0};
  std::atomic<std::int64_t> acknowledged_unix_ms{0}, published_unix_ms{0};  // when the last of it was received or put
  std::atomic<std::uint64_t> spill_bytes{0}, spill_segments{0};
  std::atomic<std::uint64_t> events{0}, deltas{0}, delta_bytes{0}, delta_ms{0};
  std::atomic<std::uint64_t> fulls{0}, full_bytes{0}, full_ms{0};
  std::atomic<std::uint64_t> index_blocks{0}, index_bytes{0}, index_failures{0};
  std::atomic<std::uint64_t> watch_failures{0}, spill_failures{0}, delta_failures{0}, full_failures{0};
  std::atomic<std::uint64_t> gaps{0}, missing_revisions{0}, turns{0}, clock_jumps{0}, left_strays{0};
  std::atomic<std::int64_t> secrets_in_clear{-1},
      secrets_encrypted{-1};         // values in the newest full; -1: none taken yet
  std::atomic<bool> behind{false};   // the store does not take deltas as fast as they are cut
  std::atomic<bool> blocked{false};  // the spill takes nothing: full disk, or its limit is reached
};

}  // namespace tidemark::capture
