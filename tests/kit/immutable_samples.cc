#include "kit/immutable_samples.h"

namespace tidemark::testing {
namespace {

using nlohmann::json;

struct Row {
  const char *kind, *name;
  const char* then;
  const char* change;  // JSON merge patch (RFC 7396): what is different now
  bool made_twice = true;
};

constexpr const char* kPod = R"({"spec": {"containers": [
  {"name": "c", "image": "localhost/worker:1", "env": [{"name": "E", "value": "1"}]}]}})";
constexpr const char* kOtherPod = R"({"spec": {"containers": [
  {"name": "c", "image": "localhost/worker:1", "env": [{"name": "E", "value": "2"}]}]}})";

// Either selector picks it.
constexpr const char* kWorkload = R"({"spec": {"replicas": 0, "selector": {"matchLabels": {"one": "x"}},
  "template": {"metadata": {"labels": {"one": "x", "two": "x"}},
               "spec": {"containers": [{"name": "c", "image": "localhost/worker:1"}]}}}})";
constexpr const char* kOtherSelector = R"({"spec": {"selector": {"matchLabels": {"one": null, "two": "x"}}}})";
constexpr const char* kDaemons = R"({"spec": {"selector": {"matchLabels": {"one": "x"}},
  "template": {"metadata": {"labels": {"one": "x", "two": "x"}},
               "spec": {"containers": [{"name": "c", "image": "localhost/worker:1"}]}}}})";

constexpr const char* kSet = R"({"spec": {"replicas": 0, "podManagementPolicy": "Parallel", "serviceName": "a",
  "selector": {"matchLabels": {"one": "x"}},
  "template": {"metadata": {"labels": {"one": "x", "two": "x"}},
               "spec": {"containers": [{"name": "c", "image": "localhost/worker:1"}]}},
  "volumeClaimTemplates": [{"metadata": {"name": "d"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}})";
constexpr const char* kOtherSet = R"({"spec": {"podManagementPolicy": "OrderedReady", "serviceName": "b",
  "selector": {"matchLabels": {"one": null, "two": "x"}},
  "volumeClaimTemplates": [{"metadata": {"name": "d"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}}]}})";

// Nobody runs it, for its controller is a stranger.
constexpr const char* kJob = R"({"spec": {"completionMode": "Indexed", "completions": 3, "parallelism": 1,
  "backoffLimitPerIndex": 1, "managedBy": "example.com/a", "successPolicy": {"rules": [{"succeededCount": 1}]},
  "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]},
  "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "localhost/worker:1"}]}}}})";
constexpr const char* kOtherJob = R"({"spec": {"completions": 4, "backoffLimitPerIndex": 2,
  "managedBy": "example.com/b", "successPolicy": {"rules": [{"succeededCount": 2}]},
  "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2]}}]},
  "template": {"spec": {"containers": [{"name": "c", "image": "localhost/worker:2"}]}}}})";
constexpr const char* kChoosingJob = R"({"spec": {"suspend": true, "manualSelector": true, "completions": 1,
  "completionMode": "NonIndexed", "selector": {"matchLabels": {"one": "x"}},
  "template": {"metadata": {"labels": {"one": "x", "two": "x"}},
               "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "localhost/worker:1"}]}}}})";
constexpr const char* kOtherChoosingJob = R"({"spec": {"completionMode": "Indexed",
  "selector": {"matchLabels": {"one": null, "two": "x"}}}})";

constexpr const char* kDefinition = R"({"spec": {"group": "stone.example.com", "scope": "Cluster",
  "names": {"plural": "slabs", "singular": "slab", "kind": "Slab", "listKind": "SlabList"},
  "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}})";

constexpr const char* kBalanced = R"({"spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local",
  "allocateLoadBalancerNodePorts": false, "healthCheckNodePort": 31901, "loadBalancerClass": "example.com/a",
  "ports": [{"port": 80}]}})";

constexpr const char* kClaim =
    R"({"spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "a.example.com"}}]}}})";
constexpr const char* kOtherClaim =
    R"({"spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "b.example.com"}}]}}})";
constexpr const char* kClaimTemplate =
    R"({"spec": {"spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "a.org"}}]}}}})";
constexpr const char* kOtherClaimTemplate =
    R"({"spec": {"spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "b.org"}}]}}}})";

constexpr const char* kBinding =
    R"({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "a"}})";

