#include "store/dir_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tidemark::store {
namespace {

using io::Path;

class DirWriter final : public ObjectWriter {
 public:
  explicit DirWriter(io::PendingFile file) : file_(std::move(file)) {}
  Status write(Bytes bytes) override { return file_.write(bytes); }
  Status commit() override { return file_.commit(); }

 private:
  io::PendingFile file_;
};

Time modified_of(const struct stat& st) {
  return Time(std::chrono::seconds(st.st_mtim.tv_sec) + std::chrono::nanoseconds(st.st_mtim.tv_nsec));
}

// Fails when a link stands anywhere on the way from the root to `key`. Parts that do not exist yet are fine.
Status refuse_links(const Path& root, std::string_view key) {
  for (std::size_t slash = key.find('/');; slash = key.find('/', slash + 1)) {
    const Path at = root / key.substr(0, slash);
    struct stat st{};
    if (::lstat(at.c_str(), &st) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return sys_fail("stat", at.native());
    }
    if (S_ISLNK(st.st_mode)) return fail(Errc::not_found, "'{}' is a symbolic link, which is no object", at.native());
    if (slash == std::string_view::npos) return {};
    if (!S_ISDIR(st.st_mode)) {
      return fail(Errc::not_found, "no object '{}': '{}' is not a directory", (root / key).native(), at.native());
    }
  }
}

Result<struct stat> stat_object(const Path& root, std::string_view key) {
  TM_CHECK(check_key(key));
  TM_CHECK(refuse_links(root, key));
  const Path path = root / key;
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0) return sys_fail("stat", path.native());
  if (!S_ISREG(st.st_mode)) return fail(Errc::not_found, "'{}' is not a file", path.native());
  return st;
}

// Calls `found(key, stat)` for every regular file below `folder`, temporary ones included. `key_prefix` is the folder's
// key with a slash at the end, or empty.
template <class Found>
Status walk(const Path& folder, const std::string& key_prefix, const Found& found) {
  std::error_code ec;
  std::filesystem::directory_iterator entries(folder, ec);
  for (; !ec && entries != std::filesystem::directory_iterator(); entries.increment(ec)) {
    const std::string key = key_prefix + entries->path().filename().native();
    struct stat st{};
    if (::lstat(entries->path().c_str(), &st) != 0) {
      if (errno == ENOENT) continue;  // removed since the folder was read
      return sys_fail("stat", entries->path().native());
    }
    // What mkfs leaves in the root of a file system belongs to root and is no part of a store.
    if (S_ISDIR(st.st_mode) && key != "lost+found") TM_CHECK(walk(entries->path(), key + "/", found));
    if (S_ISREG(st.st_mode)) TM_CHECK(found(key, entries->path(), st));
  }
  if (ec && ec != std::errc::no_such_file_or_directory && ec != std::errc::not_a_directory) {
    return sys_fail("list", folder.native(), ec.value());
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DirStore>> DirStore::open(const Path& root, Access access) {
  std::error_code ec;
  Path absolute = std::filesystem::absolute(root, ec).lexically_normal();
  if (ec || root.empty()) return fail(Errc::invalid, "'{}' is not a path", root.native());
  if (!absolute.has_filename() && absolute.has_relative_path()) absolute = absolute.parent_path();
  struct stat st{};
  if (::stat(absolute.c_str(), &st) != 0) {
    if (errno != ENOENT || access == Access::read_only) return sys_fail("open store", absolute.native());
  } else if (!S_ISDIR(st.st_mode)) {
    return fail(Errc::invalid, "open store '{}': not a directory", absolute.native());
  }
  return std::unique_ptr<DirStore>(new DirStore(std::move(absolute), access));
}

Status DirStore::writable(std::string_view key) const {
  TM_CHECK(check_key(key));
  if (read_only()) return fail(Errc::denied, "write '{}': store {} is opened read-only", key, url());
  return {};
}

Status DirStore::make_durable(const Path& folder) {
  const std::scoped_lock lock(mutex_);
  if (durable_.contains(folder)) return {};
  TM_CHECK(io::make_dirs(folder));
  // It may have been made by another process that has not come to its fsync yet, or died before it.
  for (Path at = folder;; at = at.parent_path()) {
    TM_CHECK(io::fsync_dir(at.parent_path()));
    if (at == root_) break;
  }
  durable_.insert(folder);
  return {};
}

Result<std::unique_ptr<ObjectWriter>> DirStore::create(std::string_view key) {
  TM_CHECK(writable(key));
  TM_CHECK(refuse_links(root_, key));
  const Path path = root_ / key;
  TM_CHECK(make_durable(path.parent_path()));
  TM_LET(io::PendingFile file, io::PendingFile::create(path, io::PendingFile::Existing::refuse));
  return std::make_unique<DirWriter>(std::move(file));
}

Result<std::unique_ptr<io::Source>> DirStore::open(std::string_view key, std::uint64_t offset, std::uint64_t length) {
  TM_LET(const struct stat st, stat_object(root_, key));
  const std::uint64_t begin = std::min(offset, static_cast<std::uint64_t>(st.st_size));
  TM_LET(io::FileSource file, io::FileSource::open(root_ / key, begin, length));
  return std::make_unique<io::FileSource>(std::move(file));
}

Result<ObjectInfo> DirStore::stat(std::string_view key) {
  TM_LET(const struct stat st, stat_object(root_, key));
  return ObjectInfo{std::string(key), static_cast<std::uint64_t>(st.st_size), modified_of(st)};
}

Result<std::vector<ObjectInfo>> DirStore::list(std::string_view prefix) {
  std::vector<ObjectInfo> objects;
  const std::size_t slash = prefix.rfind('/');
  const std::string_view folder = slash == std::string_view::npos ? "" : prefix.substr(0, slash);
  // No key begins with a prefix like "a//b" or "../x".
  if (slash != std::string_view::npos && !check_key(folder)) return objects;
  if (!folder.empty()) {
    const Status way = refuse_links(root_, folder);
    if (!way && way.error().code == Errc::not_found) return objects;
    TM_CHECK(way);
  }
  const auto collect = [&](const std::string& key, const Path& path, const struct stat& st) -> Status {
    if (!key.starts_with(prefix) || io::is_pending_name(path.filename().native())) return {};
    objects.push_back({key, static_cast<std::uint64_t>(st.st_size), modified_of(st)});
    return {};
  };
  TM_CHECK(walk(root_ / folder, folder.empty() ? "" : std::string(folder) + "/", collect));
  std::ranges::sort(objects, {}, &ObjectInfo::key);
  return objects;
}

Status DirStore::remove(std::string_view key) {
  TM_CHECK(writable(key));
  TM_CHECK(stat_object(root_, key));
  const Path path = root_ / key;
  if (::unlink(path.c_str()) != 0) return sys_fail("remove", path.native());
  return io::fsync_dir(path.parent_path());
}

Result<std::size_t> DirStore::clean_leftovers(std::chrono::nanoseconds older_than, Time now) {
  if (read_only()) return fail(Errc::denied, "clean up: store {} is opened read-only", url());
  std::size_t removed = 0;
  const auto clean = [&](const std::string&, const Path& path, const struct stat& st) -> Status {
    if (!io::is_pending_name(path.filename().native()) || modified_of(st) > now - older_than) return {};
    if (::unlink(path.c_str()) == 0) {
      ++removed;
    } else if (errno != ENOENT) {
      return sys_fail("remove", path.native());
    }
    return {};
  };
  TM_CHECK(walk(root_, "", clean));
  return removed;
}

}  // namespace tidemark::store
