#include "serve/served_kinds.h"

#include <algorithm>

#include "kube/json_text.h"
#include "kube/schema.h"
#include "kube/structural.h"
#include "kube/version_order.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;

const json kNothing;

const json& at(const json& from, const char* name) {
  if (!from.is_object()) return kNothing;
  const auto found = from.find(name);
  return found == from.end() ? kNothing : *found;
}
std::string text(const json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }
bool is_true(const json& value) { return value.is_boolean() && value.get<bool>(); }

// The version of an apiVersion, when it is of the group.
std::string version_in(std::string_view api_version, std::string_view group) {
  if (group.empty()) return std::string(api_version.find('/') == std::string_view::npos ? api_version : "");
  if (!api_version.starts_with(group) || api_version.substr(group.size(), 1) != "/") return {};
  return std::string(api_version.substr(group.size() + 1));
}

const kube::Message* type_of(const ServedKind& kind) {
  return kube::Schema::built_in().root(kind.api_version(), kind.resource.kind);
}

bool has_status(const ServedKind& kind) {
  const kube::Message* type = type_of(kind);
  return type != nullptr && std::ranges::any_of(type->fields, [](const auto& field) { return field.name == "status"; });
}

bool is_scaled(const kube::Resource& resource) {
  return (resource.group == "apps" && (resource.plural == "deployments" || resource.plural == "replicasets" ||
                                       resource.plural == "statefulsets")) ||
         (resource.group.empty() && resource.plural == "replicationcontrollers");
}

// In which versions objects can be shown, of those that a definition has.
std::vector<std::string> shown_versions(const json& spec) {
  const bool convertible = text(at(at(spec, "conversion"), "strategy")) != "Webhook";
  std::vector<std::string> served, stored;
  const json& versions = at(spec, "versions");
  if (versions.is_array()) {
    for (const json& version : versions) {
      if (is_true(at(version, "served"))) served.push_back(text(at(version, "name")));
      if (is_true(at(version, "storage"))) stored.push_back(text(at(version, "name")));
    }
  }
  if (served.empty() && !versions.is_array()) served.push_back(text(at(spec, "version")));  // v1beta1, with one
  return convertible || served.size() < 2 ? served : stored;
}

json& only_serving(json& definition, const std::string& name) {
  if (!definition["spec"].contains("versions")) return definition;
  for (json& version : definition["spec"]["versions"]) {
    if (version.is_object()) version["served"] = text(at(version, "name")) == name;
  }
  return definition;
}

const json& version_of(const json& definition, const std::string& name) {
  const json& versions = at(at(definition, "spec"), "versions");
  if (!versions.is_array()) return kNothing;
  const auto found = std::ranges::find_if(versions, [&](const json& one) { return text(at(one, "name")) == name; });
  return found == versions.end() ? kNothing : *found;
}

// What a version says, or v1beta1's definition for all of them.
const json& said(const json& definition, const json& version, const char* name, const char* name_for_all) {
  const json& own = at(version, name);
  return own.is_null() ? at(at(definition, "spec"), name_for_all) : own;
}

void read_extras(const json& definition, ServedKind& kind) {
  const json& version = version_of(definition, kind.version);
  kind.list_kind = text(at(at(at(definition, "spec"), "names"), "listKind"));
  kind.has_status = at(said(definition, version, "subresources", "subresources"), "status").is_object();
  kind.schema = at(said(definition, version, "schema", "validation"), "openAPIV3Schema");
  const json& fields = at(version, "selectableFields");
  if (!fields.is_array()) return;
  for (const json& field : fields) {
    const std::string path = text(at(field, "jsonPath"));
    if (path.starts_with('.')) kind.selectable.push_back(path.substr(1));
  }
}

}  // namespace

void ServedKinds::add_built_in(const kube::Resource& resource, std::string_view stored_as) {
  ServedKind kind{.resource = resource,
                  .version = version_in(stored_as, resource.group),
                  .list_kind = resource.kind + "List",
                  .selectable = {},
                  .schema = {}};
  if (kind.version.empty()) {
    for (const char* stable : {"v3", "v2", "v1"}) {
      kind.version = stable;
      if (type_of(kind) != nullptr) break;
      kind.version.clear();
    }
  }
  if (kind.version.empty()) return;
  kind.has_status = has_status(kind);
  kind.has_scale = is_scaled(resource);
  kinds_.push_back(std::move(kind));
}

Status ServedKinds::add_definition(Bytes value) {
  TM_LET(json definition, kube::parse_json_or_cbor(value));
  TM_LET(const kube::Resource all, kube::read_definition(value));
  const auto schemas = std::make_shared<kube::StructuralSchemas>(std::string(as_text(value)));
  for (const std::string& version : shown_versions(definition.at("spec"))) {
    json only = definition;
    const std::string alone = only_serving(only, version).dump(-1, ' ', false, json::error_handler_t::replace);
    ServedKind kind{.resource = {}, .version = version, .list_kind = {}, .selectable = {}, .schema = {}};
    TM_LET(kind.resource, kube::read_definition(as_bytes(alone)));
    kind.resource.version = version;
    kind.resource.schemas = schemas;
    read_extras(definition, kind);
    if (kind.list_kind.empty()) kind.list_kind = kind.resource.kind + "List";
    if (!version.empty()) kinds_.push_back(std::move(kind));
  }
  return {};
}

void ServedKinds::settle() {
  groups_.clear();
  for (const ServedKind& kind : kinds_) {
    auto found = std::ranges::find(groups_, kind.resource.group, &Group::name);
    if (found == groups_.end()) found = groups_.insert(found, {.name = kind.resource.group, .versions = {}});
    if (std::ranges::find(found->versions, kind.version) == found->versions.end()) {
      found->versions.push_back(kind.version);
    }
  }
  for (Group& group : groups_) std::ranges::sort(group.versions, kube::is_preferred);
  std::ranges::stable_partition(groups_, [](const Group& group) { return group.name.empty(); });
}

const ServedKind* ServedKinds::find(std::string_view group, std::string_view version, std::string_view plural) const {
  const auto found = std::ranges::find_if(kinds_, [&](const ServedKind& kind) {
    return kind.resource.plural == plural && kind.resource.group == group && kind.version == version;
  });
  return found == kinds_.end() ? nullptr : &*found;
}

std::vector<const ServedKind*> ServedKinds::of(std::string_view group, std::string_view version) const {
  std::vector<const ServedKind*> found;
  for (const ServedKind& kind : kinds_) {
    if (kind.resource.group == group && kind.version == version) found.push_back(&kind);
  }
  std::ranges::sort(found, {}, [](const ServedKind* kind) -> const std::string& { return kind->resource.plural; });
  return found;
}

const ServedKinds::Group* ServedKinds::group(std::string_view name) const {
  const auto found = std::ranges::find(groups_, name, &Group::name);
  return found == groups_.end() ? nullptr : &*found;
}

}  // namespace tidemark::serve
