#include "history/index_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/log.h"
#include "crypto/sha256.h"

namespace tidemark::history {
namespace {

constexpr std::string_view kBlockSuffix = ".block", kCopySuffix = ".copy";
constexpr std::size_t kNameBytes = 16;  // of the digest: two honest identities never share them
constexpr std::chrono::hours kLeftoverAge{24};

std::string name_of(const std::string& identity) {
  return to_hex(Bytes(crypto::sha256(as_bytes(identity))).first(kNameBytes));
}

// A directory that somebody removed is no missing object.
template <class T>
Result<T> of_cache(Result<T> result) {
  if (!result && result.error().code == Errc::not_found) result.error().code = Errc::io;
  return result;
}

// It was used now: what is removed first is what nobody has used.
void touch(const io::Path& path) { (void)::utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

Time modified(const struct stat& about) {
  return Time(std::chrono::seconds(about.st_mtim.tv_sec) + std::chrono::nanoseconds(about.st_mtim.tv_nsec));
}

// What the cache holds, each with its stat; what cannot be read is left out.
std::vector<std::pair<io::Path, struct stat>> files_in(const io::Path& dir) {
  std::vector<std::pair<io::Path, struct stat>> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(dir, error); !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    struct stat about{};
    if (::lstat(at->path().c_str(), &about) == 0 && S_ISREG(about.st_mode)) files.emplace_back(at->path(), about);
  }
  return files;
}

}  // namespace

std::string identity_of(std::string_view store_url, const store::ObjectInfo& object) {
  return fmt::format("{}\n{}\n{} bytes\nwritten {}", store_url, object.key, object.size,
                     object.modified.time_since_epoch().count());
}

Result<IndexCache> IndexCache::open(Options options) {
  options.dir /= "index";
  TM_CHECK(io::make_dirs(options.dir));
  const Time now = options.clock->now();
  for (const auto& [path, about] : files_in(options.dir)) {
    if (!io::is_pending_name(path.filename().native()) || modified(about) > now - kLeftoverAge) continue;
    options.steps->about_to("remove a leftover of the index");
    (void)::unlink(path.c_str());
  }
  return IndexCache(std::move(options));
}

io::Path IndexCache::path_of(const std::string& identity, std::string_view suffix) const {
  return options_.dir / (name_of(identity) += suffix);
}

io::Path IndexCache::copy_path(const std::string& identity) const { return path_of(identity, kCopySuffix); }

std::optional<Block> IndexCache::find(const std::string& identity) {
  const io::Path path = path_of(identity, kBlockSuffix);
  auto block = Block::open(path);
  if (!block) {
    if (block.error().code != Errc::not_found) remove(identity, block.error().what);
    return std::nullopt;
  }
  if (block->about().identity != identity) {
    remove(identity, "it is of another object");
    return std::nullopt;
  }
  touch(path);
  if (block->about().text_in == TextIn::gzip_copy) {
    const io::Path copy = copy_path(identity);
    if (io::size_of_file(copy).value_or(0) != block->about().stored_bytes) {
      remove(identity, "its copy is missing");
      return std::nullopt;
    }
    touch(copy);
  }
  in_use_.insert(name_of(identity));
  return *std::move(block);
}

void IndexCache::remove(const std::string& identity, std::string_view why) {
  log_debug("index block removed", "block={} reason=\"{}\"", name_of(identity), why);
  options_.steps->about_to("remove an index block");
  (void)::unlink(path_of(identity, kBlockSuffix).c_str());
  (void)::unlink(copy_path(identity).c_str());
}

Result<io::PendingFile> IndexCache::begin_block(const std::string& identity) {
  return of_cache(io::PendingFile::create(path_of(identity, kBlockSuffix), io::PendingFile::Existing::replace));
}

Result<io::PendingFile> IndexCache::begin_copy(const std::string& identity) {
  return of_cache(io::PendingFile::create(copy_path(identity), io::PendingFile::Existing::replace));
}

Status IndexCache::publish(io::PendingFile& file) {
  in_use_.insert(file.final_path().stem().native());
  options_.steps->about_to("publish a file of the index");
  TM_CHECK(of_cache(file.commit()));
  options_.steps->about_to("go on after a file of the index");
  return {};
}

void IndexCache::close() {
  in_use_.clear();
  evict();
}

void IndexCache::evict() {
  struct Kept {
    std::uint64_t bytes = 0;
    Time used;
  };
  std::map<std::string, Kept> all;  // by name without suffix
  std::uint64_t total = 0;
  for (const auto& [path, about] : files_in(options_.dir)) {
    Kept& kept = all[path.stem().native()];
    kept.bytes += static_cast<std::uint64_t>(about.st_size);
    kept.used = std::max(kept.used, modified(about));
    total += static_cast<std::uint64_t>(about.st_size);
  }
  std::vector<std::pair<std::string, Kept>> oldest;
  for (const auto& [name, kept] : all) {
    if (!in_use_.contains(name) && !io::is_pending_name(name + ".tmp")) oldest.emplace_back(name, kept);
  }
  std::ranges::sort(oldest, {}, [](const auto& one) { return one.second.used; });
  for (const auto& [name, kept] : oldest) {
    if (total <= options_.most_bytes) return;
    options_.steps->about_to("evict an index block");
    // The block first: a copy alone is found by nobody.
    (void)::unlink((options_.dir / (name + std::string(kBlockSuffix))).c_str());
    (void)::unlink((options_.dir / (name + std::string(kCopySuffix))).c_str());
    total -= std::min(total, kept.bytes);
    log_debug("index block evicted", "block={} bytes={}", name, kept.bytes);
  }
}

}  // namespace tidemark::history
