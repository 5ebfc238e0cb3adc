#include "live/three_way.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::object;
using testing::planned;

// What a field is after --existing replace, and whether the plan says that something stays.
struct WayRow {
  const char* id;
  const char* then;
  const char* now;
  const char* path;
  const char* value;  // JSON; nullptr: not there
  const char* noted;  // part of a warning; nullptr: none
};

constexpr const char* kScaledByHpa =
    R"({"metadata":{"managedFields":[{"manager":"kube-controller-manager","operation":"Update",
  "subresource":"scale","fieldsV1":{"f:spec":{"f:replicas":{}}}}]},"spec":{"replicas":7,"paused":true}})";
constexpr const char* kScaledByHand = R"({"metadata":{"managedFields":[{"manager":"kubectl","operation":"Update",
  "subresource":"scale","fieldsV1":{"f:spec":{"f:replicas":{}}}}]},"spec":{"replicas":7,"paused":true}})";
constexpr const char* kOthersByController = R"({"metadata":{"managedFields":[{"manager":"kube-controller-manager",
  "operation":"Update","fieldsV1":{"f:spec":{"f:paused":{}}}}]},"spec":{"replicas":7,"paused":true}})";

const WayRow kWayRows[] = {
    {"deployments.apps shop/web", R"({"spec":{"replicas":2}})", kScaledByHpa, "/spec/replicas", "7",
     ".spec.replicas stays 7 (was 2): kube-controller-manager/scale sets it"},
    {"deployments.apps shop/web", R"({"spec":{"replicas":2}})", kScaledByHand, "/spec/replicas", "2", nullptr},
    {"deployments.apps shop/web", R"({"spec":{"replicas":2}})", kOthersByController, "/spec/replicas", "2", nullptr},
    {"deployments.apps shop/web",
     R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"3"}},"spec":{"a":1}})",
     R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"9"}}})", "/metadata/annotations",
     R"({"deployment.kubernetes.io/revision":"9"})", nullptr},
    {"deployments.apps shop/web", R"({"spec":{"a":1}})",
     R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"9"}}})", "/metadata/annotations",
     R"({"deployment.kubernetes.io/revision":"9"})", nullptr},
    {"statefulsets.apps shop/web", R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"3"}}})", "{}",
     "/metadata/annotations", R"({"deployment.kubernetes.io/revision":"3"})", nullptr},
    {"configmaps shop/c", R"({"data":{"a":"1"},"metadata":{"finalizers":["x/y"]}})",
     R"({"metadata":{"finalizers":["z/z"]}})", "/metadata/finalizers", R"(["z/z"])", nullptr},
    {"configmaps shop/c", R"({"data":{"a":"1"},"metadata":{"finalizers":["x/y"]}})", "{}", "/metadata/finalizers",
     nullptr, nullptr},
    {"namespaces shop", R"({"metadata":{"labels":{"a":"b"}}})", R"({"spec":{"finalizers":["kubernetes"]}})",
     "/spec/finalizers", R"(["kubernetes"])", nullptr},
    // Services
    {"services shop/s", R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"a":1}})",
     R"({"spec":{"clusterIP":"10.0.0.9","clusterIPs":["10.0.0.9"]}})", "/spec/clusterIPs", R"(["10.0.0.9"])",
     ".spec.clusterIP stays 10.0.0.9 (was 10.0.0.1): it cannot be changed in place"},
    {"services shop/s", R"({"spec":{"a":1}})", R"({"spec":{"clusterIP":"10.0.0.9","ipFamilies":["IPv4"]}})",
     "/spec/ipFamilies", R"(["IPv4"])", nullptr},
    {"services shop/s", R"({"spec":{"clusterIP":"10.0.0.1"}})", R"({"spec":{"type":"ExternalName"}})",
     "/spec/clusterIP", R"("10.0.0.1")", nullptr},
    {"services shop/s", R"({"spec":{"type":"ExternalName"}})", R"({"spec":{"clusterIP":"10.0.0.1"}})",
     "/spec/clusterIP", nullptr, nullptr},
    {"services shop/s", R"({"spec":{"type":"NodePort","ports":[{"port":80},{"port":81,"nodePort":30001}]}})",
     R"({"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30005},{"port":81,"nodePort":30006}]}})",
     "/spec/ports", R"([{"port":80,"nodePort":30005},{"port":81,"nodePort":30001}])", nullptr},
    {"services shop/s", R"({"spec":{"type":"ClusterIP","ports":[{"port":80}]}})",
     R"({"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30005}]}})", "/spec/ports", R"([{"port":80}])",
     nullptr},
    // Claims and volumes are what they are
    {"persistentvolumeclaims shop/d", R"({"metadata":{"labels":{"a":"b"}},"spec":{"volumeName":"pv-1"}})",
     R"({"spec":{"volumeName":"pv-2"}})", "/spec/volumeName", R"("pv-2")",
     ".spec.volumeName stays as it is now: the claim is bound (was bound to pv-1)"},
    {"persistentvolumeclaims shop/d",
     R"({"metadata":{"labels":{"a":"b"}},"spec":{"resources":{"requests":{"storage":"1Gi"}}}})",
     R"({"spec":{"resources":{"requests":{"storage":"5Gi"}}}})", "/spec/resources/requests/storage", R"("5Gi")",
     ".spec.resources.requests.storage stays as it is now: a volume is not resized by putting objects back"},
    {"persistentvolumeclaims shop/d", R"({"metadata":{"labels":{"a":"b"}},"spec":{"accessModes":["A"]}})",
     R"({"spec":{"accessModes":["B"]}})", "/spec/accessModes", R"(["B"])",
     ".spec stays as it is now: a claim is never deleted to be made again"},
    {"persistentvolumes pv", R"({"spec":{"persistentVolumeReclaimPolicy":"Retain"}})",
     R"({"spec":{"persistentVolumeReclaimPolicy":"Delete","claimRef":{"name":"d","uid":"u"}}})", "/spec",
     R"({"persistentVolumeReclaimPolicy":"Retain","claimRef":{"name":"d","uid":"u"}})",
     ".spec.claimRef stays as it is now: it says who has the volume now"},
    {"persistentvolumes pv", R"({"spec":{"persistentVolumeReclaimPolicy":"Retain","nfs":{"path":"/a"}}})",
     R"({"spec":{"persistentVolumeReclaimPolicy":"Delete","nfs":{"path":"/b"}}})", "/spec/nfs/path", R"("/b")",
     ".spec stays as it is now: a volume is never deleted to be made again"},
    // Accounts, tokens, Jobs
    {"serviceaccounts shop/bot",
     R"({"metadata":{"labels":{"a":"b"}},"secrets":[{"name":"bot-token-aaaaa"},{"name":"x"}]})",
     R"({"secrets":[{"name":"bot-token-bbbbb"},{"name":"y"}]})", "/secrets",
     R"([{"name":"x"},{"name":"bot-token-bbbbb"}])", nullptr},
    {"secrets shop/t", R"({"type":"kubernetes.io/service-account-token","data":{"token":"old","mine":"1"}})",
     R"({"type":"kubernetes.io/service-account-token","data":{"token":"new"},
         "metadata":{"annotations":{"kubernetes.io/service-account.uid":"u"}}})",
     "/data", R"({"token":"new","mine":"1"})", nullptr},
    {"jobs.batch shop/j",
     R"({"metadata":{"labels":{"a":"b","controller-uid":"old"}},"spec":{"selector":{"matchLabels":{"controller-uid":"old"}},
         "template":{"metadata":{"labels":{"controller-uid":"old"}}}}})",
     R"({"metadata":{"labels":{"controller-uid":"new"}},"spec":{"selector":{"matchLabels":{"controller-uid":"new"}},
         "template":{"metadata":{"labels":{"controller-uid":"new"}}}}})",
     "/metadata/labels", R"({"a":"b","controller-uid":"new"})", nullptr},
    {"clusterroles.rbac.authorization.k8s.io r", R"({"aggregationRule":{"clusterRoleSelectors":[1]},"rules":[1]})",
     R"({"aggregationRule":{"clusterRoleSelectors":[]},"rules":[2]})", "/rules", "[2]", nullptr},
    {"clusterroles.rbac.authorization.k8s.io r", R"({"rules":[1]})", R"({"rules":[2]})", "/rules", "[1]", nullptr},
    {"mutatingwebhookconfigurations.admissionregistration.k8s.io w",
     R"({"webhooks":[{"name":"b","clientConfig":{"caBundle":"old"}},{"name":"a","clientConfig":{"caBundle":"old"}}]})",
     R"({"metadata":{"annotations":{"cert-manager.io/inject-ca-from":"x/y"}},"webhooks":[{"name":"a","clientConfig":{"caBundle":"new"}}]})",
     "/webhooks", R"([{"name":"b","clientConfig":{"caBundle":"old"}},{"name":"a","clientConfig":{"caBundle":"new"}}])",
     nullptr},
    {"mutatingwebhookconfigurations.admissionregistration.k8s.io w",
     R"({"webhooks":[{"name":"a","clientConfig":{"caBundle":"old"}}]})",
     R"({"webhooks":[{"name":"a","clientConfig":{"caBundle":"new"}}]})", "/webhooks",
     R"([{"name":"a","clientConfig":{"caBundle":"old"}}])", nullptr},
};

