#include "proc/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <optional>

#include "base/bytes.h"
#include "io/file.h"

extern char** environ;

namespace tidemark::proc {
namespace {

using std::chrono::steady_clock;

struct Pipe {
  io::Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return sys_fail("make", "a pipe");
  Pipe pipe{io::Fd(fds[0]), io::Fd(fds[1])};
  if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) return sys_fail("set up", "a pipe");
  return pipe;
}

// posix_spawn's two tables of what is different in the child.
struct Differences {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  Differences() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  Differences(const Differences&) = delete;
  Differences& operator=(const Differences&) = delete;
  ~Differences() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

struct Strings {
  std::vector<std::string> owned;
  std::vector<char*> pointers;
  void end() {
    for (std::string& text : owned) pointers.push_back(text.data());
    pointers.push_back(nullptr);
  }
};

Strings environment_of(const Program& program) {
  Strings strings;
  for (const auto& [name, value] : program.environment) strings.owned.push_back(name + "=" + value);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; entry++) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced =
        std::ranges::any_of(program.environment, [&](const auto& ours) { return ours.first == name; });
    if (!replaced) strings.owned.emplace_back(text);
  }
  strings.end();
  return strings;
}

Result<pid_t> spawn(const Program& program, int out, int err) {
  Differences differences;
  posix_spawn_file_actions_addopen(&differences.files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&differences.files, out, 1);
  posix_spawn_file_actions_adddup2(&differences.files, err, 2);
  sigset_t none, back_to_default;
  ::sigemptyset(&none);
  ::sigemptyset(&back_to_default);
  ::sigaddset(&back_to_default, SIGPIPE);
  posix_spawnattr_setsigmask(&differences.attributes, &none);
  posix_spawnattr_setsigdefault(&differences.attributes, &back_to_default);
  posix_spawnattr_setpgroup(&differences.attributes, 0);
  posix_spawnattr_setflags(&differences.attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  Strings argv{.owned = program.argv, .pointers = {}};
  argv.end();
  Strings environment = environment_of(program);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, program.argv.front().c_str(), &differences.files, &differences.attributes,
                                   argv.pointers.data(), environment.pointers.data());
  if (error != 0) return sys_fail("execute", program.argv.front(), error);
  return pid;
}

// A child that has not been waited for. Its group is ended with it, unless it ended by itself.
class Running {
 public:
  explicit Running(pid_t pid) : pid_(pid) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (pid_ == 0) return;
    ::kill(-pid_, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

// Takes what is there. False: the other end is closed.
template <class Take>
bool drain(int fd, const Take& take) {
  std::array<char, 16384> chunk;
  for (;;) {
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n > 0) {
      take(std::string_view(chunk.data(), static_cast<std::size_t>(n)));
    } else if (n == 0 || errno != EINTR) {
      return n != 0 && errno == EAGAIN;
    }
  }
}

struct Ears {
  io::Fd out, err, ended, stopped;
};

// Listens until the program ends. An error leaves it running.
Status listen(const Program& program, Ears& ears, ProgramEnd& end, const std::stop_token& stop) {
  constexpr std::size_t kErrorTail = 4096;
  const auto deadline = steady_clock::now() + program.within;
  bool too_much = false;
  const auto take_out = [&](std::string_view text) {
    too_much |= text.size() > program.most_output - end.out.size();
    if (!too_much) end.out += text;
  };
  const auto take_err = [&](std::string_view text) {
    end.err += text;
    if (end.err.size() > kErrorTail) end.err.erase(0, end.err.size() - kErrorTail);
  };
  const auto take_all = [&] {
    if (ears.out.open() && !drain(ears.out.get(), take_out)) ears.out = io::Fd();
    if (ears.err.open() && !drain(ears.err.get(), take_err)) ears.err = io::Fd();
  };
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    if (stop.stop_requested()) return fail(Errc::cancelled, "'{}': asked to stop", program.argv.front());
    if (left <= 0) {
      return fail(Errc::timeout, "'{}' did not end within {} s", program.argv.front(),
                  std::chrono::duration<double>(program.within).count());
    }
    std::array<pollfd, 4> wait = {{{ears.out.get(), POLLIN, 0},
                                   {ears.err.get(), POLLIN, 0},
                                   {ears.ended.get(), POLLIN, 0},
                                   {ears.stopped.get(), POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0 && errno != EINTR)
      return sys_fail("wait for", program.argv.front());
    take_all();
    if (too_much) {
      return fail(Errc::corrupt, "'{}' printed more than {}", program.argv.front(), human_size(program.most_output));
    }
    if (wait[2].revents == 0) continue;
    take_all();  // what it said between our look at its words and its end
    return {};
  }
}

}  // namespace

Result<ProgramEnd> run_program(const Program& program, const std::stop_token& stop) {
  if (program.argv.empty() || program.argv.front().empty()) return fail(Errc::invalid, "no program is named");
  TM_LET(Pipe out, make_pipe());
  TM_LET(Pipe err, make_pipe());
  Ears ears{std::move(out.read), std::move(err.read), {}, io::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))};
  TM_LET(const pid_t pid, spawn(program, out.write.get(), err.write.get()));
  Running running(pid);
  out.write = io::Fd();
  err.write = io::Fd();
  ears.ended = io::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!ears.ended.open() || !ears.stopped.open()) return sys_fail("wait for", program.argv.front());
  const std::stop_callback wake(stop, [fd = ears.stopped.get()] { static_cast<void>(::eventfd_write(fd, 1)); });
  ProgramEnd end;
  TM_CHECK(listen(program, ears, end, stop));
  end.exit_code = running.wait();
  return end;
}

}  // namespace tidemark::proc
