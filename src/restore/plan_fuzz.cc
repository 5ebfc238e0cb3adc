// A store of any names and sidecars: a line is a key, and behind a tab its body. Laws: reading and planning never fail
// for what a name says; what is offered as restorable can be planned, and a plan is contiguous and never goes beyond
// what was asked for.
#include <cstdlib>

#include "catalog/chain.h"
#include "restore/plan.h"
#include "store/testing/mem_store.h"

namespace tidemark::restore {
namespace {

void require(bool law) {
  if (!law) std::abort();
}

void check_gaps(const catalog::Timeline& timeline) {
  Revision before(0);
  for (const catalog::Gap& gap : timeline.gaps) {
    require(gap.span.first > before && gap.span.last >= gap.span.first);
    before = gap.span.last;
  }
}

void check_plan(const catalog::Timeline& timeline, std::optional<Revision> wanted, bool must_be) {
  for (const bool or_less : {false, true}) {
    const auto plan = make_plan(timeline, {.revision = wanted, .or_less = or_less}, {});
    require(plan || !must_be);
    if (!plan) continue;
    require(plan->reach <= plan->wanted);
    require(or_less || plan->reach == plan->wanted);
    Revision reached = plan->base_revision;
    for (const Step& step : plan->steps) {
      require(step.take.first == reached.next() && step.take.last >= step.take.first);
      reached = step.take.last;
    }
    require(plan->steps.empty() || reached == plan->reach);
  }
}

}  // namespace
}  // namespace tidemark::restore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  if (size > 4096) return 0;  // every pair of objects is looked at
  store::testing::MemStore store;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t tab = std::min(line.find('\t'), line.size());
    const std::string_view body = line.substr(std::min(tab + 1, line.size()));
    (void)store.put(line.substr(0, tab), as_bytes(body));
  }
  const auto timeline = catalog::read_timeline(store);
  if (!timeline) {
    if (timeline.error().code != Errc::unsupported) std::abort();
    return 0;
  }
  restore::check_gaps(*timeline);
  for (const RevisionSpan& span : catalog::restorable(*timeline)) {
    restore::check_plan(*timeline, span.first, true);
    restore::check_plan(*timeline, span.last, true);
  }
  for (const auto* points : {&timeline->fulls, &timeline->deltas}) {
    for (const catalog::Point& point : *points) {
      const auto chain = catalog::chain_to(*timeline, point);
      if (!chain.empty() && chain.back() != &point) std::abort();
      restore::check_plan(*timeline, point.name.span.first, false);
      restore::check_plan(*timeline, point.name.span.last, false);
    }
  }
  restore::check_plan(*timeline, std::nullopt, false);
  restore::check_plan(*timeline, Revision(INT64_MAX), false);
  return 0;
}
