// The process that runs a restore, as others can tell whether it still does.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>

namespace tidemark::live {

struct Runner {
  std::string host;
  std::uint64_t pid = 0;
  std::uint64_t started = 0;  // in the kernel's ticks since it booted: a pid alone may be given again
  friend bool operator==(const Runner&, const Runner&) = default;
};

Runner this_runner();

// True only when it is surely still there: on this host. Of another host nothing is known.
bool is_running(const Runner& runner);

}  // namespace tidemark::live
