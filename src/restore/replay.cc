#include "restore/replay.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "etcd/key_set.h"
#include "restore/delta_scan.h"
#include "restore/harvest.h"

namespace tidemark::restore {
namespace {

// Checks a segment's rows in the pages that go to the file.
class SegmentCheck final : public bolt::LeafWitness {
 public:
  Status saw(const bolt::Page& leaf, bool below) override {
    etcd::RowRun page;
    etcd::RowRun& to = below ? page : run_;
    for (std::size_t i = 0; i < leaf.count(); i++) {
      const auto row = leaf.element(i);
      if (!row) return leaf.bad_element(i);
      TM_CHECK(to.add(*row));
    }
    if (!below) return {};
    TM_CHECK(page.join(run_));
    run_ = std::move(page);
    return {};
  }
  const etcd::RowRun& run() const { return run_; }

 private:
  etcd::RowRun run_;
};

// A segment of the output with its check.
struct Part {
  explicit Part(bolt::BulkWriter& to) : check(std::make_unique<SegmentCheck>()), segment(to.segment(check.get())) {}
  std::unique_ptr<SegmentCheck> check;
  std::unique_ptr<bolt::BulkWriter::Segment> segment;
};
// The base's, then those of each delta; [i] in ascending order.
using Parts = std::vector<std::vector<Part>>;

// What the workers of one replay share.
struct Shared {
  const Plan& plan;
  const OpenBody& open_body;
  bolt::BulkWriter& to;
  const ReplayOptions& options;
  ReplayProgress& progress;
  Facts& facts;
  std::stop_source stop{};  // ours or the caller's

  std::mutex mutex{};             // of everything below, and of facts
  std::optional<Error> failed{};  // the world's fault: give up
  bool learned = false;           // an object's fault: plan again
  std::set<std::int64_t> leases{};

  void give_up(Error error) {
    const std::lock_guard lock(mutex);
    if (!failed && !(learned && error.code == Errc::cancelled)) failed = std::move(error);
    stop.request_stop();
  }
  void learn_bad(const std::string& key, const std::string& why) {
    const std::lock_guard lock(mutex);
    facts.bad[key] = why;
    learned = true;
    stop.request_stop();
  }
  // The base cannot be walked, or the output cannot be written.
  void base_failed(Error error) {
    if (is_objects_fault(error.code)) return learn_bad(plan.base.key, error.what);
    give_up(std::move(error));
  }
  void learn_span(const std::string& key, RevisionSpan span) {
    const std::lock_guard lock(mutex);
    facts.deltas[key] = span;
    learned = true;
    stop.request_stop();
  }
};

// Reads the delta of one step. False: it was not as planned (learned), or the run is over.
bool scan_step(Shared& shared, const Step& step,
               const std::function<Status(const etcd::RowId&, const etcd::KeyValue&)>& each) {
  bool each_failed = false;
  const auto scanned = [&]() -> Result<DeltaScan> {
    TM_LET(const auto body, shared.open_body(step.point));
    return scan_delta(*body, step.take, each, each_failed, shared.stop.get_token());
  }();
  if (!scanned) {
    if (each_failed || !is_objects_fault(scanned.error().code)) {
      shared.give_up(named(step.point.key, scanned).error());
    } else {
      shared.learn_bad(step.point.key, scanned.error().what);
    }
    return false;
  }
  shared.progress.events += scanned->events;
  shared.progress.bytes_done += step.point.size;
  ++shared.progress.deltas_done;
  const RevisionSpan held = scanned->held;
  const bool short_of = held.first > step.take.first || held.last < step.take.last;
  // More than its name says matters only where the chain ends: there the plan left revisions behind.
  const bool more = step.take.last == shared.plan.reach && held.last > shared.plan.newest;
  if (short_of || more) {
    shared.learn_span(step.point.key, held);
    return false;
  }
  return true;
}

// ---- history kept -------------------------------------------------------------------------------------------------

Status copy_base(const Plan& plan, const bolt::Reader& base, bolt::BulkWriter::Segment& to,
                 std::set<std::int64_t>& leases, const std::stop_token& stop) {
  TM_LET(const auto rows, base.bucket("key"));
  const bool older = plan.reach < plan.base_revision;  // its lease bucket is of a later moment
  return base.for_each(rows, [&](const bolt::Element& row) -> Status {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    TM_LET(const etcd::RowId id, named(base.name(), etcd::decode_row_key(row.key)));
    if (id.main > plan.reach) return {};
    if (older && !id.tombstone) {
      TM_LET(const auto kv, named(base.name(), etcd::decode_key_value(row.value)));
      if (kv.lease != LeaseId(0)) leases.insert(kv.lease.raw());
    }
    return to.append(row.key, row.value);
  });
}

// A delta's rows straight into its segment.
bool append_delta(Shared& shared, const Step& step, bolt::BulkWriter::Segment& to) {
  Buffer row;
  std::set<std::int64_t> leases;
  const auto append = [&](const etcd::RowId& id, const etcd::KeyValue& kv) -> Status {
    if (kv.lease != LeaseId(0)) leases.insert(kv.lease.raw());
    row.clear();
    etcd::append_key_value(kv, row);
    return to.append(etcd::encode_row_key(id).view(), row);
  };
  if (!scan_step(shared, step, append)) return false;
  if (auto closed = to.close(); !closed) {
    shared.give_up(closed.error());
    return false;
  }
  const std::lock_guard lock(shared.mutex);
  shared.leases.merge(leases);
  return true;
}

void keep_all(Shared& shared, const bolt::Reader& base, Parts& parts) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < parts.size() && !shared.stop.stop_requested(); i = next++) {
      bolt::BulkWriter::Segment& segment = *parts[i].emplace_back(shared.to).segment;
      if (i > 0) {
        if (!append_delta(shared, shared.plan.steps[i - 1], segment)) return;
        continue;
      }
      std::set<std::int64_t> leases;
      auto copied = copy_base(shared.plan, base, segment, leases, shared.stop.get_token());
      if (copied) copied = segment.close();
      if (!copied) return shared.base_failed(copied.error());
      const std::lock_guard lock(shared.mutex);
      shared.leases.merge(leases);
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < std::max(1U, shared.options.threads); ++i) workers.emplace_back(work);
}

