#include "live/preparation.h"

#include <gtest/gtest.h>

#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using nlohmann::json;
using testing::object;

struct StripRow {
  const char* id;
  const char* before;
  const char* after;  // without apiVersion, kind and the object's name and namespace
  Stripping how{};
};

constexpr Stripping kMigration{.same_cluster = false};
constexpr Stripping kMoved{.same_cluster = true, .moved = true};

const StripRow kStripRows[] = {
    {"configmaps shop/c",
     R"({"metadata":{"selfLink":"/x","generation":2,"creationTimestamp":"t","managedFields":[],"generateName":"c-",
         "deletionGracePeriodSeconds":3,"labels":{"a":"b"},"annotations":{},"clusterName":""},"data":{"k":"v"}})",
     R"({"metadata":{"generateName":"c-","labels":{"a":"b"}},"data":{"k":"v"}})"},
    {"configmaps shop/c",
     R"({"metadata":{"finalizers":["foregroundDeletion","orphan","mine.io/x"],"annotations":{
         "control-plane.alpha.kubernetes.io/leader":"{}","kubectl.kubernetes.io/last-applied-configuration":"{}"}}})",
     R"({"metadata":{"finalizers":["mine.io/x"],
         "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}})"},
    {"configmaps shop/c", R"({"metadata":{"finalizers":["orphan"]}})", R"({"metadata":{}})"},
    {"namespaces shop", R"({"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}})", R"({"metadata":{}})"},
    {"deployments.apps shop/d",
     R"({"spec":{"template":{"metadata":{"creationTimestamp":null,"labels":{"a":"b"}}}},"status":{"replicas":1},
         "metadata":{"annotations":{"deployment.kubernetes.io/revision":"3"}}})",
     R"({"spec":{"template":{"metadata":{"labels":{"a":"b"}}}},
         "metadata":{"annotations":{"deployment.kubernetes.io/revision":"3"}}})"},
    // Services
    {"services shop/s", R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"ports":[{"nodePort":30001}]}})",
     R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"ports":[{"nodePort":30001}]},"metadata":{}})"},
    {"services shop/s",
     R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"ports":[{"nodePort":30001,"port":80}],
         "healthCheckNodePort":30002,"ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack"}})",
     R"({"spec":{"ports":[{"port":80}]},"metadata":{}})", kMigration},
    {"services shop/s", R"({"spec":{"clusterIP":"None","clusterIPs":["None"]}})",
     R"({"spec":{"clusterIP":"None","clusterIPs":["None"]},"metadata":{}})", kMigration},
    {"services shop/s",
     R"({"spec":{"ports":[{"port":80,"protocol":"TCP","nodePort":30001},{"port":80,"protocol":"UDP","nodePort":30002},
                          {"port":81,"protocol":"TCP","nodePort":30003}],"ipFamilies":["IPv6"]},
         "metadata":{"managedFields":[{"fieldsV1":{"f:spec":{"f:ipFamilies":{},"f:ports":{".":{},
           "k:{\"port\":80,\"protocol\":\"TCP\"}":{"f:nodePort":{}},"k:{\"port\":81,\"protocol\":\"TCP\"}":{"f:port":{}},
           "k:{odd":{"f:nodePort":{}}}}}}]}})",
     R"({"spec":{"ports":[{"port":80,"protocol":"TCP","nodePort":30001},{"port":80,"protocol":"UDP"},
                          {"port":81,"protocol":"TCP"}],"ipFamilies":["IPv6"]},"metadata":{}})",
     kMigration},
    {"services shop/s",
     R"({"spec":{"ports":[{"port":80,"protocol":"TCP","nodePort":30001},{"port":81,"protocol":"TCP","nodePort":30002},
                          {"port":80,"protocol":"UDP","nodePort":30003}]},
         "metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":
           "{\"spec\":{\"ports\":[{\"port\":80,\"nodePort\":30001},{\"port\":81}]}}"}}})",
     R"({"spec":{"ports":[{"port":80,"protocol":"TCP","nodePort":30001},{"port":81,"protocol":"TCP"},
                          {"port":80,"protocol":"UDP"}]},
         "metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":
           "{\"spec\":{\"ports\":[{\"port\":80,\"nodePort\":30001},{\"port\":81}]}}"}}})",
     kMigration},
    {"services shop/s",
     R"({"spec":{"clusterIP":"10.0.0.1","ports":[{"nodePort":30001}],"ipFamilies":["IPv4"]},"metadata":{"managedFields":[
         {"fieldsV1":{"f:spec":{"f:ports":{"k:{\"port\":80}":{"f:nodePort":{}}}}}}]}})",
     R"({"spec":{"ports":[{}],"ipFamilies":["IPv4"]},"metadata":{}})", kMoved},
    // Pods
    {"pods shop/p",
     R"({"spec":{"nodeName":"n1","priority":7,"priorityClassName":"high","preemptionPolicy":"Never",
         "serviceAccountName":"bot","ephemeralContainers":[{"name":"e"}],
         "volumes":[{"name":"kube-api-access-abc","projected":{}},{"name":"t","secret":{"secretName":"bot-token-abcde"}},
                    {"name":"data","emptyDir":{}}],
         "containers":[{"name":"c","volumeMounts":[{"name":"kube-api-access-abc"},{"name":"data"}]}],
         "initContainers":[{"name":"i","volumeMounts":[{"name":"t"}]}]},"status":{"phase":"Running"}})",
     R"({"spec":{"priorityClassName":"high","serviceAccountName":"bot","volumes":[{"name":"data","emptyDir":{}}],
         "containers":[{"name":"c","volumeMounts":[{"name":"data"}]}],"initContainers":[{"name":"i"}]},"metadata":{}})"},
    {"pods shop/p", R"({"spec":{"volumes":[{"name":"kube-api-access-abc","emptyDir":{}}],"preemptionPolicy":"Never"}})",
     R"({"spec":{"volumes":[{"name":"kube-api-access-abc","emptyDir":{}}],"preemptionPolicy":"Never"},"metadata":{}})"},
    // Jobs
    {"jobs.batch shop/j",
     R"({"metadata":{"labels":{"controller-uid":"u","job-name":"j"}},"spec":{"selector":{"matchLabels":{"controller-uid":"u"}},
         "template":{"metadata":{"labels":{"batch.kubernetes.io/controller-uid":"u","controller-uid":"u","a":"b"}}}}})",
     R"({"metadata":{"labels":{"job-name":"j"}},"spec":{"template":{"metadata":{"labels":{"a":"b"}}}}})"},
    {"jobs.batch shop/j", R"({"spec":{"manualSelector":true,"selector":{"matchLabels":{"controller-uid":"mine"}}}})",
     R"({"spec":{"manualSelector":true,"selector":{"matchLabels":{"controller-uid":"mine"}}},"metadata":{}})"},
    // Claims and volumes
    {"persistentvolumeclaims shop/d",
     R"({"metadata":{"annotations":{"pv.kubernetes.io/bind-completed":"yes","pv.kubernetes.io/bound-by-controller":"yes",
         "volume.kubernetes.io/selected-node":"n1","volume.kubernetes.io/storage-provisioner":"p","mine":"1"},
         "finalizers":["kubernetes.io/pvc-protection"]},"spec":{"volumeName":"pv-1"},"status":{"phase":"Bound"}})",
     R"({"metadata":{"annotations":{"mine":"1"},"finalizers":["kubernetes.io/pvc-protection"]},
         "spec":{"volumeName":"pv-1"}})"},
    {"persistentvolumes pv",
     R"({"metadata":{"annotations":{"pv.kubernetes.io/provisioned-by":"p","pv.kubernetes.io/bound-by-controller":"yes"}},
         "spec":{"claimRef":{"namespace":"shop","name":"d","uid":"u","resourceVersion":"5"}}})",
     R"({"metadata":{"annotations":{"pv.kubernetes.io/provisioned-by":"p"}},
         "spec":{"claimRef":{"namespace":"shop","name":"d"}}})"},
    // Accounts and their tokens
    {"serviceaccounts shop/bot", R"({"secrets":[{"name":"bot-token-abcde"},{"name":"bot-token-long-name"},{"name":"x"}],
         "imagePullSecrets":[{"name":"bot-dockercfg-abcde"}]})",
     R"({"secrets":[{"name":"bot-token-long-name"},{"name":"x"}],"imagePullSecrets":[{"name":"bot-dockercfg-abcde"}],
         "metadata":{}})"},
    {"secrets shop/t",
     R"({"type":"kubernetes.io/service-account-token","metadata":{"annotations":{"kubernetes.io/service-account.uid":"u",
         "kubernetes.io/service-account.name":"bot"}},"data":{"token":"a","ca.crt":"b","namespace":"c","mine":"d"}})",
     R"({"type":"kubernetes.io/service-account-token","metadata":{"annotations":{
         "kubernetes.io/service-account.name":"bot"}},"data":{"mine":"d"}})"},
    {"secrets shop/t", R"({"type":"Opaque","data":{"token":"a","ca.crt":"b"}})",
     R"({"type":"Opaque","data":{"token":"a","ca.crt":"b"},"metadata":{}})"},
    // What others write into
    {"clusterroles.rbac.authorization.k8s.io r",
     R"({"aggregationRule":{"clusterRoleSelectors":[]},"rules":[{"verbs":["get"]}]})",
     R"({"aggregationRule":{"clusterRoleSelectors":[]},"metadata":{}})"},
    {"clusterroles.rbac.authorization.k8s.io r", R"({"rules":[{"verbs":["get"]}]})",
     R"({"rules":[{"verbs":["get"]}],"metadata":{}})"},
    {"validatingwebhookconfigurations.admissionregistration.k8s.io w",
     R"({"metadata":{"annotations":{"cert-manager.io/inject-ca-from":"shop/ca"}},
         "webhooks":[{"name":"a","clientConfig":{"caBundle":"x","service":{"name":"s"}}}]})",
     R"({"metadata":{"annotations":{"cert-manager.io/inject-ca-from":"shop/ca"}},
         "webhooks":[{"name":"a","clientConfig":{"service":{"name":"s"}}}]})"},
    {"validatingwebhookconfigurations.admissionregistration.k8s.io w",
     R"({"webhooks":[{"name":"a","clientConfig":{"caBundle":"mine"}}]})",
     R"({"webhooks":[{"name":"a","clientConfig":{"caBundle":"mine"}}],"metadata":{}})"},
    {"apiservices.apiregistration.k8s.io v1.x",
     R"({"metadata":{"annotations":{"cert-manager.io/inject-ca-from":"shop/ca"}},"spec":{"caBundle":"x"}})",
     R"({"metadata":{"annotations":{"cert-manager.io/inject-ca-from":"shop/ca"}},"spec":{}})"},
    // A definition may require its status
    {"widgets.shop.example.com shop/w", R"({"spec":{"a":1},"status":{"b":2}})",
     R"({"spec":{"a":1},"status":{"b":2},"metadata":{}})"},
};

