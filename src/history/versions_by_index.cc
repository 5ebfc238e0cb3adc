// The parts of Versions that read from places that the index knows.
#include "history/versions_walk.h"

namespace tidemark::history {
namespace {

constexpr int kMostLooks = 100;
// So much of a full's values is held at once.
constexpr std::uint64_t kBatchBytes = 4UL << 20U;

}  // namespace

Result<bool> Versions::base_of_index(const catalog::Point& base) {
  restore::Facts::Full facts;
  const Status looked = options_.index->with(base, [&](const Block& block) -> Status {
    facts = {block.about().span.last, block.about().span.first};
    return {};
  });
  if (!looked) {
    TM_CHECK(learn(base.key, looked.error()));
    return false;
  }
  const Revision named = revision_of(base);
  course_.facts.fulls[base.key] = facts;
  return named == facts.revision;
}

// False: a place does not hold what it held.
Result<bool> Versions::tell_found(Base& base, std::span<const ObjectVersions::Found> left, ObjectVersions& held,
                                  Walk& walk) {
  while (!left.empty()) {
    if (options_.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    std::size_t count = 0;
    for (std::uint64_t bytes = 0; count < left.size() && bytes < kBatchBytes; count++) {
      bytes += left[count].version.place.bytes;
    }
    const auto batch = left.first(count);
    left = left.subspan(count);
    std::string bad;
    const auto rows = held.read(batch, bad);
    if (!rows && rows.error().code == Errc::conflict) return false;
    if (!rows) return std::unexpected(rows.error());
    TM_CHECK(begin(base, walk));
    for (const ObjectVersions::Found& one : batch) {
      const auto row = rows->find(one.version.id);
      const Status told =
          walk.tell(one.key, one.version.id.main, row == rows->end() ? nullptr : &row->second, base.when);
      base.listener_failed = !told;
      TM_CHECK(told);
      base.told = one.version.id;
    }
  }
  return true;
}

// As walk_rows(). A place that does not hold what it held is looked up again, from where the telling stopped.
Status Versions::look_up_rows(Base& base, Walk& walk) {
  ObjectVersions held(*options_.index, base.point);
  for (int round = 0; round < kMostLooks; round++) {
    TM_CHECK(held.look(walk.asked(), {Revision(0), base.last}));
    base.there.clear();
    std::vector<ObjectVersions::Found> left;
    for (const ObjectVersions::Found& one : held.found()) {
      if (!one.version.id.tombstone) {
        base.there.emplace(one.key);
      } else if (const auto gone = base.there.find(one.key); gone != base.there.end()) {
        base.there.erase(gone);
      }
      if (one.version.id > base.told) left.push_back(one);
    }
    TM_LET(const bool whole, tell_found(base, left, held, walk));
    if (whole) return {};
  }
  return fail(Errc::corrupt, "{}: it keeps changing", base.point.key);
}

// False: the delta was not what it seemed, plan again.
Result<bool> Versions::look_up_delta(const restore::Step& step, const Asked& asked, ObjectVersions& held,
                                     ObjectVersions::ById& rows) {
  const std::string& key = step.point.key;
  const RevisionSpan take{std::max(step.take.first, done_.next()), step.take.last};
  if (const Status looked = held.look(asked, take); !looked) {
    TM_CHECK(learn(key, named(key, looked).error()));
    return false;
  }
  if (held.held().first > step.take.first || held.held().last < step.take.last) {
    course_.facts.deltas[key] = held.held();
    return false;
  }
  std::string bad;
  auto read = held.read(held.found(), bad);
  if (!read && read.error().code == Errc::conflict) return false;  // its block was forgotten
  if (!read) {
    TM_CHECK(learn(key, read.error()));
    return false;
  }
  rows = *std::move(read);
  return true;
}

Result<bool> Versions::tell_looked_up(const restore::Step& step, const ObjectVersions& held,
                                      const ObjectVersions::ById& rows, Walk& walk) {
  for (const ObjectVersions::Found& one : held.found()) {
    const Time received = one.received.value_or(Time{});
    const auto row = rows.find(one.version.id);
    TM_CHECK(walk.tell(one.key, one.version.id.main, row == rows.end() ? nullptr : &row->second,
                       {.received = received, .not_before = {}, .not_after = received}));
  }
  done_ = step.take.last;
  done_time_ = held.taken_until();
  return true;
}

}  // namespace tidemark::history
