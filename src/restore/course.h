// A target and an origin -> what is planned from, and planned again from when an object turns out bad.
#pragma once

#include <stop_token>

#include "catalog/timeline.h"
#include "restore/origin.h"
#include "restore/plan.h"
#include "restore/target.h"

namespace tidemark::restore {

// The timeline as the target allows it, and all that was learned.
struct Course {
  catalog::Timeline whole;    // the origin's
  catalog::Timeline allowed;  // what the target may use
  Wish wish;
  Facts facts;
  bool beyond_the_end = false;  // no change after the target's time is known: the newest state is the answer

  // Errors: see make_plan().
  Result<Plan> plan() const;
};

// Reads the timeline; for a time it opens the one or two deltas around it. Errors: see resolve_time().
Result<Course> set_course(Origin& from, const Target& target, const std::stop_token& stop);

}  // namespace tidemark::restore
