// The verb on small buckets made here: times, options, directories, and histories compared with a
// plain model in both modes.
#include "restore/etcd.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <thread>

#include "base/rfc3339.h"
#include "base/testing/scale.h"
#include "etcd/hashkv.h"
#include "restore/testing/attempt.h"

namespace tidemark::restore {
namespace {

using testing::Attempt;
using testing::Bucket;
using testing::Made;
using testing::put;

TEST(RestoreTime, StopsBeforeTheFirstLaterEvent) {
  Bucket bucket;
  const Time full = Time(std::chrono::seconds(1795246362));
  const auto after = [&](int s) { return full + std::chrono::seconds(s); };
  bucket.add_delta({put(309, after(10)), put(310, after(20)), put(311, after(30))}, 1795246362 + 31);
  bucket.add_delta({put(312, after(40)), put(313, after(40)), put(314, after(50))}, 1795246362 + 60);
  const struct {
    Time time;
    std::int64_t revision;  // 0: refused
  } rows[] = {
      {after(-1), 0},   {after(0), 308},  {after(9), 308},  {after(10), 309}, {after(25), 310},   {after(30), 311},
      {after(39), 311}, {after(40), 313}, {after(49), 313}, {after(50), 314}, {after(5000), 314},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(print_rfc3339(row.time));
    Attempt run;
    run.wish.target = Target::at(row.time);
    const auto origin = store_origin(bucket.store);
    run.from(*origin);
    if (row.revision == 0) {
      ASSERT_FALSE(run.restored);
      EXPECT_EQ(run.restored.error().code, Errc::not_found);
      EXPECT_NE(run.restored.error().what.find(print_rfc3339(full)), std::string::npos) << run.restored.error().what;
      continue;
    }
    ASSERT_TRUE(run.restored) << run.restored.error().what;
    EXPECT_EQ(run.restored->plan.reach, Revision(row.revision));
    EXPECT_GE(run.restored->header.raw(), 314 + 1'000'000'000) << "never below the newest that was published";
  }
}

TEST(RestoreTime, AHoleIsNotGuessedOver) {
  Bucket bucket;
  const Time full = Time(std::chrono::seconds(1795246362));
  const auto after = [&](int s) { return full + std::chrono::seconds(s); };
  bucket.add_delta({put(309, after(10))}, 1795246362 + 11);
  bucket.add_delta({put(320, after(40))}, 1795246362 + 41);  // 310..319 are nowhere
  Attempt run;
  run.wish.target = Target::at(after(30));
  const auto origin = store_origin(bucket.store);
  run.from(*origin);
  ASSERT_FALSE(run.restored);
  EXPECT_EQ(run.restored.error().code, Errc::not_found);
  EXPECT_EQ(run.restored.error().hint, "--at rev:309") << run.restored.error().what;
}

TEST(Restore, AHoleInsideADeltaEndsTheChain) {
  Bucket bucket;
  bucket.add_delta({put(309, {}), put(310, {}), put(312, {}), put(313, {})}, 1795246400);
  Attempt run;
  const auto origin = store_origin(bucket.store);
  run.from(*origin);
  ASSERT_TRUE(run.restored) << run.restored.error().what;
  EXPECT_EQ(run.restored->plan.reach, Revision(310));
  EXPECT_FALSE(run.restored->plan.complete());
}

TEST(Restore, DeltasThatCannotBe) {
  const auto bad = [](auto change) {
    Made event = put(310, {});
    change(event);
    return event;
  };
  for (const Made& event :
       {bad([](Made& e) { e.mod = 308; }), bad([](Made& e) { e.version = 0; }), bad([](Made& e) { e.version = 2; }),
        bad([](Made& e) { e.create = 400; }), bad([](Made& e) { e.create = 0; })}) {
    Bucket bucket;
    bucket.add_delta({put(309, {}), event, put(311, {})}, 1795246400);
    Attempt run;
    const auto origin = store_origin(bucket.store);
    run.from(*origin);
    ASSERT_TRUE(run.restored) << run.restored.error().what;
    EXPECT_EQ(run.restored->plan.reach, Revision(308));
    EXPECT_FALSE(run.restored->plan.complete());
    EXPECT_NE(run.restored->plan.holes[0].reason.find("unusable"), std::string::npos);
  }
}

// ---- options and directories

TEST(Restore, RefusesAnExistingMemberUnlessToldToReplace) {
  Bucket bucket;
  Attempt run;
  const auto origin = store_origin(bucket.store);
  run.from(*origin);
  ASSERT_TRUE(run.restored);
  run.from(*origin);
  ASSERT_FALSE(run.restored);
  EXPECT_EQ(run.restored.error().code, Errc::already_exists);
  EXPECT_NE(run.restored.error().hint.find("--replace"), std::string::npos);
  run.wish.replace = true;
  run.from(*origin);
  ASSERT_TRUE(run.restored) << run.restored.error().what;
  EXPECT_TRUE(std::filesystem::exists(run.restored->former / "snap" / "db"));
}

TEST(Restore, DryRunWritesNothing) {
  Bucket bucket;
  Attempt run;
  run.wish.dry_run = true;
  const auto origin = store_origin(bucket.store);
  run.from(*origin);
  ASSERT_TRUE(run.restored) << run.restored.error().what;
  EXPECT_FALSE(run.restored->written);
  EXPECT_EQ(run.listener.plans.size(), 1U);
  EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir));
}

TEST(Restore, HeaderRevisions) {
  const auto with = [](const char* bump, bool keep) {
    Bucket bucket;
    Attempt run;
    run.wish.bump = *parse_bump(bump);
    run.wish.keep_history = keep;
    const auto origin = store_origin(bucket.store);
    run.from(*origin);
    EXPECT_TRUE(run.restored) << run.restored.error().what;
    const auto state = etcd::read_state(*bolt::Reader::open(run.database()));
    return std::pair(state->revision.raw(), state->finished_compaction.raw());
  };
  EXPECT_EQ(with("auto", false), std::pair(std::int64_t{1'000'000'308}, std::int64_t{1'000'000'308}));
  EXPECT_EQ(with("none", false), std::pair(std::int64_t{308}, std::int64_t{308}));
  EXPECT_EQ(with("none", true), std::pair(std::int64_t{308}, std::int64_t{-1}));
  EXPECT_EQ(with("5", true), std::pair(std::int64_t{313}, std::int64_t{313}));
}

TEST(Restore, BadOptions) {
  const auto refused = [](auto change) {
    Bucket bucket;
    Attempt run;
    change(run.wish);
    const auto origin = store_origin(bucket.store);
    run.from(*origin);
    EXPECT_FALSE(run.restored);
    return run.restored ? Errc::cancelled : run.restored.error().code;
  };
  EXPECT_EQ(refused([](EtcdRestore& w) { w.target_version = "3.3"; }), Errc::invalid);
  EXPECT_EQ(refused([](EtcdRestore& w) { w.initial_cluster = "nonsense"; }), Errc::invalid);
  EXPECT_EQ(refused([](EtcdRestore& w) { w.initial_cluster = "other=http://localhost:2380"; }), Errc::invalid);
  EXPECT_EQ(refused([](EtcdRestore& w) { w.target = Target::at(Revision(309)); }), Errc::not_found);
}

TEST(Restore, AnEmptyStoreSaysSo) {
  store::testing::MemStore store;
  Attempt run;
  const auto origin = store_origin(store);
  run.from(*origin);
  ASSERT_FALSE(run.restored);
  EXPECT_EQ(run.restored.error().code, Errc::not_found);
  EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir));
}

