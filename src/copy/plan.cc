#include "copy/plan.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "catalog/chain.h"
#include "catalog/sidecar.h"

namespace tidemark::copy {
namespace {

using catalog::Point;
using catalog::Timeline;

// An item with its place: phases one after the other, in a phase by revision, at a revision by rank.
struct Placed {
  enum Phase : int { identity, restorable, leftover, other, successor };
  enum Rank : int { gap, claim, sidecar, point, index };  // a block older than its object is not believed
  Phase phase = other;
  Revision at;
  Rank rank = point;
  Revision last;  // of two deltas that begin together the shorter goes first, as in a timeline
  Item item;

  auto order() const { return std::tuple(phase, at, rank, last, std::string_view(item.key)); }
};

constexpr std::string_view kSidecars = "tidemark/";
// Undo points are of a cluster, and their numbers of the store that they were made in (doc/format/undo.md).
constexpr std::string_view kUndoPoints = "tidemark/undo/";

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('/') + 1); }

// Where a point goes into effect: a full at its revision, a delta behind the revision that it continues. A full thus
// comes before the deltas that begin right behind it.
Revision place_of(const Point& p) { return p.name.kind == bucket::Kind::full ? p.name.span.last : p.name.span.first; }

bool restores(const Point& p, const std::vector<RevisionSpan>& reach) {
  if (p.name.kind == bucket::Kind::full) return true;
  if (p.stray) return false;
  return std::ranges::any_of(
      reach, [&](const RevisionSpan& r) { return p.name.span.first <= r.last && p.name.span.last > r.first; });
}

// The points that were asked for, with everything that leads to them.
class Chosen {
 public:
  static Result<Chosen> from(const Timeline& timeline, const Selection& selection) {
    Chosen chosen;
    for (const auto* points : {&timeline.fulls, &timeline.deltas}) {
      for (const Point& p : *points) chosen.consider(timeline, p, selection);
    }
    for (const std::string& key : selection.points) {
      if (!chosen.keys_.contains(key)) return fail(Errc::not_found, "no point '{}'", key);
    }
    if (chosen.keys_.empty()) return fail(Errc::not_found, "no point is that young");
    return chosen;
  }
  bool contains(const Point& p) const { return keys_.contains(p.key); }
  // From the first revision that is touched to the last.
  const RevisionSpan& span() const { return span_; }

 private:
  void consider(const Timeline& timeline, const Point& p, const Selection& selection) {
    if (selection.everything()) return take(p);
    if (std::ranges::find(selection.points, p.key) != selection.points.end()) {
      take(p);
      for (const Point* step : catalog::chain_to(timeline, p)) take(*step);
      return;
    }
    const bool late = (selection.since_revision && p.name.span.last >= *selection.since_revision) ||
                      (selection.since_time && catalog::created(p.name) >= *selection.since_time);
    if (!late) return;
    take(p);
    // Later deltas continue this one, or a full that is late itself: one chain back is enough.
    if (p.name.kind == bucket::Kind::full || p.stray || led_back_) return;
    const auto chain = catalog::chain_to(timeline, p);
    led_back_ = !chain.empty();
    for (const Point* step : chain) take(*step);
  }
  void take(const Point& p) {
    const RevisionSpan own{place_of(p), p.name.span.last};
    if (keys_.empty()) span_ = own;
    span_ = {std::min(span_.first, own.first), std::max(span_.last, own.last)};
    keys_.insert(p.key);
  }

  std::set<std::string, std::less<>> keys_;
  RevisionSpan span_;
  bool led_back_ = false;
};

std::optional<RevisionSpan> parse_gap_key(std::string_view key) {
  if (!key.starts_with(catalog::kGapPrefix) || !key.ends_with(".json")) return std::nullopt;
  const std::string_view name = key.substr(catalog::kGapPrefix.size());
  std::int64_t first = 0, last = 0;
  const char* end = name.data() + name.size();
  const auto [dash, bad_first] = std::from_chars(name.data(), end, first);
  if (bad_first != std::errc() || dash == end || *dash != '-') return std::nullopt;
  const auto [dot, bad_last] = std::from_chars(dash + 1, end, last);
  if (bad_last != std::errc() || std::string_view(dot, end) != ".json") return std::nullopt;
  return RevisionSpan{Revision(first), Revision(last)};
}

class Planner {
 public:
  Planner(const Timeline& timeline, const Chosen& chosen, bool everything)
      : chosen_(chosen), everything_(everything), reach_(catalog::restorable(timeline)) {
    for (const auto* points : {&timeline.fulls, &timeline.deltas}) {
      for (const Point& p : *points) add_point(p);
    }
  }

