#include "io/testing/crash_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "io/testing/crash_watch.h"

namespace tidemark::io::testing {
namespace {

std::atomic<CrashWatch*> watching = nullptr;
std::mutex calls;
thread_local int unseen_depth = 0;

[[noreturn]] void give_up(std::string_view what, const Path& path) {
  fmt::print(stderr, "crash disk: {} '{}': {}\n", what, path.native(), std::strerror(errno));
  std::abort();
}

Buffer bytes_of(const Path& path) {
  const auto bytes = read_file(path, 1UL << 30U);
  if (!bytes) give_up("read", path);
  return *bytes;
}

DiskImage scan(const Path& root) {
  DiskImage image;
  Inode next = DiskLog::kRoot + 1;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    DiskEntry& found = image[entry.path().lexically_relative(root).native()];
    found.inode = next++;
    found.directory = entry.is_directory();
    if (!found.directory) found.bytes = std::make_shared<const Buffer>(bytes_of(entry.path()));
  }
  return image;
}

void put_down(const DiskImage& image, const Path& root) {
  std::error_code error;
  std::filesystem::remove_all(root, error);
  if (!std::filesystem::create_directories(root, error)) give_up("make", root);
  std::map<Inode, Path> files;
  for (const auto& [path, entry] : image) {
    const Path at = root / path;
    if (entry.directory) {
      if (::mkdir(at.c_str(), 0700) != 0) give_up("make", at);
      continue;
    }
    const auto [first, fresh] = files.try_emplace(entry.inode, at);
    if (!fresh) {
      if (::link(first->second.c_str(), at.c_str()) != 0) give_up("link", at);
      continue;
    }
    const auto file = open_file(at, O_WRONLY | O_CREAT | O_EXCL);
    if (!file || !write_all(file->get(), *entry.bytes, at)) give_up("write", at);
  }
}

Path real_path(const Path& root) {
  std::error_code error;
  Path path = std::filesystem::weakly_canonical(root, error);
  if (error) give_up("find", root);
  return path;
}

}  // namespace

CrashWatch::Unseen::Unseen() { ++unseen_depth; }
CrashWatch::Unseen::~Unseen() { --unseen_depth; }

CrashWatch::Use::Use() {
  if (watching.load(std::memory_order_relaxed) == nullptr || unseen_depth > 0) return;
  lock_ = std::unique_lock(calls);
  watch_ = watching;
  ++unseen_depth;  // what the watch itself does
}
CrashWatch::Use::~Use() {
  if (lock_.owns_lock()) --unseen_depth;
}

void CrashWatch::set(CrashWatch* watch) {
  const std::lock_guard lock(calls);
  if (watch != nullptr && watching != nullptr) {
    errno = EBUSY;
    give_up("watch a second root", watch->root_);
  }
  watching = watch;
}

std::optional<Path> CrashWatch::relative(int directory, const char* path) const {
  Path at = path;
  if (at.is_relative() && directory != AT_FDCWD) {
    const auto known = descriptors_.find(directory);
    std::error_code error;
    const Path base = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", directory), error);
    if (error || (known == descriptors_.end() && !base.native().starts_with(root_.native()))) return std::nullopt;
    at = base / at;
  }
  std::error_code error;
  at = std::filesystem::absolute(at, error).lexically_normal().lexically_relative(root_);
  if (error || at.empty() || *at.begin() == "..") return std::nullopt;
  if (!at.has_filename()) at = at.parent_path();  // "a/"
  return at == "." ? Path() : at;
}

std::optional<Place> CrashWatch::place(int directory, const char* path) const {
  const auto at = relative(directory, path);
  return at ? log_.place(*at) : std::nullopt;
}

void CrashWatch::opened(int fd, int directory, const char* path, int flags, bool was_there) {
  descriptors_.erase(fd);
  const auto at = relative(directory, path);
  if (!at) return;
  const auto here = log_.place(*at);
  if (!here) return;
  Descriptor descriptor;
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    descriptor.inode = log_.nameless_file();
  } else if (const auto inode = log_.find(*here)) {
    descriptor.inode = *inode;
    if (was_there && (flags & O_TRUNC) != 0) log_.truncate(*inode, 0);
  } else if ((flags & O_CREAT) != 0) {
    descriptor.inode = log_.add_file(*here);
  } else {
    return;  // something that went past the watch; unseen() will tell
  }
  struct stat about{};
  if (::fstat(fd, &about) != 0) return;
  descriptor.device = about.st_dev;
  descriptor.number = about.st_ino;
  descriptors_[fd] = descriptor;
}