// ---- random histories against a model

struct History {
  testing::LiveState live;
  std::vector<Made> events;
  std::map<std::int64_t, testing::LiveState> after;  // by revision
};

History make_history(testing::LiveState live, std::int64_t first, int revisions, std::mt19937_64& random) {
  History history{.live = std::move(live), .events = {}, .after = {}};
  for (std::int64_t mod = first; mod < first + revisions; ++mod) {
    std::set<std::string> touched;  // a key at most once in a revision
    const int ops = 1 + static_cast<int>(random() % 4);
    for (int op = 0; op < ops; ++op) {
      const std::string key = fmt::format("/registry/pods/ns/{}", random() % 40);
      if (!touched.insert(key).second) continue;
      const auto old = history.live.find(key);
      if (random() % 3 == 0 && old != history.live.end()) {
        history.live.erase(old);
        history.events.push_back({.key = key, .value = "", .deletion = true, .mod = mod, .time = {}});
        continue;
      }
      testing::Live now{.value = std::string(random() % 3000, 'x'),
                        .create = mod,
                        .mod = mod,
                        .version = 1,
                        .lease = random() % 5 == 0 ? static_cast<std::int64_t>(1 + random() % 7) : 0};
      if (old != history.live.end()) {
        now.create = old->second.create;
        now.version = old->second.version + 1;
      }
      history.live[key] = now;
      history.events.push_back({.key = key,
                                .value = now.value,
                                .create = now.create,
                                .mod = mod,
                                .version = now.version,
                                .lease = now.lease,
                                .time = {}});
    }
    history.after[mod] = history.live;
  }
  return history;
}

