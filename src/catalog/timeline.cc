#include "catalog/timeline.h"

#include <algorithm>
#include <map>

#include "catalog/chain.h"
#include "catalog/sidecar.h"

namespace tidemark::catalog {
namespace {

using ClaimsByStart = std::map<Revision, std::map<std::uint32_t, std::string>>;  // start -> epoch -> key

auto full_order(const Point& p) { return std::tuple(p.name.span.last, p.name.unix_s, std::string_view(p.key)); }

auto delta_order(const Point& p) {
  return std::tuple(p.name.span.first, p.name.span.last, p.name.unix_s, std::string_view(p.key));
}

// Why a key under v1/ or v2/ is no snapshot.
std::string why_ignored(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  const std::string_view folder = key.substr(0, slash), name = key.substr(slash + 1);
  if (bucket::parse_key(folder)) return "a part of a multi-part upload";
  const auto parsed = bucket::parse_name(name);
  if (!parsed) return parsed.error().what;
  return "not in a place where snapshots are";
}

Status collect_points(store::ObjectStore& store, std::string_view folder, Timeline& timeline) {
  TM_LET(const auto objects, store.list(folder));
  for (const store::ObjectInfo& object : objects) {
    const auto name = bucket::parse_key(object.key);
    if (!name) {
      timeline.ignored.push_back(object.key + ": " + why_ignored(object.key));
      continue;
    }
    auto& points = name->kind == bucket::Kind::full ? timeline.fulls : timeline.deltas;
    points.push_back({object.key, *name, object.size, false});
  }
  return {};
}

Result<ClaimsByStart> list_claims(store::ObjectStore& store, Timeline& timeline) {
  ClaimsByStart claims;
  TM_LET(const auto objects, store.list(kClaimPrefix));
  for (const store::ObjectInfo& object : objects) {
    const auto which = parse_claim_key(object.key);
    if (which) {
      claims[which->first][which->second] = object.key;
    } else {
      timeline.damaged.push_back(object.key + ": not a claim's name");
    }
  }
  return claims;
}

// Reads and parses a sidecar. nullopt: it is damaged, which is noted, or was removed meanwhile.
template <class T>
Result<std::optional<T>> read_sidecar(store::ObjectStore& store, const std::string& key,
                                      Result<T> (*parse)(std::string_view), Timeline& timeline) {
  const auto body = store.get(key, kMaxSidecarBytes);
  if (!body && body.error().code == Errc::not_found) return std::nullopt;
  if (!body && body.error().code != Errc::corrupt) return std::unexpected(body.error());
  auto parsed = body ? parse(as_text(*body)) : std::unexpected(body.error());
  if (parsed) return *std::move(parsed);
  // A newer version may mean something else by it; guessing would mislead.
  if (parsed.error().code == Errc::unsupported)
    return named(key, Result<std::optional<T>>(std::unexpect, parsed.error()));
  timeline.damaged.push_back(key + ": " + parsed.error().what);
  return std::nullopt;
}

// Of the deltas [first, last) that begin at one revision, all but the rightful one become strays.
Status settle(store::ObjectStore& store, const std::map<std::uint32_t, std::string>& claims,
              std::vector<Point>::iterator first, std::vector<Point>::iterator last, Timeline& timeline) {
  for (auto claim = claims.rbegin(); claim != claims.rend(); ++claim) {
    TM_LET(const auto body, read_sidecar(store, claim->second, parse_claim, timeline));
    if (!body) continue;
    const auto rightful = std::find_if(first, last, [&](const Point& p) { return p.key == body->object; });
    if (rightful == last) continue;
    for (auto p = first; p != last; ++p) p->stray = p != rightful;
    return {};
  }
  return {};
}

// Claims are listed only when two objects compete somewhere, and read only where they do: there are as many claims as
// deltas, and reading them all would make every listing slow.
Status mark_strays(store::ObjectStore& store, Timeline& timeline) {
  const auto begins = [](const Point& p) { return p.name.span.first; };
  if (std::ranges::adjacent_find(timeline.deltas, {}, begins) == timeline.deltas.end()) return {};
  TM_LET(const ClaimsByStart claims, list_claims(store, timeline));
  for (auto first = timeline.deltas.begin(); first != timeline.deltas.end();) {
    const Revision start = first->name.span.first;
    const auto last =
        std::find_if(first, timeline.deltas.end(), [&](const Point& p) { return p.name.span.first != start; });
    const auto of_start = claims.find(start);
    if (last - first > 1 && of_start != claims.end()) {
      TM_CHECK(settle(store, of_start->second, first, last, timeline));
    }
    first = last;
  }
  return {};
}

Result<std::vector<Gap>> read_gaps(store::ObjectStore& store, Timeline& timeline) {
  std::vector<Gap> gaps;
  TM_LET(const auto objects, store.list(kGapPrefix));
  for (const store::ObjectInfo& object : objects) {
    TM_LET(const auto gap, read_sidecar(store, object.key, parse_gap, timeline));
    if (gap) gaps.push_back({gap->span, gap->reason});
  }
  std::ranges::stable_sort(gaps, {}, [](const Gap& g) { return g.span.first; });
  return gaps;
}

// What no delta covers, from the oldest full (without one, the oldest delta) to `until`.
std::vector<RevisionSpan> holes(const Timeline& timeline, Revision until) {
  std::vector<RevisionSpan> found;
  if (timeline.fulls.empty() && timeline.deltas.empty()) return found;
  Revision reached = timeline.fulls.empty() ? timeline.deltas.front().name.span.first.prev() : *timeline.earliest();
  for (const Point& delta : timeline.deltas) {
    const RevisionSpan span = delta.name.span;
    if (span.last <= reached) continue;
    if (span.first > reached.next()) found.push_back({reached.next(), span.first.prev()});
    reached = span.last;
  }
  if (reached < until) found.push_back({reached.next(), until});
  return found;
}

// Splits a hole where what was recorded about it begins and ends.
void explain(RevisionSpan hole, const std::vector<Gap>& recorded, std::vector<Gap>& gaps) {
  for (const Gap& known : recorded) {
    const RevisionSpan part{std::max(hole.first, known.span.first), std::min(hole.last, known.span.last)};
    if (part.empty()) continue;
    if (hole.first < part.first) gaps.push_back({{hole.first, part.first.prev()}, "no object covers it"});
    gaps.push_back({part, known.reason});
    hole.first = part.last.next();
  }
  if (!hole.empty()) gaps.push_back({hole, "no object covers it"});
}

Revision newest_known(const Timeline& timeline, const std::vector<Gap>& recorded) {
  Revision newest(0);
  for (const Point& p : timeline.fulls) newest = std::max(newest, p.name.span.last);
  for (const Point& p : timeline.deltas) newest = std::max(newest, p.name.span.last);
  // A gap may be recorded before the full that follows it is there.
  for (const Gap& gap : recorded) newest = std::max(newest, gap.span.last);
  return newest;
}

}  // namespace

Time created(const bucket::SnapshotName& name) {
  // A name may hold any 63-bit number of seconds, a Time about 292 years.
  constexpr std::int64_t kMost = std::chrono::floor<std::chrono::seconds>(Time::max()).time_since_epoch().count();
  return Time(std::chrono::seconds(std::clamp<std::int64_t>(name.unix_s, 0, kMost)));
}

std::optional<Revision> Timeline::earliest() const {
  if (fulls.empty()) return std::nullopt;
  return fulls.front().name.span.last;
}

std::optional<Revision> Timeline::latest() const {
  const auto reach = reach_of_newest(*this);
  if (!reach) return std::nullopt;
  return reach->last;
}

std::optional<Time> Timeline::earliest_time() const {
  if (fulls.empty()) return std::nullopt;
  return created(fulls.front().name);
}

std::optional<Time> Timeline::latest_time() const {
  const auto chain = newest_chain(*this);
  if (chain.empty()) return std::nullopt;
  return created(chain.back()->name);
}

Result<Timeline> read_timeline(store::ObjectStore& store) {
  Timeline timeline;
  TM_CHECK(collect_points(store, "v2/", timeline));
  TM_CHECK(collect_points(store, "v1/", timeline));
  std::ranges::sort(timeline.fulls, {}, full_order);
  std::ranges::sort(timeline.deltas, {}, delta_order);
  TM_CHECK(mark_strays(store, timeline));
  TM_LET(const std::vector<Gap> recorded, read_gaps(store, timeline));
  for (const RevisionSpan hole : holes(timeline, newest_known(timeline, recorded))) {
    explain(hole, recorded, timeline.gaps);
  }
  return timeline;
}

}  // namespace tidemark::catalog
