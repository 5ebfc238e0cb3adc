#include "history/moment.h"

#include <algorithm>
#include <unordered_map>

#include "etcd/row.h"
#include "history/course_by_index.h"
#include "history/lookup.h"
#include "restore/delta_scan.h"
#include "restore/replay.h"

namespace tidemark::history {
namespace {

// More rounds than objects cannot be needed; each learns about one.
constexpr int kMostRounds = 10'000;

Row row_of(const etcd::KeyValue& kv, const Moment::Keep& keep) {
  Row row = row_without_value(kv);
  if (!keep || keep(as_text(kv.key), kv.mod)) row.value = as_text(kv.value);
  return row;
}

Status settle(const etcd::RowId& id, const etcd::KeyValue& kv, const Moment::Keep& keep, RowSpool& settled) {
  if (!id.tombstone) return settled.put(as_text(kv.key), row_of(kv, keep));
  settled.put_gone(as_text(kv.key));
  return {};
}

// The newest row at or below `reach` of each key that nothing newer has settled. `each_failed`: the fault is the
// spool's.
Status add_base(const bolt::Reader& base, Revision reach, const Asked& asked, const Moment::Keep& keep,
                RowSpool& settled, bool& each_failed, const std::stop_token& stop) {
  TM_LET(const auto rows, base.bucket("key"));
  return base.for_each_backwards(rows, [&](const bolt::Element& element) -> Status {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    TM_LET(const etcd::RowId id, named(base.name(), etcd::decode_row_key(element.key)));
    if (id.main > reach) return {};
    TM_LET(const auto kv, named(base.name(), etcd::decode_key_value(element.value)));
    const std::string_view key = as_text(kv.key);
    if (!asked.names(key) || settled.knows(key)) return {};
    Status settled_now = settle(id, kv, keep, settled);
    each_failed = !settled_now;
    return settled_now;
  });
}

}  // namespace

Moment::~Moment() = default;

Result<std::unique_ptr<Moment>> Moment::open(restore::Origin& from, const restore::Target& target,
                                             MomentOptions options) {
  std::unique_ptr<Moment> moment(new Moment(from, target, std::move(options)));
  TM_LET(moment->course_, history::set_course(from, moment->options_.index, target, moment->options_.stop));
  if (from.nameless()) {
    // Its name says nothing: opened first, so that the plan can.
    TM_LET(const restore::Plan guess,
           restore::make_plan(moment->course_.allowed, {.revision = {}, .or_less = true}, moment->course_.facts));
    TM_LET([[maybe_unused]] const bool as_named, moment->open_base(guess));
  }
  TM_CHECK(moment->settle_base());
  return moment;
}

// False: the object is bad, plan again. What is not its fault is a failure.
Result<bool> Moment::learn(const std::string& key, const Error& why) {
  if (!restore::is_objects_fault(why.code)) return std::unexpected(why);
  if (key == base_key_) base_.reset();
  course_.facts.bad[key] = why.what;
  return false;
}

Result<bool> Moment::base_of_index(const restore::Plan& plan) {
  restore::Facts::Full facts;
  const Status looked = options_.index->with(plan.base, [&](const Block& block) -> Status {
    facts = {block.about().span.last, block.about().span.first};
    return {};
  });
  if (!looked) return learn(plan.base.key, looked.error());
  course_.facts.fulls[plan.base.key] = facts;
  return facts.revision == plan.base_revision;
}

Result<bool> Moment::open_base(const restore::Plan& plan) {
  if (options_.index != nullptr) {
    auto as_planned = base_of_index(plan);
    if (as_planned || !give_up_index(options_.index, as_planned.error())) return as_planned;
  }
  if (base_ && base_key_ == plan.base.key) return true;
  base_.reset();
  base_key_ = plan.base.key;
  if (options_.progress) options_.progress("base", 0, plan.base.size);
  auto opened =
      restore::open_base_image(from_, plan.base, options_.scratch / "base.db", from_.without_digest(), options_.stop);
  if (!opened) return learn(plan.base.key, opened.error());
  base_ = *std::move(opened);
  course_.facts.fulls[plan.base.key] = base_->facts();
  return base_->facts().revision == plan.base_revision;
}

Status Moment::settle_base() {
  for (int round = 0; round < kMostRounds; ++round) {
    TM_LET(plan_, course_.plan());
    TM_LET(const bool as_planned, open_base(plan_));
    if (as_planned) return {};
  }
  return fail(Errc::corrupt, "planning does not come to an end: the objects in the store keep changing");
}

// False: an object was not what it seemed, plan again.
Result<bool> Moment::try_gather(const Asked& asked, const Keep& keep, RowSpool& rows) {
  if (options_.index == nullptr) return walk(asked, keep, rows);
  auto whole = look_up(asked, keep, rows);
  if (whole || !give_up_index(options_.index, whole.error())) return whole;
  return false;  // the base is to be opened
}

Result<bool> Moment::walk(const Asked& asked, const Keep& keep, RowSpool& rows) {
  std::uint64_t done = 0, all = 0;
  for (const restore::Step& step : plan_.steps) all += step.point.size;
  for (const restore::Step& step : plan_.steps) {
    if (options_.progress) options_.progress("deltas", done, all);
    const std::string& key = step.point.key;
    bool each_failed = false;
    const auto scanned = [&]() -> Result<restore::DeltaScan> {
      TM_LET(const auto body, from_.body(step.point));
      const auto each = [&](const etcd::RowId& id, const etcd::KeyValue& kv) {
        return asked.names(as_text(kv.key)) ? settle(id, kv, keep, rows) : Status();
      };
      return restore::scan_delta(*body, step.take, each, each_failed, options_.stop);
    }();
    if (!scanned) {
      if (each_failed) return std::unexpected(named(key, scanned).error());
      return learn(key, named(key, scanned).error());
    }
    if (scanned->held.first > step.take.first || scanned->held.last < step.take.last) {
      course_.facts.deltas[key] = scanned->held;
      return false;
    }
    last_change_ = scanned->taken_until;
    done += step.point.size;
  }
  if (options_.progress) options_.progress("rows", 0, 0);
  bool each_failed = false;
  const Status walked = add_base(base_->database(), plan_.reach, asked, keep, rows, each_failed, options_.stop);
  if (each_failed) return std::unexpected(walked.error());
  if (!walked) return learn(plan_.base.key, walked.error());
  if (const Status proven = base_->proven(); !proven) return learn(plan_.base.key, proven.error());
  rows.forget_gone();
  return true;
}

Result<bool> Moment::look_up(const Asked& asked, const Keep& keep, RowSpool& rows) {
  Lookup lookup(*options_.index, asked);
  for (const restore::Step& step : plan_.steps) {
    const std::string& key = step.point.key;
    if (const Status added = lookup.add_delta(step); !added) return learn(key, named(key, added).error());
    const RevisionSpan held = lookup.held();
    if (held.first > step.take.first || held.last < step.take.last) {
      course_.facts.deltas[key] = held;
      return false;
    }
    last_change_ = lookup.last_change();
  }
  if (const Status added = lookup.add_base(plan_.base, plan_.reach); !added) {
    return learn(plan_.base.key, added.error());
  }
  std::string bad;
  const Status read = lookup.read(keep, rows, bad);
  if (read) return true;
  if (!bad.empty()) return learn(bad, read.error());
  if (read.error().code == Errc::conflict) return false;  // its block was forgotten
  return std::unexpected(read.error());
}

Result<Rows> Moment::below(std::span<const std::string> prefixes) { return below(prefixes, {}); }

Result<Rows> Moment::below(std::span<const std::string> prefixes, const Keep& keep) {
  return below(Asked{.prefixes = {prefixes.begin(), prefixes.end()}}, keep);
}

Result<Rows> Moment::below(const Asked& asked) { return below(asked, {}); }

Result<Rows> Moment::below(const Asked& asked, const Keep& keep) {
  RowSpool rows(options_.scratch, RowSpool::kNoLimit);
  TM_CHECK(gather(asked, keep, rows));
  return rows.take_rows();
}

Status Moment::below(const Asked& asked, RowSpool& into) { return gather(asked, {}, into); }

Status Moment::gather(const Asked& asked, const Keep& keep, RowSpool& rows) {
  for (int round = 0; round < kMostRounds; ++round) {
    TM_CHECK(settle_base());
    rows.clear();
    TM_LET(const bool whole, try_gather(asked, keep, rows));
    if (whole) return {};
  }
  return fail(Errc::corrupt, "planning does not come to an end: the objects in the store keep changing");
}

Time Moment::time() const {
  if (target_.kind == restore::Target::Kind::time) return target_.time;
  if (last_change_) return *last_change_;
  const catalog::Point& newest = plan_.steps.empty() ? plan_.base : plan_.steps.back().point;
  return catalog::created(newest.name);
}

}  // namespace tidemark::history
