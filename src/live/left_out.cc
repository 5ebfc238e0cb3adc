#include "live/left_out.h"

#include <algorithm>
#include <array>

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

struct ByKind {
  std::string_view kind, reason;
};

constexpr ByKind kNeverBack[] = {
    {"certificatesigningrequests.certificates.k8s.io", "who needs a certificate asks for it again"},
    {"componentstatuses", "it is measured, not stored"},
    {"csinodes.storage.k8s.io", "the kubelet makes it"},
    {"csistoragecapacities.storage.k8s.io", "the storage driver makes it"},
    {"events", "an event tells what happened, it is no state"},
    {"events.events.k8s.io", "an event tells what happened, it is no state"},
    {"ipaddresses.networking.k8s.io", "the API server makes it for a Service"},
    {"leasecandidates.coordination.k8s.io", "its holder makes it"},
    {"leases.coordination.k8s.io", "its holder makes it"},
    {"nodes", "a node registers itself"},
    {"nodes.metrics.k8s.io", "it is measured, not stored"},
    {"pods.metrics.k8s.io", "it is measured, not stored"},
    {"resourceslices.resource.k8s.io", "the device driver makes it"},
    {"storageversions.internal.apiserver.k8s.io", "the API server makes it"},
    {"volumeattachments.storage.k8s.io", "the attach controller makes it"},
};

struct ByName {
  std::string_view id, reason;  // as Step::id(); "*" for any namespace
};

constexpr std::string_view kServerMakes = "the API server makes it";
constexpr std::string_view kRootCa = "a controller makes it in each namespace";

constexpr ByName kNeverBackByName[] = {
    {"configmaps */kube-root-ca.crt", kRootCa},
    {"configmaps */openshift-service-ca.crt", kRootCa},
    {"configmaps kube-public/cluster-info", "it describes the cluster as it is now"},
    {"configmaps kube-system/extension-apiserver-authentication", kServerMakes},
    {"configmaps kube-system/kube-apiserver-legacy-service-account-token-tracking", kServerMakes},
    {"endpoints default/kubernetes", kServerMakes},
    {"endpointslices.discovery.k8s.io default/kubernetes", kServerMakes},
    {"servicecidrs.networking.k8s.io kubernetes", kServerMakes},
    {"services default/kubernetes", kServerMakes},
};

// What controllers make for what owns it, and make anew when it is missing. Other kinds with a controller (Secrets of
// certificates, claims of StatefulSets, custom resources) may hold what nobody can make again: they are put back.
constexpr std::string_view kMadeByControllers[] = {
    "controllerrevisions.apps",
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "jobs.batch",
    "pods",
    "replicasets.apps",
    "replicationcontrollers",
    "resourceclaims.resource.k8s.io",
};

constexpr std::string_view kOwnNamespaces[] = {"default", "kube-node-lease", "kube-public", "kube-system"};

constexpr std::string_view kHoldData[] = {
    "persistentvolumeclaims",
    "persistentvolumes",
    "volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io",
    "volumegroupsnapshots.groupsnapshot.storage.k8s.io",
    "volumesnapshotcontents.snapshot.storage.k8s.io",
    "volumesnapshots.snapshot.storage.k8s.io",
};

std::string by_name(const link::KubeKind& kind, const json& object) {
  const std::string here = object_id(kind, object);
  const std::string anywhere = fmt::format("{} */{}", kind.full_name(), text_at(object, "/metadata/name"));
  for (const ByName& row : kNeverBackByName) {
    if (row.id == here || (kind.namespaced && row.id == anywhere)) return std::string(row.reason);
  }
  return {};
}

bool slice_is_managed(const json& object) {
  const std::string by = label_of(object, "endpointslice.kubernetes.io/managed-by");
  return by == "endpointslice-controller.k8s.io" || by == "endpointslicemirroring-controller.k8s.io";
}

// Its Service has a selector, so a controller fills it.
bool endpoints_are_managed(const json& object, const World& world) {
  if (!label_of(object, "endpoints.kubernetes.io/managed-by").empty()) return true;
  if (!annotation_of(object, "endpoints.kubernetes.io/last-change-trigger-time").empty()) return true;
  const Found* service = world.either(
      fmt::format("services {}/{}", text_at(object, "/metadata/namespace"), text_at(object, "/metadata/name")));
  if (service == nullptr) return false;
  const json* selector = reach(service->object, "/spec/selector");
  return selector != nullptr && selector->is_object() && !selector->empty();
}

