// Programs that tests run: to their end with captured output, or in the background until the test is done with them.
//
// A child gets SIGKILL when the thread that started it ends, and is reaped: a test that crashes leaves nothing behind.
// So start children from a thread that lives as long as they shall. Signals go to the pid of our own child, never to a
// name. Threads: one object, one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"

namespace tidemark::testing {

// Every wait is for a condition; this is for what hangs, on a machine where everything else goes first.
inline constexpr std::chrono::seconds kPatience{600};

struct ProgramOptions {
  std::vector<std::string> environment{};      // "NAME=value", beside our own environment (without ETCD* variables)
  io::Path working_directory{};                // empty: ours
  std::chrono::milliseconds timeout{300'000};  // run_program() only: then SIGKILL and Errc::timeout
  std::string input{};                         // run_program() only: what it reads on standard input
};

struct ProgramResult {
  int exit_code = -1;  // 128 + n: ended by signal n
  std::string out, err;
};

// Runs argv[0] (a path, or a name in PATH) to its end. An exit code that is not 0 is a result, not an error.
Result<ProgramResult> run_program(const std::vector<std::string>& argv, const ProgramOptions& options = {});
// The standard output; an exit code that is not 0 is Errc::invalid with the standard error in the message.
Result<std::string> output_of(const std::vector<std::string>& argv, const ProgramOptions& options = {});

// One of the programs of testbed/tools (helm, promtool, ...). Errc::not_found: it is not built; the message says how.
Result<std::string> testbed_tool(std::string_view name);

// A program in the background. Both its outputs are appended to `log`.
class Child {
 public:
  static Result<Child> start(const std::vector<std::string>& argv, const io::Path& log,
                             const ProgramOptions& options = {});
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();  // SIGKILL, and reaped

  pid_t pid() const { return pid_; }  // 0 after it was reaped
  bool running();                     // false once it has ended; reaps it
  std::optional<int> exit_code() const { return exit_code_; }
  void signal(int number);  // no-op when it has ended
  void pause();             // SIGSTOP; returns when all of its threads stand still
  // Waits for the end and returns the exit code; Errc::timeout leaves it running.
  Result<int> wait(std::chrono::milliseconds at_most);
  const io::Path& log() const { return log_; }
  std::string log_tail(std::size_t lines = 15) const;

 private:
  Child(pid_t pid, io::Path log) : pid_(pid), log_(std::move(log)) {}
  pid_t pid_ = 0;
  std::optional<int> exit_code_;
  io::Path log_;
};

// The program under test.
std::string tidemark_program();

}  // namespace tidemark::testing
