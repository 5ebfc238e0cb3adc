// Who may run: the numbers, the lock, and what is written down.
#include "live/undo_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "catalog/sidecar_fields.h"
#include "store/testing/mem_store.h"

namespace tidemark::live {
namespace {

using nlohmann::json;
using store::testing::MemStore;
using ::testing::HasSubstr;

constexpr Time kThen = Time(std::chrono::seconds(1'795'246'362));

Step step_of(const std::string& name) {
  return {.action = Action::change,
          .wave = 7,
          .kind = {.group = "apps",
                   .version = "v1",
                   .resource = "deployments",
                   .singular = "",
                   .kind = "Deployment",
                   .namespaced = true,
                   .verbs = {"get", "update"},
                   .subresources = {"status"}},
          .name_space = "shop",
          .name = name,
          .merge = true,
          .body = {{"spec", {{"replicas", 3}}}},
          .status = {{"replicas", 2}},
          .before = {{"metadata", {{"uid", "u"}}}},
          .owners = {"deployments.apps shop/of"}};
}

UndoBegin begin_of(std::uint32_t undoes = 0) {
  return {.number = 0,
          .undoes = undoes,
          .what = "restore -n shop",
          .cluster = "c",
          .runner = {.host = "nowhere", .pid = 1, .started = 2},
          .created = kThen,
          .existing = Existing::merge,
          .status = true,
          .steps = {step_of("web"), step_of("db")}};
}

TEST(UndoRecord, ComesBackAsItWas) {
  UndoBegin record = begin_of(4);
  record.number = 5;
  record.steps[1].kept_as = "v1beta1";
  const auto read = parse_undo_begin(print_record(record));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(print_record(*read), print_record(record));
  EXPECT_EQ(read->undoes, 4U);
  EXPECT_EQ(read->created, kThen);
  EXPECT_EQ(read->runner, record.runner);
  ASSERT_EQ(read->steps.size(), 2U);
  const Step &one = read->steps[0], &was = record.steps[0];
  EXPECT_EQ(one.body, was.body);
  EXPECT_EQ(one.status, was.status);
  EXPECT_EQ(one.before, was.before);
  EXPECT_EQ(one.owners, was.owners);
  EXPECT_TRUE(one.merge);
  EXPECT_EQ(one.kept_as, "");
  EXPECT_EQ(read->steps[1].kept_as, "v1beta1");
  EXPECT_EQ(one.kind.full_name(), "deployments.apps");
  EXPECT_EQ(one.wave, 7);

  const UndoEnd end{
      .outcome = UndoEnd::Outcome::partly, .ended = kThen, .made = {{"configmaps shop/a", "u1"}}, .failed = {"b: no"}};
  const auto read_end = parse_undo_end(print_record(end));
  ASSERT_TRUE(read_end) << read_end.error().what;
  EXPECT_EQ(read_end->made, end.made);
  EXPECT_EQ(read_end->failed, end.failed);
  EXPECT_EQ(read_end->outcome, end.outcome);
}

TEST(UndoRecord, EveryPrefixAndEveryFlipIsCorrupt) {
  UndoBegin record = begin_of();
  record.number = 1;
  record.steps.resize(1);
  const std::string text = print_record(record);
  for (std::size_t size = 0; size + 1 < text.size(); size++) {
    const auto read = parse_undo_begin(text.substr(0, size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, Errc::corrupt) << size << ": " << read.error().what;
  }
  for (std::size_t at = 0; at + 1 < text.size(); at++) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_FALSE(parse_undo_begin(bad)) << at << ": " << bad;
  }
}

TEST(UndoRecord, RefusesWhatItIsNot) {
  struct Row {
    const char* name;
    json value;
    Errc code;
    const char* says;
  };
  UndoBegin record = begin_of();
  record.number = 1;
  using Ordered = nlohmann::ordered_json;
  Ordered good = Ordered::parse(print_record(record));
  good.erase("crc32c");
  EXPECT_FALSE(parse_undo_begin(good.dump()));
  ASSERT_TRUE(parse_undo_begin(catalog::line(good)));
  const Row rows[] = {
      {"kind", "UndoEnd", Errc::corrupt, "kind"},
      {"formatVersion", 2, Errc::unsupported, "newer"},
      {"number", 1'000'000, Errc::corrupt, "number"},
      {"number", -1, Errc::corrupt, "number"},
      {"undoes", "1", Errc::corrupt, "undoes"},
      {"runner", "me", Errc::corrupt, "runner"},
      {"created", "yesterday", Errc::corrupt, "created"},
      {"existing", "destroy", Errc::corrupt, "existing"},
      {"steps", json::object(), Errc::corrupt, "steps"},
      {"steps", {1}, Errc::corrupt, "a step"},
      {"steps", {{{"action", "keep"}}}, Errc::corrupt, "action"},
      {"steps", {{{"action", "create"}, {"wave", 1}, {"resource", "x"}}}, Errc::corrupt, "resource"},
  };
  for (const Row& row : rows) {
    Ordered bad = good;
    bad[row.name] = Ordered(row.value);
    const auto read = parse_undo_begin(catalog::line(bad));
    ASSERT_FALSE(read) << bad.dump();
    EXPECT_EQ(read.error().code, row.code) << read.error().what;
    EXPECT_THAT(read.error().what, HasSubstr(row.says));
  }
}

TEST(UndoRecord, Keys) {
  EXPECT_EQ(undo_key(7, "begin"), "tidemark/undo/000007/begin");
  const auto good = parse_undo_key("tidemark/undo/000012/again-001");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->number, 12U);
  EXPECT_EQ(good->part, "again-001");
  for (const char* bad :
       {"", "tidemark/undo/", "tidemark/undo/7/begin", "tidemark/undo/000007", "tidemark/undo/000007/",
        "tidemark/undo/000000/begin", "tidemark/undo/00000x/begin", "tidemark/undo/000007/begin2",
        "tidemark/undo/000007/again", "tidemark/gaps/000007/begin", "tidemark/undo/000007.begin"}) {
    EXPECT_FALSE(parse_undo_key(bad)) << bad;
  }
}

TEST(UndoLog, OneAfterTheOther) {
  MemStore store;
  UndoLog log(store);
  EXPECT_EQ(log.read(1).error().code, Errc::not_found);
  ASSERT_EQ(log.begin(begin_of()).value(), 1U);
  const auto second = log.begin(begin_of());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().hint, HasSubstr("tidemark restore --resume 1"));
  ASSERT_TRUE(log.end(1, {.ended = kThen}));
  EXPECT_FALSE(log.end(1, {.ended = kThen}));
  ASSERT_EQ(log.begin(begin_of()).value(), 2U);

  // What takes it back may begin, also after one that wanted to was cut, and nothing else.
  ASSERT_EQ(log.begin(begin_of(2)).value(), 3U);
  ASSERT_EQ(log.begin(begin_of(2)).value(), 4U);
  EXPECT_EQ(log.begin(begin_of(1)).error().code, Errc::conflict);
  EXPECT_EQ(log.begin(begin_of()).error().code, Errc::conflict);
}

TEST(UndoLog, OfManyAtOnceOneBegins) {
  MemStore store;
  std::atomic<int> began = 0;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 8; i++) {
      all.emplace_back([&] {
        UndoLog log(store);
        if (log.begin(begin_of())) began++;
      });
    }
  }
  EXPECT_EQ(began, 1);
}

