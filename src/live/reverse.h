// The way back: the plan that takes a restore back, from its record and what there is now.
//
// What it changed and removed is wanted as it was; what it made is removed, by its uid when the record has that, else
// when it is still as it was made. A definition of custom resources is never removed: all its objects would go with it.
// Threads: one at a time.
#pragma once

#include <stop_token>

#include "live/plan.h"
#include "live/served_kinds.h"
#include "live/undo_record.h"

namespace tidemark::live {

struct WayBack {
  Plan plan{};
  PlanOptions options{};
};

// `end`: nullopt: it was cut. Errors of make_plan() and of reading the cluster.
Result<WayBack> way_back(link::KubeClient& client, const ServedKinds& served, const UndoBegin& begin,
                         const std::optional<UndoEnd>& end, const std::stop_token& stop = {});

}  // namespace tidemark::live
