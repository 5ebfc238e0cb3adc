// Files and directories, with the one fsync order: write all -> fsync file -> close -> rename -> fsync directory.
//
// EINTR and short writes are handled here, once. A failed fsync is never retried: the kernel may have dropped the
// pages, so a second, successful fsync would be a lie.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "io/stream.h"

namespace tidemark::io {

using Path = std::filesystem::path;

// An owned file descriptor; closed at the end of its life.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC. `mode` is for O_CREAT; files of ours are 0600.
Result<Fd> open_file(const Path& path, int flags, mode_t mode = 0600);

Status write_all(int fd, Bytes bytes, const Path& name_in_errors);
Status pwrite_all(int fd, Bytes bytes, std::uint64_t offset, const Path& name_in_errors);
// Fills `into` completely; Errc::torn when the file ends before.
Status pread_all(int fd, MutableBytes into, std::uint64_t offset, const Path& name_in_errors);

Result<std::uint64_t> size_of_file(const Path& path);
// The whole file; Errc::corrupt when it is larger than `limit`.
Result<Buffer> read_file(const Path& path, std::uint64_t limit);

Status fsync_file(int fd, const Path& name_in_errors);
Status fsync_dir(const Path& dir);
// mkdir -p; every directory made is fsynced into its parent. New ones get `mode`.
Status make_dirs(const Path& dir, mode_t mode = 0700);
Status remove_tree(const Path& path);                  // missing is fine
Status rename_path(const Path& from, const Path& to);  // no fsync; the caller fsyncs the directories

// A file that appears under its final name only if commit() returned ok. Until then it has a temporary name in the same
// directory (`.tm-<random>.tmp`: never four '-' separated parts, so no reader of a bucket takes it for a snapshot).
class PendingFile final : public Sink {
 public:
  enum class Existing { replace, refuse };  // refuse: commit() fails with already_exists and leaves the other one alone

  static Result<PendingFile> create(const Path& final_path, Existing existing, mode_t mode = 0600);
  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile() override;  // without commit(): removed

  Status write(Bytes bytes) override;
  Status finish() override { return {}; }
  Status commit();
  int fd() const { return fd_.get(); }
  const Path& final_path() const { return final_; }

 private:
  PendingFile(Fd fd, Path temp, Path final_path, Existing existing)
      : fd_(std::move(fd)), temp_(std::move(temp)), final_(std::move(final_path)), existing_(existing) {}
  Fd fd_;
  Path temp_, final_;
  Existing existing_;
};

// Writes a small file whole and durably.
Status write_file_durably(const Path& path, Bytes bytes, mode_t mode = 0600);

// Is this file name one of PendingFile's leftovers?
bool is_pending_name(std::string_view file_name);

// A file as a source, from an offset, optionally only so many bytes.
class FileSource final : public Source {
 public:
  static Result<FileSource> open(const Path& path, std::uint64_t offset = 0, std::uint64_t length = UINT64_MAX);
  Result<std::size_t> read(MutableBytes into) override;

 private:
  FileSource(Fd fd, Path path, std::uint64_t offset, std::uint64_t left)
      : fd_(std::move(fd)), path_(std::move(path)), offset_(offset), left_(left) {}
  Fd fd_;
  Path path_;
  std::uint64_t offset_, left_;
};

// A sink to a descriptor that somebody else owns.
class FdSink final : public Sink {
 public:
  FdSink(int fd, Path name_in_errors) : fd_(fd), name_(std::move(name_in_errors)) {}
  Status write(Bytes bytes) override { return write_all(fd_, bytes, name_); }
  Status finish() override { return {}; }

 private:
  int fd_;
  Path name_;
};

// A whole file mapped read-only. Requires: nobody shortens it meanwhile (that would be a SIGBUS).
class MappedFile {
 public:
  static Result<MappedFile> open(const Path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  Bytes bytes() const { return {static_cast<const std::byte*>(address_), size_}; }
  const Path& path() const { return path_; }
  // Takes the pages out of this process's memory (they stay in the page cache); the views stay good. Long walks call it
  // now and then: what a process has touched of a mapping counts as its memory.
  void forget_pages() const;

 private:
  MappedFile(void* address, std::size_t size, Path path) : address_(address), size_(size), path_(std::move(path)) {}
  void* address_ = nullptr;
  std::size_t size_ = 0;
  Path path_;
};

// A directory of our own under `parent` (default: $TMPDIR or /tmp), removed with everything in it.
class TempDir {
 public:
  static Result<TempDir> create(const Path& parent = {});
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();
  const Path& path() const { return path_; }

 private:
  explicit TempDir(Path path) : path_(std::move(path)) {}
  Path path_;
};

// Bytes that an unprivileged writer can still put on the file system that holds `path` (or its nearest existing
// parent).
Result<std::uint64_t> free_space(const Path& path);

}  // namespace tidemark::io
