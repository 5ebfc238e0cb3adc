// One uninterrupted stream of whole revisions from a watch that breaks, repeats itself, or comes from a cluster that is
// no longer the same.
//
// Guarantees: what next() hands out begins at last() + 1 and has no hole. A progress notification never moves the
// resume point. A watch is opened one revision early, at last(): etcd then proves that it still has our history, and a
// compaction that ended exactly where we resume cannot hand us half a revision (tombstones of the compacted revision
// are gone). Threads: one.
#pragma once

#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "etcd/member.h"

namespace tidemark::capture {

class Follower {
 public:
  // `last`: the newest revision that we have (or that we do not want).
  Follower(etcd::Member& member, ClusterId cluster, Revision last) : member_(member), cluster_(cluster), last_(last) {}

  // What came within `wait`; no events when nothing did. Reconnects by itself when called again after a failure.
  // Errc::compacted: compact_revision() says up to where; go on with skip_to(). Errc::conflict: another cluster
  // answers, or its history is not the one we followed: begin anew. Errc::unavailable and others: try again later.
  Result<etcd::WatchBatch> next(std::chrono::milliseconds wait);

  Revision last() const { return last_; }
  Revision head() const { return head_; }  // the newest revision the server spoke of
  Revision compact_revision() const { return compacted_; }
  // The revisions up to `last` are given up.
  void skip_to(Revision last);
  // What we have of the revision last(), to compare with; without it only its number is.
  void remember(const std::vector<etcd::Event>& of_last);

 private:
  Status open();
  Status compare_with_ours(const std::vector<etcd::Event>& theirs) const;

  etcd::Member& member_;
  const ClusterId cluster_;
  Revision last_, head_{}, compacted_{};
  std::unique_ptr<etcd::WatchFeed> feed_;
  bool compared_ = false;
  std::vector<std::uint32_t> ours_;  // checksums of the events of last_
};

}  // namespace tidemark::capture
