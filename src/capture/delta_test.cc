#include "capture/delta.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/fake_clock.h"
#include "capture/testing/events.h"
#include "capture/testing/recorded.h"
#include "catalog/timeline.h"
#include "store/encrypted_store.h"
#include "store/testing/faulty_store.h"
#include "store/testing/mem_store.h"
#include "store/testing/pausing_store.h"
#include "store/testing/stale_store.h"

namespace tidemark::capture {
namespace {

using namespace std::chrono_literals;
using testing::Events;
using How = DeltaPublished::How;

const Time kNoon{std::chrono::seconds(1'800'000'000)};

// One recorder as far as publishing goes: its own spill, its own name.
struct Desk {
  Desk(store::ObjectStore& store, const Clock& clock, const std::string& name)
      : publisher(store, clock, {name, 1min, 1}) {
    Spill::Options options;
    options.dir = dir.path();
    spill = Spill::open(options).value();
  }
  // A sealed segment of these revisions.
  Segment segment(std::int64_t first, std::int64_t last, std::int64_t unix_s, Time received = kNoon) {
    Events events(first);
    events.revisions(static_cast<int>(last - first + 1));
    EXPECT_TRUE(spill->append(events.all(), received));
    EXPECT_TRUE(spill->seal(unix_s));
    return spill->sealed().back();
  }
  io::TempDir dir = io::TempDir::create().value();
  std::unique_ptr<Spill> spill;
  DeltaPublisher publisher;
};

class DeltaPublishing : public ::testing::Test {
 protected:
  // Every revision of the span, once, in deltas that count; nothing else.
  void expect_chain(std::int64_t first, std::int64_t last, std::size_t objects) {
    const auto recorded = testing::read_recorded(store_);
    ASSERT_EQ(recorded.size(), static_cast<std::size_t>(last - first + 1));
    EXPECT_EQ(recorded.begin()->first.raw(), first);
    EXPECT_EQ(recorded.rbegin()->first.raw(), last);
    for (const auto& [revision, events] : recorded) EXPECT_EQ(events.size(), 1U) << revision.raw();
    EXPECT_EQ(testing::keys(store_, "v2/").size(), objects);
  }

  store::testing::MemStore store_;
  tidemark::testing::FakeClock clock_{kNoon};
};

TEST_F(DeltaPublishing, PutsOneDeltaUnderTheSealedName) {
  Desk a(store_, clock_, "a");
  const auto done = a.publisher.publish(a.segment(5, 9, 1'800'000'001), Revision(0));
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->how, How::mine);
  EXPECT_EQ(done->reached, Revision(9));
  EXPECT_EQ(done->key, "v2/Incr-00000005-00000009-1800000001.gz");
  EXPECT_EQ(testing::keys(store_, "v2/"), std::vector<std::string>{done->key});
  EXPECT_EQ(testing::keys(store_, "tidemark/claims/"),
            std::vector<std::string>{"tidemark/claims/00000000000000000005-000001.json"});
  const auto seek = store_.get(catalog::seek_key(done->key));
  ASSERT_TRUE(seek);
  const auto table = catalog::parse_seek_table(as_text(*seek));
  ASSERT_TRUE(table);
  EXPECT_EQ(table->first_revisions, std::vector<Revision>{Revision(5)});
  expect_chain(5, 9, 1);
}

// The crash may come between any two steps: the second attempt finds what the first one did.
TEST_F(DeltaPublishing, RepeatingDoesNotDouble) {
  Desk a(store_, clock_, "a");
  const Segment segment = a.segment(5, 9, 1'800'000'001);
  ASSERT_TRUE(a.publisher.publish(segment, Revision(0)));
  const auto again = a.publisher.publish(segment, Revision(0));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->how, How::mine);
  EXPECT_EQ(again->events, 0U);
  expect_chain(5, 9, 1);
}

TEST_F(DeltaPublishing, ADamagedObjectOfOursIsPutAgain) {
  Desk a(store_, clock_, "a");
  const Segment segment = a.segment(5, 9, 1'800'000'001);
  const auto first = a.publisher.publish(segment, Revision(0));
  ASSERT_TRUE(first);
  Buffer body = store_.get(first->key).value();
  body[body.size() / 2] ^= std::byte{0x10};
  store_.overwrite(first->key, body);
  ASSERT_TRUE(a.publisher.publish(segment, Revision(0)));
  expect_chain(5, 9, 1);
}

TEST_F(DeltaPublishing, EveryFailingCallIsSurvived) {
  for (const auto when : {store::testing::FaultyStore::When::before, store::testing::FaultyStore::When::after}) {
    for (int n = 1;; n++) {
      store::testing::MemStore inner;
      store::testing::FaultyStore faulty(inner);
      Desk a(faulty, clock_, "a");
      const Segment one = a.segment(5, 9, 1'800'000'001), two = a.segment(10, 12, 1'800'000'002);
      faulty.fail_call(n, Errc::unavailable, when);
      Revision reached{};
      for (const Segment* segment : {&one, &two}) {
        auto done = a.publisher.publish(*segment, reached);
        if (!done) {
          DeltaPublisher reborn(faulty, clock_, {"a", 1min, 1});
          done = reborn.publish(*segment, Revision(0));
        }
        ASSERT_TRUE(done) << n << ": " << done.error().what;
        reached = done->reached;
      }
      const auto recorded = testing::read_recorded(inner);
      EXPECT_EQ(recorded.size(), 8U) << n;
      EXPECT_EQ(testing::keys(inner, "v2/").size(), 2U) << n;
      if (!faulty.fired()) break;
      ASSERT_LT(n, 200);
    }
  }
}

// ---- two recorders

TEST_F(DeltaPublishing, TheSecondRecorderFollowsTheFirst) {
  Desk a(store_, clock_, "a"), b(store_, clock_, "b");
  ASSERT_TRUE(a.publisher.publish(a.segment(5, 9, 1'800'000'001), Revision(4)));
  const auto done = b.publisher.publish(b.segment(5, 7, 1'800'000'003), Revision(4));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->how, How::others);
  EXPECT_EQ(done->whom, "a");
  EXPECT_EQ(done->reached, Revision(9));
  // Its next segment overlaps what a published: only the rest is put.
  const auto next = b.publisher.publish(b.segment(8, 12, 1'800'000'004), done->reached);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->how, How::mine);
  EXPECT_EQ(next->key, "v2/Incr-00000010-00000012-1800000004.gz");
  expect_chain(5, 12, 2);
}

TEST_F(DeltaPublishing, AClaimWithoutObjectIsWaitedForAndThenTakenOver) {
  Desk a(store_, clock_, "a"), b(store_, clock_, "b");
  Claims claims(store_, clock_, "a");
  ASSERT_TRUE(claims.take(Revision(5), 1, "v2/Incr-00000005-00000009-1800000001.gz").value());
  const Segment segment = b.segment(5, 8, 1'800'000'002);
  EXPECT_EQ(b.publisher.publish(segment, Revision(4))->how, How::waiting);
  clock_.advance(59s);
  EXPECT_EQ(b.publisher.publish(segment, Revision(4))->how, How::waiting);
  EXPECT_TRUE(testing::keys(store_, "v2/").empty());
  clock_.advance(2s);
  const auto done = b.publisher.publish(segment, Revision(4));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->how, How::mine);
  // The dead one comes back: what it had is published, what b did not have it goes on with.
  const auto late = a.publisher.publish(a.segment(5, 9, 1'800'000'001), Revision(4));
  ASSERT_TRUE(late);
  EXPECT_EQ(late->reached, Revision(9));
  EXPECT_EQ(late->key, "v2/Incr-00000009-00000009-1800000001.gz");
  expect_chain(5, 9, 2);
}

// a has claimed and stands still with its object ready; b takes over and goes on; a wakes and puts. The lists may show
// nothing of it all: an hour later they still are as they were.
struct Late {
  std::int64_t last_of_b;  // a has 5 to 9
  bool stale_lists;
};
class LateLoser : public DeltaPublishing, public ::testing::WithParamInterface<Late> {};

TEST_P(LateLoser, MisleadsNobody) {
  const std::int64_t last_of_b = GetParam().last_of_b;
  store::testing::StaleStore lists(store_);
  if (GetParam().stale_lists) lists.lag(1h);
  store::testing::PausingStore slow(lists);
  Desk a(slow, clock_, "a"), b(lists, clock_, "b");
  const Segment of_a = a.segment(5, 9, 1'800'000'001), of_b = b.segment(5, last_of_b, 1'800'000'002);
  slow.pause_next("v2/");
  Result<DeltaPublished> late = fail(Errc::io, "not run");
  {
    std::jthread sleeper([&] { late = a.publisher.publish(of_a, Revision(4)); });
    ASSERT_TRUE(slow.wait_until_paused());
    EXPECT_EQ(b.publisher.publish(of_b, Revision(4))->how, How::waiting);
    clock_.advance(2min);
    const auto taken = b.publisher.publish(of_b, Revision(4));
    ASSERT_TRUE(taken) << taken.error().what;
    EXPECT_EQ(taken->how, How::mine);
    expect_chain(5, last_of_b, 1);
    slow.release();
  }
  ASSERT_TRUE(late) << late.error().what;
  EXPECT_EQ(late->reached.raw(), std::max<std::int64_t>(9, last_of_b));
  EXPECT_EQ(late->removed_strays, std::vector<std::string>{"v2/Incr-00000005-00000009-1800000001.gz"});
  EXPECT_TRUE(late->left_strays.empty());
  expect_chain(5, std::max<std::int64_t>(9, last_of_b), last_of_b < 9 ? 2 : 1);
  // b goes on behind whatever counts.
  const auto next = b.publisher.publish(b.segment(last_of_b + 1, 20, 1'800'000'003), Revision(last_of_b));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->reached, Revision(20));
  expect_chain(5, 20, last_of_b < 9 ? 3 : 2);
}

INSTANTIATE_TEST_SUITE_P(ShorterEqualLonger, LateLoser,
                         ::testing::Values(Late{5, false}, Late{7, false}, Late{9, false}, Late{12, false},
                                           Late{5, true}, Late{7, true}, Late{9, true}, Late{12, true}),
                         [](const auto& row) {
                           return fmt::format("{}{}", row.param.last_of_b, row.param.stale_lists ? "_stale_lists" : "");
                         });

TEST_F(DeltaPublishing, AClaimThatNoListShowsIsSeen) {
  Claims of_b(store_, clock_, "b");
  ASSERT_TRUE(of_b.take(Revision(5), 1, "v2/Incr-00000005-00000007-1800000002.gz").value());
  store::testing::StaleStore lists(store_);
  lists.lag(1h);
  Claims of_a(lists, clock_, "a");
  ASSERT_TRUE(of_a.take(Revision(5), 2, "v2/Incr-00000005-00000009-1800000001.gz").value());
  const auto seen = of_a.of(Revision(5));
  ASSERT_TRUE(seen) << seen.error().what;
  ASSERT_EQ(seen->size(), 2U);
  EXPECT_EQ(seen->back().recorder, "a");
  EXPECT_TRUE(of_a.of(Revision(6)).value().empty());
}

// A name may say any number: it is not a number of questions.
TEST_F(DeltaPublishing, AClaimOfAFarEpochIsSoonRead) {
  Claims claims(store_, clock_, "b");
  for (const std::uint32_t epoch : {1U, 2U, 900'000U}) {
    ASSERT_TRUE(claims.take(Revision(5), epoch, "v2/Incr-00000005-00000007-1800000002.gz").value());
  }
  store::testing::FaultyStore counted(store_);
  const auto seen = Claims(counted, clock_, "a").of(Revision(5));
  ASSERT_TRUE(seen) << seen.error().what;
  ASSERT_EQ(seen->size(), 3U);
  EXPECT_EQ(seen->back().epoch, 900'000U);
  EXPECT_LT(counted.calls(), 100);
}

// Both sealed the same revisions in the same second, so both deltas have one name; what is in them differs in its
// times.
class SameName : public ::testing::TestWithParam<bool> {};

TEST_P(SameName, TheLoserDoesNotCallItItsOwn) {
  const bool encrypted = GetParam();  // nobody here can read what is there
  tidemark::testing::FakeClock clock{kNoon};
  std::unique_ptr<store::ObjectStore> store = std::make_unique<store::testing::MemStore>();
  if (encrypted) {
    store = store::EncryptedStore::open(std::move(store), {{age::Identity::generate().recipient()}, {}}).value();
  }
  store::testing::PausingStore slow(*store);
  Desk a(slow, clock, "a"), b(*store, clock, "b");
  const Segment of_a = a.segment(5, 9, 1'800'000'001), of_b = b.segment(5, 9, 1'800'000'001, kNoon + 7ms);
  slow.pause_next("v2/");
  Result<DeltaPublished> late = fail(Errc::io, "not run");
  {
    std::jthread sleeper([&] { late = a.publisher.publish(of_a, Revision(4)); });
    ASSERT_TRUE(slow.wait_until_paused());
    const auto taken = b.publisher.publish(of_b, Revision(4));
    ASSERT_TRUE(taken) << taken.error().what;
    EXPECT_EQ(taken->how, How::mine);
    slow.release();
  }
  ASSERT_TRUE(late) << late.error().what;
  EXPECT_EQ(late->how, How::others);
  EXPECT_EQ(late->reached, Revision(9));
  EXPECT_EQ(late->events, 0U);
  EXPECT_TRUE(late->removed_strays.empty());
  EXPECT_EQ(testing::keys(*store, "v2/").size(), 1U);
  // Later lives of both tell them apart too: by what is in it, or by its size where they cannot read it.
  DeltaPublisher reborn_a(*store, clock, {"a", 1min, 1}), reborn_b(*store, clock, {"b", 1min, 1});
  EXPECT_EQ(reborn_a.publish(of_a, Revision(4))->how, How::others);
  EXPECT_EQ(reborn_b.publish(of_b, Revision(4))->how, How::mine);
}

INSTANTIATE_TEST_SUITE_P(OpenAndEncrypted, SameName, ::testing::Bool());

// The taker pauses instead, after it saw nothing of a: a wakes, publishes and takes its start back.
TEST_F(DeltaPublishing, ALateTakerMisleadsNobody) {
  store::testing::PausingStore slow(store_);
  Desk a(store_, clock_, "a"), b(slow, clock_, "b");
  Claims of_dead_a(store_, clock_, "a");
  ASSERT_TRUE(of_dead_a.take(Revision(5), 1, "v2/Incr-00000005-00000009-1800000001.gz").value());
  const Segment of_b = b.segment(5, 7, 1'800'000'002);
  EXPECT_EQ(b.publisher.publish(of_b, Revision(4))->how, How::waiting);
  clock_.advance(2min);
  slow.pause_next("v2/");
  Result<DeltaPublished> late = fail(Errc::io, "not run");
  {
    std::jthread sleeper([&] { late = b.publisher.publish(of_b, Revision(4)); });
    ASSERT_TRUE(slow.wait_until_paused());
    // a is back: b's claim is above its own and has no object yet.
    const Segment of_a = a.segment(5, 9, 1'800'000'001);
    EXPECT_EQ(a.publisher.publish(of_a, Revision(4))->how, How::waiting);
    clock_.advance(2min);
    const auto mine = a.publisher.publish(of_a, Revision(4));
    ASSERT_TRUE(mine) << mine.error().what;
    EXPECT_EQ(mine->how, How::mine);
    slow.release();
  }
  ASSERT_TRUE(late) << late.error().what;
  EXPECT_EQ(late->how, How::others);
  EXPECT_EQ(late->removed_strays.size(), 1U);
  expect_chain(5, 9, 1);
}

// The claim is taken over, but the object it waited for arrives before the taker looks: it is adopted.
TEST_F(DeltaPublishing, AnObjectThatArrivedIsAdopted) {
  Desk a(store_, clock_, "a"), b(store_, clock_, "b");
  ASSERT_TRUE(a.publisher.publish(a.segment(5, 9, 1'800'000'001), Revision(4)));
  Claims of_b(store_, clock_, "b");  // b died right after its claim
  ASSERT_TRUE(of_b.take(Revision(5), 2, "v2/Incr-00000005-00000007-1800000002.gz").value());
  const auto done = b.publisher.publish(b.segment(5, 7, 1'800'000'002), Revision(4));
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->how, How::others);
  EXPECT_EQ(done->reached, Revision(9));
  expect_chain(5, 9, 1);
}

TEST_F(DeltaPublishing, WhatAnotherRecorderHadToGiveUpIsPublishedByWhoHasIt) {
  catalog::GapRecord gap;
  gap.span = {Revision(5), Revision(7)};
  gap.reason = "etcd compacted it";
  ASSERT_TRUE(store_.put(catalog::gap_key(gap.span), as_bytes(catalog::print_sidecar(gap))));
  Desk a(store_, clock_, "a"), b(store_, clock_, "b");
  ASSERT_TRUE(a.publisher.publish(a.segment(8, 12, 1'800'000'001), Revision(7)));
  const auto done = b.publisher.publish(b.segment(5, 10, 1'800'000'002), Revision(4));
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->reached, Revision(12));
  expect_chain(5, 12, 2);
  EXPECT_TRUE(testing::keys(store_, "tidemark/gaps/").empty());
}

TEST_F(DeltaPublishing, RefusesClaimsThatMakeNoSense) {
  for (const char* object : {"v2/Full-00000000-00000009-1800000001.gz", "v2/Incr-00000006-00000009-1800000001.gz",
                             "tidemark/lineage.json", "x"}) {
    store::testing::MemStore store;
    Claims claims(store, clock_, "a");
    ASSERT_TRUE(claims.take(Revision(5), 1, object).value());
    Desk b(store, clock_, "b");
    const auto done = b.publisher.publish(b.segment(5, 9, 1'800'000'002), Revision(4));
    ASSERT_FALSE(done) << object;
    EXPECT_EQ(done.error().code, Errc::corrupt) << object;
  }
}

}  // namespace
}  // namespace tidemark::capture
