// The whole recorder against an etcd that does what the test says.
#include "capture/recorder.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/fake_clock.h"
#include "capture/delta.h"
#include "capture/testing/recorded.h"
#include "catalog/timeline.h"
#include "etcd/testing/fake_member.h"
#include "store/testing/faulty_store.h"
#include "store/testing/mem_store.h"

namespace tidemark::capture {
namespace {

using namespace std::chrono_literals;
using etcd::testing::FakeMember;
using store::testing::MemStore;

// A name of a lineage's store in memory, so that neighbours can be opened.
class NamedStore final : public store::ObjectStore {
 public:
  NamedStore(store::ObjectStore& inner, std::string url) : inner_(inner), url_(std::move(url)) {}
  Result<std::unique_ptr<store::ObjectWriter>> create(std::string_view key) override {
    if (down) return fail(Errc::unavailable, "store is down");
    return inner_.create(key);
  }
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset, std::uint64_t length) override {
    return inner_.open(key, offset, length);
  }
  Result<store::ObjectInfo> stat(std::string_view key) override { return inner_.stat(key); }
  Result<std::vector<store::ObjectInfo>> list(std::string_view prefix) override { return inner_.list(prefix); }
  Status remove(std::string_view key) override { return inner_.remove(key); }
  bool read_only() const override { return false; }
  std::string url() const override { return url_; }
  std::atomic<bool> down{false};  // takes nothing

