#include "restore/plan.h"

#include <gtest/gtest.h>

namespace tidemark::restore {
namespace {

catalog::Point full(std::int64_t last, std::int64_t unix_s = 0) {
  bucket::SnapshotName name{.kind = bucket::Kind::full, .span = {Revision(0), Revision(last)}, .unix_s = unix_s};
  return {.key = fmt::format("F{}", last), .name = name, .size = 1000};
}

catalog::Point delta(std::int64_t first, std::int64_t last, bool stray = false) {
  bucket::SnapshotName name{.kind = bucket::Kind::delta, .span = {Revision(first), Revision(last)}};
  return {.key = fmt::format("D{}-{}", first, last), .name = name, .size = 100, .stray = stray};
}

std::string brief(const Plan& plan) {
  std::string text = plan.base.key;
  for (const Step& step : plan.steps) {
    text += fmt::format(" {}[{}..{}]", step.point.key, step.take.first, step.take.last);
  }
  text += fmt::format(" ={}", plan.reach);
  for (const Hole& hole : plan.holes) text += fmt::format(" !{}..{}", hole.span.first, hole.span.last);
  return text;
}

struct Row {
  std::string what;
  std::vector<catalog::Point> fulls, deltas;
  Wish wish;
  Facts facts;
  std::string plan;  // or what the refusal must say
  Errc refused = Errc::cancelled;
};

Wish newest() { return {.revision = std::nullopt, .or_less = true}; }
Wish exactly(std::int64_t r) { return {.revision = Revision(r), .or_less = false}; }

std::vector<Row> rows() {
  const Facts none;
  Facts true_368, compacted, bad_tail, bad_full, bad_only, short_delta, bad_twin;
  true_368.fulls["F308"] = {Revision(368), Revision(0)};
  compacted.fulls["F308"] = {Revision(368), Revision(350)};
  bad_tail.bad["D201-300"] = "torn";
  bad_full.bad["F200"] = "SHA-256 is wrong";
  bad_only.bad["F100"] = "SHA-256 is wrong";
  short_delta.deltas["D101-200"] = {Revision(101), Revision(150)};
  bad_twin.bad["D101-200"] = "torn";
  return {
      {"a full alone", {full(100)}, {}, newest(), none, "F100 =100"},
      {"a chain",
       {full(100)},
       {delta(101, 200), delta(201, 300)},
       newest(),
       none,
       "F100 D101-200[101..200] D201-300[201..300] =300"},
      {"in the middle of a delta",
       {full(100)},
       {delta(101, 200), delta(201, 300)},
       exactly(250),
       none,
       "F100 D101-200[101..200] D201-300[201..250] =250"},
      {"at the end of a delta",
       {full(100)},
       {delta(101, 200), delta(201, 300)},
       exactly(200),
       none,
       "F100 D101-200[101..200] =200"},
      {"at the full", {full(100)}, {delta(101, 200)}, exactly(100), none, "F100 =100"},
      {"the newest full at or below",
       {full(100), full(200)},
       {delta(101, 200), delta(201, 300)},
       exactly(250),
       none,
       "F200 D201-300[201..250] =250"},
      {"an older full when the newest is above",
       {full(100), full(200)},
       {delta(101, 200)},
       exactly(150),
       none,
       "F100 D101-200[101..150] =150"},
      {"overlap is skipped",
       {full(100)},
       {delta(101, 200), delta(150, 300)},
       newest(),
       none,
       "F100 D101-200[101..200] D150-300[201..300] =300"},
      {"the longer of two at one start",
       {full(100)},
       {delta(101, 150), delta(101, 200)},
       newest(),
       none,
       "F100 D101-200[101..200] =200"},
      {"a duplicate is left out",
       {full(100)},
       {delta(101, 200), delta(101, 200)},
       newest(),
       none,
       "F100 D101-200[101..200] =200"},
      {"a full ahead of its name",
       {full(308)},
       {delta(309, 434), delta(435, 500)},
       newest(),
       true_368,
       "F308 D309-434[369..434] D435-500[435..500] =500"},
      {"a delta inside the full's true revision",
       {full(308)},
       {delta(309, 360), delta(361, 500)},
       newest(),
       true_368,
       "F308 D361-500[369..500] =500"},
      {"below the true revision, by the full's own history", {full(308)}, {}, exactly(320), true_368, "F308 =320"},
      {"below the true revision, but compacted",
       {full(308)},
       {},
       exactly(320),
       compacted,
       "nearest after: 350",
       Errc::not_found},
      {"an older full when the named one is ahead and compacted",
       {full(200), full(308)},
       {delta(201, 330)},
       exactly(320),
       compacted,
       "F200 D201-330[201..320] =320"},
      {"before every full, history unknown yet", {full(308)}, {}, exactly(10), none, "F308 =10"},
      {"exactly at the newer of two fulls", {full(100), full(200)}, {}, exactly(200), none, "F200 =200"},
      {"behind a hole of one revision",
       {full(100)},
       {delta(102, 200)},
       exactly(150),
       none,
       "nearest before: 100",
       Errc::not_found},
      {"beyond everything", {full(100)}, {delta(101, 200)}, exactly(201), none, "nearest before: 200", Errc::not_found},
      {"in a hole",
       {full(100), full(400)},
       {delta(101, 200), delta(401, 500)},
       exactly(300),
       {.fulls = {{"F400", {Revision(400), Revision(400)}}}, .deltas = {}, .bad = {}},
       "nearest before: 200, nearest after: 400",
       Errc::not_found},
      {"a hole before a newer full does not matter",
       {full(100), full(400)},
       {delta(101, 200), delta(401, 500)},
       newest(),
       none,
       "F400 D401-500[401..500] =500"},
      {"a missing middle delta",
       {full(100)},
       {delta(101, 200), delta(301, 400)},
       newest(),
       none,
       "F100 D101-200[101..200] =200 !201..300 !301..400"},
      {"a missing first delta", {full(100)}, {delta(201, 300)}, newest(), none, "F100 =100 !101..200 !201..300"},
      {"a bad tail",
       {full(100)},
       {delta(101, 200), delta(201, 300)},
       newest(),
       bad_tail,
       "F100 D101-200[101..200] =200 !201..300"},
      {"a bad tail, asked for by number",
       {full(100)},
       {delta(101, 200), delta(201, 300)},
       exactly(250),
       bad_tail,
       "D201-300 is unusable: torn",
       Errc::not_found},
      {"a bad delta with a longer twin",
       {full(100)},
       {delta(101, 200), delta(101, 210)},
       newest(),
       bad_twin,
       "F100 D101-210[101..210] =210"},
      {"a bad newest full: the older chain",
       {full(100), full(200)},
       {delta(101, 200), delta(201, 300)},
       newest(),
       bad_full,
       "F100 D101-200[101..200] D201-300[201..300] =300"},
      {"a bad newest full without deltas to replace it",
       {full(100), full(200)},
       {delta(101, 150)},
       newest(),
       bad_full,
       "F100 D101-150[101..150] =150 !151..200"},
      {"the only full is bad", {full(100)}, {delta(101, 200)}, newest(), bad_only, "SHA-256 is wrong", Errc::corrupt},
      {"a delta shorter than its name",
       {full(100)},
       {delta(101, 200), delta(201, 300)},
       newest(),
       short_delta,
       "F100 D101-200[101..150] =150 !151..200 !201..300"},
      {"a stray only where nothing else joins",
       {full(100)},
       {delta(101, 200), delta(101, 220, true), delta(201, 300)},
       newest(),
       none,
       "F100 D101-200[101..200] D201-300[201..300] =300"},
      {"a stray as the last resort",
       {full(100)},
       {delta(101, 220, true), delta(201, 300)},
       newest(),
       none,
       "F100 D101-220[101..220] D201-300[221..300] =300"},
      {"nothing at all", {}, {}, newest(), none, "no full", Errc::not_found},
      {"deltas without a full", {}, {delta(2, 20)}, newest(), none, "no full", Errc::not_found},
  };
}

TEST(Plan, Table) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.what);
    catalog::Timeline timeline;
    timeline.fulls = row.fulls;
    timeline.deltas = row.deltas;
    const auto plan = make_plan(timeline, row.wish, row.facts);
    if (row.refused != Errc::cancelled) {
      ASSERT_FALSE(plan) << brief(*plan);
      EXPECT_EQ(plan.error().code, row.refused);
      EXPECT_NE(plan.error().what.find(row.plan), std::string::npos) << plan.error().what;
      continue;
    }
    ASSERT_TRUE(plan) << plan.error().what;
    EXPECT_EQ(brief(*plan), row.plan);
    EXPECT_EQ(plan->complete(), plan->holes.empty());
  }
}

