// Tells which tests make threads: ThreadSanitizer has nothing to see in the others, and they take most of its time.
//
// A shared object that the unit tests of the plain builds are linked with. Its pthread_create() is found before the C
// library's, by the programs and by the libraries they use. Where TM_THREADS_SEEN names a file, a process's first
// thread appends a line of the process's command line to it: ctest runs each test in a process of its own, and the
// command line says which (tools/threaded_tests reads it). Nothing else changes: the real function does the work.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

void tell() {
  const char* seen = std::getenv("TM_THREADS_SEEN");
  if (seen == nullptr) return;
  std::ifstream in("/proc/self/cmdline");
  std::string line{std::istreambuf_iterator<char>(in), {}};
  std::ranges::replace(line, '\0', '\t');
  line += '\n';
  // A file for each process number: some tests allow themselves only small files.
  const std::string name = seen + ("/" + std::to_string(::getpid()));
  const int to = ::open(name.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  // A line that is lost would leave a test out unseen.
  if (to < 0 || ::write(to, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  ::close(to);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* attributes,
                                                                     void* (*start)(void*), void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  static std::atomic<bool> told = false;
  if (!told.exchange(true)) tell();
  return real(thread, attributes, start, argument);
}
