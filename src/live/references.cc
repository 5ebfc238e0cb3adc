#include "live/references.h"

#include <map>
#include <nlohmann/json.hpp>

#include "live/json_reach.h"
#include "live/pod_references.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

struct TemplateAt {
  std::string_view kind, path;  // of the pod's spec
};
constexpr TemplateAt kPodSpecs[] = {
    {"cronjobs.batch", "/spec/jobTemplate/spec/template/spec"},
    {"daemonsets.apps", "/spec/template/spec"},
    {"deployments.apps", "/spec/template/spec"},
    {"jobs.batch", "/spec/template/spec"},
    {"pods", "/spec"},
    {"podtemplates", "/template/spec"},
    {"replicasets.apps", "/spec/template/spec"},
    {"replicationcontrollers", "/spec/template/spec"},
    {"statefulsets.apps", "/spec/template/spec"},
};

struct NameAt {
  std::string_view kind, path, group, resource;
  bool namespaced = false;
};
constexpr std::string_view kStorage = "storage.k8s.io";
constexpr std::string_view kSnapshot = "snapshot.storage.k8s.io";
constexpr NameAt kNames[] = {
    {"ingresses.networking.k8s.io", "/spec/ingressClassName", "networking.k8s.io", "ingressclasses"},
    {"ingresses.networking.k8s.io", "/spec/defaultBackend/service/name", "", "services", true},
    {"persistentvolumeclaims", "/spec/storageClassName", kStorage, "storageclasses"},
    {"persistentvolumeclaims", "/spec/volumeAttributesClassName", kStorage, "volumeattributesclasses"},
    {"persistentvolumeclaims", "/spec/volumeName", "", "persistentvolumes"},
    {"statefulsets.apps", "/spec/serviceName", "", "services", true},
    {"volumesnapshots.snapshot.storage.k8s.io", "/spec/volumeSnapshotClassName", kSnapshot, "volumesnapshotclasses"},
    {"volumesnapshots.snapshot.storage.k8s.io", "/status/boundVolumeSnapshotContentName", kSnapshot,
     "volumesnapshotcontents"},
};

class References {
 public:
  References(const link::KubeKind& kind, const json& object)
      : kind_(kind.full_name()), object_(object), here_(text_at(object, "/metadata/namespace")) {
    if (kind.namespaced) add("", "namespaces", "", here_);
  }

  void collect() {
    for (const TemplateAt& row : kPodSpecs) {
      const json* spec = row.kind == kind_ ? reach(object_, row.path) : nullptr;
      if (spec == nullptr) continue;
      for (Reference& reference : pod_references(*spec, here_)) keep(std::move(reference));
    }
    for (const NameAt& row : kNames) {
      if (row.kind == kind_) {
        add(row.group, row.resource, row.namespaced ? here_ : std::string(), text_at(object_, row.path));
      }
    }
    bindings();
    ingress();
    services();
    claim_templates();
    // A controller deletes the token of an account that is not there.
    if (kind_ == "secrets" && text_at(object_, "/type") == "kubernetes.io/service-account-token") {
      add("", "serviceaccounts", here_, annotation_of(object_, "kubernetes.io/service-account.name"));
    }
    if (kind_ == "serviceaccounts") {
      for (const json& secret : list_at(object_, "/imagePullSecrets")) {
        add("", "secrets", here_, text_at(secret, "/name"), true);
      }
    }
  }

  std::vector<Reference> all() && {
    std::vector<Reference> list;
    for (auto& [id, reference] : by_id_) list.push_back(std::move(reference));
    return list;
  }

 private:
  void add(std::string_view group, std::string_view resource, const std::string& name_space, const std::string& name,
           bool optional = false) {
    if (name.empty()) return;
    keep({std::string(group), std::string(resource), name_space, name, optional});
  }
  void keep(Reference reference) {
    const auto [found, is_new] = by_id_.emplace(reference.id(), reference);
    if (!is_new) found->second.optional = found->second.optional && reference.optional;
  }

  void bindings() {
    if (kind_ != "rolebindings.rbac.authorization.k8s.io" && kind_ != "clusterrolebindings.rbac.authorization.k8s.io") {
      return;
    }
    const bool role = text_at(object_, "/roleRef/kind") == "Role";
    add("rbac.authorization.k8s.io", role ? "roles" : "clusterroles", role ? here_ : std::string(),
        text_at(object_, "/roleRef/name"));
    for (const json& subject : list_at(object_, "/subjects")) {
      if (text_at(subject, "/kind") != "ServiceAccount") continue;
      add("", "serviceaccounts", text_at(subject, "/namespace"), text_at(subject, "/name"), true);
    }
  }

  void ingress() {
    if (kind_ != "ingresses.networking.k8s.io") return;
    for (const json& tls : list_at(object_, "/spec/tls")) add("", "secrets", here_, text_at(tls, "/secretName"), true);
    for (const json& rule : list_at(object_, "/spec/rules")) {
      for (const json& path : list_at(rule, "/http/paths")) {
        add("", "services", here_, text_at(path, "/backend/service/name"));
      }
    }
  }

  // Who answers webhooks and extensions of the API.
  void services() {
    const auto service_of = [&](const json& from, std::string_view path) {
      const json* service = reach(from, path);
      if (service != nullptr) add("", "services", text_at(*service, "/namespace"), text_at(*service, "/name"));
    };
    if (kind_ == "apiservices.apiregistration.k8s.io") service_of(object_, "/spec/service");
    if (kind_ == "customresourcedefinitions.apiextensions.k8s.io") {
      service_of(object_, "/spec/conversion/webhook/clientConfig/service");
    }
    if (kind_ == "mutatingwebhookconfigurations.admissionregistration.k8s.io" ||
        kind_ == "validatingwebhookconfigurations.admissionregistration.k8s.io") {
      for (const json& webhook : list_at(object_, "/webhooks")) service_of(webhook, "/clientConfig/service");
    }
  }

  void claim_templates() {
    if (kind_ != "statefulsets.apps") return;
    for (const json& claim : list_at(object_, "/spec/volumeClaimTemplates")) {
      add(kStorage, "storageclasses", "", text_at(claim, "/spec/storageClassName"));
    }
  }

  const std::string kind_;
  const json& object_;
  const std::string here_;
  std::map<std::string, Reference> by_id_;
};

}  // namespace

std::string Reference::id() const {
  return object_id(link::KubeKind{.group = group, .resource = resource}, name_space, name);
}

std::vector<Reference> references_of(const link::KubeKind& kind, const json& object) {
  References references(kind, object);
  references.collect();
  return std::move(references).all();
}

}  // namespace tidemark::live
