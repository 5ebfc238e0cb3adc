#include "cli/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace tidemark::cli {
namespace {

// Handlers have no other way to find it. Written before the handler is installed, never closed.
volatile sig_atomic_t pipe_to_listener = -1;

// Stop callbacks run arbitrary code, so the handler only wakes a thread that may run them.
extern "C" void wake_listener(int) {
  const int saved = errno;
  const char byte = 's';
  [[maybe_unused]] const ssize_t n = ::write(pipe_to_listener, &byte, 1);
  errno = saved;
}

}  // namespace

Result<Signals> Signals::install() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return sys_fail("make a pipe for", "signals");
  pipe_to_listener = ends[1];
  struct sigaction action{};
  action.sa_handler = wake_listener;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;  // the second signal has its usual effect
  if (::sigaction(SIGINT, &action, nullptr) != 0 || ::sigaction(SIGTERM, &action, nullptr) != 0) {
    return sys_fail("install the handler of", "SIGINT and SIGTERM");
  }
  ::signal(SIGPIPE, SIG_IGN);
  return Signals(io::Fd(ends[0]), std::stop_source());
}

Signals::Signals(io::Fd read_end, const std::stop_source& source)
    : source_(source),
      listener_([fd = std::move(read_end), source = std::stop_source(source)](const std::stop_token& end) mutable {
        char byte = 0;
        while (::read(fd.get(), &byte, 1) < 0 && errno == EINTR) {
        }
        if (!end.stop_requested()) source.request_stop();
      }) {}

Signals::~Signals() {
  if (!listener_.joinable()) return;  // moved from
  listener_.request_stop();
  wake_listener(0);
}

}  // namespace tidemark::cli
