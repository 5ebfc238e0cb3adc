// What a CrashDisk remembers: names as they are now, the operations so far, and what any crash leaves of them. Knows no
// system calls. Threads: the caller locks.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "io/testing/crash_disk.h"

namespace tidemark::io::testing {

// A name in a directory.
struct Place {
  Inode directory = 0;
  std::string name;
  auto operator<=>(const Place&) const = default;
};

struct DiskOperation {
  enum class Kind { write, truncate, sync_file, add, take_away, rename, exchange, sync_directory };
  Kind kind{};
  Inode inode = 0;           // the file, or the directory that is fsynced, or what `add` names
  std::uint64_t offset = 0;  // of a write; the new size of a truncate
  Buffer bytes;
  Place from, to;  // add, take_away: only `from`

  bool changes_names() const { return kind >= Kind::add && kind <= Kind::exchange; }
};

class DiskLog {
 public:
  explicit DiskLog(DiskImage initial);

  static constexpr Inode kRoot = 1;

  std::optional<Place> place(const Path& relative) const;  // nullopt: its directory is not there
  std::optional<Inode> find(const Place& place) const;
  std::optional<Inode> find(const Path& relative) const;
  bool is_directory(Inode inode) const { return names_.contains(inode); }

  Inode nameless_file() { return next_++; }
  Inode add_file(const Place& place);
  Inode add_directory(const Place& place);
  void add_link(const Place& place, Inode inode);
  void take_away(const Place& place);
  void rename(const Place& from, const Place& to);
  void exchange(const Place& from, const Place& to);
  void write(Inode file, std::uint64_t offset, Bytes bytes);
  void truncate(Inode file, std::uint64_t size);
  void sync(Inode inode);

  const std::vector<DiskOperation>& operations() const { return operations_; }
  DiskImage after(const Crash& crash) const;

 private:
  void apply(const DiskOperation& operation);

  const DiskImage initial_;
  std::map<Inode, std::map<std::string, Inode>> names_;  // of every directory, now
  std::vector<DiskOperation> operations_;
  Inode next_ = kRoot + 1;
};

}  // namespace tidemark::io::testing
