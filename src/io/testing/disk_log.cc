#include "io/testing/disk_log.h"

#include <algorithm>
#include <random>

namespace tidemark::io::testing {
namespace {

constexpr std::size_t kSector = 512;
using Kind = DiskOperation::Kind;
using Names = std::map<Inode, std::map<std::string, Inode>>;

void change_names(Names& names, const DiskOperation& operation) {
  auto& from = names[operation.from.directory];
  switch (operation.kind) {
    case Kind::add: from[operation.from.name] = operation.inode; break;
    case Kind::take_away: from.erase(operation.from.name); break;
    case Kind::rename: {
      const Inode inode = from[operation.from.name];
      from.erase(operation.from.name);
      names[operation.to.directory][operation.to.name] = inode;
      break;
    }
    case Kind::exchange: std::swap(from[operation.from.name], names[operation.to.directory][operation.to.name]); break;
    default: break;
  }
}

// Path by path, with the directories themselves; the root is not in it.
template <class Found>
void walk(const Names& names, Inode directory, const std::string& prefix, const Found& found) {
  const auto entries = names.find(directory);
  if (entries == names.end()) return;
  for (const auto& [name, inode] : entries->second) {
    found(prefix + name, inode);
    walk(names, inode, prefix + name + "/", found);
  }
}

Names names_of(const DiskImage& image) {
  Names names;
  std::map<std::string, Inode> directories{{"", DiskLog::kRoot}};
  names[DiskLog::kRoot];
  for (const auto& [path, entry] : image) {
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
    names[directories.at(parent)][path.substr(slash == std::string::npos ? 0 : slash + 1)] = entry.inode;
    if (!entry.directory) continue;
    directories[path] = entry.inode;
    names[entry.inode];
  }
  return names;
}

// A change of names that happened, and how safe it is.
struct Change {
  const DiskOperation* operation = nullptr;
  std::set<Inode> unsynced;  // directories still to be fsynced
  bool safe = false;
};

// Can `later` be there without `earlier`?
bool rests_on(const DiskOperation& later, const DiskOperation& earlier, const std::set<Inode>& directories) {
  for (const Place* mine : {&later.from, &later.to})
    for (const Place* theirs : {&earlier.from, &earlier.to})
      if (mine->directory != 0 && *mine == *theirs) return true;
  const bool removes_directory = later.kind == Kind::take_away && directories.contains(later.inode);
  return removes_directory && (earlier.from.directory == later.inode || earlier.to.directory == later.inode);
}

// Goes through the operations up to the crash.
class Replay {
 public:
  Replay(const DiskImage& initial, const Crash& crash) : crash_(crash), random_(crash.seed), names_(names_of(initial)) {
    for (const auto& [path, entry] : initial) {
      if (entry.directory) {
        directories_.insert(entry.inode);
      } else {
        files_[entry.inode].safe = *entry.bytes;
      }
    }
  }

  void take(const DiskOperation& operation, bool adds_directory) {
    switch (operation.kind) {
      case Kind::write:
      case Kind::truncate: files_[operation.inode].pending.push_back(&operation); break;
      case Kind::sync_file: settle(files_[operation.inode]); break;
      case Kind::sync_directory: sync_directory(operation.inode); break;
      default: {
        if (adds_directory) directories_.insert(operation.inode);
        Change change{&operation, {operation.from.directory}, false};
        if (operation.to.directory != 0) change.unsynced.insert(operation.to.directory);
        changes_.push_back(std::move(change));
      }
    }
  }

  DiskImage image() {
    choose_names();
    for (const Change& change : changes_)
      if (change.safe) change_names(names_, *change.operation);
    DiskImage image;
    std::map<Inode, std::shared_ptr<const Buffer>> contents;  // a file with two names is one file
    walk(names_, DiskLog::kRoot, "", [&](const std::string& path, Inode inode) {
      DiskEntry entry{inode, directories_.contains(inode), nullptr};
      if (!entry.directory) {
        auto& bytes = contents[inode];
        if (!bytes) bytes = std::make_shared<const Buffer>(left_of(files_[inode]));
        entry.bytes = bytes;
      }
      image[path] = std::move(entry);
    });
    return image;
  }

 private:
  struct File {
    Buffer safe;
    std::vector<const DiskOperation*> pending;
  };

  static void apply(Buffer& to, const DiskOperation& operation) {
    if (operation.kind == Kind::truncate) {
      to.resize(operation.offset);
      return;
    }
    to.resize(std::max<std::size_t>(to.size(), operation.offset + operation.bytes.size()));
    std::ranges::copy(operation.bytes, to.begin() + static_cast<std::ptrdiff_t>(operation.offset));
  }

  static void settle(File& file) {
    for (const DiskOperation* operation : file.pending) apply(file.safe, *operation);
    file.pending.clear();
  }

  void make_safe(std::size_t n) {
    if (changes_[n].safe) return;
    changes_[n].safe = true;
    for (std::size_t i = 0; i < n; ++i)
      if (rests_on(*changes_[n].operation, *changes_[i].operation, directories_)) make_safe(i);
  }

  void sync_directory(Inode directory) {
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      changes_[i].unsynced.erase(directory);
      if (changes_[i].unsynced.empty()) make_safe(i);
    }
  }

