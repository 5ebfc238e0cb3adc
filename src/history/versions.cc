#include "history/versions.h"

#include <algorithm>

#include "etcd/row.h"
#include "history/course_by_index.h"
#include "history/versions_walk.h"
#include "restore/delta_scan.h"
#include "restore/replay.h"

namespace tidemark::history {
namespace {

// More rounds than objects cannot be needed; each learns about one.
constexpr int kMostTries = 10'000;

// What one event of a delta was, until the delta has proven itself.
struct Held {
  std::string key;
  std::optional<Row> row;
  Revision mod;
  Time received;
};

}  // namespace

Versions::~Versions() = default;

Result<std::unique_ptr<Versions>> Versions::open(restore::Origin& from, const VersionWish& wish,
                                                 MomentOptions options) {
  std::unique_ptr<Versions> versions(new Versions(from, std::move(options)));
  TM_LET(versions->course_, versions->set_course(wish.until));
  if (from.nameless()) {
    // Its name says nothing: opened first, so that the plan can.
    for (const catalog::Point& full : versions->course_.allowed.fulls) {
      TM_LET([[maybe_unused]] const bool good, versions->open_base(full));
    }
  }
  TM_CHECK(versions->settle_since(wish));
  // Refuses what cannot be shown, in the words of a restore.
  TM_LET([[maybe_unused]] const restore::Plan plan, versions->course_.plan());
  return versions;
}

Result<restore::Course> Versions::set_course(const restore::Target& target) {
  return history::set_course(from_, options_.index, target, options_.stop);
}

Status Versions::settle_since(const VersionWish& wish) {
  if (!wish.since) return {};
  switch (wish.since->kind) {
    case restore::Target::Kind::latest:
      return hinted(Status(fail(Errc::invalid, "nothing can have changed since the latest moment")),
                    "--since -2h, --since rev:1234 or --since 2024-05-01T12:00:00Z");
    case restore::Target::Kind::revision: since_ = wish.since->revision.prev(); break;
    case restore::Target::Kind::time: {
      auto course = set_course(*wish.since);
      // Before the oldest full: from the beginning.
      if (!course && course.error().code == Errc::not_found) return {};
      if (!course) return std::unexpected(course.error());
      since_ = course->wish.revision ? *course->wish.revision : restore::newest_claimed(course->whole, course->facts);
    }
  }
  const auto& until = course_.wish.revision;
  if (until && since_ > *until) return fail(Errc::invalid, "--since is behind --until");
  return {};
}

Revision Versions::revision_of(const catalog::Point& full) const {
  const auto known = course_.facts.fulls.find(full.key);
  return known == course_.facts.fulls.end() ? full.name.span.last : known->second.revision;
}

// Where to stop: the revision that was asked for, or the newest that any object claims to hold.
Revision Versions::end() const {
  return course_.wish.revision ? *course_.wish.revision : restore::newest_claimed(course_.allowed, course_.facts);
}

// nullptr: no full leads further. At first the newest that everything asked for comes after, else the oldest.
Result<const catalog::Point*> Versions::next_base() const {
  const catalog::Point* first = nullptr;
  const catalog::Point* best = nullptr;
  for (const catalog::Point& full : course_.allowed.fulls) {
    if (course_.facts.bad.contains(full.key) || revision_of(full) <= done_) continue;
    if (first == nullptr || revision_of(full) < revision_of(*first)) first = &full;
    if (done_ == Revision(0) && revision_of(full) <= since_ &&
        (best == nullptr || revision_of(full) >= revision_of(*best))) {
      best = &full;
    }
  }
  if (best != nullptr) return best;
  // A full behind the end tells nothing that was asked for, unless it is all there is.
  if (first != nullptr && done_ != Revision(0) && revision_of(*first) > end()) return nullptr;
  if (first == nullptr && done_ == Revision(0)) {
    TM_LET([[maybe_unused]] const restore::Plan refused, course_.plan());
    return fail(Errc::corrupt, "no full in the store can be used");
  }
  return first;
}

// What is not the object's fault is a failure.
Status Versions::learn(const std::string& key, const Error& why) {
  if (!restore::is_objects_fault(why.code)) return std::unexpected(why);
  if (key == base_key_) base_.reset();
  course_.facts.bad[key] = why.what;
  return {};
}

// False: it is bad, or another than its name said: choose again.
Result<bool> Versions::open_base(const catalog::Point& base) {
  if (options_.index != nullptr) {
    auto as_named = base_of_index(base);
    if (as_named || !give_up_index(options_.index, as_named.error())) return as_named;
  }
  if (base_ && base_key_ == base.key) return true;
  base_.reset();
  base_key_ = base.key;
  if (options_.progress) options_.progress("base", 0, base.size);
  auto opened =
      restore::open_base_image(from_, base, options_.scratch / "base.db", from_.without_digest(), options_.stop);
  Status proven = opened ? (*opened)->proven() : Status(std::unexpected(opened.error()));
  if (!proven) {
    TM_CHECK(learn(base.key, proven.error()));
    return false;
  }
  base_ = *std::move(opened);
  const Revision named = revision_of(base);
  course_.facts.fulls[base.key] = base_->facts();
  return named == base_->facts().revision;
}

Result<bool> Versions::tell_base(const catalog::Point& base, Walk& walk) {
  TM_LET(const bool as_chosen, open_base(base));
  if (!as_chosen) return false;
  const restore::Facts::Full facts = course_.facts.fulls.at(base.key);
  Base full{.point = base,
            .last = std::min(facts.revision, end()),
            .when = {.received = {}, .not_before = done_time_, .not_after = catalog::created(base.name)},
            .told = {.main = done_, .sub = INT64_MAX}};
  walk.readable_from = facts.readable_from;
  TM_LET(const bool told, tell_rows(full, walk));
  if (!told) return false;
  TM_CHECK(begin(full, walk));
  if (done_ != Revision(0)) {
    // Gone, and compaction took the trace of it.
    const std::set<std::string, std::less<>> before = walk.there();
    for (const std::string& key : before) {
      if (!full.there.contains(key)) {
        TM_CHECK(walk.tell(key, RevisionSpan{done_.next(), full.last}, nullptr, full.when));
      }
    }
  }
  done_ = full.last;
  done_time_ = full.when.not_after;
  return true;
}

// In front of the first that is told of a full: what lies between it and what was told before.
Status Versions::begin(Base& base, Walk& walk) {
  if (std::exchange(base.begun, true) || done_ == Revision(0)) return {};
  holes_++;
  Status told = walk.lost({done_.next(), base.last}, "no object holds them; the next full follows");
  base.listener_failed = !told;
  return told;
}

// False: choose again; the listener has heard nothing.
Result<bool> Versions::tell_rows(Base& base, Walk& walk) {
  Status told = options_.index == nullptr ? walk_rows(base, walk) : look_up_rows(base, walk);
  if (!told && !base.listener_failed && give_up_index(options_.index, told.error())) {
    TM_LET(const bool as_before, open_base(base.point));
    if (!as_before && base.begun) return fail(Errc::corrupt, "{}: it is another one now", base.point.key);
    if (!as_before) return false;
    told = walk_rows(base, walk);
  }
  if (told) return true;
  if (base.begun || base.listener_failed) return std::unexpected(told.error());
  TM_CHECK(learn(base.point.key, told.error()));
  return false;
}

Status Versions::walk_rows(Base& base, Walk& walk) {
  base.there.clear();
  TM_LET(const auto rows, base_->database().bucket("key"));
  const auto walked = base_->database().for_each(rows, [&](const bolt::Element& element) -> Status {
    if (options_.stop.stop_requested()) {
      base.listener_failed = true;
      return fail(Errc::cancelled, "stopped");
    }
    TM_LET(const etcd::RowId id, etcd::decode_row_key(element.key));
    if (id.main > base.last) return {};
    TM_LET(const auto kv, etcd::decode_key_value(element.value));
    const std::string_view key = as_text(kv.key);
    if (!walk.wants(key)) return {};
    if (!id.tombstone) {
      base.there.emplace(key);
    } else if (const auto gone = base.there.find(key); gone != base.there.end()) {
      base.there.erase(gone);
    }
    if (id <= base.told) return {};
    std::optional<Row> row;
    if (!id.tombstone) row = row_of(kv);
    Status told = begin(base, walk);
    if (told) told = walk.tell(key, id.main, row ? &*row : nullptr, base.when);
    base.listener_failed = !told;
    return told;
  });
  if (!walked && base.listener_failed) return std::unexpected(walked.error());
  return named(base.point.key, walked);
}

// False: the delta was not what it seemed, plan again.
Result<bool> Versions::tell_delta(const restore::Step& step, Walk& walk) {
  if (options_.index != nullptr) {
    ObjectVersions held(*options_.index, step.point);
    ObjectVersions::ById rows;
    const auto found = look_up_delta(step, walk.asked(), held, rows);
    if (found && !*found) return false;
    if (found) return tell_looked_up(step, held, rows, walk);
    if (!give_up_index(options_.index, found.error())) return found;
  }
  const std::string& key = step.point.key;
  std::vector<Held> held;
  bool each_failed = false;
  const auto scanned = [&]() -> Result<restore::DeltaScan> {
    TM_LET(const auto body, from_.body(step.point));
    const auto each = [&](const etcd::RowId& id, const etcd::KeyValue& kv, Time received) -> Status {
      const std::string_view name = as_text(kv.key);
      if (id.main <= done_ || !walk.wants(name)) return {};
      std::optional<Row> row;
      if (!id.tombstone) row = row_of(kv);
      held.push_back({std::string(name), std::move(row), id.main, received});
      return {};
    };
    return restore::scan_delta(*body, step.take, each, each_failed, options_.stop);
  }();
  if (!scanned) {
    if (each_failed) return std::unexpected(named(key, scanned).error());
    TM_CHECK(learn(key, named(key, scanned).error()));
    return false;
  }
  if (scanned->held.first > step.take.first || scanned->held.last < step.take.last) {
    course_.facts.deltas[key] = scanned->held;
    return false;
  }
  for (const Held& event : held) {
    const When when{.received = event.received, .not_before = {}, .not_after = event.received};
    TM_CHECK(walk.tell(event.key, event.mod, event.row ? &*event.row : nullptr, when));
  }
  done_ = step.take.last;
  done_time_ = scanned->taken_until;
  return true;
}

// As far as deltas lead on from this full.
Status Versions::tell_deltas(const catalog::Point& base, Walk& walk) {
  restore::Course alone = course_;
  for (int round = 0; round < kMostTries; ++round) {
    if (done_ >= end()) return {};
    alone.facts = course_.facts;
    alone.allowed.fulls = {base};
    alone.wish.or_less = true;
    TM_LET(const restore::Plan plan, restore::make_plan(alone.allowed, alone.wish, alone.facts));
    std::uint64_t read = 0, all = 0;
    for (const restore::Step& step : plan.steps) all += step.point.size;
    bool as_planned = true;
    for (const restore::Step& step : plan.steps) {
      if (options_.progress) options_.progress("deltas", read, all);
      read += step.point.size;
      if (step.take.last <= done_) continue;
      TM_LET(as_planned, tell_delta(step, walk));
      if (!as_planned) break;
    }
    if (as_planned) return {};
  }
  return fail(Errc::corrupt, "planning does not come to an end: the objects in the store keep changing");
}

Status Versions::for_each(const Asked& asked, VersionListener& listener) {
  Walk walk(asked, listener, since_);
  done_ = Revision(0);
  done_time_.reset();
  holes_ = 0;
  for (int round = 0; round < kMostTries; ++round) {
    TM_LET(const catalog::Point* base, next_base());
    if (base == nullptr) break;
    const catalog::Point chosen = *base;
    TM_LET(const bool told, tell_base(chosen, walk));
    if (!told) continue;
    TM_CHECK(tell_deltas(chosen, walk));
    if (done_ >= end()) break;
  }
  if (done_ < end()) {
    holes_++;
    TM_CHECK(walk.lost({done_.next(), end()}, "no usable object holds them"));
  }
  if (options_.progress) options_.progress("versions", 0, 0);
  return {};
}

Result<Rows> last_rows(Versions& versions, const std::string& prefix) {
  struct Last final : VersionListener {
    Rows rows;
    Status version(const Version& version) override {
      if (version.row != nullptr) rows.insert_or_assign(std::string(version.key), *version.row);
      return {};
    }
    Status lost(RevisionSpan, std::string_view) override { return {}; }
  } last;
  TM_CHECK(versions.for_each({.prefixes = {prefix}}, last));
  return std::move(last.rows);
}

}  // namespace tidemark::history