std::optional<Inode> CrashWatch::inode(int fd) const {
  const auto known = descriptors_.find(fd);
  if (known == descriptors_.end()) return std::nullopt;
  struct stat about{};
  if (::fstat(fd, &about) != 0 || about.st_dev != known->second.device || about.st_ino != known->second.number)
    return std::nullopt;
  return known->second.inode;
}

// ---- the disk

struct WatchedLog {
  DiskLog log;
  CrashWatch watch;
  WatchedLog(const Path& root, DiskImage image) : log(std::move(image)), watch(root, log) {}
};

CrashDisk::CrashDisk(const Path& root) : root_(real_path(root)) {
  take_over_calls();
  watched_ = std::make_unique<WatchedLog>(root_, scan(root_));
  CrashWatch::set(&watched_->watch);
}

CrashDisk::CrashDisk(const Path& root, const DiskImage& image) : root_(real_path(root)) {
  take_over_calls();
  put_down(image, root_);
  watched_ = std::make_unique<WatchedLog>(root_, image);
  CrashWatch::set(&watched_->watch);
}

CrashDisk::~CrashDisk() { stop(); }

void CrashDisk::stop() {
  if (watched_ && is_watched_) CrashWatch::set(nullptr);
  is_watched_ = false;
}

std::size_t CrashDisk::operations() const {
  const CrashWatch::Unseen unseen;
  return watched_->log.operations().size();
}

DiskImage CrashDisk::after(const Crash& crash) const { return watched_->log.after(crash); }

std::string CrashDisk::operation(std::size_t n) const {
  constexpr const char* kWords[] = {"write", "truncate", "fsync", "add", "take away", "rename", "exchange", "fsync"};
  const DiskOperation& operation = watched_->log.operations().at(n);
  const DiskImage now = after({.after = n + 1, .keeps = Crash::Keeps::everything, .seed = 0});
  const auto path_of = [&](Inode inode) -> std::string {
    if (inode == DiskLog::kRoot) return ".";
    for (const auto& [path, entry] : now)
      if (entry.inode == inode) return path;
    return fmt::format("(inode {})", inode);
  };
  std::string words = kWords[static_cast<int>(operation.kind)];
  if (!operation.changes_names()) return words + " " + path_of(operation.inode);
  words += " " + path_of(operation.from.directory) + "/" + operation.from.name;
  if (operation.to.directory != 0) words += " " + path_of(operation.to.directory) + "/" + operation.to.name;
  return words;
}

std::string CrashDisk::unseen() const {
  const CrashWatch::Unseen unseen;
  const auto should = below(after({.after = operations(), .keeps = Crash::Keeps::everything, .seed = 0}), "");
  const auto is = below(scan(root_), "");
  for (const auto& [path, bytes] : should) {
    const auto found = is.find(path);
    if (found == is.end()) return "'" + path + "' is not there";
    if (found->second != bytes) return "'" + path + "' is different";
  }
  for (const auto& [path, bytes] : is)
    if (!should.contains(path)) return "'" + path + "' came from nowhere";
  return "";
}

std::string Crash::text() const {
  constexpr const char* kNames[] = {"nothing", "names", "sizes", "data", "everything", "some"};
  return fmt::format("crash after {} operations, what was not fsynced: {} (seed {})", after,
                     kNames[static_cast<int>(keeps)], seed);
}

void each_crash(const CrashDisk& disk, std::size_t first, int dice, std::uint64_t seed,
                const std::function<bool(const Crash&, const DiskImage&)>& visit) {
  using enum Crash::Keeps;
  for (std::size_t after = first; after <= disk.operations(); ++after) {
    std::vector<DiskImage> had;
    const auto look = [&](const Crash& crash) {
      DiskImage image = disk.after(crash);
      if (std::ranges::find(had, image) != had.end()) return true;
      had.push_back(image);
      return visit(crash, image);
    };
    for (const auto keeps : {nothing, names, sizes, data, everything})
      if (!look({after, keeps, 0})) return;
    for (int i = 0; i < dice; ++i)
      if (!look({after, some, seed + after * 1000 + static_cast<std::uint64_t>(i)})) return;
  }
}

TempDir scratch() {
  auto in_memory = TempDir::create("/dev/shm");
  return in_memory ? *std::move(in_memory) : TempDir::create().value();
}

std::map<std::string, std::string> below(const DiskImage& image, const std::string& directory) {
  std::map<std::string, std::string> found;
  const std::string prefix = directory.empty() ? "" : directory + "/";
  for (const auto& [path, entry] : image) {
    if (!path.starts_with(prefix)) continue;
    found[path.substr(prefix.size())] = entry.directory ? "(directory)" : std::string(as_text(*entry.bytes));
  }
  return found;
}

}  // namespace tidemark::io::testing
