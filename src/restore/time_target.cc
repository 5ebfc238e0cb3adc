#include "restore/time_target.h"

#include <algorithm>

#include "base/rfc3339.h"
#include "bucket/delta.h"

namespace tidemark::restore {
namespace {

// The first revision of a delta that was received after `time`; 0: none.
Result<Revision> first_after(io::Source& body, Time time, const std::stop_token& stop) {
  Revision found(0);
  TM_CHECK(bucket::read_delta(body, [&](const bucket::DeltaEvent& event) -> Status {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (found == Revision(0) && event.time > time) found = Revision(event.mod);
    return {};
  }));
  return found;
}

Time print_time(std::int64_t unix_s) { return Time(std::chrono::seconds(unix_s)); }

}  // namespace

Result<TimeAnswer> resolve_time(const catalog::Timeline& timeline, Time time, const OpenBody& open_body, Facts& facts,
                                const std::stop_token& stop) {
  TimeAnswer answer;
  answer.timeline = timeline;
  const std::int64_t unix_s = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::erase_if(answer.timeline.fulls, [&](const catalog::Point& full) { return full.name.unix_s > unix_s; });
  if (answer.timeline.fulls.empty()) {
    if (timeline.fulls.empty()) return no_full(timeline);
    const auto oldest = std::min_element(
        timeline.fulls.begin(), timeline.fulls.end(),
        [](const catalog::Point& a, const catalog::Point& b) { return a.name.unix_s < b.name.unix_s; });
    const std::string earliest = print_rfc3339(print_time(oldest->name.unix_s));
    auto refused = fail(Errc::not_found, "{} cannot be restored: the oldest full snapshot was made at {}",
                        print_rfc3339(time), earliest);
    refused.error().hint = "--at " + earliest;
    return refused;
  }
  for (const catalog::Point& delta : timeline.deltas) {
    if (delta.stray || delta.name.unix_s < unix_s || facts.bad.contains(delta.key)) continue;
    const auto after = [&]() -> Result<Revision> {
      TM_LET(const auto body, open_body(delta));
      return first_after(*body, time, stop);
    }();
    if (!after) {
      if (!is_objects_fault(after.error().code)) return std::unexpected(named(delta.key, after).error());
      facts.bad[delta.key] = after.error().what;
      continue;
    }
    if (*after == Revision(0)) continue;
    answer.wish.revision = after->prev();
    return answer;
  }
  answer.beyond_the_end = true;
  return answer;
}

}  // namespace tidemark::restore
