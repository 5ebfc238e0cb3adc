#include "live/bookkeeping.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

struct OwnedAnnotation {
  std::string_view kind, name;  // kind "*": of any
};

constexpr OwnedAnnotation kOwnedAnnotations[] = {
    {"*", "control-plane.alpha.kubernetes.io/leader"},
    {"*", "endpoints.kubernetes.io/last-change-trigger-time"},
    {"daemonsets.apps", "deprecated.daemonset.template.generation"},
    {"deployments.apps", "deployment.kubernetes.io/revision"},
    {"persistentvolumeclaims", "pv.kubernetes.io/bind-completed"},
    {"persistentvolumeclaims", "pv.kubernetes.io/bound-by-controller"},
    {"persistentvolumeclaims", "volume.beta.kubernetes.io/storage-provisioner"},
    {"persistentvolumeclaims", "volume.kubernetes.io/selected-node"},
    {"persistentvolumeclaims", "volume.kubernetes.io/storage-provisioner"},
    {"persistentvolumes", "pv.kubernetes.io/bind-completed"},
    {"persistentvolumes", "pv.kubernetes.io/bound-by-controller"},
    {"persistentvolumes", "pv.kubernetes.io/provisioned-by"},
};

constexpr std::string_view kFinalizers = "/metadata/finalizers";

}  // namespace

void take_bookkeeping(const link::KubeKind& kind, json& object, const json& from) {
  const std::string name = kind.full_name();
  for (const OwnedAnnotation& owned : kOwnedAnnotations) {
    if (owned.kind == "*" || owned.kind == name) take_annotation(object, from, owned.name);
  }
  take_at(object, from, kFinalizers);
}

void drop_bookkeeping(const link::KubeKind& kind, json& object) { take_bookkeeping(kind, object, json::object()); }

}  // namespace tidemark::live