 private:
  store::ObjectStore& inner_;
  const std::string url_;
};

bool wait_until(const std::function<bool()>& holds, std::chrono::seconds most = 30s) {
  for (const auto end = std::chrono::steady_clock::now() + most; std::chrono::steady_clock::now() < end;) {
    if (holds()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

class Recording : public ::testing::Test {
 protected:
  RecorderOptions options() {
    RecorderOptions o;
    o.spool_dir = spool_.path();
    o.full_schedule = Schedule::parse("0 0 * * *").value();
    o.delta_period = 1h;
    o.retry_first = 1ms;
    o.retry_most = 5ms;
    o.watch_wait = 5ms;
    o.drain_within = 20s;
    o.gzip_threads = 1;
    o.open_store = [this](const std::string& url) -> Result<std::unique_ptr<store::ObjectStore>> {
      return std::make_unique<NamedStore>(others_[url], url);
    };
    return o;
  }
  void start(RecorderOptions o) {
    counters_ = std::make_unique<Counters>();
    recorder_ = std::make_unique<Recorder>(etcd_, store_, system_clock(), std::move(o), *counters_);
    stop_ = std::stop_source();
    thread_ = std::jthread([this] { ended_ = recorder_->run(stop_.get_token()); });
  }
  void start() { start(options()); }
  Status stop() {
    stop_.request_stop();
    thread_.join();
    return ended_;
  }
  bool acknowledged(Revision revision) {
    return wait_until([&] { return counters_->acknowledged_revision >= revision.raw(); });
  }
  bool has_full() {
    return wait_until([&] { return counters_->fulls > 0; });
  }
  // Everything etcd ever said from `first` on is in the store, once.
  void expect_complete(store::ObjectStore& store, Revision first) {
    const auto recorded = testing::read_recorded(store);
    for (Revision at = first; at <= etcd_.revision(); at = at.next()) {
      EXPECT_EQ(recorded.count(at), 1U) << "revision " << at.raw();
    }
    if (!recorded.empty()) {
      EXPECT_EQ(recorded.begin()->first, first);
    }
    testing::expect_contract(store);
  }

  io::TempDir spool_ = io::TempDir::create().value();
  FakeMember etcd_;
  MemStore memory_;
  NamedStore store_{memory_, "dir:/backups/prod"};
  std::map<std::string, MemStore> others_;
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<Recorder> recorder_;
  std::stop_source stop_;
  std::jthread thread_;
  Status ended_;
};

TEST_F(Recording, FullAndDeltasInOneChain) {
  for (int i = 0; i < 10; i++) etcd_.put("before", std::to_string(i));
  const Revision first = etcd_.revision().next();
  start();
  ASSERT_TRUE(has_full());
  Revision last;
  for (int i = 0; i < 50; i++) last = etcd_.put("k" + std::to_string(i % 7), std::to_string(i));
  etcd_.del("k3");
  last = etcd_.txn({{"a", "1"}, {"b", ""}, {"k1", "", true}});
  ASSERT_TRUE(acknowledged(last));
  const auto ended = stop();
  ASSERT_TRUE(ended) << ended.error().what;
  expect_complete(store_, first);
  const auto recorded = testing::read_recorded(store_);
  EXPECT_EQ(recorded.at(last), (std::vector<std::string>{"put a=1", "put b=", "del k1"}));
  const auto timeline = catalog::read_timeline(store_).value();
  EXPECT_EQ(timeline.latest(), last);
  EXPECT_EQ(timeline.deltas.size(), 1U) << "cut only at the end";
  EXPECT_FALSE(testing::keys(store_, "tidemark/state/Full").empty());
  EXPECT_FALSE(testing::keys(store_, "tidemark/seek/").empty());
}

// Fulls are taken while the watch runs: what is written meanwhile is in the deltas all the same.
TEST_F(Recording, TheChainIsContiguousAcrossFulls) {
  etcd_.put("x", "1");
  const Revision first = etcd_.revision().next();
  int taken = 0;
  etcd_.before_snapshot([&] {
    for (int i = 0; i < 5; i++) etcd_.put("during", std::to_string(taken * 10 + i));
    taken++;
  });
  auto o = options();
  o.delta_limit = 600;  // many small deltas
  start(o);
  ASSERT_TRUE(has_full());
  for (int i = 0; i < 20; i++) etcd_.put("after", std::to_string(i));
  etcd_.txn({{"big", std::string(3'000'000, 'x')}});  // etcd-backup-restore cannot replay it: a full follows
  ASSERT_TRUE(wait_until([&] { return counters_->fulls >= 2; }));
  for (int i = 0; i < 20; i++) etcd_.put("after", std::to_string(i));
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  ASSERT_TRUE(stop());
  expect_complete(store_, first);
  const auto timeline = catalog::read_timeline(store_).value();
  EXPECT_GT(timeline.deltas.size(), 10U);
  EXPECT_GE(timeline.fulls.size(), 2U);
  EXPECT_EQ(timeline.latest(), etcd_.revision());
}

TEST_F(Recording, GoesOnAfterARestartWhereItEnded) {
  const Revision first = etcd_.revision().next();
  for (int round = 0; round < 4; round++) {
    start();
    ASSERT_TRUE(wait_until([&] { return counters_->fulls > 0 || round > 0; }));
    for (int i = 0; i < 5; i++) etcd_.put("k", std::to_string(i));
    ASSERT_TRUE(acknowledged(etcd_.revision()));
    ASSERT_TRUE(stop());
    etcd_.put("while", "down");
  }
  start();
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  ASSERT_TRUE(stop());
  expect_complete(store_, first);
  EXPECT_EQ(catalog::read_timeline(store_)->fulls.size(), 1U) << "the schedule has not come round";
}

TEST_F(Recording, NothingIsWrittenWhenNothingHappens) {
  etcd_.put("x", "1");
  start();
  ASSERT_TRUE(has_full());
  ASSERT_TRUE(stop());
  EXPECT_TRUE(catalog::read_timeline(store_)->deltas.empty());
  start();
  ASSERT_TRUE(wait_until([&] { return etcd_.watches_opened() >= 2; }));
  ASSERT_TRUE(stop());
  EXPECT_EQ(testing::keys(store_, "v2/").size(), 1U);
}

TEST_F(Recording, BrokenWatchesHolesAndOutagesLoseNothing) {
  const Revision first = etcd_.revision().next();
  start();
  ASSERT_TRUE(has_full());  // from here on it follows
  for (int i = 0; i < 60; i++) {
    if (i % 10 == 3) etcd_.break_watches();
    if (i % 10 == 5) etcd_.skip_revision(etcd_.revision().next().next());
    if (i % 20 == 7) etcd_.set_unavailable(true);
    if (i % 20 == 9) etcd_.set_unavailable(false);
    etcd_.put("k", std::to_string(i));
    if (i % 10 == 6) std::this_thread::sleep_for(5ms);
  }
  etcd_.set_unavailable(false);
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  ASSERT_TRUE(stop());
  expect_complete(store_, first);
}

TEST_F(Recording, CompactedUnderneathIsOneGapThatAFullCloses) {
  const Revision first = etcd_.revision().next();
  start();
  ASSERT_TRUE(has_full());
  for (int i = 0; i < 10; i++) etcd_.put("k", std::to_string(i));
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  const Revision kept = etcd_.revision();
  ASSERT_TRUE(stop());
  for (int i = 0; i < 30; i++) etcd_.put("lost", std::to_string(i));
  etcd_.del("lost");
  const Revision compacted = etcd_.revision();
  etcd_.compact(compacted);
  for (int i = 0; i < 5; i++) etcd_.put("later", std::to_string(i));
  start();
  ASSERT_TRUE(has_full());
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  etcd_.put("last", "1");
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  ASSERT_TRUE(stop());
  const auto gaps = read_gaps(store_).value();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].span, (RevisionSpan{kept.next(), compacted}));
  const auto recorded = testing::read_recorded(store_);
  for (Revision at = first; at <= etcd_.revision(); at = at.next()) {
    EXPECT_EQ(recorded.contains(at), !gaps[0].span.contains(at)) << at.raw();
  }
  testing::expect_contract(store_);
  EXPECT_EQ(catalog::read_timeline(store_)->latest(), etcd_.revision());
}

// A compaction that ends exactly at the revision we would resume from has removed its tombstones: half a revision.
TEST_F(Recording, NeverTakesHalfACompactedRevision) {
  start();
  ASSERT_TRUE(has_full());
  etcd_.put("gone", "1");
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  ASSERT_TRUE(stop());
  const Revision half = etcd_.txn({{"kept", "1"}, {"gone", "", true}});
  etcd_.compact(half);
  etcd_.put("later", "1");
  start();
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  ASSERT_TRUE(wait_until([&] { return counters_->full_revision >= half.raw(); }));
  ASSERT_TRUE(stop());
  const auto gaps = read_gaps(store_).value();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].span, (RevisionSpan{half, half}));
  EXPECT_FALSE(testing::read_recorded(store_).contains(half));
}

