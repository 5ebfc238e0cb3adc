#include "history/version_sorter.h"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace tidemark::history {

namespace {

static_assert(std::is_trivially_copyable_v<StoredVersion>, "it is written as it stands in memory");
constexpr std::size_t kWindow = 256UL << 10U;

}  // namespace

// One run, read back in order.
class VersionSorter::RunReader {
 public:
  RunReader(int fd, Run run, const io::Path& name) : fd_(fd), at_(run.begin), end_(run.end), name_(name) {}

  // False: the end.
  Result<bool> next() {
    if (begin_ == window_.size() && at_ == end_) return false;
    std::uint32_t key_bytes = 0;
    TM_CHECK(take(&key_bytes, sizeof key_bytes));
    key_.resize(key_bytes);
    TM_CHECK(take(key_.data(), key_bytes));
    TM_CHECK(take(&version_, sizeof version_));
    return true;
  }
  const std::string& key() const { return key_; }
  const StoredVersion& version() const { return version_; }

 private:
  Status take(void* to, std::size_t size) {
    auto* out = static_cast<std::byte*>(to);
    while (size > 0) {
      if (begin_ == window_.size()) {
        window_.resize(std::min<std::uint64_t>(kWindow, end_ - at_));
        TM_CHECK(io::pread_all(fd_, window_, at_, name_));
        at_ += window_.size();
        begin_ = 0;
      }
      const std::size_t n = std::min(size, window_.size() - begin_);
      if (n == 0) return fail(Errc::torn, "'{}' ends inside a row", name_.native());
      std::memcpy(out, window_.data() + begin_, n);
      begin_ += n;
      out += n;
      size -= n;
    }
    return {};
  }

  int fd_;
  std::uint64_t at_, end_;
  const io::Path& name_;
  Buffer window_;
  std::size_t begin_ = 0;
  std::string key_;
  StoredVersion version_;
};

Status VersionSorter::add(std::string_view key, const StoredVersion& version) {
  const std::size_t held = keys_.size() + key.size() + (entries_.size() + 1) * sizeof(Entry);
  if (held > most_bytes_ && !entries_.empty()) TM_CHECK(set_aside());
  const Bytes bytes = as_bytes(key);
  entries_.push_back({keys_.size(), static_cast<std::uint32_t>(key.size()), version});
  keys_.insert(keys_.end(), bytes.begin(), bytes.end());
  return {};
}

void VersionSorter::sort() {
  std::ranges::sort(entries_, [this](const Entry& a, const Entry& b) {
    const int order = compare(as_bytes(key_of(a)), as_bytes(key_of(b)));
    return order != 0 ? order < 0 : a.version.id < b.version.id;
  });
}

Status VersionSorter::set_aside() {
  if (!file_.open()) {
    TM_LET(file_, io::open_file(dir_, O_TMPFILE | O_RDWR));
  }
  sort();
  Run run{file_end_, file_end_};
  Buffer out;
  const auto flush = [&]() -> Status {
    TM_CHECK(io::pwrite_all(file_.get(), out, run.end, dir_ / "(sorted versions)"));
    run.end += out.size();
    out.clear();
    return {};
  };
  const auto put = [&out](const void* from, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(from);
    out.insert(out.end(), bytes, bytes + size);
  };
  for (const Entry& entry : entries_) {
    put(&entry.key_bytes, sizeof entry.key_bytes);
    put(keys_.data() + entry.key_at, entry.key_bytes);
    put(&entry.version, sizeof entry.version);
    if (out.size() >= kWindow) TM_CHECK(flush());
  }
  TM_CHECK(flush());
  file_end_ = run.end;
  runs_.push_back(run);
  entries_.clear();
  keys_.clear();
  return {};
}

Status VersionSorter::drain_memory(BlockWriter& to) {
  sort();
  std::vector<StoredVersion> versions;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const std::string_view key = key_of(*at);
    versions.clear();
    for (; at != entries_.end() && key_of(*at) == key; ++at) versions.push_back(at->version);
    TM_CHECK(to.add(key, versions));
  }
  return {};
}

Status VersionSorter::drain(BlockWriter& to) {
  if (runs_.empty()) return drain_memory(to);
  TM_CHECK(set_aside());
  entries_.shrink_to_fit();
  const io::Path name = dir_ / "(sorted versions)";
  std::vector<std::unique_ptr<RunReader>> readers;
  for (const Run& run : runs_) {
    auto reader = std::make_unique<RunReader>(file_.get(), run, name);
    TM_LET(const bool some, reader->next());
    if (some) readers.push_back(std::move(reader));
  }
  std::vector<StoredVersion> versions;
  while (!readers.empty()) {
    // Few runs: a million versions are two, and twenty in a recorder. Those of one key stand in the order of the runs.
    const auto least =
        std::ranges::min_element(readers, {}, [](const auto& reader) -> const std::string& { return reader->key(); });
    const std::string key = (*least)->key();
    versions.clear();
    for (auto reader = readers.begin(); reader != readers.end();) {
      bool more = true;
      while (more && (*reader)->key() == key) {
        versions.push_back((*reader)->version());
        TM_LET(more, (*reader)->next());
      }
      reader = more ? reader + 1 : readers.erase(reader);
    }
    TM_CHECK(to.add(key, versions));
  }
  return {};
}

}  // namespace tidemark::history
