// Between the taken-over calls (crash_calls.cc) and a DiskLog: which path and which descriptor is what.
#pragma once

#include <map>
#include <mutex>

#include "io/testing/disk_log.h"

namespace tidemark::io::testing {

class CrashWatch {
 public:
  CrashWatch(Path root, DiskLog& log) : root_(std::move(root)), log_(log) {}

  // Takes the place of the one before; null: nothing is watched. Waits for calls on their way.
  static void set(CrashWatch* watch);

  // Null when nothing is watched, or this thread has asked not to be seen.
  class Use {
   public:
    Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use();
    CrashWatch* operator->() const { return watch_; }
    explicit operator bool() const { return watch_ != nullptr; }

   private:
    std::unique_lock<std::mutex> lock_;
    CrashWatch* watch_ = nullptr;
  };
  // Calls of this thread are not seen while one lives.
  class Unseen {
   public:
    Unseen();
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
    ~Unseen();
  };

  DiskLog& log() { return log_; }
  // As openat(2) takes them; nullopt: not below the root.
  std::optional<Path> relative(int directory, const char* path) const;
  std::optional<Place> place(int directory, const char* path) const;

  void opened(int fd, int directory, const char* path, int flags, bool was_there);
  void closed(int fd) { descriptors_.erase(fd); }
  std::optional<Inode> inode(int fd) const;  // nullopt: not ours

 private:
  struct Descriptor {
    Inode inode = 0;
    std::uint64_t device = 0, number = 0;  // what fstat says: another file may have the descriptor by now
  };
  const Path root_;
  DiskLog& log_;
  std::map<int, Descriptor> descriptors_;
};

// Pulls crash_calls.cc into a program.
void take_over_calls();

}  // namespace tidemark::io::testing