TEST(UndoLog, GoesOnWhenItsProcessIsGone) {
  MemStore store;
  UndoLog log(store);
  UndoBegin alive = begin_of();
  alive.runner = this_runner();
  ASSERT_TRUE(log.begin(alive));
  EXPECT_EQ(log.need_dead(1).error().code, Errc::conflict);
  EXPECT_EQ(log.go_on(1, this_runner(), kThen).error().code, Errc::conflict);
  ASSERT_TRUE(log.end(1, {.ended = kThen}));

  ASSERT_EQ(log.begin(begin_of()).value(), 2U);
  EXPECT_TRUE(log.need_dead(2));
  EXPECT_TRUE(log.go_on(2, {.host = "nowhere", .pid = 5, .started = 6}, kThen));
  EXPECT_TRUE(log.go_on(2, this_runner(), kThen));
  const Status third = log.go_on(2, this_runner(), kThen);
  ASSERT_FALSE(third);
  EXPECT_THAT(third.error().what, HasSubstr("still runs"));
  ASSERT_TRUE(log.end(2, {.ended = kThen}));
  EXPECT_EQ(log.go_on(2, this_runner(), kThen).error().code, Errc::conflict);
  EXPECT_EQ(log.go_on(3, this_runner(), kThen).error().code, Errc::not_found);
}

// Whoever goes on with a restore, and whoever takes it back, would write against each other.
TEST(UndoLog, NobodyGoesOnWithWhatIsTakenBackNow) {
  MemStore store;
  UndoLog log(store);
  ASSERT_EQ(log.begin(begin_of()).value(), 1U);
  UndoBegin undo = begin_of(1);
  undo.runner = this_runner();
  ASSERT_EQ(log.begin(undo).value(), 2U);
  const Status resumed = log.go_on(1, this_runner(), kThen);
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().code, Errc::conflict);
  EXPECT_THAT(resumed.error().what, HasSubstr("restore 2 still runs"));
  EXPECT_EQ(log.begin(begin_of(1)).error().code, Errc::conflict);
  ASSERT_TRUE(log.end(2, {.ended = kThen}));
  // Nor when it was cut: objects are not as the first one left them.
  ASSERT_EQ(log.begin(begin_of(1)).value(), 3U);
  const Status after = log.go_on(1, this_runner(), kThen);
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, Errc::conflict);
  EXPECT_THAT(after.error().hint, HasSubstr("'tidemark restore --resume 3' finishes that"));
  ASSERT_TRUE(log.end(3, {.ended = kThen}));
  EXPECT_TRUE(log.go_on(1, {.host = "nowhere", .pid = 5, .started = 6}, kThen));
}

// The process that began it is gone, and another one goes on with it: that one counts.
TEST(UndoLog, AnUndoThatSomebodyGoesOnWithIsNotDoneTwice) {
  MemStore store;
  UndoLog log(store);
  ASSERT_EQ(log.begin(begin_of()).value(), 1U);
  ASSERT_EQ(log.begin(begin_of(1)).value(), 2U);
  ASSERT_TRUE(log.go_on(2, this_runner(), kThen));
  EXPECT_EQ(log.begin(begin_of(1)).error().code, Errc::conflict);
  EXPECT_EQ(log.go_on(1, this_runner(), kThen).error().code, Errc::conflict);
}

TEST(UndoLog, OfGoingOnAndGoingBackAtOnceAtMostOneIsDone) {
  for (int round = 0; round < 20; round++) {
    MemStore store;
    ASSERT_EQ(UndoLog(store).begin(begin_of()).value(), 1U);
    std::atomic<int> run = 0;
    {
      std::jthread back([&] {
        UndoBegin undo = begin_of(1);
        undo.runner = this_runner();
        if (UndoLog(store).begin(undo)) run++;
      });
      std::jthread on([&] {
        if (UndoLog(store).go_on(1, this_runner(), kThen)) run++;
      });
    }
    EXPECT_LE(run, 1);
  }
}

}  // namespace
}  // namespace tidemark::live
