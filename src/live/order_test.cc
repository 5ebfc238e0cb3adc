#include "live/order.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::actions;
using testing::object;
using testing::planned;
using testing::step_of;

std::string owned_by(const char* api_version, const char* kind, const char* name) {
  return fmt::format(
      R"({{"metadata":{{"ownerReferences":[{{"apiVersion":"{}","kind":"{}","name":"{}","uid":"gone"}}]}}}})",
      api_version, kind, name);
}

TEST(Order, EachKindAfterWhatItNeeds) {
  PlanInput input;
  for (const char* id :
       {"apiservices.apiregistration.k8s.io v1.mine", "validatingwebhookconfigurations.admissionregistration.k8s.io w",
        "validatingadmissionpolicies.admissionregistration.k8s.io p", "widgets.shop.example.com shop/w",
        "resourcequotas shop/q", "ingresses.networking.k8s.io shop/i", "deployments.apps shop/d",
        "replicasets.apps shop/r", "pods shop/p", "services shop/s", "secrets shop/s",
        "rolebindings.rbac.authorization.k8s.io shop/b", "roles.rbac.authorization.k8s.io shop/r",
        "serviceaccounts shop/a", "persistentvolumeclaims shop/c", "persistentvolumes v",
        "storageclasses.storage.k8s.io s", "namespaces shop",
        "customresourcedefinitions.apiextensions.k8s.io widgets.shop.example.com"}) {
    input.wanted.push_back(object(id));
  }
  const Plan plan = planned(input);
  EXPECT_EQ(actions(plan),
            "create customresourcedefinitions.apiextensions.k8s.io widgets.shop.example.com\n"
            "create namespaces shop\n"
            "create storageclasses.storage.k8s.io s\n"
            "create persistentvolumes v\n"
            "create persistentvolumeclaims shop/c\n"
            "create serviceaccounts shop/a\n"
            "create roles.rbac.authorization.k8s.io shop/r\n"
            "create rolebindings.rbac.authorization.k8s.io shop/b\n"
            "create secrets shop/s\n"
            "create services shop/s\n"
            "create pods shop/p\n"
            "create replicasets.apps shop/r\n"
            "create deployments.apps shop/d\n"
            "create resourcequotas shop/q\n"
            "create ingresses.networking.k8s.io shop/i\n"
            "create widgets.shop.example.com shop/w\n"
            "create apiservices.apiregistration.k8s.io v1.mine\n"
            "create validatingadmissionpolicies.admissionregistration.k8s.io p\n"
            "create validatingwebhookconfigurations.admissionregistration.k8s.io w\n");
  EXPECT_EQ(plan.steps.front().wave, 1);
  EXPECT_EQ(plan.steps.back().wave, 18);  // the Ingress and the quota share one
}

TEST(Order, OwnersBeforeWhatTheyOwnWhateverTheirKinds) {
  const Plan plan = planned(
      {.wanted = {object("secrets shop/a", owned_by("shop.example.com/v1", "Widget", "parent")),
                  object("widgets.shop.example.com shop/child", owned_by("shop.example.com/v1", "Widget", "parent")),
                  object("configmaps shop/b", owned_by("shop.example.com/v1", "Widget", "child")),
                  object("widgets.shop.example.com shop/parent")}});
  EXPECT_EQ(actions(plan),
            "create widgets.shop.example.com shop/parent\n"
            "create secrets shop/a\n"
            "create widgets.shop.example.com shop/child\n"
            "create configmaps shop/b\n");
  EXPECT_EQ(step_of(plan, "secrets shop/a").wave, 2);
  EXPECT_EQ(step_of(plan, "widgets.shop.example.com shop/child").wave, 2);
  EXPECT_EQ(step_of(plan, "configmaps shop/b").wave, 3);
}

TEST(Order, ThoseThatOwnEachOtherComeWithout) {
  const Plan plan =
      planned({.wanted = {object("widgets.shop.example.com shop/a", owned_by("shop.example.com/v1", "Widget", "b")),
                          object("widgets.shop.example.com shop/b", owned_by("shop.example.com/v1", "Widget", "a")),
                          object("configmaps shop/self", owned_by("v1", "ConfigMap", "self")),
                          object("secrets shop/s", owned_by("shop.example.com/v1", "Widget", "a"))}});
  std::size_t without = 0;
  for (const Step& step : plan.steps)
    without += step.owners.empty() && list_at(step.body, "/metadata/ownerReferences").empty();
  EXPECT_EQ(without, 2U) << "one of the pair, and the one of itself";
  EXPECT_EQ(step_of(plan, "configmaps shop/self").warnings,
            std::vector<std::string>({"it and its owner configmaps shop/self own each other: it is put back without"}));
  EXPECT_EQ(step_of(plan, "secrets shop/s").owners, std::vector<std::string>({"widgets.shop.example.com shop/a"}));
  for (const Step& step : plan.steps) {
    for (const std::string& owner : step.owners) EXPECT_LT(step_of(plan, owner).wave, step.wave) << step.id();
  }
}

TEST(Order, RemovalsLastAndBackwardsButForWhatIsInTheWay) {
  const PlanInput input{
      .wanted = {object("services shop/old", R"({"spec":{"clusterIPs":["10.0.0.1"],"clusterIP":"10.0.0.1"}})")},
      .live = {object("deployments.apps shop/new"), object("configmaps shop/new"),
               object("widgets.shop.example.com shop/new"), object("resourcequotas shop/new"),
               object("services shop/free", R"({"spec":{"clusterIPs":["10.0.0.2"]}})"),
               object("services shop/taker", R"({"spec":{"clusterIPs":["10.0.0.1"]}})"),
               object("mutatingwebhookconfigurations.admissionregistration.k8s.io new")}};
  EXPECT_EQ(actions(planned(input, {.prune = true, .max_share = 100})),
            "remove resourcequotas shop/new\n"
            "remove services shop/taker\n"
            "remove mutatingwebhookconfigurations.admissionregistration.k8s.io new\n"
            "create services shop/old\n"
            "remove widgets.shop.example.com shop/new\n"
            "remove deployments.apps shop/new\n"
            "remove services shop/free\n"
            "remove configmaps shop/new\n");
}

TEST(Order, ANodePortIsAlsoInTheWay) {
  const PlanInput input{
      .wanted = {object("services shop/old", R"({"spec":{"type":"NodePort","ports":[{"port":1,"nodePort":30001}]}})")},
      .live = {object("services shop/taker", R"({"spec":{"ports":[{"port":9,"nodePort":30001}]}})"),
               object("services shop/zfree", R"({"spec":{"ports":[{"port":9,"nodePort":30002}]}})")}};
  EXPECT_EQ(actions(planned(input, {.prune = true, .max_share = 100})),
            "remove services shop/taker\ncreate services shop/old\nremove services shop/zfree\n");
}

// A server gives out any port that is free: also one that another Service must have.
TEST(Order, WhoTakesAnyAddressComesAfterThoseWhoWantTheirOwn) {
  const Plan plan = planned(
      {.wanted = {object("services shop/any", R"({"spec":{"type":"NodePort","ports":[{"port":1}]}})"),
                  object("services shop/own", R"({"spec":{"type":"NodePort","ports":[{"port":1,"nodePort":30001}]}})"),
                  object("configmaps shop/of-any", owned_by("v1", "Service", "any"))}});
  EXPECT_EQ(actions(plan), "create services shop/own\ncreate services shop/any\ncreate configmaps shop/of-any\n");
  EXPECT_EQ(step_of(plan, "configmaps shop/of-any").wave, 3);
}

}  // namespace
}  // namespace tidemark::live
