#include "live/immutables.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "live/json_reach.h"
#include "live/left_out.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

struct Fixed {
  std::string_view kind, path;
  bool only_if_immutable = false;  // only of an object that says immutable: true
};

// As read in the validation of Kubernetes 1.36. tests/drill_restore_ways.cc asks a server about each row. The group and
// the plural of a definition are not among them, for its name is made of both.
constexpr Fixed kFixed[] = {
    {"clusterrolebindings.rbac.authorization.k8s.io", "/roleRef"},
    {"configmaps", "/binaryData", true},
    {"configmaps", "/data", true},
    {"configmaps", "/immutable", true},
    {"controllerrevisions.apps", "/data"},
    {"csidrivers.storage.k8s.io", "/spec/attachRequired"},
    {"csidrivers.storage.k8s.io", "/spec/volumeLifecycleModes"},
    {"customresourcedefinitions.apiextensions.k8s.io", "/spec/names/kind"},
    {"customresourcedefinitions.apiextensions.k8s.io", "/spec/scope"},
    {"daemonsets.apps", "/spec/selector"},
    {"deployments.apps", "/spec/selector"},
    {"endpointslices.discovery.k8s.io", "/addressType"},
    {"ingressclasses.networking.k8s.io", "/spec/controller"},
    {"jobs.batch", "/spec/backoffLimitPerIndex"},
    {"jobs.batch", "/spec/completionMode"},
    {"jobs.batch", "/spec/completions"},
    {"jobs.batch", "/spec/managedBy"},
    {"jobs.batch", "/spec/podFailurePolicy"},
    {"jobs.batch", "/spec/selector"},
    {"jobs.batch", "/spec/successPolicy"},
    {"jobs.batch", "/spec/template"},
    {"priorityclasses.scheduling.k8s.io", "/preemptionPolicy"},
    {"priorityclasses.scheduling.k8s.io", "/value"},
    {"replicasets.apps", "/spec/selector"},
    {"resourceclaims.resource.k8s.io", "/spec"},
    {"resourceclaimtemplates.resource.k8s.io", "/spec"},
    {"resourcequotas", "/spec/scopes"},
    {"rolebindings.rbac.authorization.k8s.io", "/roleRef"},
    {"runtimeclasses.node.k8s.io", "/handler"},
    {"secrets", "/data", true},
    {"secrets", "/immutable", true},
    {"secrets", "/type"},
    {"servicecidrs.networking.k8s.io", "/spec/cidrs"},
    {"services", "/spec/clusterIP"},
    {"services", "/spec/healthCheckNodePort"},
    {"services", "/spec/loadBalancerClass"},
    {"statefulsets.apps", "/spec/podManagementPolicy"},
    {"statefulsets.apps", "/spec/selector"},
    {"statefulsets.apps", "/spec/serviceName"},
    {"statefulsets.apps", "/spec/volumeClaimTemplates"},
    {"storageclasses.storage.k8s.io", "/parameters"},
    {"storageclasses.storage.k8s.io", "/provisioner"},
    {"storageclasses.storage.k8s.io", "/reclaimPolicy"},
    {"storageclasses.storage.k8s.io", "/volumeBindingMode"},
    {"volumeattributesclasses.storage.k8s.io", "/driverName"},
    {"volumeattributesclasses.storage.k8s.io", "/parameters"},
    {"volumesnapshotcontents.snapshot.storage.k8s.io", "/spec/source"},
    {"volumesnapshotcontents.snapshot.storage.k8s.io", "/spec/sourceVolumeMode"},
    {"volumesnapshots.snapshot.storage.k8s.io", "/spec/source"},
};

std::string dotted(std::string_view path) {
  std::string text(path);
  std::ranges::replace(text, '/', '.');
  return text;
}

// A pod may get more tolerations, and those it has may be for longer or shorter.
bool keeps_tolerations(const json& live, const json& target) {
  const auto without_time = [](json toleration) {
    if (toleration.is_object()) toleration.erase("tolerationSeconds");
    return toleration;
  };
  const json& then = list_at(target, "/spec/tolerations");
  return std::ranges::all_of(list_at(live, "/spec/tolerations"), [&](const json& now) {
    return std::ranges::any_of(then, [&](const json& one) { return without_time(one) == without_time(now); });
  });
}

// It may only come nearer.
bool nears_deadline(const json& live, const json& target) {
  const json* now = reach(live, "/spec/activeDeadlineSeconds");
  const json* then = reach(target, "/spec/activeDeadlineSeconds");
  if (now == nullptr) return true;
  return then != nullptr && then->is_number_integer() && now->is_number_integer() && *then <= *now;
}

