#include "catalog/chain.h"

#include <algorithm>

namespace tidemark::catalog {
namespace {

// The newest revision that an object claims to hold. Strays claim nothing: they may bridge a hole, not lead on.
Revision newest_counted(const Timeline& timeline) {
  Revision newest(0);
  for (const Point& p : timeline.fulls) newest = std::max(newest, p.name.span.last);
  for (const Point& p : timeline.deltas) {
    if (!p.stray) newest = std::max(newest, p.name.span.last);
  }
  return newest;
}

const Point* next_delta(const Timeline& timeline, Revision reached) {
  const Point* best = nullptr;
  const auto rank = [](const Point& p) { return std::pair(!p.stray, p.name.span.last); };
  for (const Point& delta : timeline.deltas) {
    if (delta.name.span.first > reached.next()) break;
    if (delta.name.span.last > reached && (best == nullptr || rank(delta) > rank(*best))) best = &delta;
  }
  return best;
}

// The full and what continues it, up to where `until` is reached or nothing continues.
std::vector<const Point*> chain_from(const Timeline& timeline, const Point& full, Revision until) {
  std::vector<const Point*> chain;
  for (const Point* next = &full; next != nullptr;) {
    chain.push_back(next);
    const Revision reached = next->name.span.last;
    next = reached < until ? next_delta(timeline, reached) : nullptr;
  }
  return chain;
}

}  // namespace

std::vector<const Point*> newest_chain(const Timeline& timeline) {
  if (timeline.fulls.empty()) return {};
  return chain_from(timeline, timeline.fulls.back(), newest_counted(timeline));
}

std::optional<RevisionSpan> reach_of_newest(const Timeline& timeline) {
  const auto chain = newest_chain(timeline);
  if (chain.empty()) return std::nullopt;
  return RevisionSpan{chain.front()->name.span.last, std::min(chain.back()->name.span.last, newest_counted(timeline))};
}

std::vector<const Point*> chain_to(const Timeline& timeline, const Point& point) {
  if (point.name.kind == bucket::Kind::full) return {&point};
  for (auto full = timeline.fulls.rbegin(); full != timeline.fulls.rend(); ++full) {
    if (full->name.span.last >= point.name.span.last) continue;
    auto chain = chain_from(timeline, *full, point.name.span.first.prev());
    const Revision reached = chain.back()->name.span.last;
    if (reached < point.name.span.first.prev()) continue;
    chain.push_back(&point);
    return chain;
  }
  return {};
}

std::vector<RevisionSpan> restorable(const Timeline& timeline) {
  std::vector<RevisionSpan> spans;
  const Revision newest = newest_counted(timeline);
  for (const Point& full : timeline.fulls) {
    const Revision base = full.name.span.last;
    if (!spans.empty() && spans.back().contains(base)) continue;
    const auto chain = chain_from(timeline, full, newest);
    const RevisionSpan span{base, std::min(chain.back()->name.span.last, newest)};
    if (!spans.empty() && spans.back().joins(span)) {
      spans.back().last = span.last;
    } else {
      spans.push_back(span);
    }
  }
  return spans;
}

}  // namespace tidemark::catalog
