// The verb on small buckets made here: times, snapshot files, options, directories, and histories compared with a
// plain model in both modes.
#include "restore/etcd.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <thread>

#include "base/rfc3339.h"
#include "base/testing/scale.h"
#include "bolt/testing/sample.h"
#include "bucket/delta.h"
#include "bucket/testing/bucket_fixtures.h"
#include "etcd/hashkv.h"
#include "restore/testing/live_state.h"
#include "store/testing/mem_store.h"

namespace tidemark::restore {
namespace {

const io::Path kSnapshots = io::Path(TM_SOURCE_DIR) / "testdata" / "etcd-snapshots";
const io::Path kControl =
    io::Path(TM_SOURCE_DIR) / "testdata" / "etcd-backup-restore" / "00-control-gz" / "bucket" / "v2";

struct Attempt {
  io::TempDir dir = *io::TempDir::create();
  testing::Listener listener;
  EtcdRestore wish;
  Result<Restored> restored = fail(Errc::cancelled, "not run");

  Attempt() { wish.data_dir = dir.path() / "data"; }
  io::Path database() const { return wish.data_dir / "member" / "snap" / "db"; }
  void from(Origin& origin) {
    Steps steps;
    restored = restore_etcd(wish, origin, listener, system_clock(), steps, {});
  }
};

// ---- one snapshot file

TEST(RestoreFile, PlainSnapshotsOfBothVersions) {
  for (const char* version : {"3.5", "3.6"}) {
    for (const char* name : {"before", "after-compact", "final", "tombstone-head-compacted"}) {
      SCOPED_TRACE(std::string(version) + "/" + name);
      Attempt run;
      const auto origin = file_origin(kSnapshots / version / (std::string(name) + ".db"));
      ASSERT_TRUE(origin);
      run.from(**origin);
      ASSERT_TRUE(run.restored) << run.restored.error().what;
      const auto database = bolt::Reader::open(run.database());
      ASSERT_TRUE(database);
      const auto should = testing::expected_state(kSnapshots / version / (std::string(name) + ".kv.jsonl.gz"));
      EXPECT_EQ(testing::difference(*testing::live_state(*database, run.restored->plan.reach), *should), "");
      EXPECT_EQ(run.listener.plans.size(), 1U) << "one plan, with the revision that is in the file";
      EXPECT_EQ(run.listener.plans[0].reach, run.restored->plan.reach);
    }
  }
}

TEST(RestoreFile, AnEarlierRevisionFromItsOwnHistory) {
  Attempt run;
  run.wish.target = Target::at(Revision(400));
  run.wish.keep_history = true;
  run.wish.bump.kind = RevisionBump::Kind::none;
  const io::Path file = kSnapshots / "3.5" / "before.db";
  const auto origin = file_origin(file);
  run.from(**origin);
  ASSERT_TRUE(run.restored) << run.restored.error().what;
  const auto is = etcd::hash_kv(*bolt::Reader::open(run.database()));
  const std::uint64_t length = *io::size_of_file(file) - 32;
  const auto should = etcd::hash_kv(*bolt::Reader::open(file, length), Revision(400));
  ASSERT_TRUE(is && should);
  EXPECT_EQ(is->hash, should->hash);
  EXPECT_EQ(is->at, Revision(400));
}

TEST(RestoreFile, RefusesWhatIsCompactedAway) {
  Attempt run;
  run.wish.target = Target::at(Revision(200));  // compacted at 300
  const auto origin = file_origin(kSnapshots / "3.5" / "after-compact.db");
  run.from(**origin);
  ASSERT_FALSE(run.restored);
  EXPECT_EQ(run.restored.error().code, Errc::not_found);
  EXPECT_NE(run.restored.error().what.find("from 300 to 605"), std::string::npos) << run.restored.error().what;
  EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir / "member"));
  EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir / ".tidemark-partial"));
}

