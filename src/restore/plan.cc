#include "restore/plan.h"

#include <algorithm>

namespace tidemark::restore {
namespace {

using catalog::Point;
using catalog::Timeline;

RevisionSpan delta_span(const Point& delta, const Facts& facts) {
  const auto known = facts.deltas.find(delta.key);
  return known == facts.deltas.end() ? delta.name.span : known->second;
}

Revision full_revision(const Point& full, const Facts& facts) {
  const auto known = facts.fulls.find(full.key);
  return known == facts.fulls.end() ? full.name.span.last : known->second.revision;
}

struct Chain {
  std::vector<Step> steps;
  Revision reach;
  std::vector<std::string> notes;
};

// The delta that joins and reaches furthest, again and again; a good claim before a stray, the older object of equals.
class Stitch {
 public:
  Stitch(const Timeline& timeline, const Facts& facts) {
    for (const Point& delta : timeline.deltas) {
      if (!facts.bad.contains(delta.key)) usable_.push_back({delta_span(delta, facts), &delta});
    }
    std::ranges::stable_sort(usable_, {}, [](const Usable& u) { return u.span.first; });
  }
  // Requires: `at` does not go back between calls.
  const Point* next(Revision at) {
    for (; seen_ < usable_.size() && usable_[seen_].span.first <= at.next(); ++seen_) {
      const Usable& delta = usable_[seen_];
      Usable& best = delta.point->stray ? stray_ : good_;
      if (delta.span.last > best.span.last) best = delta;
    }
    if (good_.span.last > at) return good_.point;
    return stray_.span.last > at ? stray_.point : nullptr;
  }

