#include "io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace tidemark::io {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Fd> open_file(const Path& path, int flags, mode_t mode) {
  for (;;) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return Fd(fd);
    if (errno != EINTR) return sys_fail("open", path.native());
  }
}

Status write_all(int fd, Bytes bytes, const Path& name_in_errors) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sys_fail("write", name_in_errors.native());
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Status pwrite_all(int fd, Bytes bytes, std::uint64_t offset, const Path& name_in_errors) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sys_fail("write", name_in_errors.native());
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Status pread_all(int fd, MutableBytes into, std::uint64_t offset, const Path& name_in_errors) {
  while (!into.empty()) {
    const ssize_t n = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sys_fail("read", name_in_errors.native());
    if (n == 0)
      return fail(Errc::torn, "'{}' ends at byte {}, {} bytes short", name_in_errors.native(), offset, into.size());
    into = into.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::uint64_t> size_of_file(const Path& path) {
  struct stat st{};
  if (::stat(path.c_str(), &st) != 0) return sys_fail("stat", path.native());
  return static_cast<std::uint64_t>(st.st_size);
}

Result<Buffer> read_file(const Path& path, std::uint64_t limit) {
  TM_LET(FileSource source, FileSource::open(path));
  return named(path.native(), read_all(source, limit));
}

Status fsync_file(int fd, const Path& name_in_errors) {
  if (::fsync(fd) != 0) return sys_fail("fsync", name_in_errors.native());
  return {};
}

Status fsync_dir(const Path& dir) {
  const Path named_dir = dir.empty() ? Path(".") : dir;
  TM_LET(const Fd fd, open_file(named_dir, O_RDONLY | O_DIRECTORY));
  return fsync_file(fd.get(), named_dir);
}

Status make_dirs(const Path& dir, mode_t mode) {
  std::error_code ec;
  if (dir.empty() || std::filesystem::is_directory(dir, ec)) return {};
  const Path parent = dir.parent_path();
  if (parent != dir) TM_CHECK(make_dirs(parent, mode));
  if (::mkdir(dir.c_str(), mode) != 0) {
    if (errno == EEXIST && std::filesystem::is_directory(dir, ec)) return {};
    return sys_fail("make directory", dir.native());
  }
  return fsync_dir(parent);
}

Status remove_tree(const Path& path) {
  std::error_code ec;
  std::filesystem::remove_all(path, ec);
  if (ec && ec != std::errc::no_such_file_or_directory) return sys_fail("remove", path.native(), ec.value());
  return {};
}

Status rename_path(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return sys_fail("rename", from.native() + "' to '" + to.native());
  }
  return {};
}

static Result<std::string> random_word() {
  std::array<std::byte, 8> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return sys_fail("read randomness from", "getrandom");
  }
  return to_hex(random);
}

Result<PendingFile> PendingFile::create(const Path& final_path, Existing existing, mode_t mode) {
  TM_LET(const std::string word, random_word());
  const Path temp = final_path.parent_path() / (".tm-" + word + ".tmp");
  TM_LET(Fd fd, open_file(temp, O_RDWR | O_CREAT | O_EXCL, mode));
  return PendingFile(std::move(fd), temp, final_path, existing);
}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      temp_(std::exchange(other.temp_, {})),
      final_(std::move(other.final_)),
      existing_(other.existing_) {}

PendingFile::~PendingFile() {
  if (!temp_.empty()) ::unlink(temp_.c_str());
}

Status PendingFile::write(Bytes bytes) { return write_all(fd_.get(), bytes, temp_); }

Status PendingFile::commit() {
  TM_CHECK(fsync_file(fd_.get(), temp_));
  // RENAME_NOREPLACE decides and acts in one step; a check before rename() would leave a gap for another writer.
  const unsigned flags = existing_ == Existing::refuse ? RENAME_NOREPLACE : 0;
  int rc = ::renameat2(AT_FDCWD, temp_.c_str(), AT_FDCWD, final_.c_str(), flags);
  if (rc != 0 && errno == EINVAL && flags != 0) {
    // The file system does not know the flag: link() refuses an existing name just the same.
    rc = ::link(temp_.c_str(), final_.c_str());
    if (rc == 0) ::unlink(temp_.c_str());
  }
  if (rc != 0) return sys_fail("rename to", final_.native());
  temp_.clear();
  return fsync_dir(final_.parent_path());
}

Status write_file_durably(const Path& path, Bytes bytes, mode_t mode) {
  TM_LET(PendingFile file, PendingFile::create(path, PendingFile::Existing::replace, mode));
  TM_CHECK(file.write(bytes));
  return file.commit();
}

bool is_pending_name(std::string_view file_name) {
  return file_name.starts_with(".tm-") && file_name.ends_with(".tmp");
}

Result<FileSource> FileSource::open(const Path& path, std::uint64_t offset, std::uint64_t length) {
  TM_LET(Fd fd, open_file(path, O_RDONLY));
  return FileSource(std::move(fd), path, offset, length);
}

Result<std::size_t> FileSource::read(MutableBytes into) {
  const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
  if (want == 0) return 0;
  for (;;) {
    const ssize_t n = ::pread(fd_.get(), into.data(), want, static_cast<off_t>(offset_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sys_fail("read", path_.native());
    offset_ += static_cast<std::uint64_t>(n);
    left_ -= static_cast<std::uint64_t>(n);
    return static_cast<std::size_t>(n);
  }
}

Result<MappedFile> MappedFile::open(const Path& path) {
  TM_LET(const Fd fd, open_file(path, O_RDONLY));
  // Of what was opened: the name may be another file's by now, and pages behind the end would be a SIGBUS.
  struct stat about{};
  if (::fstat(fd.get(), &about) != 0) return sys_fail("stat", path.native());
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size == 0) return MappedFile(nullptr, 0, path);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (address == MAP_FAILED) return sys_fail("map", path.native());
  return MappedFile(address, size, path);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      path_(std::move(other.path_)) {}

void MappedFile::forget_pages() const {
  if (size_ != 0) ::madvise(address_, size_, MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

Result<TempDir> TempDir::create(const Path& parent) {
  const char* env = std::getenv("TMPDIR");
  const Path where = !parent.empty() ? parent : Path(env != nullptr ? env : "/tmp");
  std::string pattern = (where / "tidemark-XXXXXX").native();
  if (::mkdtemp(pattern.data()) == nullptr) return sys_fail("make a temporary directory in", where.native());
  return TempDir(pattern);
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<std::uint64_t> free_space(const Path& path) {
  Path at = std::filesystem::absolute(path);
  struct statvfs fs{};
  while (::statvfs(at.c_str(), &fs) != 0) {
    if (errno != ENOENT || at == at.parent_path()) return sys_fail("ask for the free space of", at.native());
    at = at.parent_path();
  }
  return static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize;
}

}  // namespace tidemark::io
