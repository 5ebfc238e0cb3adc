#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <sstream>

#include "cli/store_access.h"
#include "io/file.h"

extern char** environ;

namespace tidemark::cli {
namespace {

constexpr std::size_t kMostOutput = 64UL << 10U;
constexpr auto kLongest = std::chrono::minutes(2);

// A child that is reaped, and ended first when nobody waited for it.
class Process {
 public:
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    (void)wait();
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
};

struct Started {
  pid_t pid;
  io::Fd output;
};

Result<Started> start(const std::string& command) {
  std::vector<std::string> words;
  std::istringstream in(command);
  for (std::string word; in >> word;) words.push_back(word);
  if (words.empty()) return fail(Errc::invalid, "no command");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return sys_fail("make", "a pipe");
  io::Fd read_end(ends[0]);
  const io::Fd write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return sys_fail("run", words.front(), error);
  return Started{pid, std::move(read_end)};
}

Result<Buffer> read_output(int fd) {
  Buffer output;
  std::array<std::byte, 4096> chunk{};
  const auto until = std::chrono::steady_clock::now() + kLongest;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd ready{fd, POLLIN, 0};
    const int n = left.count() <= 0 ? 0 : ::poll(&ready, 1, static_cast<int>(left.count()));
    if (n == 0) return fail(Errc::timeout, "it did not end within {} minutes", kLongest.count());
    const ssize_t got = n < 0 ? -1 : ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return sys_fail("read", "its output");
    if (got == 0) return output;
    output.insert(output.end(), chunk.begin(), chunk.begin() + got);
    if (output.size() > kMostOutput) return fail(Errc::invalid, "it prints more than {} bytes", kMostOutput);
  }
}

}  // namespace

Result<Buffer> run_identity_command(const std::string& command) {
  TM_LET(const Started started, start(command));
  Process process(started.pid);
  TM_LET(Buffer output, read_output(started.output.get()));
  const int status = process.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  crypto::wipe(output);
  if (WIFSIGNALED(status)) return fail(Errc::denied, "it was ended by signal {}", WTERMSIG(status));
  return fail(Errc::denied, "it ended with code {}", WEXITSTATUS(status));
}

}  // namespace tidemark::cli