 private:
  struct Usable {
    RevisionSpan span;
    const Point* point = nullptr;
  };
  std::vector<Usable> usable_;
  std::size_t seen_ = 0;
  Usable good_, stray_;  // the furthest of those seen
};

Chain chain_from(const Timeline& timeline, const Facts& facts, Revision base, Revision wanted) {
  Chain chain;
  chain.reach = base;
  Stitch stitch(timeline, facts);
  while (chain.reach < wanted) {
    const Point* delta = stitch.next(chain.reach);
    if (delta == nullptr) break;
    const Revision last = std::min(delta_span(*delta, facts).last, wanted);
    chain.steps.push_back({*delta, {chain.reach.next(), last}});
    if (delta->stray) {
      chain.notes.push_back(fmt::format("{} lost its claim to another object, but nothing else holds {}..{}",
                                        delta->key, chain.reach.next(), last));
    }
    chain.reach = last;
  }
  return chain;
}

bool serves_from_history(const Point& full, const Facts& facts, Revision wanted) {
  const auto known = facts.fulls.find(full.key);
  if (known == facts.fulls.end()) return true;  // open it and see
  return known->second.readable_from <= wanted && wanted <= known->second.revision;
}

// Fulls that can be the base for `wanted`, best first.
std::vector<const Point*> candidates(const Timeline& timeline, const Facts& facts, Revision wanted) {
  std::vector<const Point*> below, above;
  for (const Point& full : timeline.fulls) {
    if (facts.bad.contains(full.key)) continue;
    if (full_revision(full, facts) <= wanted) {
      below.push_back(&full);
    } else if (serves_from_history(full, facts, wanted)) {
      above.push_back(&full);
    }
  }
  const auto order = [&](const Point* a, const Point* b) {
    return std::pair(full_revision(*a, facts), a->name.unix_s) < std::pair(full_revision(*b, facts), b->name.unix_s);
  };
  std::stable_sort(below.begin(), below.end(), order);
  std::stable_sort(above.begin(), above.end(), order);
  std::reverse(below.begin(), below.end());
  below.insert(below.end(), above.begin(), above.end());
  return below;
}

// Why the chain ends at `reach`: the bad objects that would have continued it, or nothing at all.
std::vector<Hole> holes_between(const Timeline& timeline, const Facts& facts, Revision reach, Revision wanted) {
  std::vector<Hole> holes;
  std::optional<Revision> resumes;  // nullopt: behind the wanted one, which may be the last there is
  std::string reason, misnamed;
  for (const Point& delta : timeline.deltas) {
    const RevisionSpan span = delta_span(delta, facts);
    if (delta.name.span.contains(reach.next()) && !span.contains(reach.next()) && !facts.bad.contains(delta.key)) {
      misnamed = fmt::format("{} holds {}..{}, other revisions than its name says", delta.key, span.first, span.last);
    }
    if (span.last <= reach || span.first > wanted) continue;
    const auto bad = facts.bad.find(delta.key);
    if (bad == facts.bad.end()) {
      if (span.first > reach.next()) resumes = std::min(resumes.value_or(span.first), span.first);
    } else if (span.first <= reach.next() || reason.empty()) {
      reason += (reason.empty() ? "" : "; ") + fmt::format("{} is unusable: {}", delta.key, bad->second);
    }
  }
  for (const catalog::Gap& gap : timeline.gaps) {
    if (reason.empty() && gap.span.contains(reach.next())) reason = gap.reason;
  }
  if (reason.empty()) reason = misnamed;
  if (reason.empty()) reason = "no object holds these revisions";
  holes.push_back({{reach.next(), resumes ? resumes->prev() : wanted}, reason});
  if (resumes) holes.push_back({{*resumes, wanted}, "cannot be joined: the revisions before them are missing"});
  return holes;
}

std::unexpected<Error> refuse(const Timeline& timeline, const Facts& facts, Revision wanted, std::string_view why) {
  std::optional<Revision> before, after, earliest, latest;
  for (const RevisionSpan& span : reachable(timeline, facts)) {
    if (!earliest || span.first < *earliest) earliest = span.first;
    if (!latest || span.last > *latest) latest = span.last;
    if (span.first <= wanted) before = std::max(before.value_or(Revision(0)), std::min(span.last, wanted.prev()));
    if (span.first > wanted && (!after || span.first < *after)) after = span.first;
  }
  std::string possible = "nothing in this store is restorable";
  if (earliest) {
    possible = fmt::format("possible: from {} to {}", *earliest, *latest);
    if (before) possible += fmt::format(", nearest before: {}", *before);
    if (after) possible += fmt::format(", nearest after: {}", *after);
  }
  auto error = fail(Errc::not_found, "revision {} cannot be restored: {}; {}", wanted, why, possible);
  if (before) {
    error.error().hint = fmt::format("--at rev:{}", *before);
  } else if (after) {
    error.error().hint = fmt::format("--at rev:{}", *after);
  }
  return error;
}

std::string why_unusable(const Timeline& timeline, const Facts& facts) {
  std::string why;
  for (const Point& full : timeline.fulls) {
    if (const auto bad = facts.bad.find(full.key); bad != facts.bad.end()) {
      why += fmt::format("{}{} is unusable: {}", why.empty() ? "" : "; ", full.key, bad->second);
    }
  }
  return why;
}

}  // namespace

std::vector<RevisionSpan> reachable(const Timeline& timeline, const Facts& facts) {
  std::vector<RevisionSpan> spans;
  const Revision newest = newest_claimed(timeline, facts);
  for (const Point& full : timeline.fulls) {
    if (facts.bad.contains(full.key)) continue;
    Revision first = full_revision(full, facts);
    const Revision base = first;
    if (const auto known = facts.fulls.find(full.key); known != facts.fulls.end()) {
      first = std::min(first, std::max(known->second.readable_from, Revision(1)));
    }
    spans.push_back({first, chain_from(timeline, facts, base, newest).reach});
  }
  return spans;
}

Revision newest_claimed(const Timeline& timeline, const Facts& facts) {
  Revision newest(0);
  for (const Point& full : timeline.fulls) newest = std::max({newest, full.name.span.last, full_revision(full, facts)});
  for (const Point& delta : timeline.deltas) {
    if (!delta.stray) newest = std::max({newest, delta.name.span.last, delta_span(delta, facts).last});
  }
  return newest;
}

std::vector<Step> steps_after(const Timeline& timeline, const Facts& facts, Revision from) {
  std::vector<Step> steps;
  for (const Point& delta : timeline.deltas) {
    const RevisionSpan span = delta_span(delta, facts);
    if (delta.stray || facts.bad.contains(delta.key) || span.last <= from) continue;
    steps.push_back({delta, {std::max(span.first, from.next()), span.last}});
    from = span.last;
  }
  return steps;
}

std::unexpected<Error> no_full(const Timeline& timeline) {
  auto refused = fail(Errc::not_found, "nothing to restore: the store holds no full snapshot");
  refused.error().hint =
      timeline.deltas.empty()
          ? "check the path: snapshots are looked for in its folders v2 and v1; tidemark record writes them"
          : "there are deltas only: the full snapshot that they follow may be in another place";
  return refused;
}

Result<Plan> make_plan(const Timeline& timeline, const Wish& wish, const Facts& facts) {
  if (timeline.fulls.empty()) return no_full(timeline);
  Plan plan;
  plan.newest = newest_claimed(timeline, facts);
  plan.wanted = wish.revision.value_or(plan.newest);
  const auto bases = candidates(timeline, facts, plan.wanted);
  if (bases.empty()) {
    const std::string unusable = why_unusable(timeline, facts);
    auto refused = refuse(
        timeline, facts, plan.wanted,
        unusable.empty() ? "no full snapshot at or before it, and no newer one whose history holds it" : unusable);
    if (!unusable.empty()) refused.error().code = Errc::corrupt;
    return refused;
  }

  plan.base = *bases.front();
  plan.base_revision = full_revision(plan.base, facts);
  for (const auto& [key, why] : facts.bad) plan.notes.push_back(fmt::format("{} is unusable: {}", key, why));
  Chain chain = chain_from(timeline, facts, plan.base_revision, plan.wanted);
  plan.steps = std::move(chain.steps);
  plan.reach = std::min(chain.reach, plan.wanted);
  plan.notes.insert(plan.notes.end(), chain.notes.begin(), chain.notes.end());
  if (plan.complete()) return plan;
  plan.holes = holes_between(timeline, facts, plan.reach, plan.wanted);
  if (wish.or_less) return plan;
  return refuse(timeline, facts, plan.wanted,
                fmt::format("the chain from {} ends at {}: {}", plan.base.key, plan.reach, plan.holes.front().reason));
}

}  // namespace tidemark::restore
