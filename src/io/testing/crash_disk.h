// A disk that forgets: it writes down everything a program does to the files below one directory, and says afterwards
// what a power failure at any moment would have left there.
//
// The program under test is not changed and knows nothing of it: the C library's calls (open, pwrite, fsync, renameat2,
// unlinkat, ...) are taken over at link time (crash_calls.cc) in every test program that links this kit; without a
// CrashDisk they pass straight through. So it sees what std::filesystem does as well, and writes with O_DIRECT; what
// goes through the C library's own streams it does not see, and unseen() tells.
//
// The rules are those of POSIX, not of one file system. What was written to a file is safe once that file was fsynced;
// a name is safe once its directory was fsynced. Anything else may or may not be there after a crash, in any
// combination, save for three things: a later change of a name is not there without an earlier change of the same name;
// a rename happens or does not, and one between two directories is safe only when both were fsynced; a directory goes
// after all that was in it. Threads: the watched program may use any number; one CrashDisk in a process at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "io/file.h"

namespace tidemark::io::testing {

// While a disk is watched, lstat() and stat() give inode numbers of its own, which are the same again when an image is
// put down somewhere else: a program may know a file by its inode across a crash.
using Inode = std::uint64_t;

struct DiskEntry {
  Inode inode = 0;
  bool directory = false;
  std::shared_ptr<const Buffer> bytes;  // of a file

  bool operator==(const DiskEntry& other) const {
    return inode == other.inode && directory == other.directory && (directory || *bytes == *other.bytes);
  }
};
// All there is, by path relative to the root.
using DiskImage = std::map<std::string, DiskEntry>;

struct Crash {
  // What stays of that which no fsync has made safe.
  enum class Keeps {
    nothing,     // "everything not fsynced is forgotten, names included"
    names,       // the journal came through, the data did not: files as short as before
    sizes,       // the same, with files as long as they were written, in zeros
    data,        // the other way round
    everything,  // the process was killed, the machine was not
    some,        // as `seed` throws the dice, down to single sectors
  };
  std::size_t after = 0;  // so many operations were done
  Keeps keeps = Keeps::nothing;
  std::uint64_t seed = 0;

  std::string text() const;
};

struct WatchedLog;

class CrashDisk {
 public:
  // Watches `root`; what is in it counts as safe.
  explicit CrashDisk(const Path& root);
  // Empties `root`, puts `image` there, and watches.
  CrashDisk(const Path& root, const DiskImage& image);
  CrashDisk(const CrashDisk&) = delete;
  CrashDisk& operator=(const CrashDisk&) = delete;
  ~CrashDisk();

  // No longer watched; what was seen stays. The destructor does it as well.
  void stop();

  std::size_t operations() const;            // so far
  std::string operation(std::size_t) const;  // in words
  DiskImage after(const Crash& crash) const;
  // What is there now as it should be by what was seen. Empty, or where it differs: something went past the watch.
  std::string unseen() const;

 private:
  Path root_;
  std::unique_ptr<WatchedLog> watched_;
  bool is_watched_ = true;
};

// Calls `visit` with what is left by a crash at every moment from `first` to the end: one of each kind, and `dice` of
// the kind `some`. Equal images of one moment come once. Ends when `visit` returns false.
void each_crash(const CrashDisk& disk, std::size_t first, int dice, std::uint64_t seed,
                const std::function<bool(const Crash&, const DiskImage&)>& visit);

// A directory for images: in memory where the machine has such a place, because a test puts down thousands.
TempDir scratch();

// The part of an image below a directory, with paths relative to it and without inodes: for comparisons.
std::map<std::string, std::string> below(const DiskImage& image, const std::string& directory);

}  // namespace tidemark::io::testing