TEST(ThreeWay, WhatOthersOwnStaysAndTheRestComesBack) {
  for (const WayRow& row : kWayRows) {
    const Found then = object(row.id, row.then);
    const Found now = object(row.id, row.now);
    const Plan plan = planned({.wanted = {then}, .live = {now}}, {.existing = Existing::replace});
    const Step& step = plan.steps[0];
    ASSERT_EQ(step.action, Action::change) << row.id << row.then << step.reason;
    const nlohmann::json* value = reach(step.body, row.path);
    EXPECT_EQ(value == nullptr ? "nothing" : value->dump(),
              row.value == nullptr ? "nothing" : nlohmann::json::parse(row.value).dump())
        << row.id << row.then;
    std::string warnings;
    for (const std::string& warning : step.warnings) warnings += warning + "\n";
    if (row.noted == nullptr) {
      EXPECT_EQ(warnings, "") << row.id << row.then;
    } else {
      EXPECT_NE(warnings.find(row.noted), std::string::npos) << row.id << row.then << warnings;
    }
  }
}

TEST(ThreeWay, AnAutoscalerThatIsThereOrComesBack) {
  const Found then = object("deployments.apps shop/web", R"({"spec":{"replicas":2,"paused":true}})");
  const Found now = object("deployments.apps shop/web", R"({"spec":{"replicas":7}})");
  const auto scaler = [](const char* place, const char* target) {
    return object(fmt::format("horizontalpodautoscalers.autoscaling {}/hpa", place),
                  fmt::format(R"({{"spec":{{"scaleTargetRef":{}}}}})", target));
  };
  constexpr const char* kWeb = R"({"apiVersion":"apps/v1","kind":"Deployment","name":"web"})";
  struct Row {
    Found scaler;
    int replicas;
  };
  const Row rows[] = {
      {scaler("shop", kWeb), 7},
      {scaler("other", kWeb), 2},
      {scaler("shop", R"({"apiVersion":"apps/v1","kind":"Deployment","name":"api"})"), 2},
      {scaler("shop", R"({"apiVersion":"apps/v1","kind":"StatefulSet","name":"web"})"), 2},
      {scaler("shop", R"({"apiVersion":"example.com/v1","kind":"Deployment","name":"web"})"), 2},
  };
  for (const Row& row : rows) {
    for (const bool comes_back : {true, false}) {
      PlanInput input{.wanted = {then}, .live = {now}};
      (comes_back ? input.wanted : input.beside).push_back(row.scaler);
      const Plan plan = planned(input, {.existing = Existing::replace});
      EXPECT_EQ(testing::step_of(plan, "deployments.apps shop/web").body["spec"]["replicas"], row.replicas);
    }
  }
}

