// Two recorders on one prefix, both alive, cutting at different points, one of them restarted again and again: the
// store holds every revision once, in one chain.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "base/testing/scale.h"
#include "capture/recorder.h"
#include "capture/testing/recorded.h"
#include "catalog/timeline.h"
#include "etcd/testing/fake_member.h"
#include "store/testing/mem_store.h"
#include "store/testing/stale_store.h"

namespace tidemark::capture {
namespace {

using namespace std::chrono_literals;

struct Side {
  Side(etcd::Member& member, store::ObjectStore& to, std::uint64_t limit) : etcd(member), store(to) {
    options.spool_dir = spool.path();
    options.full_schedule = Schedule::parse("0 0 1 1 *").value();
    options.delta_period = 20ms;
    options.delta_limit = limit;
    options.retry_first = 1ms;
    options.retry_most = 5ms;
    options.watch_wait = 2ms;
    options.gather = 1ms;
    options.drain_within = 20s;
    options.claim_grace = 50ms;
    options.gzip_threads = 1;
  }
  void start() {
    stop_source = std::stop_source();
    thread = std::jthread(
        [this] { ended = Recorder(etcd, store, system_clock(), options, counters).run(stop_source.get_token()); });
  }
  void stop() {
    stop_source.request_stop();
    thread.join();
    ASSERT_TRUE(ended) << ended.error().what;
  }
  io::TempDir spool = io::TempDir::create().value();
  etcd::Member& etcd;
  store::ObjectStore& store;
  RecorderOptions options;
  Counters counters;
  std::stop_source stop_source;
  Status ended;
  std::jthread thread;
};

bool wait_until(const std::function<bool()>& holds) {
  for (int i = 0; i < 10'000; i++) {
    if (holds()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

// The lag of the store's lists; a start of a recorder takes a few milliseconds.
class OneChain : public ::testing::TestWithParam<std::chrono::milliseconds> {};

TEST_P(OneChain, WhoeverIsRestarted) {
  std::mt19937_64 random(tidemark::testing::seed());
  etcd::testing::FakeMember etcd;
  store::testing::MemStore objects;
  store::testing::StaleStore store(objects);
  store.lag(GetParam());
  Side a(etcd, store, 1000), b(etcd, store, 2300);
  a.start();
  b.start();
  for (int round = 0; round < tidemark::testing::scaled(8); round++) {
    for (int i = 0; i < 40; i++) {
      etcd.put("k" + std::to_string(random() % 9), std::string(random() % 200, 'v'));
      if (random() % 8 == 0) std::this_thread::sleep_for(2ms);
      if (random() % 40 == 0) etcd.break_watches();
    }
    Side& restarted = random() % 2 == 0 ? a : b;
    ASSERT_NO_FATAL_FAILURE(restarted.stop());
    restarted.start();
  }
  // What etcd has and neither was sent yet, neither can publish.
  for (const Side* side : {&a, &b}) {
    ASSERT_TRUE(wait_until([&] { return side->counters.acknowledged_revision == etcd.revision().raw(); }));
  }
  a.stop();
  b.stop();
  store.catch_up();
  const auto recorded = testing::read_recorded(store);
  ASSERT_FALSE(recorded.empty());
  EXPECT_EQ(recorded.rbegin()->first, etcd.revision());
  EXPECT_EQ(recorded.size(),
            static_cast<std::size_t>(recorded.rbegin()->first.raw() - recorded.begin()->first.raw() + 1));
  const auto timeline = catalog::read_timeline(store).value();
  EXPECT_EQ(timeline.latest(), etcd.revision());
  EXPECT_TRUE(std::ranges::none_of(timeline.deltas, [](const catalog::Point& p) { return p.stray; }));
  testing::expect_contract(store);
}

INSTANTIATE_TEST_SUITE_P(ListsBehindBy, OneChain, ::testing::Values(0ms, 15ms, 80ms),
                         [](const auto& row) { return fmt::format("{}ms", row.param.count()); });

// An etcd that one of the recorders does not reach for a while.
class Behind final : public etcd::Member {
 public:
  explicit Behind(etcd::Member& inner) : inner_(inner) {}
  std::atomic<bool> cut{false};

  Result<etcd::MemberStatus> status() override { return inner_.status(); }
  Result<Revision> head() override { return inner_.head(); }
  Result<std::unique_ptr<etcd::WatchFeed>> watch(Revision from) override {
    if (cut) return fail(Errc::unavailable, "cut off");
    return inner_.watch(from);
  }
  Result<std::uint64_t> snapshot(io::Sink& into,
                                 const std::function<void(std::uint64_t, std::uint64_t)>& progress) override {
    return inner_.snapshot(into, progress);
  }
  Result<etcd::HashKv> hash_kv(Revision at, const std::stop_token& stop) override { return inner_.hash_kv(at, stop); }
  Result<std::vector<etcd::ClusterMember>> members() override { return inner_.members(); }
  Result<std::vector<etcd::LeaseState>> leases() override { return inner_.leases(); }

 private:
  etcd::Member& inner_;
};

// Compacted underneath one of them only: what the other one published is not missing.
TEST(TwoRecorders, WhatOneMissedTheOtherHas) {
  etcd::testing::FakeMember etcd;
  store::testing::MemStore store;
  Behind far(etcd);
  Side a(far, store, 1000), b(etcd, store, 1000);
  a.start();
  b.start();
  ASSERT_TRUE(wait_until([&] { return a.counters.fulls + b.counters.fulls > 0; }));
  const Revision both = etcd.put("k", "first");
  ASSERT_TRUE(wait_until([&] {
    return a.counters.acknowledged_revision == both.raw() && b.counters.acknowledged_revision == both.raw();
  }));
  far.cut = true;
  etcd.break_watches();
  for (int i = 0; i < 50; i++) etcd.put("k", std::to_string(i));
  ASSERT_TRUE(wait_until([&] { return b.counters.published_revision == etcd.revision().raw(); }));
  etcd.compact(etcd.revision());
  far.cut = false;
  ASSERT_TRUE(wait_until([&] { return a.counters.watch_failures > 0; }));
  etcd.put("k", "last");
  ASSERT_TRUE(wait_until([&] { return a.counters.acknowledged_revision == etcd.revision().raw(); }));
  a.stop();
  b.stop();
  EXPECT_EQ(a.counters.gaps + b.counters.gaps, 0U);
  EXPECT_TRUE(testing::keys(store, "tidemark/gaps/").empty());
  EXPECT_EQ(testing::read_recorded(store).rbegin()->first, etcd.revision());
  EXPECT_EQ(catalog::read_timeline(store)->latest(), etcd.revision());
  testing::expect_contract(store);
}

}  // namespace
}  // namespace tidemark::capture