class TurnedBack : public Recording, public ::testing::WithParamInterface<std::pair<int, bool>> {};

// An etcd restored from an older backup gets a prefix of its own, whether the recorder was running or not, and whether
// its revision is still behind or has grown past what was recorded.
TEST_P(TurnedBack, BeginsALineageOfItsOwn) {
  const auto [which, live] = GetParam();
  const auto turn = [&] {
    const Revision was = etcd_.revision();
    if (which == 1) return etcd_.become(ClusterId(0xC2));
    etcd_.set_unavailable(true);
    etcd_.turn_back(Revision(was.raw() - 6));
    for (int i = 0; i < (which == 0 ? 2 : 20); i++) etcd_.put("other", std::to_string(i));
    etcd_.set_unavailable(false);
  };
  const Revision first = etcd_.revision().next();
  start();
  ASSERT_TRUE(has_full());
  for (int i = 0; i < 12; i++) etcd_.put("k", std::to_string(i));
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  const Revision before = etcd_.revision();
  if (!live) {
    ASSERT_TRUE(stop());
    turn();
    start();
  } else {
    turn();
  }
  ASSERT_TRUE(wait_until([&] { return counters_->turns == 1; }));
  ASSERT_TRUE(wait_until([&] { return counters_->fulls > (live ? 1U : 0U); }));
  etcd_.put("new", "1");
  ASSERT_TRUE(wait_until([&] { return counters_->acknowledged_revision == etcd_.revision().raw(); }));
  ASSERT_TRUE(stop());
  // The first lineage ends where it ended, whole.
  const auto old = testing::read_recorded(store_);
  EXPECT_EQ(old.begin()->first, first);
  EXPECT_EQ(old.rbegin()->first, before);
  EXPECT_EQ(old.size(), 12U);
  testing::expect_contract(store_);
  // The second has a full and goes on from there.
  ASSERT_EQ(others_.size(), 1U);
  EXPECT_EQ(others_.begin()->first, "dir:/backups/lineage-2.prod");
  MemStore& fresh = others_.begin()->second;
  const auto timeline = catalog::read_timeline(fresh).value();
  EXPECT_EQ(timeline.fulls.size(), 1U);
  EXPECT_EQ(timeline.latest(), etcd_.revision());
  testing::expect_contract(fresh);
  // And a restart finds it again, without a third.
  start();
  etcd_.put("again", "1");
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  ASSERT_TRUE(stop());
  EXPECT_EQ(others_.size(), 1U);
  EXPECT_EQ(catalog::read_timeline(fresh)->latest(), etcd_.revision());
}

INSTANTIATE_TEST_SUITE_P(All, TurnedBack,
                         ::testing::Values(std::pair(0, true), std::pair(0, false), std::pair(1, true),
                                           std::pair(1, false), std::pair(2, true)));

