#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "link/kube_list.h"
#include "link/kube_path.h"

namespace tidemark::link {
namespace {

using nlohmann::json;

constexpr std::string_view kAggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

std::string word_in(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What is no list is an empty one.
const json& list_in(const json& object, const char* name) {
  static const json kNone = json::array();
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : kNone;
}

const json& object_in(const json& object, const char* name) {
  static const json kNone = json::object();
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : kNone;
}

std::vector<std::string> texts_in(const json& object, const char* name) {
  std::vector<std::string> all;
  for (const json& one : list_in(object, name)) {
    if (one.is_string()) all.push_back(one.get<std::string>());
  }
  return all;
}

// Collects what is served; of the versions of a group the first that has a resource is the one it is known by.
class Served {
 public:
  void add(KubeKind kind) {
    if (kind.resource.empty() || kind.kind.empty() || kind.version.empty()) return;
    const auto [place, is_new] = seen_.emplace(kind.full_name(), to.kinds.size());
    std::string version = kind.version;
    if (is_new) to.kinds.push_back(std::move(kind));
    to.kinds[place->second].versions.push_back(std::move(version));
  }
  KubeDiscovery to;

 private:
  std::map<std::string, std::size_t> seen_;  // places in to.kinds
};

void read_aggregated(const json& groups, Served& served) {
  for (const json& group : list_in(groups, "items")) {
    const std::string name = word_in(object_in(group, "metadata"), "name");
    for (const json& version : list_in(group, "versions")) {
      const std::string of = word_in(version, "version");
      if (word_in(version, "freshness") == "Stale") {
        served.to.stale.push_back(name + "/" + of);
        continue;
      }
      for (const json& resource : list_in(version, "resources")) {
        KubeKind kind{.group = name,
                      .version = of,
                      .resource = word_in(resource, "resource"),
                      .singular = word_in(resource, "singularResource"),
                      .kind = word_in(object_in(resource, "responseKind"), "kind"),
                      .namespaced = word_in(resource, "scope") == "Namespaced",
                      .verbs = texts_in(resource, "verbs"),
                      .short_names = texts_in(resource, "shortNames"),
                      .categories = texts_in(resource, "categories"),
                      .subresources = {}};
        for (const json& sub : list_in(resource, "subresources"))
          kind.subresources.push_back(word_in(sub, "subresource"));
        served.add(std::move(kind));
      }
    }
  }
}

// "status" of "deployments/status".
void read_version(const json& list, const std::string& group, const std::string& version, Served& served) {
  std::vector<KubeKind> kinds;
  for (const json& resource : list_in(list, "resources")) {
    const std::string name = word_in(resource, "name");
    if (name.find('/') != std::string::npos) continue;
    const auto namespaced = resource.find("namespaced");
    kinds.push_back({.group = group,
                     .version = version,
                     .resource = name,
                     .singular = word_in(resource, "singularName"),
                     .kind = word_in(resource, "kind"),
                     .namespaced = namespaced != resource.end() && *namespaced == true,
                     .verbs = texts_in(resource, "verbs"),
                     .short_names = texts_in(resource, "shortNames"),
                     .categories = texts_in(resource, "categories"),
                     .subresources = {}});
  }
  for (const json& resource : list_in(list, "resources")) {
    const std::string name = word_in(resource, "name");
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) continue;
    const auto of = std::ranges::find(kinds, name.substr(0, slash), &KubeKind::resource);
    if (of != kinds.end()) of->subresources.push_back(name.substr(slash + 1));
  }
  for (KubeKind& kind : kinds) served.add(std::move(kind));
}

class Classic {
 public:
  Classic(KubeWire& wire, const std::stop_token& stop, Served& served) : wire_(wire), stop_(stop), served_(served) {}

  // `core`: of the group without a name: {"versions": ["v1"]}.
  Status read_core(const json& core) {
    for (const std::string& version : texts_in(core, "versions")) TM_CHECK(read("", version));
    return {};
  }
  Status read_groups(const json& groups) {
    for (const json& group : list_in(groups, "groups")) {
      const std::string name = word_in(group, "name");
      std::vector<std::string> versions;
      for (const json& version : list_in(group, "versions")) versions.push_back(word_in(version, "version"));
      const std::string preferred = word_in(object_in(group, "preferredVersion"), "version");
      std::ranges::stable_partition(versions, [&](const std::string& version) { return version == preferred; });
      for (const std::string& version : versions) TM_CHECK(read(name, version));
    }
    return {};
  }

 private:
  Status read(const std::string& group, const std::string& version) {
    const KubeKind kind{.group = group, .version = version, .resource = "", .singular = "", .kind = ""};
    KubeCall call{.doing = "discover " + kind.api_version()};
    call.path = (group.empty() ? "/api/" : "/apis/" + net::percent_encode(group) + "/") + net::percent_encode(version);
    const auto list = wire_.ask(call, stop_);
    if (list) {
      read_version(*list, group, version, served_);
      return {};
    }
    // A server behind the server that does not answer, or a definition that went meanwhile.
    if (list.error().code != Errc::unavailable && list.error().code != Errc::not_found)
      return std::unexpected(list.error());
    served_.to.stale.push_back(kind.api_version());
    return {};
  }

  KubeWire& wire_;
  const std::stop_token& stop_;
  Served& served_;
};

}  // namespace

Result<KubeDiscovery> discover_all(KubeWire& wire, DiscoveryForm form, const std::stop_token& stop) {
  Served served;
  Classic classic(wire, stop, served);
  for (const char* path : {"/api", "/apis"}) {
    KubeCall call{.doing = "discover what is served", .path = path};
    if (form == DiscoveryForm::aggregated) call.accept = kAggregated;
    TM_LET(const json answer, wire.ask(call, stop));
    const std::string kind = word_in(answer, "kind");
    if (kind == "APIGroupDiscoveryList") {
      read_aggregated(answer, served);
    } else if (kind == "APIVersions") {
      TM_CHECK(classic.read_core(answer));
    } else if (kind == "APIGroupList") {
      TM_CHECK(classic.read_groups(answer));
    } else {
      return hinted(Result<KubeDiscovery>(
                        fail(Errc::corrupt, "{}{}: no Kubernetes API answers there", wire.access().server, path)),
                    fmt::format("is the server of the cluster '{}' in the kubeconfig right?", wire.access().cluster));
    }
  }
  return std::move(served.to);
}

}  // namespace tidemark::link
