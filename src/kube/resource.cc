#include "kube/resource.h"

#include <algorithm>
#include <utility>

#include "base/nearest.h"

namespace tidemark::kube {
namespace {

// Lists are words separated by blanks. The singular is the kind in lower case, the prefix the plural, unless given.
struct BuiltIn {
  std::string_view plural, kind, group, short_names;
  bool namespaced;
  std::string_view categories = "";
  std::string_view prefix = "";
};

constexpr std::string_view kAdmission = "admissionregistration.k8s.io";
constexpr std::string_view kFlow = "flowcontrol.apiserver.k8s.io";
constexpr std::string_view kNetworking = "networking.k8s.io";
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";
constexpr std::string_view kDevices = "resource.k8s.io";
constexpr std::string_view kStorage = "storage.k8s.io";
constexpr bool kOfCluster = false, kNamespaced = true;

constexpr BuiltIn kBuiltIn[] = {
    {"configmaps", "ConfigMap", "", "cm", kNamespaced},
    {"endpoints", "Endpoints", "", "ep", kNamespaced, "", "services/endpoints"},
    {"events", "Event", "", "ev", kNamespaced},
    {"limitranges", "LimitRange", "", "limits", kNamespaced},
    {"namespaces", "Namespace", "", "ns", kOfCluster},
    {"nodes", "Node", "", "no", kOfCluster, "", "minions"},
    {"persistentvolumeclaims", "PersistentVolumeClaim", "", "pvc", kNamespaced},
    {"persistentvolumes", "PersistentVolume", "", "pv", kOfCluster},
    {"pods", "Pod", "", "po", kNamespaced, "all"},
    {"podtemplates", "PodTemplate", "", "", kNamespaced},
    {"replicationcontrollers", "ReplicationController", "", "rc", kNamespaced, "all", "controllers"},
    {"resourcequotas", "ResourceQuota", "", "quota", kNamespaced},
    {"secrets", "Secret", "", "", kNamespaced},
    {"serviceaccounts", "ServiceAccount", "", "sa", kNamespaced},
    {"services", "Service", "", "svc", kNamespaced, "all", "services/specs"},
    {"mutatingadmissionpolicies", "MutatingAdmissionPolicy", kAdmission, "", kOfCluster, "api-extensions"},
    {"mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", kAdmission, "", kOfCluster, "api-extensions"},
    {"mutatingwebhookconfigurations", "MutatingWebhookConfiguration", kAdmission, "", kOfCluster, "api-extensions"},
    {"validatingadmissionpolicies", "ValidatingAdmissionPolicy", kAdmission, "", kOfCluster, "api-extensions"},
    {"validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", kAdmission, "", kOfCluster,
     "api-extensions"},
    {"validatingwebhookconfigurations", "ValidatingWebhookConfiguration", kAdmission, "", kOfCluster, "api-extensions"},
    {"customresourcedefinitions", "CustomResourceDefinition", "apiextensions.k8s.io", "crd crds", kOfCluster,
     "api-extensions", kDefinitionPrefix},
    {"apiservices", "APIService", "apiregistration.k8s.io", "", kOfCluster, "api-extensions",
     "apiregistration.k8s.io/apiservices"},
    {"controllerrevisions", "ControllerRevision", "apps", "", kNamespaced},
    {"daemonsets", "DaemonSet", "apps", "ds", kNamespaced, "all"},
    {"deployments", "Deployment", "apps", "deploy", kNamespaced, "all"},
    {"replicasets", "ReplicaSet", "apps", "rs", kNamespaced, "all"},
    {"statefulsets", "StatefulSet", "apps", "sts", kNamespaced, "all"},
    {"horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "hpa", kNamespaced, "all"},
    {"cronjobs", "CronJob", "batch", "cj", kNamespaced, "all"},
    {"jobs", "Job", "batch", "", kNamespaced, "all"},
    {"certificatesigningrequests", "CertificateSigningRequest", "certificates.k8s.io", "csr", kOfCluster},
    {"clustertrustbundles", "ClusterTrustBundle", "certificates.k8s.io", "", kOfCluster},
    {"podcertificaterequests", "PodCertificateRequest", "certificates.k8s.io", "", kNamespaced},
    {"leases", "Lease", "coordination.k8s.io", "", kNamespaced},
    {"leasecandidates", "LeaseCandidate", "coordination.k8s.io", "", kNamespaced},
    {"endpointslices", "EndpointSlice", "discovery.k8s.io", "", kNamespaced},
    {"events", "Event", "events.k8s.io", "ev", kNamespaced},
    {"flowschemas", "FlowSchema", kFlow, "", kOfCluster},
    {"prioritylevelconfigurations", "PriorityLevelConfiguration", kFlow, "", kOfCluster},
    {"storageversions", "StorageVersion", "internal.apiserver.k8s.io", "", kOfCluster},
    {"ingressclasses", "IngressClass", kNetworking, "", kOfCluster},
    {"ingresses", "Ingress", kNetworking, "ing", kNamespaced, "", "ingress"},
    {"ipaddresses", "IPAddress", kNetworking, "ip", kOfCluster},
    {"networkpolicies", "NetworkPolicy", kNetworking, "netpol", kNamespaced},
    {"servicecidrs", "ServiceCIDR", kNetworking, "", kOfCluster},
    {"clustercidrs", "ClusterCIDR", kNetworking, "cc", kOfCluster},
    {"runtimeclasses", "RuntimeClass", "node.k8s.io", "", kOfCluster},
    {"poddisruptionbudgets", "PodDisruptionBudget", "policy", "pdb", kNamespaced},
    {"podsecuritypolicies", "PodSecurityPolicy", "policy", "psp", kOfCluster, "", "podsecuritypolicy"},
    {"clusterrolebindings", "ClusterRoleBinding", kRbac, "", kOfCluster},
    {"clusterroles", "ClusterRole", kRbac, "", kOfCluster},
    {"rolebindings", "RoleBinding", kRbac, "", kNamespaced},
    {"roles", "Role", kRbac, "", kNamespaced},
    {"deviceclasses", "DeviceClass", kDevices, "", kOfCluster},
    {"devicetaintrules", "DeviceTaintRule", kDevices, "", kOfCluster},
    {"podschedulingcontexts", "PodSchedulingContext", kDevices, "", kNamespaced},
    {"resourceclaims", "ResourceClaim", kDevices, "", kNamespaced},
    {"resourceclaimparameters", "ResourceClaimParameters", kDevices, "", kNamespaced},
    {"resourceclaimtemplates", "ResourceClaimTemplate", kDevices, "", kNamespaced},
    {"resourceclasses", "ResourceClass", kDevices, "", kOfCluster},
    {"resourceclassparameters", "ResourceClassParameters", kDevices, "", kNamespaced},
    {"resourcepoolstatusrequests", "ResourcePoolStatusRequest", kDevices, "", kOfCluster},
    {"resourceslices", "ResourceSlice", kDevices, "", kOfCluster},
    {"podgroups", "PodGroup", "scheduling.k8s.io", "", kNamespaced},
    {"priorityclasses", "PriorityClass", "scheduling.k8s.io", "pc", kOfCluster},
    {"workloads", "Workload", "scheduling.k8s.io", "", kNamespaced},
    {"csidrivers", "CSIDriver", kStorage, "", kOfCluster},
    {"csinodes", "CSINode", kStorage, "", kOfCluster},
    {"csistoragecapacities", "CSIStorageCapacity", kStorage, "", kNamespaced},
    {"storageclasses", "StorageClass", kStorage, "sc", kOfCluster},
    {"volumeattachments", "VolumeAttachment", kStorage, "", kOfCluster},
    {"volumeattributesclasses", "VolumeAttributesClass", kStorage, "vac", kOfCluster},
    {"storageversionmigrations", "StorageVersionMigration", "storagemigration.k8s.io", "", kOfCluster},
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return result;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    all.emplace_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return all;
}

Resource built_in(const BuiltIn& row) {
  Resource r;
  r.plural = row.plural;
  r.kind = row.kind;
  r.singular = lower(row.kind);
  r.group = row.group;
  r.short_names = words(row.short_names);
  r.categories = words(row.categories);
  r.namespaced = row.namespaced;
  r.prefix = row.prefix.empty() ? row.plural : row.prefix;
  return r;
}

bool is_called(const Resource& r, std::string_view name) {
  return name == r.plural || name == r.singular || name == lower(r.kind) ||
         std::ranges::find(r.short_names, name) != r.short_names.end();
}

// "v1", "v2beta1".
bool is_version(std::string_view text) {
  if (text.size() < 2 || text[0] != 'v' || text[1] < '0' || text[1] > '9') return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string_view::npos;
}

}  // namespace

Resources::Resources() {
  for (const BuiltIn& row : kBuiltIn) all_.push_back(built_in(row));
}

void Resources::add(Resource custom) { all_.push_back(std::move(custom)); }

void Resources::set_schemas(std::string_view full_name, const std::shared_ptr<const StructuralSchemas>& schemas) {
  for (Resource& resource : all_) {
    if (resource.custom && resource.full_name() == full_name) resource.schemas = schemas;
  }
}

std::vector<const Resource*> Resources::all() const {
  std::vector<const Resource*> every;
  for (const Resource& r : all_) every.push_back(&r);
  return every;
}

const Resource* Resources::find(std::string_view word) const {
  const std::string wanted = lower(word);
  const std::string_view text = wanted;
  for (const Resource& r : all_) {
    if (is_called(r, text)) return &r;
  }
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const std::string_view name = text.substr(0, dot);
  const std::string_view group = text.substr(dot + 1);
  for (const Resource& r : all_) {
    if (is_called(r, name) && r.group == group) return &r;
  }
  const std::size_t second = group.find('.');
  const std::string_view version = group.substr(0, second);
  if (!is_version(version)) return nullptr;
  const std::string_view rest = second == std::string_view::npos ? "" : group.substr(second + 1);
  for (const Resource& r : all_) {
    if (is_called(r, name) && r.group == rest) return &r;
  }
  return nullptr;
}

std::vector<const Resource*> Resources::in_category(std::string_view word) const {
  std::vector<const Resource*> found;
  for (const Resource& r : all_) {
    if (std::ranges::find(r.categories, word) != r.categories.end()) found.push_back(&r);
  }
  return found;
}

std::string Resources::nearest(std::string_view word) const {
  Nearest near(lower(word));
  for (const Resource& r : all_) {
    near.consider(r.plural);
    near.consider(r.singular);
    for (const std::string& name : r.short_names) near.consider(name);
  }
  return near.found();
}

}  // namespace tidemark::kube
