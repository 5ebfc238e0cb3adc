// Other programs: run to their end, under a deadline, with what they print in bounded memory.
//
// Guarantees: no shell; descriptors of ours are not handed on; the program has a process group of its own, which is
// ended by SIGKILL at the deadline or the stop, and it is waited for in any case. What it leaves running in the
// background when it ends by itself is not ours to end, and is not waited for.
// Threads: any.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tidemark::proc {

struct Program {
  std::vector<std::string> argv;  // the first: a path, or a name that is looked for in PATH
  std::vector<std::pair<std::string, std::string>> environment{};  // beside ours, or instead of the same name
  std::chrono::nanoseconds within = std::chrono::minutes(1);
  std::size_t most_output = 4UL << 20U;  // of standard output
};

struct ProgramEnd {
  int exit_code = -1;    // 128 + n: ended by signal n
  std::string out, err;  // of the standard error the last 4 KiB
  bool ok() const { return exit_code == 0; }
};

// Its standard input is empty. An exit code that is not 0 is a result. Errc::not_found: there is no such program;
// denied: it may not be executed; timeout; cancelled; corrupt: it printed more than that; io.
Result<ProgramEnd> run_program(const Program& program, const std::stop_token& stop = {});

}  // namespace tidemark::proc