// Deltas cut anywhere between revisions, some overlapping, some twice; restored anywhere, by 1 to 4 threads, with an
// arena that spills and an index that is full at once.
TEST(Restore, RandomHistories) {
  std::mt19937_64 random(::tidemark::testing::seed());
  for (int round = 0; round < ::tidemark::testing::scaled(3); ++round) {
    Bucket bucket;
    Attempt base;
    const auto base_origin = store_origin(bucket.store);
    base.from(*base_origin);
    ASSERT_TRUE(base.restored) << base.restored.error().what;
    const auto start = testing::live_state(*bolt::Reader::open(base.database()), Revision(308));
    const History history = make_history(*start, 309, 120, random);
    std::vector<Made> piece;
    int made = 0;
    for (std::size_t i = 0; i < history.events.size(); ++i) {
      piece.push_back(history.events[i]);
      const bool ends = i + 1 == history.events.size() || history.events[i + 1].mod != history.events[i].mod;
      if (!ends || (random() % 15 != 0 && i + 1 != history.events.size())) continue;
      bucket.add_delta(piece, 1795246400 + ++made);
      if (random() % 3 == 0) continue;  // the next one holds this one's events as well
      piece.clear();
    }
    for (int probe = 0; probe < 4; ++probe) {
      const std::int64_t revision = probe == 0 ? 428 : 309 + static_cast<std::int64_t>(random() % 120);
      Attempt run;
      run.wish.target = Target::at(Revision(revision));
      run.wish.threads = 1 + static_cast<unsigned>(random() % 4);
      run.wish.arena_bytes = random() % 2 == 0 ? 0 : 64U << 20U;
      run.wish.index_keys = random() % 2 == 0 ? 1 + random() % 20 : 100'000;
      run.wish.keep_history = random() % 2 == 0;
      const auto origin = store_origin(bucket.store);
      run.from(*origin);
      ASSERT_TRUE(run.restored) << run.restored.error().what;
      const auto database = bolt::Reader::open(run.database());
      ASSERT_TRUE(database);
      const auto is = testing::live_state(*database, Revision(revision));
      ASSERT_TRUE(is) << is.error().what;
      EXPECT_EQ(testing::difference(*is, history.after.at(revision)), "") << "revision " << revision;
      std::set<std::int64_t> leases;
      const auto state = etcd::read_state(*database);
      ASSERT_TRUE(state) << state.error().what;
      for (const etcd::LeaseState& lease : state->leases) leases.insert(lease.id.raw());
      for (const auto& [key, live] : *is) EXPECT_TRUE(live.lease == 0 || leases.contains(live.lease)) << key;
      if (run.wish.keep_history) continue;
      EXPECT_EQ(run.restored->rows, is->size()) << "one row a live key";
    }
  }
}

}  // namespace
}  // namespace tidemark::restore
