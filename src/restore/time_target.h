// A time -> what to plan for.
//
// Deltas carry a time per event (when the recorder received it). The answer is the last revision before the first event
// after `time`; a name's unix time is not before any event of its delta, so only one or two deltas are opened. Fulls
// count by their creation; one made after `time` may hold later changes and is left out.
#pragma once

#include "base/clock.h"
#include "restore/plan.h"
#include "restore/replay.h"

namespace tidemark::restore {

struct TimeAnswer {
  Wish wish;
  catalog::Timeline timeline;   // without the fulls made after `time`
  bool beyond_the_end = false;  // no change after `time` is known: the newest revision known is the answer
};

// Errc::not_found: before the oldest full. Bad deltas met on the way go into `facts`.
Result<TimeAnswer> resolve_time(const catalog::Timeline& timeline, Time time, const OpenBody& open_body, Facts& facts,
                                const std::stop_token& stop);

}  // namespace tidemark::restore