// Before 1.24 a controller made one for each account, and listed it there.
bool token_made_for_account(const json& object, const World& world) {
  if (text_at(object, "/type") != "kubernetes.io/service-account-token") return false;
  const std::string account = annotation_of(object, "kubernetes.io/service-account.name");
  const std::string name = text_at(object, "/metadata/name");
  if (account.empty() || !name.starts_with(account + "-token-")) return false;
  const Found* found =
      world.either(fmt::format("serviceaccounts {}/{}", text_at(object, "/metadata/namespace"), account));
  if (found == nullptr) return false;
  return std::ranges::any_of(list_at(found->object, "/secrets"),
                             [&](const json& secret) { return text_at(secret, "/name") == name; });
}

// A new cluster has its own.
bool server_keeps_it(const json& object) {
  return (annotation_of(object, "rbac.authorization.kubernetes.io/autoupdate") == "true" &&
          !label_of(object, "kubernetes.io/bootstrapping").empty()) ||
         annotation_of(object, "apf.kubernetes.io/autoupdate-spec") == "true";
}

bool has_true_condition(const json& object, std::string_view type) {
  return std::ranges::any_of(list_at(object, "/status/conditions"), [&](const json& condition) {
    return text_at(condition, "/type") == type && text_at(condition, "/status") == "True";
  });
}

}  // namespace

std::string never_back(const std::string& kind) {
  const auto* const found = std::ranges::find(kNeverBack, kind, &ByKind::kind);
  return found == std::end(kNeverBack) ? std::string() : std::string(found->reason);
}

std::string made_by_itself(const link::KubeKind& kind, const json& object, const World& world,
                           const PlanOptions& options) {
  const std::string name = kind.full_name();
  if (std::string reason = never_back(name); !reason.empty()) return reason;
  if (std::string reason = by_name(kind, object); !reason.empty()) return reason;
  const json* controller = controller_of(object);
  if (controller != nullptr && std::ranges::find(kMadeByControllers, name) != std::end(kMadeByControllers)) {
    return fmt::format("{} {} makes it", text_at(*controller, "/kind"), text_at(*controller, "/name"));
  }
  if (name == "endpointslices.discovery.k8s.io" && slice_is_managed(object)) return "a controller makes it";
  if (name == "endpoints" && endpoints_are_managed(object, world)) return "a controller makes it";
  if (name == "pods" && !annotation_of(object, "kubernetes.io/config.mirror").empty()) {
    return "the kubelet makes it from a file";
  }
  if (name == "apiservices.apiregistration.k8s.io" &&
      !label_of(object, "kube-aggregator.kubernetes.io/automanaged").empty()) {
    return std::string(kServerMakes);
  }
  if (name == "secrets" && token_made_for_account(object, world)) return "a controller makes it for its ServiceAccount";
  if (!options.same_cluster && server_keeps_it(object)) return std::string(kServerMakes);
  return {};
}

std::string not_made_again(const link::KubeKind& kind, const json& object, const World& world) {
  const std::string name = kind.full_name();
  if (name == "jobs.batch") {
    for (const std::string_view end : {"Complete", "SuccessCriteriaMet"}) {
      if (has_true_condition(object, end)) return "it was complete: it would run again";
    }
    for (const std::string_view end : {"Failed", "FailureTarget"}) {
      if (has_true_condition(object, end)) return "it had failed: it would run again";
    }
  }
  if (name == "pods") {
    const std::string phase = text_at(object, "/status/phase");
    if (phase == "Succeeded" || phase == "Failed") return fmt::format("its phase was {}: it would run again", phase);
  }
  if (kind.namespaced && name != "namespaces") {
    // A namespace that is on its way out takes nothing in.
    const std::string its = "namespaces " + text_at(object, "/metadata/namespace");
    const Found* now = world.live(its);
    if (now != nullptr && is_going(now->object) && world.wanted(its) == nullptr) {
      return fmt::format("{} is being deleted now, and is not put back by this plan", its);
    }
  }
  return {};
}

std::string never_removed(const link::KubeKind& kind, const json& object, const PlanOptions& options) {
  const std::string name = kind.full_name();
  const std::string own = text_at(object, "/metadata/name");
  if (name == "customresourcedefinitions.apiextensions.k8s.io") return "all objects of its kind would go with it";
  if (holds_data(kind)) return "data may go with it";
  if (name == "namespaces") {
    if (std::ranges::find(kOwnNamespaces, own) != std::end(kOwnNamespaces)) return "the cluster itself lives in it";
    if (!options.remove_namespaces) return "all that is in it would go with it";
  }
  if (name == "serviceaccounts" && own == "default") return "a controller makes it in each namespace";
  if (!label_of(object, "kubernetes.io/bootstrapping").empty() ||
      annotation_of(object, "apf.kubernetes.io/autoupdate-spec") == "true" ||
      (name == "priorityclasses.scheduling.k8s.io" && own.starts_with("system-"))) {
    return std::string(kServerMakes);
  }
  return {};
}

bool holds_data(const link::KubeKind& kind) {
  return std::ranges::find(kHoldData, kind.full_name()) != std::end(kHoldData);
}

}  // namespace tidemark::live
