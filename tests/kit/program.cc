#include "kit/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "io/file.h"

extern char** environ;

namespace tidemark::testing {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return name;
}

// Everything that the child needs is made before fork(): between fork and exec only async-signal-safe calls are
// allowed.
struct Prepared {
  std::string program;
  std::vector<std::string> strings;
  std::vector<char*> argv, envp;
};

// The user's own index of histories is not for tests, and what a program leaves that is killed is gone with us.
const io::Path& scratch_of_programs() {
  static const io::TempDir dir = io::TempDir::create().value();
  return dir.path();
}

Prepared prepare(const std::vector<std::string>& argv, const ProgramOptions& options) {
  Prepared p;
  p.program = find_program(argv.front());
  std::vector<std::string> env = options.environment;
  const auto given = [&env](std::string_view name) {
    return std::ranges::any_of(env, [&](const auto& one) { return one.starts_with(name); });
  };
  for (const std::string name : {"XDG_CACHE_HOME=", "TMPDIR="}) {
    if (!given(name)) env.push_back(name + scratch_of_programs().string());
  }
  for (char** e = environ; *e != nullptr; e++) {
    const std::string_view entry = *e;
    if (entry.starts_with("ETCD")) continue;  // etcd and etcdctl take flags from there
    if (!given(entry.substr(0, entry.find('=') + 1))) env.emplace_back(entry);
  }
  p.strings = argv;
  p.strings.insert(p.strings.end(), env.begin(), env.end());
  for (std::size_t i = 0; i < p.strings.size(); i++) (i < argv.size() ? p.argv : p.envp).push_back(p.strings[i].data());
  p.argv.push_back(nullptr);
  p.envp.push_back(nullptr);
  return p;
}

Result<pid_t> spawn(const std::vector<std::string>& argv, const ProgramOptions& options, int in, int out, int err) {
  Prepared p = prepare(argv, options);
  const std::string directory = options.working_directory.string();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return sys_fail("fork for", p.program);
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // the parent died before the line above
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    if (!directory.empty() && ::chdir(directory.c_str()) != 0) ::_exit(126);
    ::execve(p.program.c_str(), p.argv.data(), p.envp.data());
    static constexpr char kText[] = "cannot execute the program\n";
    [[maybe_unused]] const auto n = ::write(2, kText, sizeof kText - 1);
    ::_exit(127);
  }
  return pid;
}

struct Pipe {
  io::Fd read, write;
};
Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return sys_fail("pipe", "for a child");
  return Pipe{io::Fd(fds[0]), io::Fd(fds[1])};
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// Moves bytes between us and the child until both of its outputs are closed. False: the deadline passed.
bool converse(std::string_view input, io::Fd& in, io::Fd& out, io::Fd& err, ProgramResult& result,
              steady_clock::time_point deadline) {
  if (in.open()) ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
  if (input.empty()) in = io::Fd();
  while (out.open() || err.open()) {
    std::array<pollfd, 3> wait = {
        {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}, {in.get(), POLLOUT, 0}}};  // poll skips negative ones
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) return false;
    if (::poll(wait.data(), wait.size(), static_cast<int>(left)) < 0 && errno != EINTR) return false;
    std::array<char, 65536> chunk;
    const auto drain = [&](io::Fd& fd, std::string& into, short events) {
      if (events == 0) return;
      const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
      if (n > 0) into.append(chunk.data(), static_cast<std::size_t>(n));
      if (n == 0 || (n < 0 && errno != EINTR)) fd = io::Fd();
    };
    drain(out, result.out, wait[0].revents);
    drain(err, result.err, wait[1].revents);
    if (wait[2].revents != 0) {
      const ssize_t n = ::write(in.get(), input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
      if (input.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) in = io::Fd();
    }
  }
  return true;
}

}  // namespace

Result<ProgramResult> run_program(const std::vector<std::string>& argv, const ProgramOptions& options) {
  static const auto ignored = ::signal(SIGPIPE, SIG_IGN);  // a child may stop reading its input
  static_cast<void>(ignored);
  TM_LET(Pipe in, make_pipe());
  TM_LET(Pipe out, make_pipe());
  TM_LET(Pipe err, make_pipe());
  TM_LET(const pid_t pid, spawn(argv, options, in.read.get(), out.write.get(), err.write.get()));
  in.read = io::Fd();  // the child has its own; ours would hide the end of its output
  out.write = io::Fd();
  err.write = io::Fd();
  ProgramResult result;
  const bool done =
      converse(options.input, in.write, out.read, err.read, result, steady_clock::now() + options.timeout);
  if (!done) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!done) return fail(Errc::timeout, "{} did not end within {} ms", argv.front(), options.timeout.count());
  result.exit_code = code_of(status);
  return result;
}

Result<std::string> output_of(const std::vector<std::string>& argv, const ProgramOptions& options) {
  TM_LET(ProgramResult result, run_program(argv, options));
  if (result.exit_code == 0) return std::move(result.out);
  std::string all;
  for (const std::string& word : argv) all += word + " ";
  return fail(Errc::invalid, "{}: exit code {}: {}{}", all, result.exit_code, result.out, result.err);
}

Result<Child> Child::start(const std::vector<std::string>& argv, const io::Path& log, const ProgramOptions& options) {
  TM_LET(const io::Fd nothing, io::open_file("/dev/null", O_RDONLY));
  TM_LET(const io::Fd output, io::open_file(log, O_WRONLY | O_CREAT | O_APPEND, 0600));
  TM_LET(const pid_t pid, spawn(argv, options, nothing.get(), output.get(), output.get()));
  return Child(pid, log);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), exit_code_(other.exit_code_), log_(std::move(other.log_)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(exit_code_, other.exit_code_);
  std::swap(log_, other.log_);
  return *this;
}

Child::~Child() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool Child::running() {
  if (pid_ == 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  pid_ = 0;
  exit_code_ = code_of(status);
  return false;
}

void Child::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void Child::pause() {
  signal(SIGSTOP);
  int status = 0;
  if (pid_ == 0 || ::waitpid(pid_, &status, WUNTRACED) != pid_ || WIFSTOPPED(status)) return;
  pid_ = 0;
  exit_code_ = code_of(status);
}

Result<int> Child::wait(milliseconds at_most) {
  const auto deadline = steady_clock::now() + at_most;
  while (running()) {
    if (steady_clock::now() >= deadline)
      return fail(Errc::timeout, "pid {} still runs after {} ms", pid_, at_most.count());
    std::this_thread::sleep_for(milliseconds(5));
  }
  return exit_code_.value_or(-1);
}

std::string Child::log_tail(std::size_t lines) const {
  const auto bytes = io::read_file(log_, 256UL * 1024 * 1024);
  if (!bytes) return bytes.error().what;
  std::string_view text = as_text(*bytes);
  std::size_t at = text.size();
  for (std::size_t seen = 0; at > 0; at--) {
    if (text[at - 1] == '\n' && at != text.size() && ++seen == lines) break;
  }
  return std::string(text.substr(at));
}

std::string tidemark_program() { return TM_TIDEMARK; }

Result<std::string> testbed_tool(std::string_view name) {
  const io::Path path = io::Path(TM_TESTBED_DIR) / name / name;
  if (::access(path.c_str(), X_OK) == 0) return path.string();
  return fail(Errc::not_found, "there is no {}; run testbed/tools/build {}", path.string(), name);
}

}  // namespace tidemark::testing
