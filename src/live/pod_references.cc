#include "live/pod_references.h"

#include <nlohmann/json.hpp>

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

class PodReferences {
 public:
  explicit PodReferences(const std::string& name_space) : here_(name_space) {}
  std::vector<Reference> found{};

  void spec(const json& spec) {
    local("serviceaccounts", text_at(spec, "/serviceAccountName"), false);
    cluster("scheduling.k8s.io", "priorityclasses", text_at(spec, "/priorityClassName"));
    cluster("node.k8s.io", "runtimeclasses", text_at(spec, "/runtimeClassName"));
    for (const json& secret : list_at(spec, "/imagePullSecrets")) local("secrets", text_at(secret, "/name"), true);
    for (const json& volume : list_at(spec, "/volumes")) this->volume(volume);
    for (const std::string_view list : {"/initContainers", "/containers"}) {
      for (const json& container : list_at(spec, list)) environment(container);
    }
  }

 private:
  void local(std::string_view resource, const std::string& name, bool optional) {
    if (!name.empty()) found.push_back({"", std::string(resource), here_, name, optional});
  }
  void cluster(std::string_view group, std::string_view resource, const std::string& name) {
    if (!name.empty()) found.push_back({std::string(group), std::string(resource), "", name, false});
  }
  void source(std::string_view resource, const json& at, std::string_view path, std::string_view name) {
    const json* source = reach(at, path);
    if (source != nullptr) local(resource, text_at(*source, name), true_at(*source, "/optional"));
  }

  void volume(const json& volume) {
    source("secrets", volume, "/secret", "/secretName");
    source("configmaps", volume, "/configMap", "/name");
    source("persistentvolumeclaims", volume, "/persistentVolumeClaim", "/claimName");
    for (const json& part : list_at(volume, "/projected/sources")) {
      source("secrets", part, "/secret", "/name");
      source("configmaps", part, "/configMap", "/name");
    }
  }

  void environment(const json& container) {
    for (const json& from : list_at(container, "/envFrom")) {
      source("secrets", from, "/secretRef", "/name");
      source("configmaps", from, "/configMapRef", "/name");
    }
    for (const json& variable : list_at(container, "/env")) {
      source("secrets", variable, "/valueFrom/secretKeyRef", "/name");
      source("configmaps", variable, "/valueFrom/configMapKeyRef", "/name");
    }
  }

  const std::string& here_;
};

}  // namespace

std::vector<Reference> pod_references(const json& spec, const std::string& name_space) {
  PodReferences references(name_space);
  references.spec(spec);
  return std::move(references.found);
}

}  // namespace tidemark::live