constexpr Row kRows[] = {
    {"clusterrolebindings.rbac.authorization.k8s.io", "stone", kBinding, R"({"roleRef": {"name": "b"}})"},
    {"configmaps", "fixed", R"({"immutable": true, "data": {"a": "1"}, "binaryData": {"b": "AQ=="}})",
     R"({"data": {"a": "2"}, "binaryData": {"b": "Ag=="}})"},
    {"configmaps", "fixed-since", R"({"data": {"a": "1"}})", R"({"immutable": true})"},
    {"controllerrevisions.apps", "book", R"({"revision": 1, "data": {"a": 1}})", R"({"data": {"a": 2}})"},
    {"csidrivers.storage.k8s.io", "stone.example.com",
     R"({"spec": {"attachRequired": true, "volumeLifecycleModes": ["Persistent"]}})",
     R"({"spec": {"attachRequired": false, "volumeLifecycleModes": ["Ephemeral"]}})"},
    {"customresourcedefinitions.apiextensions.k8s.io", "slabs.stone.example.com", kDefinition,
     R"({"spec": {"scope": "Namespaced", "names": {"kind": "Flag", "listKind": "FlagList"}}})", false},
    {"daemonsets.apps", "everywhere", kDaemons, kOtherSelector},
    {"deployments.apps", "web", kWorkload, kOtherSelector},
    {"endpointslices.discovery.k8s.io", "slice", R"({"addressType": "IPv4", "endpoints": []})",
     R"({"addressType": "IPv6"})"},
    {"ingressclasses.networking.k8s.io", "stone", R"({"spec": {"controller": "example.com/a"}})",
     R"({"spec": {"controller": "example.com/b"}})"},
    {"jobs.batch", "task", kJob, kOtherJob},
    {"jobs.batch", "chosen", kChoosingJob, kOtherChoosingJob},
    {"pods", "alone", kPod, kOtherPod},
    {"priorityclasses.scheduling.k8s.io", "stone", R"({"value": 1, "preemptionPolicy": "Never"})",
     R"({"value": 2, "preemptionPolicy": "PreemptLowerPriority"})"},
    {"replicasets.apps", "three", kWorkload, kOtherSelector},
    {"resourceclaims.resource.k8s.io", "device", kClaim, kOtherClaim},
    {"resourceclaimtemplates.resource.k8s.io", "devices", kClaimTemplate, kOtherClaimTemplate},
    {"resourcequotas", "quota", R"({"spec": {"hard": {"pods": "99"}, "scopes": ["Terminating"]}})",
     R"({"spec": {"scopes": ["NotTerminating"]}})"},
    {"rolebindings.rbac.authorization.k8s.io", "stone", kBinding, R"({"roleRef": {"name": "b"}})"},
    {"runtimeclasses.node.k8s.io", "stone", R"({"handler": "a"})", R"({"handler": "b"})"},
    {"secrets", "fixed", R"({"immutable": true, "data": {"a": "MQ=="}})", R"({"data": {"a": "Mg=="}})"},
    {"secrets", "fixed-since", R"({"data": {"a": "MQ=="}})", R"({"immutable": true})"},
    {"secrets", "typed", R"({"type": "example.com/a"})", R"({"type": "example.com/b"})"},
    // The server keeps a range for ten seconds after it was deleted.
    {"servicecidrs.networking.k8s.io", "stone", R"({"spec": {"cidrs": ["10.97.0.0/24"]}})",
     R"({"spec": {"cidrs": ["10.97.1.0/24"]}})", false},
    {"services", "addressed", R"({"spec": {"clusterIP": "10.96.77.1", "ports": [{"port": 80}]}})",
     R"({"spec": {"clusterIP": "10.96.77.2"}})"},
    {"services", "balanced", kBalanced,
     R"({"spec": {"healthCheckNodePort": 31902, "loadBalancerClass": "example.com/b"}})"},
    {"statefulsets.apps", "db", kSet, kOtherSet},
    {"storageclasses.storage.k8s.io", "stone",
     R"({"provisioner": "example.com/a", "parameters": {"p": "1"}, "reclaimPolicy": "Retain",
         "volumeBindingMode": "Immediate"})",
     R"({"provisioner": "example.com/b", "parameters": {"p": "2"}, "reclaimPolicy": "Delete",
         "volumeBindingMode": "WaitForFirstConsumer"})"},
    {"volumeattributesclasses.storage.k8s.io", "stone", R"({"driverName": "example.com/a", "parameters": {"p": "1"}})",
     R"({"driverName": "example.com/b", "parameters": {"p": "2"}})"},
};

}  // namespace

std::vector<ImmutableSample> immutable_samples() {
  std::vector<ImmutableSample> samples;
  for (const Row& row : kRows) {
    json then = json::parse(row.then);
    then["metadata"]["name"] = row.name;
    json now = then;
    now.merge_patch(json::parse(row.change));
    samples.push_back({row.kind, row.name, std::move(then), std::move(now), row.made_twice});
  }
  return samples;
}

}  // namespace tidemark::testing
