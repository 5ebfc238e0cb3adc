#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <sstream>
#include <utility>

#include "cli/store_access.h"
#include "io/file.h"

extern char** environ;

namespace tidemark::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMostOutput = 64UL << 10U;
constexpr milliseconds kLook{50};     // how often we look whether to go on
constexpr milliseconds kGrace{1000};  // between asking it to end and ending it

// The terminal that we are in front of, if any.
io::Fd open_terminal() {
  io::Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (terminal.open() && ::tcgetpgrp(terminal.get()) == ::getpgrp()) return terminal;
  return {};
}

// A child in a process group of its own, in front of our terminal: it may ask for a PIN, and whatever it starts ends
// with it. Reaped at the end, and ended first when nobody saw it end.
class Process {
 public:
  Process(pid_t pid, io::Fd terminal) : pid_(pid), terminal_(std::move(terminal)) {}
  Process(Process&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), status_(other.status_), terminal_(std::move(other.terminal_)) {}
  Process& operator=(Process&&) = delete;
  ~Process() {
    if (pid_ <= 0) return;
    if (!status_) end();
    take_terminal_back();
  }

  // How it ended; nullopt: it is still there.
  std::optional<int> ended() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_;
  }

 private:
  // The group first, while its leader is not reaped and the number is surely ours.
  void end() {
    ::kill(-pid_, SIGTERM);
    ::kill(-pid_, SIGCONT);
    const io::Fd watched(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    pollfd gone{watched.get(), POLLIN, 0};
    if (watched.open()) ::poll(&gone, 1, static_cast<int>(kGrace.count()));
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    status_ = status;
  }
  void take_terminal_back() const {
    if (!terminal_.open()) return;
    // We are in the background until this call is done: without the block it would stop us.
    sigset_t block, before;
    ::sigemptyset(&block);
    ::sigaddset(&block, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &block, &before);
    ::tcsetpgrp(terminal_.get(), ::getpgrp());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  pid_t pid_;
  std::optional<int> status_;
  io::Fd terminal_;
};

struct Started {
  Process process;
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
  io::Fd terminal = open_terminal();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (terminal.open()) ::posix_spawn_file_actions_addtcsetpgrp_np(&actions, terminal.get());
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  // Signals that we block would be blocked there too, and nobody could end it.
  sigset_t none;
  ::sigemptyset(&none);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return sys_fail("run", words.front(), error);
  return Started{Process(pid, std::move(terminal)), std::move(read_end)};
}

// Reads what is there. False: its end was reached.
Result<bool> read_some(int fd, Buffer& output) {
  std::array<std::byte, 4096> chunk{};
  const ssize_t got = ::read(fd, chunk.data(), chunk.size());
  if (got < 0 && errno == EINTR) return true;
  if (got < 0) return sys_fail("read", "its output");
  output.insert(output.end(), chunk.begin(), chunk.begin() + got);
  crypto::wipe(chunk);
  if (output.size() > kMostOutput) return fail(Errc::invalid, "it prints more than {} bytes", kMostOutput);
  return got > 0;
}

// Until the program has ended and its output was read. Something that it left behind may keep the pipe open: nobody
// waits for that.
Result<int> wait_for(Started& started, Buffer& output, const IdentityWait& wait) {
  const auto until = steady_clock::now() + wait.longest;
  for (bool open = true;;) {
    const std::optional<int> ended = started.process.ended();
    if (ended && !open) return *ended;
    if (wait.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (steady_clock::now() >= until) {
      return hinted(Result<int>(fail(Errc::timeout, "it did not end within {} s, and was ended",
                                     std::chrono::duration<double>(wait.longest).count())),
                    "run it by hand: it must print an age identity and end, without a question where nobody answers");
    }
    pollfd ready{open ? started.output.get() : -1, POLLIN, 0};
    const int n = ::poll(&ready, 1, ended ? 0 : static_cast<int>(kLook.count()));
    if (n > 0) {
      TM_LET(open, read_some(started.output.get(), output));
    } else if (ended) {
      open = false;
    }
  }
}

}  // namespace

Result<Buffer> run_identity_command(const std::string& command, const IdentityWait& wait) {
  TM_LET(Started started, start(command));
  Buffer output;
  const auto status = wait_for(started, output, wait);
  if (status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return output;
  crypto::wipe(output);
  if (!status) return std::unexpected(status.error());
  if (WIFSIGNALED(*status)) return fail(Errc::denied, "it was ended by signal {}", WTERMSIG(*status));
  return fail(Errc::denied, "it ended with code {}", WEXITSTATUS(*status));
}

}  // namespace tidemark::cli
