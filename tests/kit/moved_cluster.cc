#include "kit/moved_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kube/json_diff.h"

namespace tidemark::testing {
namespace {

// What a new cluster has of its own, or makes by itself: doc/operate/restore-rules.md, "What is left out".
bool is_its_own(const link::KubeKind& kind, const json& object) {
  static const std::set<std::string> kinds{"certificatesigningrequests",
                                           "csinodes",
                                           "csistoragecapacities",
                                           "events",
                                           "ipaddresses",
                                           "leasecandidates",
                                           "leases",
                                           "nodes",
                                           "resourceslices",
                                           "volumeattachments"};
  static const std::set<std::string> made{"controllerrevisions", "endpoints",     "endpointslices", "jobs", "pods",
                                          "replicasets",         "resourceclaims"};
  static const std::set<std::string> maps{"kube-root-ca.crt", "extension-apiserver-authentication",
                                          "kube-apiserver-legacy-service-account-token-tracking"};
  const json& meta = object.at("metadata");
  const std::string name = meta.at("name"), ns = meta.value("namespace", "");
  if (kinds.contains(kind.resource) || (kind.resource == "configmaps" && maps.contains(name))) return true;
  if (name == "kubernetes" && (ns == "default" || kind.resource == "servicecidrs")) return true;
  const json labels = meta.value("labels", json::object()), notes = meta.value("annotations", json::object());
  if (labels.contains("endpointslice.kubernetes.io/managed-by")) {
    return labels["endpointslice.kubernetes.io/managed-by"].get<std::string>().ends_with(".k8s.io");
  }
  if (kind.resource == "endpoints" && notes.contains("endpoints.kubernetes.io/last-change-trigger-time")) return true;
  for (const json& owner : meta.value("ownerReferences", json::array())) {
    if (owner.value("controller", false) && made.contains(kind.resource)) return true;
  }
  return false;
}

void erase_all(json& in, const std::string& path) {
  const json::json_pointer at(path);
  if (in.contains(at)) in.at(at.parent_pointer()).erase(at.back());
}

void erase_if_empty(json& in, const char* path) {
  const json::json_pointer at(path);
  if (in.contains(at) && in.at(at).empty()) erase_all(in, path);
}

// Doc/operate/restore-rules.md, "What is taken out of an object that is made".
void leave_out_given(const link::KubeKind& kind, json& object) {
  for (const char* path : {"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"})
    object["metadata"].erase(path);
  object.erase("status");
  if (object["metadata"].contains("ownerReferences")) {
    for (json& owner : object["metadata"]["ownerReferences"]) owner.erase("uid");
  }
  const std::string& resource = kind.resource;
  if (resource == "services" && object["spec"].value("clusterIP", "") != "None") {
    for (const char* path : {"/spec/clusterIP", "/spec/clusterIPs"}) erase_all(object, path);
    for (json& port : object["spec"]["ports"]) port.erase("nodePort");
  }
  if (resource == "secrets" && object.value("type", "") == "kubernetes.io/service-account-token") {
    erase_all(object, "/metadata/annotations/kubernetes.io~1service-account.uid");
    object.erase("data");
  }
  if (resource == "jobs") {
    erase_all(object, "/spec/selector");
    for (const char* in : {"/metadata/labels", "/spec/template/metadata/labels"}) {
      for (const char* label : {"/controller-uid", "/batch.kubernetes.io~1controller-uid"})
        erase_all(object, std::string(in) + label);
      erase_if_empty(object, in);
    }
  }
  if (resource == "persistentvolumeclaims" || resource == "persistentvolumes") {
    for (const char* path : {"/metadata/annotations/pv.kubernetes.io~1bind-completed",
                             "/metadata/annotations/pv.kubernetes.io~1bound-by-controller", "/spec/claimRef/uid",
                             "/spec/claimRef/resourceVersion"})
      erase_all(object, path);
    erase_if_empty(object, "/metadata/annotations");
  }
  if (resource == "pods") {
    // The volume of its account's token has a name of its own in each pod.
    const auto is_token = [](const json& one) { return one.value("name", "").starts_with("kube-api-access-"); };
    if (object["spec"].contains("volumes")) {
      std::erase_if(object["spec"]["volumes"].get_ref<json::array_t&>(), is_token);
      erase_if_empty(object, "/spec/volumes");
    }
    for (json& container : object["spec"]["containers"]) {
      if (!container.contains("volumeMounts")) continue;
      std::erase_if(container["volumeMounts"].get_ref<json::array_t&>(), is_token);
      if (container["volumeMounts"].empty()) container.erase("volumeMounts");
    }
  }
}

}  // namespace

Result<Dump> dump_movable(link::KubeClient& client) {
  Dump all;
  TM_LET(const link::KubeDiscovery served, client.discover());
  for (const link::KubeKind& kind : served.kinds) {
    if (!kind.can("list") || !kind.can("create")) continue;
    TM_CHECK(client.list(kind, {}, [&](json& object) -> Status {
      if (is_its_own(kind, object)) return {};
      leave_out_given(kind, object);
      const json& meta = object.at("metadata");
      std::string id =
          fmt::format("{} {}/{}", kind.full_name(), meta.value("namespace", ""), meta.at("name").get<std::string>());
      all.emplace(std::move(id), std::move(object));
      return {};
    }));
  }
  return all;
}

std::string differences(const Dump& was, const Dump& is) {
  std::string text;
  for (const auto& [id, object] : was) {
    const auto found = is.find(id);
    if (found == is.end()) {
      text += id + " is not there\n";
      continue;
    }
    for (const kube::JsonChange& change : kube::json_changes(object, found->second)) {
      text += fmt::format("{}{}: was {}, is {}\n", id, change.path, change.before ? change.before->dump() : "-",
                          change.after ? change.after->dump() : "-");
    }
  }
  for (const auto& [id, object] : is) {
    if (!was.contains(id)) text += id + " should not be there\n";
  }
  return text;
}

}  // namespace tidemark::testing