  void choose_names() {
    switch (crash_.keeps) {
      case Crash::Keeps::nothing:
      case Crash::Keeps::data: break;
      case Crash::Keeps::names:
      case Crash::Keeps::sizes:
      case Crash::Keeps::everything:
        for (Change& change : changes_) change.safe = true;
        break;
      case Crash::Keeps::some: {
        const bool in_order = random_() % 2 == 0;  // as a journal does, or each for itself
        const std::size_t end = random_() % (changes_.size() + 1);
        for (std::size_t i = 0; i < changes_.size(); ++i)
          if (in_order ? i < end : random_() % 2 == 0) make_safe(i);
      }
    }
  }

  // Every sector of a write for itself.
  void apply_some(Buffer& to, const DiskOperation& operation) {
    const std::uint64_t dice = random_() % 4;
    if (dice == 0) return;
    if (dice == 1 || operation.kind == Kind::truncate) return apply(to, operation);
    const std::size_t end = operation.offset + operation.bytes.size();
    to.resize(std::max<std::size_t>(to.size(), end));  // the new size comes first
    for (std::size_t at = 0; at < operation.bytes.size();) {
      const std::size_t size =
          std::min(kSector - (operation.offset + at) % kSector, operation.bytes.size() - at);  // up to a sector's end
      if (random_() % 2 == 0)
        std::copy_n(operation.bytes.begin() + static_cast<std::ptrdiff_t>(at), size,
                    to.begin() + static_cast<std::ptrdiff_t>(operation.offset + at));
      at += size;
    }
  }

  Buffer left_of(const File& file) {
    Buffer left = file.safe;
    switch (crash_.keeps) {
      case Crash::Keeps::nothing:
      case Crash::Keeps::names: break;
      case Crash::Keeps::data:
      case Crash::Keeps::everything:
        for (const DiskOperation* operation : file.pending) apply(left, *operation);
        break;
      case Crash::Keeps::sizes:
        for (const DiskOperation* operation : file.pending) {
          const std::size_t end = operation->offset + operation->bytes.size();
          left.resize(operation->kind == Kind::truncate ? end : std::max<std::size_t>(left.size(), end));
        }
        break;
      case Crash::Keeps::some:
        for (const DiskOperation* operation : file.pending) apply_some(left, *operation);
        break;
    }
    return left;
  }

  const Crash& crash_;
  std::mt19937_64 random_;
  Names names_;
  std::set<Inode> directories_;
  std::map<Inode, File> files_;
  std::vector<Change> changes_;
};

}  // namespace

DiskLog::DiskLog(DiskImage initial) : initial_(std::move(initial)), names_(names_of(initial_)) {
  for (const auto& [path, entry] : initial_) next_ = std::max(next_, entry.inode + 1);
}

std::optional<Place> DiskLog::place(const Path& relative) const {
  Place place{kRoot, ""};
  for (const Path& part : relative) {
    if (!place.name.empty()) {
      const auto directory = find(place);
      if (!directory || !is_directory(*directory)) return std::nullopt;
      place.directory = *directory;
    }
    place.name = part.native();
  }
  return place;
}

std::optional<Inode> DiskLog::find(const Place& place) const {
  if (place.name.empty() || place.name == ".") return place.directory;
  const auto& entries = names_.at(place.directory);
  const auto entry = entries.find(place.name);
  if (entry == entries.end()) return std::nullopt;
  return entry->second;
}

std::optional<Inode> DiskLog::find(const Path& relative) const {
  const auto at = place(relative);
  return at ? find(*at) : std::nullopt;
}

void DiskLog::apply(const DiskOperation& operation) {
  change_names(names_, operation);
  operations_.push_back(operation);
}

Inode DiskLog::add_file(const Place& place) {
  const Inode inode = next_++;
  add_link(place, inode);
  return inode;
}

Inode DiskLog::add_directory(const Place& place) {
  const Inode inode = next_++;
  names_[inode];
  add_link(place, inode);
  return inode;
}

void DiskLog::add_link(const Place& place, Inode inode) {
  DiskOperation operation{.kind = Kind::add, .inode = inode, .bytes = {}, .from = place, .to = {}};
  apply(operation);
}

void DiskLog::take_away(const Place& place) {
  DiskOperation operation{
      .kind = Kind::take_away, .inode = find(place).value_or(0), .bytes = {}, .from = place, .to = {}};
  apply(operation);
}

void DiskLog::rename(const Place& from, const Place& to) {
  apply({.kind = Kind::rename, .inode = find(from).value_or(0), .bytes = {}, .from = from, .to = to});
}

void DiskLog::exchange(const Place& from, const Place& to) {
  apply({.kind = Kind::exchange, .bytes = {}, .from = from, .to = to});
}

void DiskLog::write(Inode file, std::uint64_t offset, Bytes bytes) {
  operations_.push_back({.kind = Kind::write,
                         .inode = file,
                         .offset = offset,
                         .bytes = Buffer(bytes.begin(), bytes.end()),
                         .from = {},
                         .to = {}});
}

void DiskLog::truncate(Inode file, std::uint64_t size) {
  operations_.push_back({.kind = Kind::truncate, .inode = file, .offset = size, .bytes = {}, .from = {}, .to = {}});
}

void DiskLog::sync(Inode inode) {
  operations_.push_back({.kind = is_directory(inode) ? Kind::sync_directory : Kind::sync_file,
                         .inode = inode,
                         .bytes = {},
                         .from = {},
                         .to = {}});
}

DiskImage DiskLog::after(const Crash& crash) const {
  Replay replay(initial_, crash);
  for (std::size_t i = 0; i < crash.after && i < operations_.size(); ++i) {
    const DiskOperation& operation = operations_[i];
    replay.take(operation, operation.kind == Kind::add && is_directory(operation.inode));
  }
  return replay.image();
}

}  // namespace tidemark::io::testing
