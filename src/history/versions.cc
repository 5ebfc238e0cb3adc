#include "history/versions.h"

#include <algorithm>

#include "etcd/row.h"
#include "restore/delta_scan.h"
#include "restore/replay.h"

namespace tidemark::history {
namespace {

// More rounds than objects cannot be needed; each learns about one.
constexpr int kMostTries = 10'000;

Row whole_row(const etcd::KeyValue& kv) {
  return {.value = std::string(as_text(kv.value)),
          .create = kv.create,
          .mod = kv.mod,
          .version = kv.version,
          .lease = kv.lease};
}

// What one event of a delta was, until the delta has proven itself.
struct Held {
  std::string key;
  std::optional<Row> row;
  Revision mod;
  Time received;
};

}  // namespace

// Which keys are asked for, which of them there are, and who is told.
class Versions::Walk {
 public:
  Walk(std::span<const std::string> prefixes, VersionListener& listener, Revision since)
      : prefixes_(prefixes), listener_(listener), since_(since) {}

  bool wants(std::string_view key) const {
    return std::ranges::any_of(prefixes_, [&](const std::string& prefix) { return key.starts_with(prefix); });
  }
  Status tell(std::string_view key, Revision mod, const Row* row, const When& when) {
    return tell(key, RevisionSpan{mod, mod}, row, when);
  }
  Status tell(std::string_view key, RevisionSpan written, const Row* row, const When& when) {
    if (row != nullptr) {
      there_.emplace(key);
    } else if (const auto gone = there_.find(key); gone != there_.end()) {
      there_.erase(gone);
    }
    return listener_.version({.key = key,
                              .written = written,
                              .row = row,
                              .when = when,
                              .shown_at = row == nullptr ? written.first.prev() : std::max(written.last, readable_from),
                              .before_since = written.last <= since_});
  }
  Status lost(RevisionSpan span, std::string_view reason) {
    if (span.last <= since_) return {};
    return listener_.lost({std::max(span.first, since_.next()), span.last}, reason);
  }
  const std::set<std::string, std::less<>>& there() const { return there_; }
  Revision readable_from;  // of the full that is being told: what was before it is compacted there

 private:
  std::span<const std::string> prefixes_;
  VersionListener& listener_;
  const Revision since_;
  std::set<std::string, std::less<>> there_;
};

Versions::~Versions() = default;

Result<std::unique_ptr<Versions>> Versions::open(restore::Origin& from, const VersionWish& wish,
                                                 MomentOptions options) {
  std::unique_ptr<Versions> versions(new Versions(from, std::move(options)));
  TM_LET(versions->course_, restore::set_course(from, wish.until, versions->options_.stop));
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

Status Versions::settle_since(const VersionWish& wish) {
  if (!wish.since) return {};
  switch (wish.since->kind) {
    case restore::Target::Kind::latest:
      return hinted(Status(fail(Errc::invalid, "nothing can have changed since the latest moment")),
                    "--since -2h, --since rev:1234 or --since 2024-05-01T12:00:00Z");
    case restore::Target::Kind::revision: since_ = wish.since->revision.prev(); break;
    case restore::Target::Kind::time: {
      auto course = restore::set_course(from_, *wish.since, options_.stop);
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
  const Revision last = std::min(base_->facts().revision, end());
  const When when{.received = {}, .not_before = done_time_, .not_after = catalog::created(base.name)};
  walk.readable_from = base_->facts().readable_from;
  if (done_ != Revision(0)) {
    holes_++;
    TM_CHECK(walk.lost({done_.next(), last}, "no object holds them; the next full follows"));
  }
  std::set<std::string, std::less<>> there;  // at the full's revision
  bool listener_failed = false;
  TM_LET(const auto rows, base_->database().bucket("key"));
  const auto walked = base_->database().for_each(rows, [&](const bolt::Element& element) -> Status {
    if (options_.stop.stop_requested()) {
      listener_failed = true;
      return fail(Errc::cancelled, "stopped");
    }
    TM_LET(const etcd::RowId id, etcd::decode_row_key(element.key));
    if (id.main > last) return {};
    TM_LET(const auto kv, etcd::decode_key_value(element.value));
    const std::string_view key = as_text(kv.key);
    if (!walk.wants(key)) return {};
    if (id.tombstone) {
      if (const auto gone = there.find(key); gone != there.end()) there.erase(gone);
    } else {
      there.emplace(key);
    }
    if (id.main <= done_) return {};
    std::optional<Row> row;
    if (!id.tombstone) row = whole_row(kv);
    Status told = walk.tell(key, id.main, row ? &*row : nullptr, when);
    listener_failed = !told;
    return told;
  });
  if (!walked && listener_failed) return std::unexpected(walked.error());
  if (!walked) return std::unexpected(named(base.key, walked).error());
  if (done_ != Revision(0)) {
    // Gone, and compaction took the trace of it.
    const std::set<std::string, std::less<>> before = walk.there();
    for (const std::string& key : before) {
      if (!there.contains(key)) TM_CHECK(walk.tell(key, RevisionSpan{done_.next(), last}, nullptr, when));
    }
  }
  done_ = last;
  done_time_ = when.not_after;
  return true;
}

// False: the delta was not what it seemed, plan again.
Result<bool> Versions::tell_delta(const restore::Step& step, Walk& walk) {
  const std::string& key = step.point.key;
  std::vector<Held> held;
  bool each_failed = false;
  const auto scanned = [&]() -> Result<restore::DeltaScan> {
    TM_LET(const auto body, from_.body(step.point));
    const auto each = [&](const etcd::RowId& id, const etcd::KeyValue& kv, Time received) -> Status {
      const std::string_view name = as_text(kv.key);
      if (id.main <= done_ || !walk.wants(name)) return {};
      std::optional<Row> row;
      if (!id.tombstone) row = whole_row(kv);
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

Status Versions::for_each(std::span<const std::string> prefixes, VersionListener& listener) {
  Walk walk(prefixes, listener, since_);
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

}  // namespace tidemark::history
