#include "live/runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace tidemark::live {
namespace {

// Field 22 of a process's stat, of which the second, its name in parentheses, may hold blanks. 0: there is none.
std::uint64_t start_of(std::uint64_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skipped;
  for (int field = 3; field < 22; field++) fields >> skipped;
  std::uint64_t ticks = 0;
  fields >> ticks;
  return ticks;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

}  // namespace

Runner this_runner() {
  const auto pid = static_cast<std::uint64_t>(::getpid());
  return {.host = host_name(), .pid = pid, .started = start_of(pid)};
}

bool is_running(const Runner& runner) {
  return runner.host == host_name() && runner.started != 0 && start_of(runner.pid) == runner.started;
}

}  // namespace tidemark::live
