#include "restore/replay.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "etcd/key_set.h"
#include "restore/delta_scan.h"
#include "restore/row_arena.h"
#include "restore/seen_set.h"

namespace tidemark::restore {
namespace {

using Segments = std::vector<std::unique_ptr<bolt::BulkWriter::Segment>>;

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

// What the workers of one replay share.
struct Shared {
  const Plan& plan;
  const OpenBody& open_body;
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

void keep_all(Shared& shared, const bolt::Reader& base, const Segments& segments) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < segments.size() && !shared.stop.stop_requested(); i = next++) {
      if (i > 0) {
        if (!append_delta(shared, shared.plan.steps[i - 1], *segments[i])) return;
        continue;
      }
      std::set<std::int64_t> leases;
      auto copied = copy_base(shared.plan, base, *segments[0], leases, shared.stop.get_token());
      if (copied) copied = segments[0]->close();
      if (!copied) return shared.base_failed(copied.error());
      const std::lock_guard lock(shared.mutex);
      shared.leases.merge(leases);
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < std::max(1U, shared.options.threads); ++i) workers.emplace_back(work);
}

// ---- compacted at R -----------------------------------------------------------------------------------------------

struct HashOfHash {
  std::size_t operator()(const etcd::KeyHash& hash) const { return hash.low; }
};

// The last event of a key in one delta.
struct Last {
  etcd::RowId id;
  RowArena::Place place;  // of a put
  std::int64_t lease = 0;
};

struct Harvest {
  explicit Harvest(const ReplayOptions& options) : arena(options.spill_dir, options.arena_bytes) {}
  RowArena arena;
  std::unordered_map<etcd::KeyHash, Last, HashOfHash> last;
};

Status harvest_event(const etcd::RowId& id, const etcd::KeyValue& kv, const etcd::KeyHasher& hasher,
                     const SeenSet& seen, Harvest& harvest) {
  const etcd::KeyHash hash = hasher(kv.key);
  const auto [at, is_new] = harvest.last.try_emplace(hash);
  if (is_new && seen.contains(hash)) {  // a newer delta has it
    harvest.last.erase(at);
    return {};
  }
  Last& last = at->second;
  last.id = id;
  last.lease = kv.lease.raw();
  if (id.tombstone) return {};  // keeps the place: the key may come back
  TM_LET(const RowArena::Room room, harvest.arena.room(etcd::encoded_size(kv), is_new ? nullptr : &last.place));
  etcd::write_key_value(kv, room.bytes);
  last.place = room.place;
  return {};
}

// What is left of a harvest, ascending, into its segment.
Status emit(Shared& shared, Harvest& harvest, std::vector<Last>& live, bolt::BulkWriter::Segment& to) {
  std::sort(live.begin(), live.end(), [](const Last& a, const Last& b) { return a.id < b.id; });
  std::set<std::int64_t> leases;
  for (const Last& last : live) {
    if (last.lease != 0) leases.insert(last.lease);
    TM_LET(const Bytes row, harvest.arena.read(last.place));
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

void compact_deltas(Shared& shared, const Segments& segments, const etcd::KeyHasher& hasher, SeenSet& seen) {
  std::atomic<std::size_t> next{0};
  Turns turns;
  const std::size_t count = shared.plan.steps.size();
  const auto one = [&](std::size_t turn) {
    const std::size_t i = count - 1 - turn;
    Harvest harvest(shared.options);
    const auto take = [&](const etcd::RowId& id, const etcd::KeyValue& kv) {
      return harvest_event(id, kv, hasher, seen, harvest);
    };
    if (!scan_step(shared, shared.plan.steps[i], take)) return false;
    if (!turns.wait(turn, shared.stop.get_token())) return false;
    std::vector<Last> live;
    for (const auto& [hash, last] : harvest.last) {
      if (seen.insert(hash) && !last.id.tombstone) live.push_back(last);
    }
    turns.done();
    decltype(harvest.last)().swap(harvest.last);
    if (auto emitted = emit(shared, harvest, live, *segments[i + 1]); !emitted) {
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
  Shared shared{.plan = plan, .open_body = open_body, .options = options, .progress = progress, .facts = facts};
  const std::stop_callback forward(stop, [&] { shared.stop.request_stop(); });
  std::vector<SegmentCheck> checks(plan.steps.size() + 1);
  Segments segments;  // the base's, then one a delta
  for (SegmentCheck& check : checks) segments.push_back(to.segment(&check));

  if (options.keep_history) {
    keep_all(shared, base, segments);
  } else {
    const auto hasher = etcd::KeyHasher::random();
    SeenSet seen;
    compact_deltas(shared, segments, hasher, seen);
    if (!shared.stop.stop_requested()) {
      if (auto done = compact_base(shared, base, hasher, seen, *segments[0]); !done) shared.base_failed(done.error());
    }
  }
  if (shared.failed) return std::unexpected(std::move(*shared.failed));
  if (shared.learned) return Replayed{};
  if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
  Replayed done;
  for (const auto& segment : segments) done.rows += segment->rows();
  TM_CHECK(to.add_tree("key", std::move(segments)));
  for (const SegmentCheck& check : checks) TM_CHECK(done.run.join(check.run()));
  done.whole = true;
  done.leases = std::move(shared.leases);
  return done;
}

}  // namespace tidemark::restore
