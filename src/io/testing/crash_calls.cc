// The C library's calls that change files, taken over: a definition in a program comes before that of a shared library,
// for the program itself and for libstdc++. Each does its work, and then tells the watch, if there is one. fsync() is
// not done at all while watching: nothing fails for real, and the tests are quick.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "io/testing/crash_watch.h"

using tidemark::Bytes;
using tidemark::io::testing::CrashWatch;

namespace {

// The next definition of a function: the C library's, or that of a sanitizer.
void* behind(std::atomic<void*>& known, const char* name) {
  void* found = known.load(std::memory_order_relaxed);
  if (found == nullptr) {
    found = ::dlsym(RTLD_NEXT, name);
    if (found == nullptr) std::abort();
    known.store(found, std::memory_order_relaxed);
  }
  return found;
}

// REAL(open)(path, flags): what the call did before it was taken over.
#define REAL(name)                                                    \
  ([] {                                                               \
    static std::atomic<void*> known = nullptr;                        \
    return reinterpret_cast<decltype(&::name)>(behind(known, #name)); \
  }())

bool wants_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

template <class Real>
int opening(int directory, const char* path, int flags, const Real& real) {
  const CrashWatch::Use watch;
  if (!watch) return real();
  const auto before = watch->place(directory, path);
  const bool was_there = before && watch->log().find(*before);
  const int fd = real();
  if (fd >= 0) watch->opened(fd, directory, path, flags, was_there);
  return fd;
}

template <class Real>
ssize_t writing(int fd, const void* bytes, std::optional<off_t> offset, const Real& real) {
  const CrashWatch::Use watch;
  const auto inode = watch ? watch->inode(fd) : std::nullopt;
  if (!inode) return real();
  const bool appends = !offset && (::fcntl(fd, F_GETFL) & O_APPEND) != 0;
  const off_t at = offset ? *offset : ::lseek(fd, 0, appends ? SEEK_END : SEEK_CUR);
  const ssize_t n = real();
  if (n > 0)
    watch->log().write(*inode, static_cast<std::uint64_t>(at),
                       Bytes(static_cast<const std::byte*>(bytes), static_cast<std::size_t>(n)));
  return n;
}

template <class Real>
int syncing(int fd, const Real& real) {
  const CrashWatch::Use watch;
  const auto inode = watch ? watch->inode(fd) : std::nullopt;
  if (!inode) return real();
  watch->log().sync(*inode);
  return 0;
}

template <class Real>
int truncating(int fd, off_t size, const Real& real) {
  const CrashWatch::Use watch;
  const auto inode = watch ? watch->inode(fd) : std::nullopt;
  const int rc = real();
  if (inode && rc == 0) watch->log().truncate(*inode, static_cast<std::uint64_t>(size));
  return rc;
}

template <class Real>
int taking_away(int directory, const char* path, const Real& real) {
  const CrashWatch::Use watch;
  const auto place = watch ? watch->place(directory, path) : std::nullopt;
  const int rc = real();
  if (place && rc == 0) watch->log().take_away(*place);
  return rc;
}

template <class Real>
int making_directory(int directory, const char* path, const Real& real) {
  const CrashWatch::Use watch;
  const auto place = watch ? watch->place(directory, path) : std::nullopt;
  const int rc = real();
  if (place && rc == 0) watch->log().add_directory(*place);
  return rc;
}

// From or to the outside: as if a file were taken away, or came from nowhere (which unseen() tells).
template <class Real>
int renaming(int old_directory, const char* from, int new_directory, const char* to, unsigned flags, const Real& real) {
  const CrashWatch::Use watch;
  const auto source = watch ? watch->place(old_directory, from) : std::nullopt;
  const auto target = watch ? watch->place(new_directory, to) : std::nullopt;
  const int rc = real();
  if (rc != 0 || !source) return rc;
  if (!target) {
    watch->log().take_away(*source);
  } else if ((flags & RENAME_EXCHANGE) != 0) {
    watch->log().exchange(*source, *target);
  } else {
    watch->log().rename(*source, *target);
  }
  return rc;
}

template <class Real>
int linking(int old_directory, const char* from, int new_directory, const char* to, const Real& real) {
  const CrashWatch::Use watch;
  const auto source = watch ? watch->place(old_directory, from) : std::nullopt;
  const auto target = watch ? watch->place(new_directory, to) : std::nullopt;
  const int rc = real();
  if (rc != 0 || !source || !target) return rc;
  if (const auto inode = watch->log().find(*source)) watch->log().add_link(*target, *inode);
  return rc;
}

template <class Real>
int asking(const char* path, struct stat* about, const Real& real) {
  const CrashWatch::Use watch;
  const int rc = real();
  const auto place = watch && rc == 0 ? watch->place(AT_FDCWD, path) : std::nullopt;
  if (place)
    if (const auto inode = watch->log().find(*place)) about->st_ino = *inode;
  return rc;
}

}  // namespace

void tidemark::io::testing::take_over_calls() {}

extern "C" {

// open(2) has its third argument only with the flags that make a file.
#define OPEN(name)                                                                        \
  int name(const char* path, int flags, ...) {                                            \
    va_list more;                                                                         \
    va_start(more, flags);                                                                \
    const mode_t mode = wants_mode(flags) ? va_arg(more, mode_t) : 0;                     \
    va_end(more);                                                                         \
    return opening(AT_FDCWD, path, flags, [&] { return REAL(name)(path, flags, mode); }); \
  }
OPEN(open)
OPEN(open64)
#undef OPEN

#define OPENAT(name)                                                                                  \
  int name(int directory, const char* path, int flags, ...) {                                         \
    va_list more;                                                                                     \
    va_start(more, flags);                                                                            \
    const mode_t mode = wants_mode(flags) ? va_arg(more, mode_t) : 0;                                 \
    va_end(more);                                                                                     \
    return opening(directory, path, flags, [&] { return REAL(name)(directory, path, flags, mode); }); \
  }
OPENAT(openat)
OPENAT(openat64)
#undef OPENAT

int close(int fd) {
  if (const CrashWatch::Use watch; watch) watch->closed(fd);
  return REAL(close)(fd);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  return writing(fd, bytes, std::nullopt, [&] { return REAL(write)(fd, bytes, size); });
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return writing(fd, bytes, offset, [&] { return REAL(pwrite)(fd, bytes, size, offset); });
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return writing(fd, bytes, offset, [&] { return REAL(pwrite64)(fd, bytes, size, offset); });
}
// libstdc++ writes and copies with these, and falls back to write() when it is told that they do not work.
ssize_t writev(int fd, const iovec* parts, int count) {
  {
    const CrashWatch::Use watch;
    if (!watch || !watch->inode(fd)) return REAL(writev)(fd, parts, count);
  }
  return count == 0 ? 0 : write(fd, parts[0].iov_base, parts[0].iov_len);
}
ssize_t sendfile(int to, int from, off_t* offset, size_t size) noexcept {
  if (const CrashWatch::Use watch; watch && watch->inode(to)) {
    errno = EINVAL;
    return -1;
  }
  return REAL(sendfile)(to, from, offset, size);
}
ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t size, unsigned flags) {
  if (const CrashWatch::Use watch; watch && watch->inode(to)) {
    errno = EINVAL;
    return -1;
  }
  return REAL(copy_file_range)(from, from_offset, to, to_offset, size, flags);
}

int ftruncate(int fd, off_t size) noexcept {
  return truncating(fd, size, [&] { return REAL(ftruncate)(fd, size); });
}
int ftruncate64(int fd, off64_t size) noexcept {
  return truncating(fd, size, [&] { return REAL(ftruncate64)(fd, size); });
}
int truncate(const char* path, off_t size) noexcept {
  const CrashWatch::Use watch;
  const auto place = watch ? watch->place(AT_FDCWD, path) : std::nullopt;
  const auto inode = place ? watch->log().find(*place) : std::nullopt;
  const int rc = REAL(truncate)(path, size);
  if (inode && rc == 0) watch->log().truncate(*inode, static_cast<std::uint64_t>(size));
  return rc;
}

int fsync(int fd) {
  return syncing(fd, [&] { return REAL(fsync)(fd); });
}
int fdatasync(int fd) {
  return syncing(fd, [&] { return REAL(fdatasync)(fd); });
}

int unlink(const char* path) noexcept {
  return taking_away(AT_FDCWD, path, [&] { return REAL(unlink)(path); });
}
int unlinkat(int directory, const char* path, int flags) noexcept {
  return taking_away(directory, path, [&] { return REAL(unlinkat)(directory, path, flags); });
}
int rmdir(const char* path) noexcept {
  return taking_away(AT_FDCWD, path, [&] { return REAL(rmdir)(path); });
}
int remove(const char* path) noexcept {
  return taking_away(AT_FDCWD, path, [&] { return REAL(remove)(path); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return making_directory(AT_FDCWD, path, [&] { return REAL(mkdir)(path, mode); });
}
int mkdirat(int directory, const char* path, mode_t mode) noexcept {
  return making_directory(directory, path, [&] { return REAL(mkdirat)(directory, path, mode); });
}

int rename(const char* from, const char* to) noexcept {
  return renaming(AT_FDCWD, from, AT_FDCWD, to, 0, [&] { return REAL(rename)(from, to); });
}
int renameat(int old_directory, const char* from, int new_directory, const char* to) noexcept {
  return renaming(old_directory, from, new_directory, to, 0,
                  [&] { return REAL(renameat)(old_directory, from, new_directory, to); });
}
int renameat2(int old_directory, const char* from, int new_directory, const char* to, unsigned flags) noexcept {
  return renaming(old_directory, from, new_directory, to, flags,
                  [&] { return REAL(renameat2)(old_directory, from, new_directory, to, flags); });
}

int link(const char* from, const char* to) noexcept {
  return linking(AT_FDCWD, from, AT_FDCWD, to, [&] { return REAL(link)(from, to); });
}
int linkat(int old_directory, const char* from, int new_directory, const char* to, int flags) noexcept {
  return linking(old_directory, from, new_directory, to,
                 [&] { return REAL(linkat)(old_directory, from, new_directory, to, flags); });
}

int stat(const char* path, struct stat* about) noexcept {
  return asking(path, about, [&] { return REAL(stat)(path, about); });
}
int lstat(const char* path, struct stat* about) noexcept {
  return asking(path, about, [&] { return REAL(lstat)(path, about); });
}

}  // extern "C"
