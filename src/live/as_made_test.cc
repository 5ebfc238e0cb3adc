#include "live/as_made.h"

#include <gtest/gtest.h>

#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

struct MadeRow {
  const char* kind;
  const char* live;
  const char* sent;
  const char* unlike;  // nullptr: as it was sent
};

const MadeRow kMadeRows[] = {
    {"configmaps", R"({"data":{"a":"1"},"status":{}})", R"({"data":{"a":"1"},"status":{"x":1}})", nullptr},
    {"configmaps", R"({"data":{"a":"1"}})", R"({"data":{"a":"2"}})", ".data.a"},
    {"clusterroles.rbac.authorization.k8s.io", R"({"aggregationRule":{},"rules":[{"verbs":["get"]}]})",
     R"({"aggregationRule":{},"rules":[{"verbs":["list"]}]})", nullptr},
    {"clusterroles.rbac.authorization.k8s.io", R"({"rules":[{"verbs":["get"]}]})", R"({"rules":[{"verbs":["list"]}]})",
     ".rules[0].verbs[0]"},
    // What admission adds for the account's token.
    {"pods",
     R"({"spec":{"volumes":[{"name":"data"},{"name":"kube-api-access-x1","projected":{}}],
         "containers":[{"name":"c","volumeMounts":[{"name":"kube-api-access-x1"}]}]}})",
     R"({"spec":{"volumes":[{"name":"data"}],"containers":[{"name":"c"}]}})", nullptr},
    {"pods", R"({"spec":{"volumes":[{"name":"kube-api-access-x1","projected":{}}]}})",
     R"({"spec":{"volumes":[{"name":"kube-api-access-y2","projected":{}}]}})", nullptr},
    {"pods", R"({"spec":{"volumes":[{"name":"data"},{"name":"more"}]}})", R"({"spec":{"volumes":[{"name":"data"}]}})",
     ".spec.volumes"},
    {"pods", R"({"spec":{"containers":[{"name":"c"},{"name":"sidecar"}]}})",
     R"({"spec":{"containers":[{"name":"c"}]}})", ".spec.containers"},
    // Tolerations: more of them, but each that was asked for.
    {"pods", R"({"spec":{"tolerations":[{"key":"a"},{"key":"b","tolerationSeconds":300}]}})",
     R"({"spec":{"tolerations":[{"key":"a"}]}})", nullptr},
    {"pods", R"({"spec":{"tolerations":[{"key":"b","tolerationSeconds":300}]}})", R"({"spec":{}})", nullptr},
    {"pods", R"({"spec":{"tolerations":[{"key":"b"}]}})", R"({"spec":{"tolerations":[{"key":"a"},{"key":"b"}]}})",
     ".spec.tolerations"},
    {"deployments.apps", R"({"spec":{"tolerations":[{"key":"a"},{"key":"b"}]}})",
     R"({"spec":{"tolerations":[{"key":"a"}]}})", ".spec.tolerations"},
    // What its controller and those that clean up write there is theirs.
    {"deployments.apps",
     R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"3"},"finalizers":["x/y"]}})",
     R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"1"},"finalizers":["a/b","x/y"]}})", nullptr},
    {"deployments.apps", R"({"metadata":{"annotations":{"a":"now","deployment.kubernetes.io/revision":"3"}}})",
     R"({"metadata":{"annotations":{"a":"then","deployment.kubernetes.io/revision":"1"}}})", ".metadata.annotations.a"},
    {"pods", R"({"spec":[]})", R"({"spec":{"tolerations":{}}})", nullptr},
};

TEST(AsMade, WhatEachClusterAddsIsNoDifference) {
  for (const MadeRow& row : kMadeRows) {
    const auto unlike = unlike_sent(testing::kind(row.kind), json::parse(row.live), json::parse(row.sent));
    EXPECT_EQ(unlike.value_or("-"), row.unlike == nullptr ? "-" : row.unlike) << row.kind << row.live << row.sent;
  }
}

TEST(AsMade, OfWhatWasAppliedThereMayBeMore) {
  const auto kind = testing::kind("deployments.apps");
  const json sent = json::parse(
      R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"1"}},"spec":{"c":[{"name":"one","v":1}]}})");
  json live = json::parse(
      R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"3"}},"spec":{"c":[{"name":"one","v":1}]}})");
  live["spec"]["c"].push_back({{"name", "two"}});
  EXPECT_TRUE(has_all_sent(kind, live, sent));
  EXPECT_FALSE(is_as_sent(kind, live, sent));
  live["spec"]["c"][0]["v"] = 2;
  EXPECT_FALSE(has_all_sent(kind, live, sent));
}

}  // namespace
}  // namespace tidemark::live
