// What a store holds of one lineage: fulls, deltas, the gaps between them, and which objects count.
//
// Derived from names and from the sidecars in `tidemark/`; nothing here is the truth, the objects are. Bodies are not
// opened: a point is listed as restorable by its names until a reader says otherwise.
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

// Revisions that no object holds one by one.
struct Gap {
  RevisionSpan span;
  std::string reason;  // as the recorder wrote it ("compacted underneath"), or "no object covers it"
};

struct Timeline {
  std::vector<Point> fulls;          // by revision, then creation
  std::vector<Point> deltas;         // by first revision, then last, then creation
  std::vector<Gap> gaps;             // between the oldest full and the newest object
  std::vector<std::string> ignored;  // keys under v1/ or v2/ that are no snapshot, with the reason

  std::optional<Revision> earliest() const;  // the oldest full's
  std::optional<Revision> latest() const;    // the newest revision that an unbroken chain reaches
};

Result<Timeline> read_timeline(store::ObjectStore& store);

}  // namespace tidemark::catalog