TEST(RestoreFile, AWrongDigestIsRefused) {
  // As `etcdutl hashkv` leaves a snapshot: a newer transaction number in a meta page, all else as it was.
  Buffer file = *io::read_file(kSnapshots / "3.5" / "before.db", 1U << 20U);
  bolt::testing::edit_meta(file, 1, [](bolt::Meta& meta) { meta.txid += 2; });
  const auto dir = io::TempDir::create();
  ASSERT_TRUE(io::write_file_durably(dir->path() / "before.db", file));
  for (const bool skip : {false, true}) {
    Attempt run;
    run.wish.skip_digest = skip;
    const auto origin = file_origin(dir->path() / "before.db");
    run.from(**origin);
    ASSERT_EQ(run.restored.has_value(), skip);
    if (skip) continue;
    EXPECT_EQ(run.restored.error().code, Errc::corrupt);
    EXPECT_NE(run.restored.error().what.find("sha256"), std::string::npos) << run.restored.error().what;
  }
}

TEST(RestoreFile, CutOrChangedSnapshots) {
  const auto whole = bucket::testing::read_body(kControl / "Full-00000000-00000308-1795246362.gz");
  ASSERT_TRUE(whole);
  std::mt19937_64 random(::tidemark::testing::seed());
  const auto dir = io::TempDir::create();
  const io::Path file = dir->path() / "snapshot.db";
  ASSERT_TRUE(io::write_file_durably(file, *whole));
  {
    Attempt run;
    run.from(**file_origin(file));
    ASSERT_TRUE(run.restored) << run.restored.error().what;
    EXPECT_EQ(run.restored->plan.reach, Revision(308));
  }
  for (int i = 0; i < ::tidemark::testing::scaled(30); ++i) {
    Buffer bytes = *whole;
    if (i % 2 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      bytes[random() % bytes.size()] ^= std::byte{static_cast<unsigned char>(1U << random() % 8)};
    }
    ASSERT_TRUE(io::write_file_durably(file, bytes));
    Attempt run;
    const auto origin = file_origin(file);
    ASSERT_TRUE(origin);
    run.from(**origin);
    ASSERT_FALSE(run.restored) << "round " << i;
    EXPECT_EQ(run.restored.error().code, Errc::corrupt) << run.restored.error().what;
    EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir / "member"));
  }
}

// ---- buckets made here

struct Made {
  std::string key, value;  // value: of a put
  bool deletion = false;
  std::int64_t create = 0, mod = 0, version = 0, lease = 0;
  Time time;
};

// A store of etcd-backup-restore's control fixture's full (revision 308) and deltas of our own behind it.
class Bucket {
 public:
  Bucket() {
    const auto full = io::read_file(kControl / "Full-00000000-00000308-1795246362.gz", 10U << 20U);
    EXPECT_TRUE(store.put("v2/Full-00000000-00000308-1795246362.gz", *full));
  }
  void add_delta(const std::vector<Made>& events, std::int64_t unix_s) {
    io::BufferSink body;
    bucket::DeltaWriter writer(body);
    for (const Made& e : events) {
      EXPECT_TRUE(writer.add({.deletion = e.deletion,
                              .key = as_bytes(e.key),
                              .value = as_bytes(e.value),
                              .create = e.create,
                              .mod = e.mod,
                              .version = e.version,
                              .lease = e.lease,
                              .time = e.time}));
    }
    EXPECT_TRUE(writer.finish());
    const bucket::SnapshotName name{.kind = bucket::Kind::delta,
                                    .span = {Revision(events.front().mod), Revision(events.back().mod)},
                                    .unix_s = unix_s,
                                    .compression = bucket::Compression::none};
    EXPECT_TRUE(store.put(bucket::v2_key(name), body.buffer()));
  }
  store::testing::MemStore store;
};

Made put(std::int64_t mod, Time time, const std::string& key = "k") {
  return {.key = key + std::to_string(mod), .value = "v", .create = mod, .mod = mod, .version = 1, .time = time};
}

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
// arena that spills.
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
