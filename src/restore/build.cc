#include "restore/build.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "etcd/data_dir.h"
#include "etcd/log_dir.h"
#include "restore/samples.h"

namespace tidemark::restore {
namespace {

constexpr std::int64_t kBumpMargin = 1'000'000'000;

io::Path database_of(const Places& places) { return places.new_member() / "snap" / "db"; }

// Reports progress of the replay until it goes out of scope.
class Ticker {
 public:
  Ticker(Audience& audience, const Plan& plan, const ReplayProgress& progress)
      : thread_([this, &audience, &progress, all = bytes_of(plan)](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          while (!stop.stop_requested()) {
            audience.progress("replay", progress.bytes_done, all);
            wake_.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
          }
          audience.progress("replay", progress.bytes_done, all);
        }) {}

 private:
  static std::uint64_t bytes_of(const Plan& plan) {
    std::uint64_t all = 0;
    for (const Step& step : plan.steps) all += step.point.size;
    return all;
  }
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace

Result<bool> Builder::open_base(const Plan& plan, Facts& facts, bool prove) {
  if (base_ && base_key_ == plan.base.key) return true;
  base_.reset();
  audience_.progress("base", 0, plan.base.size);
  const bool skip_digest = wish_.skip_digest || from_.without_digest();
  auto opened = open_base_image(from_, plan.base, places_.partial() / "base.db", skip_digest, stop_);
  base_key_ = plan.base.key;
  if (!opened) return learn_base(facts, opened.error());
  base_ = *std::move(opened);
  if (prove) {
    if (const auto proven = base_->proven(); !proven) return learn_base(facts, proven.error());
  }
  audience_.progress("base", plan.base.size, plan.base.size);
  const bool as_named = base_->facts().revision == plan.base_revision;
  facts.fulls[plan.base.key] = base_->facts();
  return as_named;
}

// The base cannot be used: the plan must do without it, unless it was not the base's fault.
Result<bool> Builder::learn_base(Facts& facts, const Error& why) {
  base_.reset();
  if (!is_objects_fault(why.code)) return std::unexpected(why);
  facts.bad[base_key_] = why.what;
  if (!why.hint.empty()) audience_.say("hint: " + why.hint);
  return false;
}

Status Builder::check_space(const Plan& plan) const {
  // Deltas as JSON are at most about ten times their object; as rows three quarters of that.
  std::uint64_t need = base_->size();
  if (wish_.keep_history) {
    for (const Step& step : plan.steps) need += step.point.size * 8;
  }
  need += need / 8 + (16UL << 20U);
  TM_LET(const std::uint64_t have, io::free_space(places_.root));
  if (have < need) {
    return fail(Errc::no_space, "'{}' has {} free, and the restored database needs about {}", places_.root.string(),
                human_size(have), human_size(need));
  }
  return {};
}

Result<bool> Builder::replay_rows(const Plan& plan, bolt::BulkWriter& to, Facts& facts, Replayed& rows) {
  ReplayOptions options;
  options.keep_history = wish_.keep_history;
  options.threads = wish_.threads;
  options.arena_bytes = wish_.arena_bytes;
  options.index_keys = wish_.index_keys;
  options.spill_dir = places_.partial();
  ReplayProgress progress;
  const Ticker ticker(audience_, plan, progress);
  const auto open_body = [&](const catalog::Point& point) { return from_.body(point); };
  TM_LET(rows, replay(plan, base_->database(), open_body, to, options, facts, progress, stop_));
  return rows.whole;
}

LeasePlan Builder::leases_at(const Plan& plan, const std::set<std::int64_t>& referenced) {
  std::set<std::int64_t> unknown = referenced;
  for (const etcd::LeaseState& lease : base_->state().leases) unknown.erase(lease.id.raw());
  std::vector<LeaseSample> samples;
  // The objects just before the target are the best witnesses.
  constexpr std::size_t kMostSamples = 8;
  for (std::size_t i = plan.steps.size(); !unknown.empty() && i > 0 && samples.size() < kMostSamples; --i) {
    const auto state = from_.sampled(plan.steps[i - 1].point.key);
    if (!state) continue;
    LeaseSample sample{.at = state->revision, .leases = {}};
    for (const catalog::LeaseRecord& lease : state->leases) {
      sample.leases.push_back({lease.id, lease.ttl_s, lease.remaining_s});
      if (lease.ttl_s > 0) unknown.erase(lease.id.raw());
    }
    samples.push_back(std::move(sample));
  }
  return plan_leases(base_->state().leases, referenced, samples);
}

std::optional<Revision> Builder::compacted_at(const Plan& plan) const {
  switch (wish_.bump.kind) {
    case RevisionBump::Kind::automatic: {
      const std::int64_t behind = std::max<std::int64_t>(0, plan.newest.raw() - plan.reach.raw());
      return Revision(plan.reach.raw() + behind + kBumpMargin);
    }
    case RevisionBump::Kind::by: return Revision(plan.reach.raw() + wish_.bump.by);
    case RevisionBump::Kind::none: break;
  }
  if (!wish_.keep_history) return plan.reach;
  if (base_->state().compacted() == etcd::kNeverCompacted) return std::nullopt;
  return base_->state().compacted();
}

Result<bool> Builder::write(const Plan& plan, const etcd::NewCluster& cluster, MemberId self, Facts& facts,
                            Restored& done) {
  auto written = write_all(plan, cluster, self, facts, done);
  const bool suspect = written ? facts.bad.contains(base_key_) : is_objects_fault(written.error().code);
  if (suspect) {
    // A damaged base may be found out by its rows: its digest is the better reason.
    if (const auto proven = base_->proven(); !proven) return learn_base(facts, proven.error());
  }
  return written;
}

Result<bool> Builder::write_all(const Plan& plan, const etcd::NewCluster& cluster, MemberId self, Facts& facts,
                                Restored& done) {
  TM_CHECK(io::make_dirs(places_.partial()));
  TM_CHECK(check_space(plan));
  TM_CHECK(io::remove_tree(places_.new_member()));
  for (const char* folder : {"snap", "wal"}) TM_CHECK(io::make_dirs(places_.new_member() / folder));
  TM_LET(const auto database, bolt::BulkWriter::create(database_of(places_), bolt::BulkWriter::Cache::bypass));
  Replayed rows;
  TM_LET(const bool whole, replay_rows(plan, *database, facts, rows));
  if (!whole) return false;

  done.rows = rows.rows;
  run_ = std::move(rows.run);
  done.leases = leases_at(plan, rows.leases);
  etcd::SmallBuckets small;
  small.cluster = cluster;
  small.compacted = compacted_ = compacted_at(plan);
  small.term = wish_.target_version != "3.4";
  small.leases = done.leases.leases;
  audience_.progress("finish", 0, 0);
  TM_CHECK(etcd::write_small_buckets(*database, base_->database(), small));
  TM_LET(done.database_bytes, database->finish());
  TM_CHECK(etcd::write_log(places_.new_member(), cluster, self));
  TM_CHECK(io::fsync_dir(places_.new_member() / "snap"));
  TM_CHECK(io::fsync_dir(places_.new_member()));
  TM_CHECK(io::fsync_dir(places_.partial()));
  done.header = std::max(plan.reach, small.compacted.value_or(Revision(0)));
  return true;
}

// Rows in a bucket so small that it has no page of its own were not seen on their way: they are read here.
Status Builder::check_key_bucket(const bolt::Reader& database, const Restored& done) const {
  TM_LET(const bolt::Bucket rows, database.bucket("key"));
  std::uint64_t count = run_.rows();
  if (rows.root == 0) {
    TM_LET(const auto report, etcd::check_rows(database, etcd::RowRules::shape, 1));
    if (!report.sound()) {
      return fail(Errc::corrupt, "the database just written breaks a rule of etcd's: {}", report.first_fault());
    }
    count = report.rows;
  } else if (auto whole = run_.whole(compacted_.value_or(etcd::kNeverCompacted)); !whole) {
    return named("the database just written breaks a rule of etcd's", std::move(whole));
  }
  if (count == done.rows) return {};
  return fail(Errc::corrupt, "the database just written has {} rows, {} were put in", count, done.rows);
}

Result<bool> Builder::verify(const Plan& plan, Facts& facts, const Restored& done) {
  audience_.progress("verify", 0, 0);
  if (const auto proven = base_->proven(); !proven) return learn_base(facts, proven.error());
  TM_LET(const auto database, bolt::Reader::open(database_of(places_)));
  TM_CHECK(check_key_bucket(database, done));
  TM_LET(const auto state, etcd::read_state(database));
  if (state.revision != done.header) {
    return fail(Errc::corrupt, "the database just written comes up at revision {}, not at {}", state.revision,
                done.header);
  }
  TM_CHECK(etcd::check_log(places_.new_member(), database));
  if (wish_.keep_history) TM_CHECK(compare_samples(plan, database));
  return true;
}

// Only a database with its history can answer; it can for every revision since its base was compacted.
Status Builder::compare_samples(const Plan& plan, const bolt::Reader& database) const {
  constexpr int kMostSamples = 4;  // two passes over the rows each; the newest vouch for what is before them
  std::vector<std::string> keys{plan.base.key};
  for (const Step& step : plan.steps) keys.push_back(step.point.key);
  int met = 0;
  for (auto key = keys.rbegin(); key != keys.rend() && met < kMostSamples; ++key) {
    const auto state = from_.sampled(*key);
    if (!state || !state->hash_kv || state->hash_kv->revision > plan.reach) continue;
    TM_LET(const SampleAnswer answer, compare_sample(database, base_->state().compacted(), *state->hash_kv));
    if (answer.likeness == Likeness::different) {
      return fail(Errc::corrupt, "HashKV at revision {} is {}, the recorded etcd said {}", state->hash_kv->revision,
                  answer.hash, state->hash_kv->hash);
    }
    met += answer.likeness == Likeness::same ? 1 : 0;
  }
  return {};
}

}  // namespace tidemark::restore
