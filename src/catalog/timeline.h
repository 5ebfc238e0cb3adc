// What a store holds of one lineage: fulls, deltas, the gaps between them, and which objects count.
//
// Derived from names and from the sidecars in `tidemark/`; nothing here is the truth, the objects are. Bodies are not
// opened: a point is listed as restorable by its names until a reader says otherwise.
// Only keys below the store's own prefix count, each folder with its slash: a neighbour named alike is never seen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "bucket/name.h"
#include "store/object_store.h"

namespace tidemark::catalog {

struct Point {
  std::string key;  // in the store
  bucket::SnapshotName name;
  std::uint64_t size = 0;
  bool stray = false;  // a later claim took this start revision: kept as a last resort, not counted
};

// Revisions that no object holds one by one. A full may still hold the state at the last of them.
struct Gap {
  RevisionSpan span;
  std::string reason;  // as the recorder wrote it ("compacted underneath"), or "no object covers it"
};

struct Timeline {
  std::vector<Point> fulls;          // by revision, then creation
  std::vector<Point> deltas;         // by first revision, then last, then creation
  std::vector<Gap> gaps;             // by revision, disjoint: from the oldest full on (without one, the oldest delta)
  std::vector<std::string> ignored;  // keys under v1/ or v2/ that are no snapshot, with the reason
  std::vector<std::string> damaged;  // sidecars that cannot be read and were left out of account, with the reason

  std::optional<Revision> earliest() const;  // the oldest full's
  std::optional<Revision> latest() const;    // the newest revision that an unbroken chain reaches

  // The oldest and the newest moment that can be restored: the creation of the oldest full, and of the object that
  // reaches latest().
  std::optional<Time> earliest_time() const;
  std::optional<Time> latest_time() const;
};

// Two deltas that begin at the same revision: when claims exist for it, the object that the claim of the highest epoch
// names counts (or the next lower one's, when it does not exist); the others are strays. Without a claim all count.
// Errc::unsupported when a claim or a gap was written by a newer version.
Result<Timeline> read_timeline(store::ObjectStore& store);

// When an object was made, by its name.
Time created(const bucket::SnapshotName& name);

}  // namespace tidemark::catalog
