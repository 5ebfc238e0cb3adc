// An etcd that breaks off, a store that is down or fails, a spill that is damaged: what was acknowledged is published.
#include <gtest/gtest.h>

#include <thread>

#include "capture/delta.h"
#include "capture/testing/recording.h"
#include "catalog/timeline.h"
#include "store/testing/faulty_store.h"

namespace tidemark::capture {
namespace {

using namespace std::chrono_literals;
using etcd::testing::FakeMember;
using store::testing::MemStore;
using testing::NamedStore;
using testing::Recording;
using testing::wait_until;

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

// A slow store makes the spool grow; the recorder says so, and says when it is over.
TEST_F(Recording, SaysThatASlowStoreIsBehind) {
  const Revision first = etcd_.revision().next();
  auto o = options();
  o.delta_limit = 1000;
  start(o);
  ASSERT_TRUE(has_full());
  store_.slow_ms = 100;
  for (int i = 0; i < 100; i++) etcd_.put("k", std::to_string(i));
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  EXPECT_TRUE(wait_until([&] { return counters_->behind.load(); }));
  EXPECT_FALSE(counters_->blocked);
  store_.slow_ms = 0;
  EXPECT_TRUE(wait_until([&] { return !counters_->behind; }));
  ASSERT_TRUE(stop());
  expect_complete(store_, first);
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
