#include "live/preparation.h"

#include <algorithm>
#include <set>

#include "kube/resource.h"
#include "live/json_reach.h"
#include "live/preparation_kinds.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

constexpr std::string_view kServedMetadata[] = {
    "/metadata/uid",
    "/metadata/resourceVersion",
    "/metadata/generation",
    "/metadata/creationTimestamp",
    "/metadata/deletionTimestamp",
    "/metadata/deletionGracePeriodSeconds",
    "/metadata/selfLink",
    "/metadata/managedFields",
    "/metadata/clusterName",
    "/metadata/initializers",
};

struct Stripped {
  std::string_view kind;  // "*": of any
  std::string_view path;  // or the name of an annotation, without a slash in front
};

constexpr Stripped kStripped[] = {
    {"*", "control-plane.alpha.kubernetes.io/leader"},
    {"*", "endpoints.kubernetes.io/last-change-trigger-time"},
    // The server makes its finalizer itself.
    {"namespaces", "/spec"},
    {"persistentvolumeclaims", "pv.kubernetes.io/bind-completed"},
    {"persistentvolumeclaims", "pv.kubernetes.io/bound-by-controller"},
    {"persistentvolumeclaims", "volume.beta.kubernetes.io/storage-provisioner"},
    {"persistentvolumeclaims", "volume.kubernetes.io/selected-node"},
    {"persistentvolumeclaims", "volume.kubernetes.io/storage-provisioner"},
    {"persistentvolumes", "/spec/claimRef/resourceVersion"},
    {"persistentvolumes", "/spec/claimRef/uid"},
    {"persistentvolumes", "pv.kubernetes.io/bind-completed"},
    {"persistentvolumes", "pv.kubernetes.io/bound-by-controller"},
    {"volumesnapshotcontents.snapshot.storage.k8s.io", "/spec/volumeSnapshotRef/resourceVersion"},
    {"volumesnapshotcontents.snapshot.storage.k8s.io", "/spec/volumeSnapshotRef/uid"},
};

// These are requests to the garbage collector, made with a deletion.
void drop_deletion_finalizers(json& object) {
  json* finalizers = reach(object, "/metadata/finalizers");
  if (finalizers == nullptr || !finalizers->is_array()) return;
  std::erase_if(finalizers->get_ref<json::array_t&>(),
                [](const json& name) { return name == "foregroundDeletion" || name == "orphan"; });
  if (finalizers->empty()) erase_at(object, "/metadata/finalizers");
}

// "creationTimestamp": null stands in templates that older programs wrote; it says nothing.
void drop_null_times(json& value) {
  if (value.is_object()) {
    const auto found = value.find("creationTimestamp");
    if (found != value.end() && found->is_null()) value.erase(found);
  }
  if (!value.is_structured()) return;
  for (json& member : value) drop_null_times(member);
}

}  // namespace

bool is_builtin(const link::KubeKind& kind) {
  static const std::set<std::string> names = [] {
    std::set<std::string> all;
    const kube::Resources resources;
    for (const kube::Resource* resource : resources.all()) all.insert(resource->full_name());
    return all;
  }();
  return names.contains(kind.full_name());
}

void strip_served(const link::KubeKind& kind, json& object) {
  if (!object.is_object()) return;
  for (const std::string_view path : kServedMetadata) erase_at(object, path);
  if (is_builtin(kind) || kind.has("status")) object.erase("status");
  for (const std::string_view map :
       {"/metadata/labels", "/metadata/annotations", "/metadata/ownerReferences", "/metadata/finalizers"}) {
    if (const json* value = reach(object, map); value != nullptr && (value->is_null() || value->empty())) {
      erase_at(object, map);
    }
  }
  drop_null_times(object);
}

std::vector<std::string> strip_for_create(const link::KubeKind& kind, const Stripping& how, json& object) {
  const std::string name = kind.full_name();
  for (const Stripped& row : kStripped) {
    if (row.kind != "*" && row.kind != name) continue;
    if (row.path.starts_with('/')) {
      erase_at(object, row.path);
    } else {
      erase_annotation(object, row.path);
    }
  }
  drop_deletion_finalizers(object);
  std::vector<std::string> notes = strip_by_kind(name, how, object);
  // A definition may require a status: then it passes only with one, and it is dropped where it is a subresource.
  json status = is_builtin(kind) ? json() : object.value("status", json());
  strip_served(kind, object);
  if (!status.is_null()) object["status"] = std::move(status);
  return notes;
}

json status_of(const link::KubeKind& kind, const json& object) {
  if (!kind.has("status") || !object.is_object()) return {};
  return object.value("status", json());
}

}  // namespace tidemark::live
