// What discovery answers, in its two forms.
#include "serve/served_kinds.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;

json read_verbs() { return {"get", "list", "watch"}; }

json subresource(const ServedKind& kind, const char* name) {
  const bool scale = std::string_view(name) == "scale";
  return {{"name", kind.resource.plural + "/" + name},
          {"singularName", ""},
          {"namespaced", kind.resource.namespaced},
          {"kind", scale ? "Scale" : kind.resource.kind},
          {"group", scale ? "autoscaling" : kind.resource.group},
          {"version", scale ? "v1" : kind.version},
          {"verbs", json::array({"get"})}};
}

void add_resource(const ServedKind& kind, json& to) {
  const kube::Resource& resource = kind.resource;
  json one{{"name", resource.plural},
           {"singularName", resource.singular},
           {"namespaced", resource.namespaced},
           {"kind", resource.kind},
           {"verbs", read_verbs()}};
  if (!resource.short_names.empty()) one["shortNames"] = resource.short_names;
  if (!resource.categories.empty()) one["categories"] = resource.categories;
  to.push_back(std::move(one));
  if (kind.has_status) to.push_back(subresource(kind, "status"));
  if (kind.has_scale) to.push_back(subresource(kind, "scale"));
}

json response_kind(const std::string& group, const std::string& version, const std::string& kind) {
  return {{"group", group}, {"version", version}, {"kind", kind}};
}

json aggregated_resource(const ServedKind& kind) {
  const kube::Resource& resource = kind.resource;
  json one{{"resource", resource.plural},
           {"responseKind", response_kind(resource.group, kind.version, resource.kind)},
           {"scope", resource.namespaced ? "Namespaced" : "Cluster"},
           {"singularResource", resource.singular},
           {"verbs", read_verbs()}};
  if (!resource.short_names.empty()) one["shortNames"] = resource.short_names;
  if (!resource.categories.empty()) one["categories"] = resource.categories;
  json subresources = json::array();
  if (kind.has_status) {
    subresources.push_back(
        {{"subresource", "status"}, {"responseKind", one["responseKind"]}, {"verbs", json::array({"get"})}});
  }
  if (kind.has_scale) {
    subresources.push_back({{"subresource", "scale"},
                            {"responseKind", response_kind("autoscaling", "v1", "Scale")},
                            {"verbs", json::array({"get"})}});
  }
  if (!subresources.empty()) one["subresources"] = std::move(subresources);
  return one;
}

}  // namespace

json core_versions() {
  return {{"kind", "APIVersions"}, {"versions", json::array({"v1"})}, {"serverAddressByClientCIDRs", json::array()}};
}

json group_document(const ServedKinds::Group& group, bool with_kind) {
  json versions = json::array();
  for (const std::string& version : group.versions) {
    versions.push_back({{"groupVersion", group.name + "/" + version}, {"version", version}});
  }
  json document{{"name", group.name}, {"versions", versions}, {"preferredVersion", versions.front()}};
  if (with_kind) {
    document["kind"] = "APIGroup";
    document["apiVersion"] = "v1";
  }
  return document;
}

json group_list(const ServedKinds& kinds) {
  json groups = json::array();
  for (const ServedKinds::Group& group : kinds.groups()) {
    if (!group.name.empty()) groups.push_back(group_document(group, /*with_kind=*/false));
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

json resource_list(const ServedKinds& kinds, std::string_view group, std::string_view version) {
  json resources = json::array();
  for (const ServedKind* kind : kinds.of(group, version)) add_resource(*kind, resources);
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", group.empty() ? std::string(version) : fmt::format("{}/{}", group, version)},
          {"resources", std::move(resources)}};
}

json aggregated_discovery(const ServedKinds& kinds, bool core) {
  json items = json::array();
  for (const ServedKinds::Group& group : kinds.groups()) {
    if (group.name.empty() != core) continue;
    json versions = json::array();
    for (const std::string& version : group.versions) {
      json resources = json::array();
      for (const ServedKind* kind : kinds.of(group.name, version)) resources.push_back(aggregated_resource(*kind));
      versions.push_back({{"version", version}, {"resources", std::move(resources)}, {"freshness", "Current"}});
    }
    json metadata = json::object();
    if (!group.name.empty()) metadata["name"] = group.name;
    items.push_back({{"metadata", std::move(metadata)}, {"versions", std::move(versions)}});
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/v2"},
          {"metadata", json::object()},
          {"items", std::move(items)}};
}

}  // namespace tidemark::serve