// ---- compacted at R -----------------------------------------------------------------------------------------------

using Lasts = std::vector<Harvest::Last>;

// Of a sheaf the puts whose keys nothing newer has.
Lasts settle(Lasts sheaf, SeenSet& seen) {
  std::erase_if(sheaf, [&](const Harvest::Last& last) { return !seen.insert(last.hash) || last.id.tombstone; });
  return sheaf;
}

// The rows of a settled sheaf, ascending, into their segment.
Status emit(Shared& shared, Harvest& harvest, Lasts live, bolt::BulkWriter::Segment& to) {
  std::sort(live.begin(), live.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  std::set<std::int64_t> leases;
  for (const Harvest::Last& last : live) {
    if (last.lease != 0) leases.insert(last.lease);
    TM_LET(const Bytes row, harvest.row(last));
    TM_CHECK(to.append(etcd::encode_row_key(last.id).view(), row));
  }
  TM_CHECK(to.close());
  const std::lock_guard lock(shared.mutex);
  shared.leases.merge(leases);
  return {};
}

// Deltas settle their keys in turn, newest first; reading and writing overlap.
class Turns {
 public:
  // False: the run is over.
  bool wait(std::size_t turn, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop, [&] { return settled_ == turn; }) && !stop.stop_requested();
  }
  void done() {
    const std::lock_guard lock(mutex_);
    ++settled_;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t settled_ = 0;
};

// All sheaves of a delta whose turn it is, newest first. Others need not wait for the last one's rows.
Status settle_and_emit(Shared& shared, Harvest& harvest, SeenSet& seen, Turns& turns, std::vector<Part>& parts) {
  for (std::size_t left = harvest.sheaves(); left > 0; --left) parts.emplace_back(shared.to);
  while (harvest.sheaves() > 1) {
    TM_LET(Lasts sheaf, harvest.take());
    TM_CHECK(emit(shared, harvest, settle(std::move(sheaf), seen), *parts[harvest.sheaves()].segment));
  }
  Lasts oldest;
  if (harvest.sheaves() > 0) {
    TM_LET(oldest, harvest.take());
  }
  oldest = settle(std::move(oldest), seen);
  turns.done();
  return parts.empty() ? Status() : emit(shared, harvest, std::move(oldest), *parts[0].segment);
}

void compact_deltas(Shared& shared, Parts& parts, const etcd::KeyHasher& hasher, SeenSet& seen) {
  std::atomic<std::size_t> next{0};
  Turns turns;
  const std::size_t count = shared.plan.steps.size();
  const auto one = [&](std::size_t turn) {
    const std::size_t i = count - 1 - turn;
    const ReplayOptions& options = shared.options;
    Harvest harvest(options.spill_dir, options.arena_bytes, options.index_keys);
    const auto take = [&](const etcd::RowId& id, const etcd::KeyValue& kv) {
      return harvest.add(id, kv, hasher, seen);
    };
    if (!scan_step(shared, shared.plan.steps[i], take)) return false;
    if (!turns.wait(turn, shared.stop.get_token())) return false;
    if (auto emitted = settle_and_emit(shared, harvest, seen, turns, parts[i + 1]); !emitted) {
      shared.give_up(emitted.error());
      return false;
    }
    return true;
  };
  const auto work = [&] {
    for (std::size_t turn = next++; turn < count && !shared.stop.stop_requested(); turn = next++) {
      if (!one(turn)) return;
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < std::max(1U, shared.options.threads); ++i) workers.emplace_back(work);
}

// The base's newest rows of keys that no delta touched.
Status compact_base(Shared& shared, const bolt::Reader& base, const etcd::KeyHasher& hasher, SeenSet& seen,
                    bolt::BulkWriter::Segment& to) {
  TM_LET(const auto rows, base.bucket("key"));
  const bool older = shared.plan.reach < shared.plan.base_revision;
  const std::stop_token stop = shared.stop.get_token();
  TM_CHECK(base.for_each_backwards(rows, [&](const bolt::Element& row) -> Status {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    TM_LET(const etcd::RowId id, named(base.name(), etcd::decode_row_key(row.key)));
    if (id.main > shared.plan.reach) return {};
    TM_LET(const auto kv, named(base.name(), etcd::decode_key_value(row.value)));
    if (!seen.insert(hasher(kv.key)) || id.tombstone) return {};
    if (older && kv.lease != LeaseId(0)) shared.leases.insert(kv.lease.raw());
    return to.prepend(row.key, row.value);
  }));
  return to.close();
}

}  // namespace

bool is_objects_fault(Errc code) {
  return code == Errc::corrupt || code == Errc::torn || code == Errc::unsupported || code == Errc::not_found;
}

Result<Replayed> replay(const Plan& plan, const bolt::Reader& base, const OpenBody& open_body, bolt::BulkWriter& to,
                        const ReplayOptions& options, Facts& facts, ReplayProgress& progress,
                        const std::stop_token& stop) {
  Shared shared{
      .plan = plan, .open_body = open_body, .to = to, .options = options, .progress = progress, .facts = facts};
  const std::stop_callback forward(stop, [&] { shared.stop.request_stop(); });
  Parts parts(plan.steps.size() + 1);

  if (options.keep_history) {
    keep_all(shared, base, parts);
  } else {
    const auto hasher = etcd::KeyHasher::random();
    SeenSet seen;
    compact_deltas(shared, parts, hasher, seen);
    if (!shared.stop.stop_requested()) {
      auto done = compact_base(shared, base, hasher, seen, *parts[0].emplace_back(to).segment);
      if (!done) shared.base_failed(done.error());
    }
  }
  if (shared.failed) return std::unexpected(std::move(*shared.failed));
  if (shared.learned) return Replayed{};
  if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
  Replayed done;
  std::vector<std::unique_ptr<bolt::BulkWriter::Segment>> segments;
  for (std::vector<Part>& of_one : parts) {
    for (Part& part : of_one) {
      done.rows += part.segment->rows();
      segments.push_back(std::move(part.segment));
    }
  }
  TM_CHECK(to.add_tree("key", std::move(segments)));
  for (const std::vector<Part>& of_one : parts) {
    for (const Part& part : of_one) TM_CHECK(done.run.join(part.check->run()));
  }
  done.whole = true;
  done.leases = std::move(shared.leases);
  return done;
}

}  // namespace tidemark::restore
