#include "capture/follower.h"

#include <gtest/gtest.h>

#include "etcd/testing/fake_member.h"

namespace tidemark::capture {
namespace {

using namespace std::chrono_literals;
using etcd::testing::FakeMember;

constexpr ClusterId kCluster{0xC1};

class Following : public ::testing::Test {
 protected:
  // Revisions handed out until nothing comes any more; ends at the first failure, which is kept.
  std::vector<std::int64_t> drain(Follower& follower) {
    std::vector<std::int64_t> seen;
    for (;;) {
      const auto batch = follower.next(1ms);
      if (!batch) {
        failed_ = batch.error().code;
        return seen;
      }
      if (batch->events.empty()) return seen;
      for (const auto& event : batch->events) seen.push_back(event.kv.mod.raw());
    }
  }
  void write(int revisions) {
    for (int i = 0; i < revisions; i++) etcd_.put("k", std::to_string(i));
  }
  FakeMember etcd_;
  std::optional<Errc> failed_;
};

TEST_F(Following, BeginsBehindTheLastAndIsContiguous) {
  write(5);  // 2 to 6
  etcd_.batch_limit(2);
  Follower follower(etcd_, kCluster, Revision(3));
  EXPECT_EQ(drain(follower), (std::vector<std::int64_t>{4, 5, 6}));
  write(2);
  EXPECT_EQ(drain(follower), (std::vector<std::int64_t>{7, 8}));
  EXPECT_EQ(follower.last(), Revision(8));
  EXPECT_EQ(etcd_.watches_opened(), 1);
}

TEST_F(Following, ABrokenStreamGoesOnWithoutRepeating) {
  write(3);
  Follower follower(etcd_, kCluster, Revision(1));
  EXPECT_EQ(drain(follower).size(), 3U);
  etcd_.break_watches();
  write(2);
  EXPECT_TRUE(drain(follower).empty());
  EXPECT_EQ(failed_, Errc::unavailable);
  EXPECT_EQ(drain(follower), (std::vector<std::int64_t>{5, 6}));
}

TEST_F(Following, AHoleIsNeverHandedOut) {
  write(3);
  Follower follower(etcd_, kCluster, Revision(1));
  EXPECT_EQ(drain(follower).size(), 3U);
  etcd_.skip_revision(Revision(6));
  write(4);  // 5 to 8
  EXPECT_TRUE(drain(follower).empty()) << "the batch with the hole is refused whole";
  EXPECT_EQ(failed_, Errc::unavailable);
  EXPECT_EQ(drain(follower), (std::vector<std::int64_t>{5, 6, 7, 8}));
}

TEST_F(Following, TellsWhatWasCompacted) {
  write(9);  // 2 to 10
  etcd_.compact(Revision(7));
  Follower follower(etcd_, kCluster, Revision(4));
  EXPECT_TRUE(drain(follower).empty());
  EXPECT_EQ(failed_, Errc::compacted);
  EXPECT_EQ(follower.compact_revision(), Revision(7));
  follower.skip_to(Revision(7));
  EXPECT_EQ(drain(follower), (std::vector<std::int64_t>{8, 9, 10}));
}

// One revision earlier than it resumes: a compaction that ended right there is seen.
TEST_F(Following, ACompactionAtTheResumePointIsACompaction) {
  write(4);  // 2 to 5
  Follower follower(etcd_, kCluster, Revision(5));
  EXPECT_TRUE(drain(follower).empty());
  write(2);  // 6, 7
  etcd_.compact(Revision(6));
  etcd_.break_watches();
  drain(follower);
  EXPECT_EQ(drain(follower), std::vector<std::int64_t>{});
  EXPECT_EQ(failed_, Errc::compacted);
  EXPECT_EQ(follower.compact_revision(), Revision(6));
}

TEST_F(Following, OtherHistoriesAreConflicts) {
  struct Row {
    const char* what;
    std::function<void(FakeMember&)> change;
    std::optional<Errc> answer;
  };
  const Row rows[] = {
      {"nothing", [](FakeMember& e) { e.break_watches(); }, std::nullopt},
      {"another cluster", [](FakeMember& e) { e.become(ClusterId(9)); }, Errc::conflict},
      {"behind", [](FakeMember& e) { e.turn_back(Revision(4)); }, Errc::conflict},
      {"ahead, with other content",
       [](FakeMember& e) {
         e.turn_back(Revision(4));
         for (int i = 0; i < 9; i++) e.put("other", "x");
       },
       Errc::conflict},
      {"ahead, with the same content up to there",
       [](FakeMember& e) {
         for (int i = 0; i < 9; i++) e.put("k", "x");
         e.break_watches();
       },
       std::nullopt},
      {"our last revision was compacted, its deletion is gone",
       [](FakeMember& e) {
         e.compact(e.revision());
         e.break_watches();
       },
       std::nullopt},
  };
  for (const Row& row : rows) {
    FakeMember etcd;
    for (int i = 0; i < 6; i++) etcd.put("k", std::to_string(i));
    etcd.txn({{"a", "1"}, {"k", "", true}});
    Follower follower(etcd, kCluster, Revision(1));
    while (follower.last() < etcd.revision()) ASSERT_TRUE(follower.next(1ms));
    row.change(etcd);
    std::optional<Errc> answer;
    for (int i = 0; i < 4; i++) {
      const auto batch = follower.next(1ms);
      if (!batch && batch.error().code != Errc::unavailable) answer = batch.error().code;
    }
    EXPECT_EQ(answer, row.answer) << row.what;
  }
}

}  // namespace
}  // namespace tidemark::capture
