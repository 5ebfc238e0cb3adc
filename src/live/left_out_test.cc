#include "live/left_out.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::object;
using testing::planned;
using testing::step_of;

struct LeftOutRow {
  const char* id;
  const char* rest;
  const char* reason;  // nullptr: it is put back
};

constexpr const char* kByController =
    R"({"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"x","controller":true}]}})";
constexpr const char* kOwned =
    R"({"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"x"}]}})";
constexpr const char* kAutomatic = R"({"metadata":{"labels":{"kube-aggregator.kubernetes.io/automanaged":"onstart"}}})";
constexpr const char* kManagedSlice =
    R"({"metadata":{"labels":{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"}}})";

const LeftOutRow kRows[] = {
    {"nodes n1", "{}", "a node registers itself"},
    {"events shop/e", "{}", "an event tells what happened, it is no state"},
    {"events.events.k8s.io shop/e", "{}", "an event tells what happened, it is no state"},
    {"leases.coordination.k8s.io kube-node-lease/n1", "{}", "its holder makes it"},
    {"csinodes.storage.k8s.io n1", "{}", "the kubelet makes it"},
    {"volumeattachments.storage.k8s.io a", "{}", "the attach controller makes it"},
    {"certificatesigningrequests.certificates.k8s.io c", "{}", "who needs a certificate asks for it again"},
    {"ipaddresses.networking.k8s.io 10.0.0.1", "{}", "the API server makes it for a Service"},
    {"resourceslices.resource.k8s.io r", "{}", "the device driver makes it"},
    {"services default/kubernetes", "{}", "the API server makes it"},
    {"services shop/kubernetes", "{}", nullptr},
    {"servicecidrs.networking.k8s.io kubernetes", "{}", "the API server makes it"},
    {"servicecidrs.networking.k8s.io more", "{}", nullptr},
    {"endpoints default/kubernetes", "{}", "the API server makes it"},
    {"configmaps shop/kube-root-ca.crt", "{}", "a controller makes it in each namespace"},
    {"configmaps kube-system/extension-apiserver-authentication", "{}", "the API server makes it"},
    {"configmaps shop/extension-apiserver-authentication", "{}", nullptr},
    {"configmaps kube-public/cluster-info", "{}", "it describes the cluster as it is now"},
    {"replicasets.apps shop/web-1", kByController, "Deployment web makes it"},
    {"replicasets.apps shop/web-1", kOwned, nullptr},
    {"replicasets.apps shop/web-1", "{}", nullptr},
    {"pods shop/web-1-a", kByController, "Deployment web makes it"},
    {"jobs.batch shop/j", kByController, "Deployment web makes it"},
    {"controllerrevisions.apps shop/j", kByController, "Deployment web makes it"},
    {"secrets shop/j", kByController, nullptr},
    {"persistentvolumeclaims shop/j", kByController, nullptr},
    {"widgets.shop.example.com shop/j", kByController, nullptr},
    {"pods shop/p", R"({"metadata":{"annotations":{"kubernetes.io/config.mirror":"h"}}})",
     "the kubelet makes it from a file"},
    {"pods shop/p", R"({"status":{"phase":"Succeeded"}})", "its phase was Succeeded: it would run again"},
    {"pods shop/p", R"({"status":{"phase":"Failed"}})", "its phase was Failed: it would run again"},
    {"pods shop/p", R"({"status":{"phase":"Running"}})", nullptr},
    {"jobs.batch shop/j", R"({"status":{"conditions":[{"type":"Complete","status":"True"}]}})",
     "it was complete: it would run again"},
    {"jobs.batch shop/j", R"({"status":{"conditions":[{"type":"Failed","status":"True"}]}})",
     "it had failed: it would run again"},
    {"jobs.batch shop/j", R"({"status":{"conditions":[{"type":"Complete","status":"False"}]}})", nullptr},
    {"jobs.batch shop/j", R"({"status":{"conditions":[{"type":"Suspended","status":"True"}]}})", nullptr},
    {"endpointslices.discovery.k8s.io shop/s", kManagedSlice, "a controller makes it"},
    {"endpointslices.discovery.k8s.io shop/s",
     R"({"metadata":{"labels":{"endpointslice.kubernetes.io/managed-by":"me"}}})", nullptr},
    {"endpoints shop/e", R"({"metadata":{"labels":{"endpoints.kubernetes.io/managed-by":"endpoint-controller"}}})",
     "a controller makes it"},
    {"endpoints shop/e", "{}", nullptr},
    {"apiservices.apiregistration.k8s.io v1.apps", kAutomatic, "the API server makes it"},
    {"apiservices.apiregistration.k8s.io v1.mine", "{}", nullptr},
    {"configmaps shop/c", R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})", "it was being deleted then"},
    {"namespaces shop", R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})", "it was being deleted then"},
};

