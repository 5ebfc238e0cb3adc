#include "live/served_kinds.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "live/object_facts.h"

namespace tidemark::live {

using link::KubeKind;
using nlohmann::json;

const KubeKind* ServedKinds::find(std::string_view resource, std::string_view group) const {
  const auto found = std::ranges::find_if(
      all_.kinds, [&](const KubeKind& kind) { return kind.resource == resource && kind.group == group; });
  return found == all_.kinds.end() ? nullptr : &*found;
}

const KubeKind* ServedKinds::of_object(std::string_view api_version, std::string_view kind) const {
  const std::size_t slash = api_version.find('/');
  const std::string_view group = slash == std::string_view::npos ? "" : api_version.substr(0, slash);
  const auto found =
      std::ranges::find_if(all_.kinds, [&](const KubeKind& one) { return one.kind == kind && one.group == group; });
  return found == all_.kinds.end() ? nullptr : &*found;
}

bool is_restorable(const KubeKind& kind) { return kind.can("list") && kind.can("get") && kind.can("create"); }

bool is_always_moving(std::string_view resource) { return resource == "events" || resource == "leases"; }

std::optional<KubeKind> kind_of_definition(const json& definition) {
  const json::json_pointer versions("/spec/versions");
  KubeKind kind{.group = text_at(definition, "/spec/group"),
                .version = {},
                .resource = text_at(definition, "/spec/names/plural"),
                .singular = text_at(definition, "/spec/names/singular"),
                .kind = text_at(definition, "/spec/names/kind"),
                .namespaced = text_at(definition, "/spec/scope") == "Namespaced",
                .verbs = {"create", "delete", "get", "list", "patch", "update", "watch"},
                .short_names = {},
                .categories = {},
                .subresources = {},
                .versions = {}};
  if (!definition.contains(versions) || !definition.at(versions).is_array()) return std::nullopt;
  for (const json& version : definition.at(versions)) {
    if (!version.is_object() || !version.value("served", false)) continue;
    kind.versions.push_back(text_at(version, "/name"));
    // Of several the stored one: that is how the past has the objects.
    if (!kind.version.empty() && !version.value("storage", false)) continue;
    kind.version = text_at(version, "/name");
    kind.subresources.clear();
    if (version.contains(json::json_pointer("/subresources/status"))) kind.subresources.emplace_back("status");
  }
  if (kind.version.empty() || kind.resource.empty() || kind.kind.empty()) return std::nullopt;
  return kind;
}

}  // namespace tidemark::live