TEST_F(Recording, ADamagedSnapshotIsNeverPublished) {
  for (int i = 0; i < 200; i++) etcd_.put("k" + std::to_string(i), std::string(100, 'v'));
  etcd_.damage_next_snapshot();
  start();
  ASSERT_TRUE(has_full());
  EXPECT_GE(counters_->full_failures, 1U);
  ASSERT_TRUE(stop());
  EXPECT_EQ(catalog::read_timeline(store_)->fulls.size(), 1U);
  testing::expect_contract(store_);
}

class WithAStoreThatIsDown : public Recording {
 protected:
  // Some deltas' worth of events in the spill, and none of it in the store. Returns the first revision.
  Revision leave_in_the_spill() {
    const Revision first = etcd_.revision().next();
    auto o = options();
    o.drain_within = 0s;
    o.delta_limit = 1000;
    start(o);
    EXPECT_TRUE(has_full());
    store_.down = true;
    for (int i = 0; i < 40; i++) etcd_.put("k", std::to_string(i));
    EXPECT_TRUE(acknowledged(etcd_.revision()));
    const auto ended = stop();
    EXPECT_FALSE(ended);
    EXPECT_EQ(ended.error().code, Errc::timeout);
    EXPECT_NE(ended.error().hint.find("--spool-dir"), std::string::npos);
    store_.down = false;
    EXPECT_TRUE(testing::keys(store_, "v2/Incr").empty());
    return first;
  }
  std::vector<io::Path> segments() {
    std::vector<io::Path> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(spool_.path())) {
      if (entry.path().extension() == ".segment") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
};

TEST_F(WithAStoreThatIsDown, WhatIsSpilledIsPublishedByTheNextStart) {
  const Revision first = leave_in_the_spill();
  EXPECT_GT(segments().size(), 3U);
  etcd_.compact(etcd_.revision());  // so that only the spill has it
  start();
  ASSERT_TRUE(wait_until([&] { return segments().empty(); }));
  ASSERT_TRUE(stop());
  EXPECT_TRUE(read_gaps(store_)->empty());
  expect_complete(store_, first);
}

TEST_F(WithAStoreThatIsDown, DamageInTheSpillIsFetchedAgain) {
  const Revision first = leave_in_the_spill();
  const io::Path damaged = segments().at(1);
  Buffer bytes = io::read_file(damaged, 1UL << 20U).value();
  bytes[bytes.size() / 2] ^= std::byte{4};
  std::filesystem::remove(damaged);
  ASSERT_TRUE(io::write_file_durably(damaged, bytes));
  start();
  ASSERT_TRUE(wait_until([&] { return segments().empty(); }));
  ASSERT_TRUE(stop());
  EXPECT_TRUE(read_gaps(store_)->empty());
  expect_complete(store_, first);
}

// Etcd cannot give back what was damaged: then that, and only that, is a gap.
TEST_F(WithAStoreThatIsDown, DamageThatEtcdHasCompactedIsAGap) {
  const Revision first = leave_in_the_spill();
  const io::Path damaged = segments().at(1);
  ASSERT_TRUE(io::write_file_durably(damaged, as_bytes("no segment at all, but as long as one's header is")));
  etcd_.compact(etcd_.revision());
  start();
  ASSERT_TRUE(wait_until([&] { return segments().empty(); }));
  ASSERT_TRUE(wait_until([&] { return counters_->fulls == 1; }));
  ASSERT_TRUE(stop());
  const auto gaps = read_gaps(store_).value();
  ASSERT_EQ(gaps.size(), 1U);
  const auto recorded = testing::read_recorded(store_);
  for (Revision at = first; at <= etcd_.revision(); at = at.next()) {
    EXPECT_EQ(recorded.contains(at), !gaps[0].span.contains(at)) << at.raw();
  }
  EXPECT_LT(gaps[0].span.last.raw() - gaps[0].span.first.raw(), 10);
}

TEST_F(Recording, OnceDeltaTakesWhatIsThereAndEnds) {
  etcd_.put("x", "0");
  const Revision first = etcd_.revision().next();
  Counters counters;
  for (int round = 0; round < 3; round++) {
    Recorder recorder(etcd_, store_, system_clock(), options(), counters);
    const auto done = recorder.once_delta({});
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(catalog::read_timeline(store_)->latest(), etcd_.revision());
    for (int i = 0; i < 5; i++) etcd_.put("k", std::to_string(i));
  }
  Recorder recorder(etcd_, store_, system_clock(), options(), counters);
  ASSERT_TRUE(recorder.once_delta({}));
  ASSERT_TRUE(recorder.once_full({}));
  expect_complete(store_, first);
  EXPECT_EQ(catalog::read_timeline(store_)->fulls.size(), 2U);
  EXPECT_EQ(catalog::read_timeline(store_)->deltas.size(), 3U);
}

TEST_F(Recording, RefusesAnotherProgramsBucket) {
  ASSERT_TRUE(store_.put("v2/Full-00000000-00000009-1800000000.gz", as_bytes("x")));
  Counters counters;
  Recorder recorder(etcd_, store_, system_clock(), options(), counters);
  const auto done = recorder.once_full({});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_NE(done.error().what.find("another program"), std::string::npos);
}

TEST_F(Recording, CutsByPeriodOfASteadyClock) {
  tidemark::testing::FakeClock clock(Time(std::chrono::seconds(1'800'000'000)));
  Counters counters;
  auto o = options();
  o.delta_period = 5min;
  o.drain_within = 1h;  // the fake clock does not move by itself
  Recorder recorder(etcd_, store_, clock, o, counters);
  std::stop_source stop;
  Status ended;
  std::jthread thread([&] { ended = recorder.run(stop.get_token()); });
  ASSERT_TRUE(wait_until([&] { return counters.fulls == 1; }));
  const Revision one = etcd_.put("k", "1");
  ASSERT_TRUE(wait_until([&] { return counters.acknowledged_revision == one.raw(); }));
  clock.advance(4min);
  std::this_thread::sleep_for(30ms);
  EXPECT_EQ(counters.deltas, 0U);
  clock.jump_wall(-1h);  // set back: told, and names do not go back with it
  clock.advance(1min);
  ASSERT_TRUE(wait_until([&] { return counters.deltas == 1; }));
  EXPECT_EQ(counters.clock_jumps, 1U);
  const Revision two = etcd_.put("k", "2");
  ASSERT_TRUE(wait_until([&] { return counters.acknowledged_revision == two.raw(); }));
  clock.advance(5min);
  ASSERT_TRUE(wait_until([&] { return counters.deltas == 2; }));
  clock.advance(24h);  // a full is due
  ASSERT_TRUE(wait_until([&] { return counters.fulls == 2; }));
  stop.request_stop();
  thread.join();
  ASSERT_TRUE(ended);
  const auto timeline = catalog::read_timeline(store_).value();
  ASSERT_EQ(timeline.deltas.size(), 2U);
  EXPECT_LE(timeline.deltas[0].name.unix_s, timeline.deltas[1].name.unix_s);
  EXPECT_GE(timeline.deltas[0].name.unix_s, timeline.fulls[0].name.unix_s);
  testing::expect_contract(store_);
}

// The store fails at every call in turn, with a restart after it: nothing is lost and nothing is there twice.
TEST_F(Recording, SurvivesAStoreThatFailsAtAnyCall) {
  for (int n = 1; n < 200; n += 3) {
    FakeMember etcd;
    MemStore memory;
    NamedStore named(memory, "dir:/backups/prod");
    store::testing::FaultyStore faulty(named);
    const auto spool = io::TempDir::create().value();
    auto o = options();
    o.spool_dir = spool.path();
    const Revision first = etcd.revision().next();
    faulty.fail_call(n, Errc::unavailable,
                     n % 2 == 0 ? store::testing::FaultyStore::When::after : store::testing::FaultyStore::When::before);
    bool fired = false;
    for (int round = 0; round < 3; round++) {
      Counters counters;
      Recorder recorder(etcd, faulty, system_clock(), o, counters);
      // A call that fails may end the verb; the next run makes up for it.
      const auto done = recorder.once_delta({});
      EXPECT_TRUE(done || faulty.fired()) << n << ": " << done.error().what;
      fired = faulty.fired();
      for (int i = 0; i < 3; i++) etcd.put("k", std::to_string(i));
    }
    Counters counters;
    Recorder recorder(etcd, faulty, system_clock(), o, counters);
    auto done = recorder.once_delta({});
    if (!done) done = recorder.once_delta({});
    ASSERT_TRUE(done) << n << ": " << done.error().what;
    const auto recorded = testing::read_recorded(named);
    EXPECT_EQ(recorded.size(), static_cast<std::size_t>(etcd.revision().raw() - first.raw() + 1)) << n;
    testing::expect_contract(named);
    if (!fired && !faulty.fired()) break;
  }
}

}  // namespace
}  // namespace tidemark::capture