TEST(ThreeWay, APodKeepsItsPlaceAndTakesItsImage) {
  const auto pod = [](const char* node, const char* token, const char* image, const char* command) {
    return object("pods shop/p", fmt::format(R"({{"spec":{{"nodeName":"{}","priority":3,
      "volumes":[{{"name":"kube-api-access-{}","projected":{{}}}}],
      "containers":[{{"name":"c","image":"{}","command":["{}"],
                      "volumeMounts":[{{"name":"kube-api-access-{}"}}]}}]}}}})",
                                             node, token, image, command, token));
  };
  struct Row {
    Found then, now;
    Action replace, recreate;
  };
  const Row rows[] = {
      {pod("n1", "aaaaa", "i:1", "run"), pod("n2", "bbbbb", "i:1", "run"), Action::keep, Action::keep},
      {pod("n1", "aaaaa", "i:1", "run"), pod("n2", "bbbbb", "i:2", "run"), Action::change, Action::change},
      {pod("n1", "aaaaa", "i:1", "run"), pod("n2", "bbbbb", "i:1", "walk"), Action::keep, Action::recreate},
  };
  for (const Row& row : rows) {
    for (const Existing existing : {Existing::replace, Existing::recreate}) {
      const Plan plan = planned({.wanted = {row.then}, .live = {row.now}}, {.existing = existing});
      const Step& step = plan.steps[0];
      EXPECT_EQ(step.action, existing == Existing::replace ? row.replace : row.recreate) << step.reason;
      if (step.action == Action::change) {
        nlohmann::json expected = row.now.object["spec"];
        expected["containers"][0]["image"] = "i:1";
        EXPECT_EQ(step.body["spec"], expected);
      }
      if (step.action == Action::recreate) {
        EXPECT_FALSE(step.body["spec"].contains("nodeName"));
      }
    }
  }
}

}  // namespace
}  // namespace tidemark::live
