#include "live/immutables.h"

#include <gtest/gtest.h>

#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::object;
using testing::planned;

struct FixedRow {
  const char* id;
  const char* then;
  const char* now;
  const char* fixed;  // nullptr: it can be changed
  bool recreated = true;
};

const FixedRow kFixedRows[] = {
    {"configmaps shop/c", R"({"data":{"a":"1"}})", R"({"data":{"a":"2"},"immutable":true})", ".data, .immutable"},
    {"configmaps shop/c", R"({"data":{"a":"1"},"immutable":true})", R"({"data":{"a":"2"}})", nullptr},
    {"configmaps shop/c", R"({"metadata":{"labels":{"a":"1"}},"immutable":true})", R"({"immutable":true})", nullptr},
    {"secrets shop/s", R"({"type":"a"})", R"({"type":"b"})", ".type"},
    {"secrets shop/s", R"({"type":"a","data":{"k":"1"}})", R"({"type":"a","data":{"k":"2"}})", nullptr},
    {"secrets shop/s", R"({"data":{"k":"1"},"immutable":true})", R"({"data":{"k":"2"},"immutable":true})", ".data"},
    {"deployments.apps shop/d", R"({"spec":{"selector":{"a":1}}})", R"({"spec":{"selector":{"a":2}}})",
     ".spec.selector"},
    {"deployments.apps shop/d", R"({"spec":{"template":{"a":1}}})", R"({"spec":{"template":{"a":2}}})", nullptr},
    {"daemonsets.apps shop/d", R"({"spec":{"selector":{"a":1}}})", R"({"spec":{"selector":{"a":2}}})",
     ".spec.selector"},
    {"statefulsets.apps shop/d", R"({"spec":{"serviceName":"a","podManagementPolicy":"x"}})",
     R"({"spec":{"serviceName":"b","podManagementPolicy":"y"}})", ".spec.podManagementPolicy, .spec.serviceName"},
    {"statefulsets.apps shop/d", R"({"spec":{"replicas":1,"volumeClaimTemplates":[{"spec":{"a":1}}]}})",
     R"({"spec":{"replicas":2,"volumeClaimTemplates":[{"apiVersion":"v1","kind":"PersistentVolumeClaim","spec":{"a":1}}]}})",
     nullptr},
    {"statefulsets.apps shop/d", R"({"spec":{"volumeClaimTemplates":[{"spec":{"a":1}}]}})",
     R"({"spec":{"volumeClaimTemplates":[{"spec":{"a":2}}]}})", ".spec.volumeClaimTemplates"},
    {"jobs.batch shop/j", R"({"spec":{"template":{"a":1}}})", R"({"spec":{"template":{"a":2}}})", ".spec.template"},
    {"jobs.batch shop/j", R"({"spec":{"completions":1}})", R"({"spec":{"completions":2}})", ".spec.completions"},
    {"jobs.batch shop/j", R"({"spec":{"completionMode":"Indexed","completions":3,"parallelism":3}})",
     R"({"spec":{"completionMode":"Indexed","completions":2,"parallelism":2}})", nullptr},
    {"jobs.batch shop/j", R"({"spec":{"completionMode":"Indexed","completions":3,"parallelism":1}})",
     R"({"spec":{"completionMode":"Indexed","completions":2,"parallelism":1}})", ".spec.completions"},
    {"jobs.batch shop/j", R"({"spec":{"suspend":true}})", R"({"spec":{"suspend":false}})", nullptr},
    {"rolebindings.rbac.authorization.k8s.io shop/r", R"({"roleRef":{"name":"a"}})", R"({"roleRef":{"name":"b"}})",
     ".roleRef"},
    {"clusterrolebindings.rbac.authorization.k8s.io r", R"({"roleRef":{"name":"a"}})", R"({"roleRef":{"name":"b"}})",
     ".roleRef"},
    {"rolebindings.rbac.authorization.k8s.io shop/r", R"({"subjects":[1]})", R"({"subjects":[2]})", nullptr},
    {"services shop/s", R"({"spec":{"clusterIP":"10.0.0.1"}})", R"({"spec":{"clusterIP":"10.0.0.2"}})",
     ".spec.clusterIP"},
    {"services shop/s", R"({"spec":{"clusterIP":"None"}})", R"({"spec":{"clusterIP":"10.0.0.2"}})", ".spec.clusterIP"},
    {"services shop/s", R"({"spec":{"type":"ExternalName"}})", R"({"spec":{"clusterIP":"10.0.0.2"}})", nullptr},
    {"services shop/s", R"({"spec":{"type":"LoadBalancer","loadBalancerClass":"a/b"}})",
     R"({"spec":{"type":"LoadBalancer"}})", ".spec.loadBalancerClass"},
    {"services shop/s", R"({"spec":{"type":"LoadBalancer","loadBalancerClass":"a/b"}})",
     R"({"spec":{"type":"NodePort"}})", nullptr},
    {"services shop/s",
     R"({"spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":30001}})",
     R"({"spec":{"type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":30002}})",
     ".spec.healthCheckNodePort"},
    {"servicecidrs.networking.k8s.io c", R"({"spec":{"cidrs":["10.0.0.0/16"]}})",
     R"({"spec":{"cidrs":["10.1.0.0/16"]}})", ".spec.cidrs"},
    {"servicecidrs.networking.k8s.io c", R"({"spec":{"cidrs":["10.0.0.0/16","fd00::/112"]}})",
     R"({"spec":{"cidrs":["10.0.0.0/16"]}})", nullptr},
    {"storageclasses.storage.k8s.io s", R"({"provisioner":"a","parameters":{"x":"1"}})",
     R"({"provisioner":"b","parameters":{"x":"2"}})", ".parameters, .provisioner"},
    {"storageclasses.storage.k8s.io s", R"({"allowVolumeExpansion":true})", "{}", nullptr},
    {"priorityclasses.scheduling.k8s.io p", R"({"value":1})", R"({"value":2})", ".value"},
    {"runtimeclasses.node.k8s.io r", R"({"handler":"a"})", R"({"handler":"b"})", ".handler"},
    {"ingressclasses.networking.k8s.io i", R"({"spec":{"controller":"a"}})", R"({"spec":{"controller":"b"}})",
     ".spec.controller"},
    {"csidrivers.storage.k8s.io d", R"({"spec":{"attachRequired":true}})", R"({"spec":{"attachRequired":false}})",
     ".spec.attachRequired"},
    {"endpointslices.discovery.k8s.io shop/e", R"({"addressType":"IPv4"})", R"({"addressType":"IPv6"})",
     ".addressType"},
    {"resourcequotas shop/q", R"({"spec":{"scopes":["a"]}})", R"({"spec":{"scopes":["b"]}})", ".spec.scopes"},
    {"resourcequotas shop/q", R"({"spec":{"scopes":["a","b"]}})", R"({"spec":{"scopes":["b","a"]}})", nullptr},
    {"pods shop/p", R"({"spec":{"tolerations":[{"key":"a","tolerationSeconds":5},{"key":"b"}]}})",
     R"({"spec":{"tolerations":[{"key":"a","tolerationSeconds":9}]}})", nullptr},
    {"pods shop/p", R"({"spec":{"tolerations":[{"key":"b"}]}})", R"({"spec":{"tolerations":[{"key":"a"}]}})", ".spec"},
    {"pods shop/p", R"({"spec":{"activeDeadlineSeconds":5}})", R"({"spec":{"activeDeadlineSeconds":9}})", nullptr},
    {"pods shop/p", R"({"spec":{"activeDeadlineSeconds":9}})", R"({"spec":{"activeDeadlineSeconds":5}})", ".spec"},
    {"widgets.shop.example.com shop/w", R"({"spec":{"selector":1}})", R"({"spec":{"selector":2}})", nullptr},
    // These are never made again.
    {"customresourcedefinitions.apiextensions.k8s.io w", R"({"spec":{"scope":"Cluster"}})",
     R"({"spec":{"scope":"Namespaced"}})", ".spec.scope", false},
    {"customresourcedefinitions.apiextensions.k8s.io w", R"({"spec":{"names":{"kind":"A"}}})",
     R"({"spec":{"names":{"kind":"B"}}})", ".spec.names.kind", false},
    {"volumesnapshots.snapshot.storage.k8s.io shop/s", R"({"spec":{"source":{"a":1}}})",
     R"({"spec":{"source":{"a":2}}})", ".spec.source", false},
};