// Of a pod only the images, its deadline and more tolerations can be changed.
bool pod_is_fixed(json live, json target) {
  if (!keeps_tolerations(live, target) || !nears_deadline(live, target)) return true;
  for (json* pod : {&live, &target}) {
    for (const char* member : {"tolerations", "activeDeadlineSeconds"}) erase_at(*pod, std::string("/spec/") + member);
    for (const char* list : {"/spec/containers", "/spec/initContainers"}) {
      json* containers = reach(*pod, list);
      if (containers == nullptr || !containers->is_array()) continue;
      for (json& container : *containers) {
        if (container.is_object()) container.erase("image");
      }
    }
  }
  return !equal_at(live, target, "/spec");
}

// The server adds these to each template, and no two versions of it agree on which.
void drop_template_defaults(json& object) {
  json* templates = reach(object, "/spec/volumeClaimTemplates");
  if (templates == nullptr || !templates->is_array()) return;
  for (json& one : *templates) {
    if (!one.is_object()) continue;
    for (const char* member : {"apiVersion", "kind", "status"}) one.erase(member);
  }
}

bool address_is_fixed(const json& live, const json& target) {
  const std::string now = text_at(live, "/spec/clusterIP");
  const std::string then = text_at(target, "/spec/clusterIP");
  return now != then && !now.empty() && text_at(target, "/spec/type") != "ExternalName";
}

bool are_load_balancers(const json& live, const json& target) {
  return text_at(live, "/spec/type") == "LoadBalancer" && text_at(target, "/spec/type") == "LoadBalancer";
}

// Who asks for none gets the one there is.
bool health_port_is_fixed(const json& live, const json& target) {
  if (!are_load_balancers(live, target) || reach(target, "/spec/healthCheckNodePort") == nullptr) return false;
  return text_at(live, "/spec/externalTrafficPolicy") == "Local" &&
         text_at(target, "/spec/externalTrafficPolicy") == "Local";
}

// Those of an Indexed Job may change, together with its parallelism.
bool completions_are_fixed(const json& target) {
  if (text_at(target, "/spec/completionMode") != "Indexed") return true;
  const json* completions = reach(target, "/spec/completions");
  const json* parallelism = reach(target, "/spec/parallelism");
  return completions == nullptr || parallelism == nullptr || *completions != *parallelism;
}

bool same_members(const json& a, const json& b) { return a.size() == b.size() && std::ranges::is_permutation(a, b); }

// A second range, of the other family, may come.
bool ranges_are_fixed(const json& live, const json& target) {
  const json& now = list_at(live, "/spec/cidrs");
  const json& then = list_at(target, "/spec/cidrs");
  return now.size() != 1 || then.size() != 2 || now[0] != then[0];
}

// Of a row whose field differs: does the server mind?
bool is_fixed(const Fixed& row, const json& live, const json& target) {
  if (row.only_if_immutable) return true_at(live, "/immutable");
  if (row.path == "/spec/clusterIP") return address_is_fixed(live, target);
  if (row.path == "/spec/loadBalancerClass") return are_load_balancers(live, target);
  if (row.path == "/spec/healthCheckNodePort") return health_port_is_fixed(live, target);
  if (row.path == "/spec/completions") return completions_are_fixed(target);
  if (row.path == "/spec/cidrs") return ranges_are_fixed(live, target);
  if (row.path == "/spec/scopes") {
    return !same_members(list_at(live, row.path), list_at(target, row.path));
  }
  return true;
}

}  // namespace

std::vector<std::string> immutable_differences(const link::KubeKind& kind, const json& live, const json& target) {
  const std::string name = kind.full_name();
  std::vector<std::string> paths;
  if (name == "pods") {
    if (pod_is_fixed(live, target)) paths.emplace_back(".spec");
    return paths;
  }
  json now = live;
  json then = target;
  if (name == "statefulsets.apps") {
    drop_template_defaults(now);
    drop_template_defaults(then);
  }
  for (const Fixed& row : kFixed) {
    if (row.kind != name || equal_at(now, then, row.path) || !is_fixed(row, now, then)) continue;
    paths.push_back(dotted(row.path));
  }
  return paths;
}

std::vector<std::string> immutable_fields() {
  std::vector<std::string> all;
  for (const Fixed& row : kFixed) all.push_back(std::string(row.kind) + " " + dotted(row.path));
  return all;
}

std::string never_recreated(const link::KubeKind& kind) {
  const std::string name = kind.full_name();
  if (holds_data(kind)) return "data may go with it";
  if (name == "customresourcedefinitions.apiextensions.k8s.io") return "all objects of its kind would go with it";
  if (name == "namespaces") return "all that is in it would go with it";
  return {};
}

}  // namespace tidemark::live
