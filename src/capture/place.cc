#include "capture/place.h"

#include <algorithm>

#include "base/log.h"
#include "capture/delta.h"
#include "catalog/timeline.h"

namespace tidemark::capture {

namespace {

io::Path spool_of(const io::Path& dir, std::uint32_t number) { return dir / fmt::format("lineage-{:06}", number); }

Result<std::unique_ptr<Spill>> open_spill(const PlaceOptions& options, const catalog::Lineage& lineage) {
  Spill::Options spill;
  spill.dir = spool_of(options.spool_dir, lineage.number);
  spill.cluster = lineage.cluster;
  spill.steps = options.steps;
  if (options.spool_limit != 0) spill.limit_bytes = options.spool_limit;
  return Spill::open(std::move(spill));
}

// Reads the lineage of a prefix, or begins it at `first`.
Result<catalog::Lineage> read_or_begin(store::ObjectStore& store, const catalog::Lineage& fresh, Steps& steps) {
  TM_LET(const auto known, catalog::read_lineage(store));
  if (known) return *known;
  for (const char* folder : {"v2/", "v1/"}) {
    TM_LET(const auto objects, store.list(folder));
    if (objects.empty()) continue;
    return hinted<catalog::Lineage>(
        fail(Errc::conflict, "store '{}' holds snapshots of another program ('{}')", store.url(), objects.front().key),
        "record into an empty prefix; restore and list read this one as it is");
  }
  steps.about_to("begin a lineage");
  auto written = catalog::write_lineage(store, fresh);
  if (written) return fresh;
  if (written.error().code != Errc::already_exists) return std::unexpected(std::move(written).error());
  TM_LET(const auto theirs, catalog::read_lineage(store));
  if (!theirs) return fail(Errc::conflict, "store '{}': its lineage came and went", store.url());
  return *theirs;
}

Result<Place> open_place(std::unique_ptr<store::ObjectStore> owned, store::ObjectStore& store,
                         const catalog::Lineage& fresh, const PlaceOptions& options) {
  Place place;
  TM_LET(place.lineage, read_or_begin(store, fresh, *options.steps));
  place.store = &store;
  place.owned = std::move(owned);
  TM_LET(place.spill, open_spill(options, place.lineage));
  return place;
}

Result<Place> open_successor(store::ObjectStore& first_store, const catalog::LineageSuccessor& successor,
                             catalog::Lineage fresh, const PlaceOptions& options) {
  TM_LET(const std::string url, catalog::neighbour_url(first_store.url(), successor.store));
  TM_LET(auto owned, options.open_store(url));
  fresh.number = successor.number;
  fresh.cluster = successor.cluster;
  store::ObjectStore& store = *owned;
  return open_place(std::move(owned), store, fresh, options);
}

// Why this etcd does not continue what the place holds; empty: it does.
Result<std::string> why_turned(const Place& place, const etcd::MemberStatus& status, etcd::Member& member) {
  if (place.lineage.cluster != status.cluster) {
    return fmt::format("this is cluster {:x}, lineage {} is of cluster {:x}", status.cluster.raw(),
                       place.lineage.number, place.lineage.cluster.raw());
  }
  TM_LET(const ChainEnd end, read_chain_end(*place.store, place.lineage.first));
  const Revision newest = std::max(end.newest, place.spill->last().value_or(Revision{}));
  // Asked after the store was read, so that what another recorder publishes meanwhile is not taken for a turn.
  TM_LET(const Revision head, member.head());
  if (head < newest) return fmt::format("etcd went back from revision {} to {}", newest, head);
  return std::string();
}

Result<Place> begin_successor(store::ObjectStore& first_store, const catalog::Lineage& fresh, const std::string& reason,
                              const Clock& clock, const PlaceOptions& options) {
  catalog::LineageSuccessor successor;
  successor.number = fresh.number;
  TM_LET(successor.store, catalog::successor_name(first_store.url(), fresh.number));
  successor.reason = reason;
  successor.created = clock.now();
  successor.cluster = fresh.cluster;
  options.steps->about_to("name a successor");
  auto written = catalog::write_successor(first_store, successor);
  if (!written && written.error().code != Errc::already_exists) return std::unexpected(std::move(written).error());
  if (!written) {  // another recorder saw the same turn
    TM_LET(const auto all, catalog::read_successors(first_store));
    for (const auto& theirs : all) {
      if (theirs.number == fresh.number) successor = theirs;
    }
  }
  return open_successor(first_store, successor, fresh, options);
}

}  // namespace

Result<Places> find_places(etcd::Member& member, store::ObjectStore& store, const Clock& clock,
                           const PlaceOptions& options) {
  TM_LET(const etcd::MemberStatus status, member.status());
  TM_LET(const Revision head, member.head());
  catalog::Lineage fresh;
  fresh.cluster = status.cluster;
  fresh.member = status.member;
  fresh.first = head.next();
  fresh.created = clock.now();

  Places places;
  TM_LET(places.now, open_place(nullptr, store, fresh, options));
  TM_LET(const auto successors, catalog::read_successors(store));
  for (const catalog::LineageSuccessor& successor : successors) {
    if (places.now.spill->last()) places.former.push_back(std::move(places.now));
    TM_LET(places.now, open_successor(store, successor, fresh, options));
  }
  for (;;) {
    TM_LET(std::string why, why_turned(places.now, status, member));
    if (why.empty() && !places.turned) why = options.replaced;
    if (why.empty()) return places;
    // From here on: a history of its own.
    places.turned = true;
    places.reason = why;
    fresh.number = places.now.lineage.number + 1;
    if (places.now.spill->last()) places.former.push_back(std::move(places.now));
    TM_LET(places.now, begin_successor(store, fresh, why, clock, options));
  }
}

Result<ChainEnd> read_chain_end(store::ObjectStore& store, Revision first) {
  TM_LET(const catalog::Timeline timeline, catalog::read_timeline(store));
  TM_LET(const auto gaps, read_gaps(store));
  ChainEnd end;
  end.reached = first.prev();
  for (const catalog::Point& delta : timeline.deltas) {
    if (!delta.stray) end.reached = std::max(end.reached, delta.name.span.last);
    end.newest = std::max(end.newest, delta.name.span.last);
    end.newest_unix_s = std::max(end.newest_unix_s, delta.name.unix_s);
  }
  for (const catalog::GapRecord& gap : gaps) end.newest_gap = std::max(end.newest_gap, gap.span.last);
  end.reached = std::max(end.reached, end.newest_gap);
  for (const catalog::Point& full : timeline.fulls) {
    end.newest_full = std::max(end.newest_full, full.name.span.last);
    end.newest_full_unix_s = std::max(end.newest_full_unix_s, full.name.unix_s);
  }
  end.newest = std::max({end.newest, end.newest_full, end.reached == first.prev() ? Revision{} : end.reached});
  end.newest_unix_s = std::max(end.newest_unix_s, end.newest_full_unix_s);
  return end;
}

Result<Revision> published_from(store::ObjectStore& store, Revision first) {
  TM_LET(const catalog::Timeline timeline, catalog::read_timeline(store));
  Revision reached = first.prev();
  for (bool grew = true; grew;) {
    grew = false;
    for (const catalog::Point& delta : timeline.deltas) {
      if (delta.stray || !delta.name.span.contains(reached.next())) continue;
      reached = delta.name.span.last;
      grew = true;
    }
  }
  return reached;
}

}  // namespace tidemark::capture
