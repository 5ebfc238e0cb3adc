// An etcd whose history is not there any more, or is another one than before.
#include <gtest/gtest.h>

#include <thread>

#include "capture/delta.h"
#include "capture/testing/recording.h"
#include "catalog/timeline.h"

namespace tidemark::capture {
namespace {

using namespace std::chrono_literals;
using store::testing::MemStore;
using testing::Recording;
using testing::wait_until;

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

}  // namespace
}  // namespace tidemark::capture