TEST(StripForCreate, EachKindsOwnRules) {
  for (const StripRow& row : kStripRows) {
    Found found = object(row.id, row.before);
    strip_for_create(found.kind, row.how, found.object);
    json expected = json::parse(row.after);
    for (const char* name : {"apiVersion", "kind"}) expected[name] = found.object[name];
    for (const char* name : {"name", "namespace"}) {
      if (found.object["metadata"].contains(name)) expected["metadata"][name] = found.object["metadata"][name];
    }
    EXPECT_EQ(found.object, expected) << row.id << row.before;
  }
}

TEST(StripForCreate, TellsWhatAPersonShouldKnow) {
  struct Row {
    const char* id;
    const char* rest;
    std::vector<std::string> notes;
  };
  const Row rows[] = {
      {"jobs.batch shop/j", "{}", {"it begins from the start"}},
      {"secrets shop/t",
       R"({"type":"bootstrap.kubernetes.io/token"})",
       {"a token for joining nodes: the cluster removes it at once when it has expired"}},
      {"secrets shop/t", "{}", {}},
      {"deployments.apps shop/t", "{}", {}},
  };
  for (const Row& row : rows) {
    Found found = object(row.id, row.rest);
    EXPECT_EQ(strip_for_create(found.kind, {}, found.object), row.notes) << row.id;
  }
}

TEST(StripServed, IsNothingTheSecondTime) {
  for (const StripRow& row : kStripRows) {
    Found once = object(row.id, row.before);
    strip_served(once.kind, once.object);
    json twice = once.object;
    strip_served(once.kind, twice);
    EXPECT_EQ(once.object, twice) << row.id;
  }
  for (const char* odd : {"null", "[]", "1", "\"x\"", R"({"metadata":[]})", R"({"metadata":null})"}) {
    json value = json::parse(odd);
    strip_served(testing::kind("pods"), value);
    EXPECT_EQ(value, json::parse(odd));
  }
}

}  // namespace
}  // namespace tidemark::live