TEST(Immutables, AreMadeAgainOnlyWhenAskedAndWhereNothingGoesAlong) {
  for (const FixedRow& row : kFixedRows) {
    const PlanInput input{.wanted = {object(row.id, row.then)}, .live = {object(row.id, row.now)}};
    if (row.fixed != nullptr && std::string_view(row.fixed) != ".spec.clusterIP") {
      const Plan replace = planned(input, {.existing = Existing::replace});
      EXPECT_EQ(replace.steps[0].action, Action::keep) << row.id << row.then;
      EXPECT_TRUE(replace.steps[0].reason.starts_with(std::string(row.fixed) + " cannot be changed in place"))
          << row.id << row.then << replace.steps[0].reason;
    }
    const Plan recreate = planned(input, {.existing = Existing::recreate});
    const Step& step = recreate.steps[0];
    const Action expected = row.fixed == nullptr ? Action::change : row.recreated ? Action::recreate : Action::keep;
    EXPECT_EQ(step.action, expected) << row.id << row.then << step.reason;
    if (row.fixed != nullptr) {
      EXPECT_TRUE(step.reason.starts_with(row.fixed)) << step.reason;
    }
    if (!row.recreated) {
      EXPECT_NE(step.reason.find("never deleted"), std::string::npos) << step.reason;
    }
  }
}

TEST(Immutables, WhatHoldsDataIsNeverMadeAgain) {
  for (const char* id : {"persistentvolumes pv", "persistentvolumeclaims shop/d"}) {
    const PlanInput input{
        .wanted = {object(id, R"({"spec":{"accessModes":["A"],"csi":{"a":1},"storageClassName":"x"}})")},
        .live = {object(id, R"({"spec":{"accessModes":["B"],"csi":{"a":2}}})")}};
    for (const Existing existing : {Existing::skip, Existing::merge, Existing::replace, Existing::recreate}) {
      EXPECT_EQ(planned(input, {.existing = existing}).count(Action::recreate), 0U) << id;
    }
  }
}

}  // namespace
}  // namespace tidemark::live
