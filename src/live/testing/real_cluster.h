// The small real cluster of testdata/kubernetes-1.36: what its API server gave out, object by object.
#pragma once

#include <vector>

#include "live/plan.h"

namespace tidemark::live::testing {

// Without events.
const std::vector<Found>& real_objects();

}  // namespace tidemark::live::testing
