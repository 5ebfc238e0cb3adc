// Which objects continue each other, by names: what a timeline lets one restore.
//
// A delta continues a revision when it begins at the next one or earlier and ends behind it. Of several the one that
// reaches furthest is taken, a stray only where nothing else continues and never beyond what the others hold.
// All pointers are into the timeline. Restore plans by what it finds inside objects and may do better or worse.
#pragma once

#include <optional>
#include <vector>

#include "catalog/timeline.h"

namespace tidemark::catalog {

// The full of the newest revision and the deltas that continue it. Empty without a full. Older fulls never reach
// further: where their deltas pass the newest full, they go on with the same ones.
std::vector<const Point*> newest_chain(const Timeline& timeline);
// From that full's revision to the end of that chain.
std::optional<RevisionSpan> reach_of_newest(const Timeline& timeline);

// The newest full from which deltas lead to `point`, those deltas (the last may overlap it), and `point` itself; only
// `point` when it is a full. Empty when no full leads there.
std::vector<const Point*> chain_to(const Timeline& timeline, const Point& point);

// Every revision in these can be restored; ascending, disjoint, with a revision between any two that cannot.
std::vector<RevisionSpan> restorable(const Timeline& timeline);

}  // namespace tidemark::catalog