  // Anything below tidemark/.
  void add_sidecar(const store::ObjectInfo& object) {
    Placed placed{.phase = Placed::other,
                  .at = {},
                  .rank = Placed::sidecar,
                  .last = {},
                  .item = {object.key, object.size, "other"}};
    if (object.key == catalog::kLineageKey) {
      placed.phase = Placed::identity;
      placed.item.kind = "lineage";
    } else if (object.key.starts_with(catalog::kSuccessorPrefix)) {
      if (!everything_) return;
      placed.phase = Placed::successor;
      placed.item.kind = "successor";
    } else if (const auto claim = catalog::parse_claim_key(object.key)) {
      const auto start = starts_.find(claim->first);
      if (start == starts_.end() && !everything_) return;
      placed.phase = start == starts_.end() ? Placed::leftover : start->second;
      placed.at = claim->first;
      placed.rank = Placed::claim;
      placed.item.kind = "claim";
    } else if (const auto gap = parse_gap_key(object.key)) {
      if (!everything_ && (gap->last < chosen_.span().first || gap->first > chosen_.span().last)) return;
      placed.phase = Placed::restorable;
      placed.at = gap->first;
      placed.rank = Placed::gap;
      placed.item.kind = "gap";
    } else if (const auto owner = owner_of(object.key); owner != points_.end()) {
      if (!owner->second.wanted) return;
      placed.phase = owner->second.phase;
      placed.at = owner->second.at;
      placed.item.kind = "sidecar";
      if (object.key.starts_with(catalog::kIndexPrefix)) placed.rank = Placed::index;
    } else if (!everything_) {
      return;
    }
    items_.push_back(std::move(placed));
  }

  std::vector<Item> finish() {
    std::ranges::sort(items_, {}, &Placed::order);
    std::vector<Item> all;
    all.reserve(items_.size());
    for (Placed& placed : items_) all.push_back(std::move(placed.item));
    return all;
  }

 private:
  struct Owner {
    bool wanted = false;
    Placed::Phase phase = Placed::other;
    Revision at;
  };
  using Owners = std::map<std::string, Owner, std::less<>>;

  void add_point(const Point& p) {
    const auto phase = restores(p, reach_) ? Placed::restorable : Placed::leftover;
    const bool wanted = chosen_.contains(p);
    const bool full = p.name.kind == bucket::Kind::full;
    points_[std::string(last_part(p.key))] = {wanted, phase, place_of(p)};
    if (!wanted) return;
    items_.push_back({phase, place_of(p), Placed::point, p.name.span.last, {p.key, p.size, full ? "full" : "delta"}});
    if (full) return;
    const auto [start, first] = starts_.try_emplace(p.name.span.first, phase);
    if (!first) start->second = std::min(start->second, phase);
  }

  // "tidemark/state/Full-….gz.json" belongs to the object named Full-….gz: its name is the longest that begins the
  // sidecar's.
  Owners::const_iterator owner_of(std::string_view key) const {
    const std::string_view name = key.substr(key.find('/', kSidecars.size()) + 1);
    for (auto at = points_.upper_bound(name); at != points_.begin();) {
      --at;
      if (name.starts_with(at->first)) return at;
      if (at->first.substr(0, 4) != name.substr(0, 4)) break;
    }
    return points_.end();
  }

  const Chosen& chosen_;
  bool everything_;
  std::vector<RevisionSpan> reach_;
  Owners points_;                             // by the last part of their keys
  std::map<Revision, Placed::Phase> starts_;  // where wanted deltas begin
  std::vector<Placed> items_;
};

}  // namespace

std::uint64_t Plan::bytes() const {
  return std::accumulate(items.begin(), items.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Item& item) { return sum + item.size; });
}

Result<Plan> make_plan(store::ObjectStore& source, const Selection& selection) {
  TM_LET(const Timeline timeline, catalog::read_timeline(source));
  if (timeline.fulls.empty() && timeline.deltas.empty()) {
    return std::unexpected(Error{Errc::not_found, fmt::format("nothing to copy: {} holds no snapshots", source.url()),
                                 "check the path: snapshots are looked for in its folders v2 and v1"});
  }
  TM_LET(const Chosen chosen, named(source.url(), Chosen::from(timeline, selection)));
  Planner planner(timeline, chosen, selection.everything());
  TM_LET(const auto sidecars, source.list(kSidecars));
  for (const store::ObjectInfo& object : sidecars) {
    if (!object.key.starts_with(kUndoPoints)) planner.add_sidecar(object);
  }
  return Plan{planner.finish(), timeline.ignored};
}

}  // namespace tidemark::copy
