#include "live/owners.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::object;
using testing::planned;
using testing::step_of;

constexpr const char* kIsGoing = R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})";

std::string owner(const char* api_version, const char* kind, const char* name, const char* more = "") {
  return fmt::format(
      R"({{"metadata":{{"ownerReferences":[{{"apiVersion":"{}","kind":"{}","name":"{}","uid":"old"{}}}]}}}})",
      api_version, kind, name, more);
}

struct OwnerRow {
  const char* who;
  std::string references;
  PlanInput others;  // without the dependant
  const char* uid;   // of the reference that is left; nullptr: none is left; empty: one without uid
};

TEST(Owners, ByNameAndNeverByAUidThatIsNoMore) {
  const std::string widget = owner("shop.example.com/v1", "Widget", "w");
  const Found live = object("widgets.shop.example.com shop/w", R"({"metadata":{"uid":"now"}})");
  const Found going = testing::with(live, kIsGoing);
  const Found then = object("widgets.shop.example.com shop/w", R"({"metadata":{"uid":"old"}})");
  const Found elsewhere = object("widgets.shop.example.com other/w");
  const OwnerRow rows[] = {
      {"configmaps shop/c", widget, {.live = {live}}, "now"},
      {"configmaps shop/c", widget, {.beside = {live}}, "now"},
      {"configmaps shop/c", widget, {.wanted = {then}, .live = {live}}, "now"},
      {"configmaps shop/c", widget, {.wanted = {then}}, ""},
      {"configmaps shop/c", widget, {.wanted = {then}, .live = {going}}, ""},
      {"configmaps shop/c", widget, {.live = {going}}, nullptr},
      {"configmaps shop/c", widget, {}, nullptr},
      {"configmaps shop/c", widget, {.live = {elsewhere}}, nullptr},
      {"configmaps shop/c", widget, {.wanted = {testing::with(then, kIsGoing)}}, nullptr},
      {"configmaps shop/c", owner("shop.example.com/v2", "Widget", "w"), {.live = {live}}, "now"},
      {"configmaps shop/c", owner("example.com/v1", "Widget", "w"), {.live = {live}}, nullptr},
      {"configmaps shop/c", owner("v1", "Namespace", "shop"), {.live = {object("namespaces shop")}}, "u-shop"},
      {"clusterroles.rbac.authorization.k8s.io r", widget, {.live = {live}}, nullptr},
      {"clusterroles.rbac.authorization.k8s.io r",
       owner("v1", "Namespace", "shop"),
       {.live = {object("namespaces shop")}},
       "u-shop"},
  };
  for (const OwnerRow& row : rows) {
    PlanInput input = row.others;
    input.wanted.push_back(object(row.who, row.references));
    const Plan plan = planned(input);
    const Step& step = step_of(plan, row.who);
    ASSERT_EQ(step.action, Action::create);
    const nlohmann::json& references = list_at(step.body, "/metadata/ownerReferences");
    if (row.uid == nullptr) {
      EXPECT_TRUE(references.empty()) << row.references << references;
      EXPECT_TRUE(step.owners.empty());
      ASSERT_EQ(step.warnings.size(), 1U);
      EXPECT_TRUE(step.warnings[0].ends_with("is not here any more: it is put back without")) << step.warnings[0];
      continue;
    }
    ASSERT_EQ(references.size(), 1U) << row.references;
    EXPECT_EQ(text_at(references[0], "/uid"), row.uid);
    EXPECT_EQ(step.owners.size(), *row.uid == '\0' ? 1U : 0U);
    EXPECT_EQ(references[0].contains("uid"), *row.uid != '\0');
  }
}

TEST(Owners, OfSeveralTheLivingStay) {
  const Found dependant = object("configmaps shop/c", R"({"metadata":{"ownerReferences":[
    {"apiVersion":"v1","kind":"Secret","name":"gone","uid":"1"},
    {"apiVersion":"v1","kind":"Secret","name":"made","uid":"2","blockOwnerDeletion":true},
    {"apiVersion":"v1","kind":"Secret","name":"there","uid":"3"}]}})");
  const Plan plan =
      planned({.wanted = {dependant, object("secrets shop/made")}, .live = {object("secrets shop/there")}});
  const Step& step = step_of(plan, "configmaps shop/c");
  EXPECT_EQ(step.body["metadata"]["ownerReferences"], nlohmann::json::parse(R"([
    {"apiVersion":"v1","kind":"Secret","name":"made","blockOwnerDeletion":true},
    {"apiVersion":"v1","kind":"Secret","name":"there","uid":"u-there"}])"));
  EXPECT_EQ(step.owners, std::vector<std::string>({"secrets shop/made"}));
}

TEST(Owners, AReferenceToADeletedAndRemadeOwnerIsADifference) {
  const Found then = object("configmaps shop/c", owner("v1", "Secret", "s"));
  const Found same = object("configmaps shop/c", owner("v1", "Secret", "s"));
  const PlanInput input{.wanted = {then}, .live = {same, object("secrets shop/s", R"({"metadata":{"uid":"new"}})")}};
  const Plan plan = planned(input, {.existing = Existing::replace});
  EXPECT_EQ(step_of(plan, "configmaps shop/c").action, Action::change);
  EXPECT_EQ(step_of(plan, "configmaps shop/c").body["metadata"]["ownerReferences"][0]["uid"], "new");
}

TEST(Owners, AnOwnerThatMustBeMadeAgainTakesItsDependantsAlong) {
  const Found role_then = object("rolebindings.rbac.authorization.k8s.io shop/b", R"({"roleRef":{"name":"a"}})");
  const Found role_now = object("rolebindings.rbac.authorization.k8s.io shop/b", R"({"roleRef":{"name":"b"}})");
  const Found dependant = object("configmaps shop/c", owner("rbac.authorization.k8s.io/v1", "RoleBinding", "b"));
  const Found its_live = object(
      "configmaps shop/c",
      R"({"metadata":{"ownerReferences":[{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","name":"b","uid":"u-b"}]}})");
  const Plan plan =
      planned({.wanted = {dependant, role_then}, .live = {its_live, role_now}}, {.existing = Existing::recreate});
  EXPECT_EQ(testing::actions(plan),
            "recreate rolebindings.rbac.authorization.k8s.io shop/b\nchange configmaps shop/c\n");
  EXPECT_EQ(plan.steps[1].owners, std::vector<std::string>({"rolebindings.rbac.authorization.k8s.io shop/b"}));
  EXPECT_FALSE(plan.steps[1].body["metadata"]["ownerReferences"][0].contains("uid"));
}

TEST(Owners, WhatAControllerOwnsIsWarnedOf) {
  const Found secret = object("secrets shop/tls", owner("shop.example.com/v1", "Widget", "w", R"(,"controller":true)"));
  const Plan plan = planned({.wanted = {secret}, .live = {object("widgets.shop.example.com shop/w")}});
  EXPECT_EQ(step_of(plan, "secrets shop/tls").warnings,
            std::vector<std::string>({"Widget w controls it, and may change it again"}));
}

}  // namespace
}  // namespace tidemark::live
