#include "capture/recorder.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/fake_clock.h"
#include "capture/delta.h"
#include "capture/testing/recording.h"
#include "catalog/timeline.h"

namespace tidemark::capture {
namespace {

using namespace std::chrono_literals;
using testing::Recording;
using testing::wait_until;

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

// What comes within `gather` costs one fsync, not one for each of etcd's answers.
TEST_F(Recording, WhatComesTogetherIsOneWrite) {
  struct Fsyncs : Steps {
    void about_to(std::string_view action) override { count += action == "fsync a segment" ? 1 : 0; }
    std::atomic<int> count{0};
  } fsyncs;
  auto o = options();
  o.steps = &fsyncs;
  o.gather = 3s;
  start(o);
  ASSERT_TRUE(has_full());
  const int before = fsyncs.count;
  for (int i = 0; i < 20; i++) {
    etcd_.put("k", std::to_string(i));
    std::this_thread::sleep_for(2ms);
  }
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  EXPECT_LE(fsyncs.count - before, 3);
  ASSERT_TRUE(stop());
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

// The full is published by then; what the member has not answered is left out of its state.
TEST_F(Recording, WhoIsToStopWaitsForNoHash) {
  etcd_.put("x", "1");
  etcd_.hold_hashes();
  start();
  ASSERT_TRUE(wait_until([&] { return !catalog::read_timeline(store_)->fulls.empty(); }));
  ASSERT_TRUE(stop());
  EXPECT_EQ(etcd_.hashes_cancelled(), 1);
  testing::expect_contract(store_);
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

}  // namespace
}  // namespace tidemark::capture
