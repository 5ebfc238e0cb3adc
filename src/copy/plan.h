// What a copy of one lineage consists of, and in which order its objects go.
//
// The order is what makes a copy safe to cut anywhere: whose history it is comes first; then, by revision, each full
// before the deltas that need it, each object behind its own sidecars, the claims of a revision before the deltas that
// compete for it and the gap records where they belong. What restores nothing today (strays, cut-off deltas) comes
// behind what does. So at every cut the copy restores everything up to its last object. Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/timeline.h"
#include "store/object_store.h"

namespace tidemark::copy {

// What is wanted. Nothing set: everything there is.
struct Selection {
  std::vector<std::string> points;         // keys of points: these, and the chains that lead to them
  std::optional<Revision> since_revision;  // all that restores this revision and later ones
  std::optional<Time> since_time;          // all that restores this moment and later ones
  bool everything() const { return points.empty() && !since_revision && !since_time; }
};

struct Item {
  std::string key;
  std::uint64_t size = 0;
  std::string_view kind;  // "lineage", "full", "delta", "claim", "gap", "sidecar", "successor", "other"
};

struct Plan {
  std::vector<Item> items;            // in the order in which they must be copied
  std::vector<std::string> left_out;  // keys under v1/ and v2/ that are no snapshots, with the reason
  std::uint64_t bytes() const;
};

// Errc::not_found: no points, or none that was asked for. Bodies of objects are not opened.
Result<Plan> make_plan(store::ObjectStore& source, const Selection& selection);

}  // namespace tidemark::copy