TEST(Plan, NewestCountsWhatIsBad) {
  catalog::Timeline timeline;
  timeline.fulls = {full(100)};
  timeline.deltas = {delta(101, 200)};
  Facts facts;
  facts.bad["D101-200"] = "torn";
  const auto plan = make_plan(timeline, newest(), facts);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->newest, Revision(200));
  EXPECT_EQ(plan->reach, Revision(100));
}

TEST(Plan, ADeltaUnderAnotherOnesNameIsTheReason) {
  catalog::Timeline timeline;
  timeline.fulls = {full(100)};
  timeline.deltas = {delta(101, 200), delta(201, 300)};
  Facts facts;
  facts.deltas["D101-200"] = {Revision(201), Revision(300)};
  const auto plan = make_plan(timeline, newest(), facts);
  ASSERT_TRUE(plan);
  ASSERT_FALSE(plan->complete());
  EXPECT_EQ(plan->reach, Revision(100));
  EXPECT_EQ(plan->holes.front().reason, "D101-200 holds 201..300, other revisions than its name says");
}

TEST(Plan, PrintsWhatIsLost) {
  catalog::Timeline timeline;
  timeline.fulls = {full(100)};
  timeline.deltas = {delta(101, 200), delta(301, 400)};
  const auto plan = make_plan(timeline, newest(), {});
  ASSERT_TRUE(plan);
  const std::string text = print_plan_table(*plan);
  EXPECT_NE(text.find("base    F100  revision 100"), std::string::npos) << text;
  EXPECT_NE(text.find("revision 200 of 400: PART OF THE HISTORY IS MISSING"), std::string::npos) << text;
  EXPECT_NE(text.find("lost    revisions 201..300"), std::string::npos) << text;
  const std::string json = print_plan_json(*plan);
  EXPECT_NE(json.find("\"complete\": false"), std::string::npos) << json;
  EXPECT_EQ(json.rfind("{\n  \"kind\": \"RestorePlan\",\n  \"formatVersion\": 1", 0), 0U) << json;
}

TEST(Plan, WithoutAFullTheHintTellsWhereToLook) {
  catalog::Timeline timeline;
  const auto hint = [&] { return no_full(timeline).error().hint; };
  EXPECT_NE(hint().find("v2 and v1"), std::string::npos) << hint();
  timeline.deltas.push_back(delta(1, 5));
  EXPECT_NE(hint().find("deltas only"), std::string::npos) << hint();
}

}  // namespace
}  // namespace tidemark::restore
