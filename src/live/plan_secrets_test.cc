// What Secrets hold is in no printed plan, and comes back from where it was taken.
#include "live/plan_secrets.h"

#include <gtest/gtest.h>

#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using nlohmann::json;
using testing::object;

const char* const kThenRest = R"({"data":{"same":"c2FtZQ==","changed":"dGhlbg=="},"metadata":{"annotations":{
  "mine":"1","kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"same\":\"c2FtZQ==\"}}"}}})";
const char* const kNowRest = R"({"data":{"same":"c2FtZQ==","changed":"bm93","more":"bW9yZQ=="}})";

Plan plan_of(bool there) {
  PlanInput input{
      .wanted = {object("secrets shop/tls", kThenRest), object("configmaps shop/a", R"({"data":{"k":"v"}})")},
      .missing = {"namespaces shop"}};
  if (there) input.live = {object("secrets shop/tls", kNowRest)};
  return testing::planned(input, {.existing = Existing::replace});
}

TEST(PlanSecrets, AreInNoPrintedPlan) {
  for (const bool there : {false, true}) {
    const Plan plan = plan_of(there);
    const std::string text = plan_document(plan, {}).dump();
    for (const char* value : {"c2FtZQ", "dGhlbg", "bm93", "bW9yZQ"}) {
      EXPECT_EQ(text.find(value), std::string::npos) << value << " in " << text;
    }
    EXPECT_NE(text.find(R"("k":"v")"), std::string::npos) << "other kinds are shown";
    EXPECT_NE(text.find(R"x("changed":"(as it was)")x"), std::string::npos);
    EXPECT_EQ(text.find(R"x("same":"(as it is now)")x") != std::string::npos, there);
  }
}

TEST(PlanSecrets, ComeBackFromWhereTheyWereTaken) {
  for (const bool there : {false, true}) {
    const Plan plan = plan_of(there);
    PlanOptions options;
    auto read = read_plan(json(plan_document(plan, {})), options);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->digest(), plan.digest());
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
      Step step = read->steps[i];
      EXPECT_EQ(needs_then(step), is_secret(step.kind));
      EXPECT_EQ(needs_now(step), is_secret(step.kind) && there);
      if (!is_secret(step.kind)) continue;
      EXPECT_NE(step.body, plan.steps[i].body);
      step.before = plan.steps[i].before;
      ASSERT_TRUE(fill_body(step, object("secrets shop/tls", kThenRest).object));
      EXPECT_EQ(step.body, plan.steps[i].body);
      EXPECT_EQ(hidden_body(step), read->steps[i].body);
    }
  }
}

TEST(PlanSecrets, WhatIsNotThereIsNoValue) {
  for (const char* then : {"null", "[]", R"({"data":null})", R"({"data":{"changed":"dGhlbg=="}})"}) {
    PlanOptions options;
    auto read = read_plan(json(plan_document(plan_of(false), {})), options);
    ASSERT_TRUE(read);
    for (Step& step : read->steps) {
      if (!is_secret(step.kind)) continue;
      const Status filled = fill_body(step, json::parse(then));
      ASSERT_FALSE(filled) << then;
      EXPECT_EQ(filled.error().code, Errc::not_found);
      EXPECT_NE(filled.error().what.find("secrets shop/tls"), std::string::npos) << filled.error().what;
    }
  }
}

}  // namespace
}  // namespace tidemark::live