TEST(LeftOut, WhatTheClusterMakesAndWhatWouldDoHarm) {
  for (const LeftOutRow& row : kRows) {
    const Plan plan = planned({.wanted = {object(row.id, row.rest)}});
    const Step& step = step_of(plan, row.id);
    EXPECT_EQ(step.action, row.reason == nullptr ? Action::create : Action::leave_out) << row.id << row.rest;
    EXPECT_EQ(step.reason, row.reason == nullptr ? "" : row.reason) << row.id << row.rest;
  }
}

TEST(LeftOut, WhatIsThereIsComparedThoughItWouldNotBeMadeAgain) {
  const Found done = object("jobs.batch shop/j", R"({"status":{"conditions":[{"type":"Complete","status":"True"}]}})");
  EXPECT_EQ(step_of(planned({.wanted = {done}, .live = {done}}), "jobs.batch shop/j").reason, "as it was");
  const Found labelled = testing::with(done, R"({"metadata":{"labels":{"a":"b"}}})");
  const Plan plan = planned({.wanted = {labelled}, .live = {done}}, {.existing = Existing::replace});
  EXPECT_EQ(testing::actions(plan), "change jobs.batch shop/j\n");
}

TEST(LeftOut, EndpointsOfAServiceWithASelector) {
  const Found endpoints = object("endpoints shop/web");
  const Found selecting = object("services shop/web", R"({"spec":{"selector":{"app":"web"}}})");
  const Found plain = object("services shop/web", R"({"spec":{"selector":{}}})");
  EXPECT_EQ(step_of(planned({.wanted = {endpoints, selecting}}), "endpoints shop/web").action, Action::leave_out);
  EXPECT_EQ(step_of(planned({.wanted = {endpoints}, .beside = {selecting}}), "endpoints shop/web").action,
            Action::leave_out);
  EXPECT_EQ(step_of(planned({.wanted = {endpoints, plain}}), "endpoints shop/web").action, Action::create);
}

TEST(LeftOut, TokensThatAControllerMade) {
  const auto token = [](const char* name) {
    return object(fmt::format("secrets shop/{}", name), R"({"type":"kubernetes.io/service-account-token",
      "metadata":{"annotations":{"kubernetes.io/service-account.name":"bot"}},"data":{"token":"eA=="}})");
  };
  const Found account = object("serviceaccounts shop/bot", R"({"secrets":[{"name":"bot-token-abcde"}]})");
  const Plan plan = planned({.wanted = {account, token("bot-token-abcde"), token("bot-token-other"), token("mine")}});
  EXPECT_EQ(step_of(plan, "secrets shop/bot-token-abcde").reason, "a controller makes it for its ServiceAccount");
  EXPECT_EQ(step_of(plan, "secrets shop/bot-token-other").action, Action::create) << "a person made it";
  EXPECT_EQ(step_of(plan, "secrets shop/mine").action, Action::create);
  EXPECT_FALSE(step_of(plan, "secrets shop/mine").body.contains("data")) << "the controller fills it in";
  EXPECT_FALSE(step_of(plan, "serviceaccounts shop/bot").body.contains("secrets"));
}

TEST(LeftOut, ANewClusterHasItsOwnRolesAndFlows) {
  const Found role = object("clusterroles.rbac.authorization.k8s.io view",
                            R"({"metadata":{"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"true"},
                                            "labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"rules":[]})");
  const Found flow = object("flowschemas.flowcontrol.apiserver.k8s.io exempt",
                            R"({"metadata":{"annotations":{"apf.kubernetes.io/autoupdate-spec":"true"}}})");
  for (const bool same_cluster : {true, false}) {
    const Plan plan = planned({.wanted = {role, flow}}, {.same_cluster = same_cluster});
    EXPECT_EQ(plan.count(Action::leave_out), same_cluster ? 0U : 2U);
  }
}

TEST(LeftOut, KindsThatNobodyServes) {
  const Plan plan =
      planned({.unserved = {
                   {"widgets.shop.example.com shop/a", "not here"}, {"planets.example.com earth", "x"}, {"odd", "x"}}});
  EXPECT_EQ(testing::actions(plan),
            "leave out odd \nleave out planets.example.com earth\nleave out widgets.shop.example.com shop/a\n");
  EXPECT_EQ(plan.steps.back().reason, "not here");
  EXPECT_EQ(plan.steps.back().name_space, "shop");
}

}  // namespace
}  // namespace tidemark::live
