// Has the cluster moved since a plan was made?
// Threads: one at a time.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "live/plan.h"

namespace tidemark::live {

// What is no more as the plan says it was, a sentence each; empty: nothing. Of what is left, Step::before becomes the
// whole object as it is now: a printed plan may have only its identity.
Result<std::vector<std::string>> what_moved(link::KubeClient& client, Plan& plan, const std::stop_token& stop = {});

}  // namespace tidemark::live
