#include "kit/moved_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kube/json_diff.h"

namespace tidemark::testing {
namespace {

constexpr int kChosenPort = 30080;

json named_as(const std::string& name, json more = json::object()) {
  more["metadata"]["name"] = name;
  return more;
}

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

bool is_chosen(const json& port) { return port.value("nodePort", 0) == kChosenPort; }

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
    for (json& port : object["spec"]["ports"]) {
      if (!is_chosen(port)) port.erase("nodePort");
    }
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
    // One that is older than a LimitRange of its namespace has none of that, and gets it when it is made again.
    for (json& container : object["spec"]["containers"]) container.erase("resources");
    erase_all(object, "/metadata/annotations/kubernetes.io~1limit-ranger");
    erase_if_empty(object, "/metadata/annotations");
  }
}

}  // namespace

void make_hard_to_move(const std::function<json(const char*, const char*, json)>& make) {
  make("namespaces", "", named_as("move", {{"metadata", {{"labels", {{"tier", "gold"}}}}}}));
  make("persistentvolumes", "",
       named_as("disk", {{"spec",
                          {{"capacity", {{"storage", "1Gi"}}},
                           {"accessModes", {"ReadWriteOnce"}},
                           {"persistentVolumeReclaimPolicy", "Retain"},
                           {"storageClassName", "by-hand"},
                           {"hostPath", {{"path", "/nowhere"}}}}}}));
  make("persistentvolumeclaims", "move",
       named_as("data", {{"spec",
                          {{"accessModes", {"ReadWriteOnce"}},
                           {"storageClassName", "by-hand"},
                           {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}}));
  const json ports{{{"name", "web"}, {"port", 80}, {"nodePort", kChosenPort}}, {{"name", "any"}, {"port", 81}}};
  make("services", "move", named_as("picked", {{"spec", {{"type", "NodePort"}, {"ports", ports}}}}));
  for (int i = 0; i < 3; i++) {
    make("services", "move",
         named_as(fmt::format("free-{}", i), {{"spec", {{"type", "NodePort"}, {"ports", {{{"port", 80}}}}}}}));
  }
  make("serviceaccounts", "move", named_as("robot"));
  make("secrets", "move",
       named_as("robot-key", {{"type", "kubernetes.io/service-account-token"},
                              {"metadata", {{"annotations", {{"kubernetes.io/service-account.name", "robot"}}}}}}));
  const json rules{{{"apiGroups", {""}}, {"resources", {"pods"}}, {"verbs", {"get"}}}};
  make("clusterroles.rbac.authorization.k8s.io", "",
       named_as("part-of-all", {{"metadata", {{"labels", {{"of", "all"}}}}}, {"rules", rules}}));
  make("clusterroles.rbac.authorization.k8s.io", "",
       named_as("all-of-it", {{"aggregationRule", {{"clusterRoleSelectors", {{{"matchLabels", {{"of", "all"}}}}}}}}}));
  make("clusterrolebindings.rbac.authorization.k8s.io", "",
       named_as(
           "robots",
           {{"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "all-of-it"}}},
            {"subjects", {{{"kind", "ServiceAccount"}, {"name", "robot"}, {"namespace", "move"}}}}}));
  const json spec{{"containers", {{{"name", "c"}, {"image", "localhost/worker:1"}}}}};
  json lone = named_as("lone", {{"spec", spec}});
  lone["spec"]["serviceAccountName"] = "robot";
  make("pods", "move", lone);
  const json pod{{"metadata", {{"labels", {{"app", "web"}}}}}, {"spec", spec}};
  make("deployments.apps", "move",
       named_as("web",
                {{"spec", {{"replicas", 2}, {"selector", {{"matchLabels", {{"app", "web"}}}}}, {"template", pod}}}}));
  const json owner = make("configmaps", "move", named_as("owner", {{"data", {{"text", "o"}}}}));
  json owned = named_as("owned", {{"data", {{"text", "x"}}}});
  owned["metadata"]["ownerReferences"] = {
      {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "owner"}, {"uid", owner.at("metadata").at("uid")}}};
  make("configmaps", "move", owned);
}

bool is_settled(link::KubeClient& client, const link::KubeDiscovery& served) {
  const auto get = [&](const char* kind, const char* ns, const char* name) {
    const auto object = client.get(*served.find(kind), {.name_space = ns, .name = name});
    return object ? *object : json::object();
  };
  const auto phase = [](const json& object) { return object.value(json::json_pointer("/status/phase"), ""); };
  const json web = get("deployments.apps", "move", "web");
  return phase(get("persistentvolumeclaims", "move", "data")) == "Bound" &&
         phase(get("persistentvolumes", "", "disk")) == "Bound" &&
         web.value(json::json_pointer("/status/replicas"), 0) == 2 &&
         !get("clusterroles.rbac.authorization.k8s.io", "", "all-of-it").value("rules", json()).empty() &&
         get("secrets", "move", "robot-key").contains("data");
}

json wall() {
  const json service{{"namespace", "move"}, {"name", "picked"}};
  const json rule{{"apiGroups", {""}},
                  {"apiVersions", {"v1"}},
                  {"operations", {"CREATE", "UPDATE"}},
                  {"resources", {"configmaps"}}};
  return named_as("wall", {{"webhooks",
                            {{{"name", "wall.example.com"},
                              {"clientConfig", {{"service", service}}},
                              {"namespaceSelector", {{"matchLabels", {{"tier", "gold"}}}}},
                              {"rules", json::array({rule})},
                              {"sideEffects", "None"},
                              {"timeoutSeconds", 1},
                              {"admissionReviewVersions", {"v1"}},
                              {"failurePolicy", "Fail"}}}}});
}

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

std::string more_than(const Dump& before, const Dump& now) {
  std::set<std::string> held;
  for (const auto& [id, object] : now) {
    if (id.starts_with("persistentvolumeclaims ")) held.insert(object.at("metadata").at("namespace"));
  }
  std::string more;
  for (const auto& [id, object] : now) {
    if (before.contains(id) || id.starts_with("persistentvolumes ") || id.starts_with("persistentvolumeclaims ") ||
        id.starts_with("customresourcedefinitions.") || id.starts_with("apiservices."))
      continue;  // an APIService of a definition comes and goes with it
    const std::string name = object.at("metadata").at("name");
    const bool of_namespace =
        id.starts_with("namespaces ") || (id.starts_with("serviceaccounts ") && name == "default");
    if (!of_namespace || !held.contains(object.at("metadata").value("namespace", name))) more += id + '\n';
  }
  return more;
}

}  // namespace tidemark::testing
