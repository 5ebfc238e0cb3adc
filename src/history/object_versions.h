// What one object of the store holds of some keys, by the index: the versions in the order in which they were written,
// and their rows.
//
// Memory: the versions. Threads: one.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "history/asked.h"
#include "history/index.h"

namespace tidemark::history {

class ObjectVersions {
 public:
  // Requires: both outlive it.
  ObjectVersions(Index& index, const catalog::Point& point) : index_(index), point_(point) {}

  struct Found {
    std::string_view key;
    StoredVersion version;
    std::optional<Time> received;  // of a delta
  };
  // Those of revisions in `take`. Errors as Index::with()'s.
  Status look(const Asked& asked, RevisionSpan take);
  std::span<const Found> found() const { return found_; }

  // Of a delta: the revisions that it holds, and when the last of those in `take` was received.
  RevisionSpan held() const { return held_; }
  std::optional<Time> taken_until() const { return taken_until_; }

  // The rows of those that are no deletions, by their ids. Errors and `bad` as Index::read()'s. Requires: found() gave
  // them.
  using ById = std::map<etcd::RowId, Row>;
  Result<ById> read(std::span<const Found> some, std::string& bad);

 private:
  Index& index_;
  const catalog::Point& point_;
  std::deque<std::string> keys_;
  std::vector<Found> found_;
  RevisionSpan held_;
  std::optional<Time> taken_until_;
};

}  // namespace tidemark::history
