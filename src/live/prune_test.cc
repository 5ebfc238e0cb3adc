// What --prune removes, and what it never does.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::object;
using testing::planned;

const PlanOptions kPrune{.prune = true, .max_share = 100};

TEST(Prune, LeavesWhatItMayNot) {
  struct Row {
    const char* id;
    const char* rest;
    const char* reason;  // nullptr: it is removed
  };
  const Row rows[] = {
      {"configmaps shop/new", "{}", nullptr},
      {"widgets.shop.example.com shop/new", "{}", nullptr},
      {"deployments.apps shop/new", "{}", nullptr},
      {"customresourcedefinitions.apiextensions.k8s.io widgets.shop.example.com", "{}",
       "was not there then; --prune leaves it: all objects of its kind would go with it"},
      {"persistentvolumeclaims shop/data", "{}", "was not there then; --prune leaves it: data may go with it"},
      {"persistentvolumes pv-1", "{}", "was not there then; --prune leaves it: data may go with it"},
      {"volumesnapshots.snapshot.storage.k8s.io shop/s", "{}",
       "was not there then; --prune leaves it: data may go with it"},
      {"namespaces new", "{}", "was not there then; --prune leaves it: all that is in it would go with it"},
      {"namespaces kube-system", "{}", "was not there then; --prune leaves it: the cluster itself lives in it"},
      {"serviceaccounts shop/default", "{}",
       "was not there then; --prune leaves it: a controller makes it in each namespace"},
      {"serviceaccounts shop/bot", "{}", nullptr},
      {"priorityclasses.scheduling.k8s.io system-node-critical", "{}",
       "was not there then; --prune leaves it: the API server makes it"},
      {"clusterroles.rbac.authorization.k8s.io view",
       R"({"metadata":{"labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}}})",
       "was not there then; --prune leaves it: the API server makes it"},
      {"configmaps shop/going", R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})",
       "was not there then, and is being deleted now"},
  };
  for (const Row& row : rows) {
    const Plan plan = planned({.live = {object(row.id, row.rest)}}, kPrune);
    ASSERT_EQ(plan.steps.size(), 1U) << row.id;
    EXPECT_EQ(plan.steps[0].action, row.reason == nullptr ? Action::remove : Action::keep) << row.id;
    EXPECT_EQ(plan.steps[0].reason, row.reason == nullptr ? "was not there then" : row.reason) << row.id;
    EXPECT_EQ(plan.steps[0].before["metadata"]["uid"], object(row.id, row.rest).object["metadata"]["uid"]);
  }
}

TEST(Prune, OnlyWhenAsked) {
  const Plan plan = planned({.live = {object("configmaps shop/new")}});
  EXPECT_EQ(testing::actions(plan), "keep configmaps shop/new\n");
  EXPECT_EQ(plan.steps[0].wave, 0);
}

TEST(Prune, NeverWhatAControllerMakesNorWhatIsOnlyBeside) {
  const Found pod = object("pods shop/web-1", R"({"metadata":{"ownerReferences":[
    {"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"u","controller":true}]}})");
  const Plan plan = planned({.live = {pod, object("events shop/e")}, .beside = {object("secrets shop/tls")}}, kPrune);
  EXPECT_TRUE(plan.steps.empty()) << testing::actions(plan);
}

TEST(Prune, NotWhatWasBeingDeletedThen) {
  const Found then = object("configmaps shop/c", R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})");
  const Plan plan = planned({.wanted = {then}, .live = {object("configmaps shop/c")}}, kPrune);
  EXPECT_EQ(testing::actions(plan), "leave out configmaps shop/c\n");
}

TEST(Prune, NamespacesOnlyWhenToldSoAndNothingComesBackIntoThem) {
  PlanOptions options = kPrune;
  options.remove_namespaces = true;
  const PlanInput input{.live = {object("namespaces new"), object("persistentvolumeclaims new/data")}};
  const Plan plan = planned(input, options);
  EXPECT_EQ(testing::actions(plan), "keep persistentvolumeclaims new/data\nremove namespaces new\n");
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_EQ(plan.warnings[0], "namespaces new is removed, and all that is in it, the data of its claims too: data");

  const Plan filled = planned({.wanted = {object("configmaps new/c")}, .live = {object("namespaces new")}}, options);
  EXPECT_EQ(testing::actions(filled), "keep namespaces new\ncreate configmaps new/c\n");
  EXPECT_EQ(testing::actions(planned({.live = {object("namespaces default")}}, options)), "keep namespaces default\n");
}

TEST(Prune, NoMoreThanItsShare) {
  PlanInput input;
  for (int i = 0; i < 10; i++) input.live.push_back(object(fmt::format("configmaps shop/c{}", i)));
  input.live.push_back(object("events shop/e"));  // counts for nothing
  for (int i = 0; i < 7; i++) input.wanted.push_back(object(fmt::format("configmaps shop/c{}", i)));
  const auto refused = make_plan(input, {.prune = true, .max_share = 29});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_EQ(refused.error().what,
            "prune would remove 3 of 10 objects, 30 %, and may remove 29 %: configmaps shop/c7, configmaps shop/c8, "
            "configmaps shop/c9");
  EXPECT_NE(refused.error().hint.find("--max-share"), std::string::npos);
  EXPECT_EQ(planned(input, {.prune = true, .max_share = 30}).count(Action::remove), 3U);
  EXPECT_TRUE(make_plan(input, {.prune = false, .max_share = 0}));
  EXPECT_FALSE(make_plan(input, {.prune = true, .max_share = 0}));
  EXPECT_FALSE(make_plan(input, {.prune = true, .max_share = -5}));
  EXPECT_TRUE(make_plan({}, {.prune = true, .max_share = 0})) << "nothing of nothing";
}

}  // namespace
}  // namespace tidemark::live
