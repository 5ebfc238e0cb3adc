// The spill: every event on the recorder's own disk before it counts as acknowledged.
//
// A directory of segments; the newest one grows, sealed ones wait to be published as deltas and are removed
// afterwards. One process per directory. After a restart the spill is read back: a half-written tail is cut off (it was
// never acknowledged) and told; a damaged segment is kept aside, its good beginning stays, and what is missing becomes
// a hole that the recorder fetches again. Threads: append() and seal() belong to one thread; the other calls may come
// from any.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/segment.h"

namespace tidemark::capture {

struct Segment {
  io::Path path;
  SegmentFacts facts;
};

class Spill {
 public:
  struct Options {
    io::Path dir;  // made when missing, mode 0700
    ClusterId cluster;
    std::uint64_t limit_bytes = 10UL << 30U;  // no more than this is spilled; publishing makes room
    Steps* steps = &unwatched_steps();        // never null
  };

  // Errc::conflict: another process has the directory. Errc::invalid: the segments are another cluster's.
  static Result<std::unique_ptr<Spill>> open(Options options);

  // What opening found, in words; empty when all was well.
  const std::vector<std::string>& told() const { return told_; }
  // Revisions that lie between two segments although they were acknowledged: the damage.
  std::vector<RevisionSpan> holes() const;

  // Requires: whole revisions, contiguous. Where `events` do not follow the open segment, that one must be sealed
  // before. Errc::no_space: disk full or the limit reached; nothing was added.
  Status append(std::span<const etcd::Event> events, Time received);
  // The growing segment, if it has events.
  std::optional<SegmentFacts> growing() const;
  // Ends the growing segment under the time its delta will carry. Does nothing when there is none.
  Status seal(std::int64_t unix_s);

  // In order of revisions; sealed only.
  std::vector<Segment> sealed() const;
  Status remove(const Segment& segment);

  std::optional<Revision> first() const;  // the oldest revision in it
  std::optional<Revision> last() const;   // the newest revision in it
  std::uint64_t bytes() const;
  const io::Path& dir() const { return options_.dir; }
  io::Path path_of(Revision first) const;

 private:
  explicit Spill(Options options) : options_(std::move(options)) {}
  Status replay();
  Status replay_one(const io::Path& path);
  Status settle_leftovers();

  Options options_;
  io::Fd lock_;
  std::vector<std::string> told_;
  std::vector<RevisionSpan> holes_;
  mutable std::mutex mutex_;              // guards segments_ and the facts of writer_
  std::map<Revision, Segment> segments_;  // by first revision; the growing one is in it
  std::optional<SegmentWriter> writer_;
};

// Takes the lock file of a directory for the life of the result. Errc::conflict names the holder's directory.
Result<io::Fd> lock_directory(const io::Path& dir);

}  // namespace tidemark::capture
