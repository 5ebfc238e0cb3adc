// As much OpenAPI as lets clients name fields and types: of custom resources what their definition says, of Kubernetes'
// own kinds what the table of types knows, which has no descriptions.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "kube/schema.h"
#include "serve/asked.h"

namespace tidemark::serve {
namespace {

using kube::Base;
using nlohmann::json;

json reference(std::string name) {
  std::ranges::replace(name, '/', '.');
  return {{"$ref", "#/components/schemas/" + name}};
}

json simple(const char* type, const char* format = nullptr) {
  json schema{{"type", type}};
  if (format != nullptr) schema["format"] = format;
  return schema;
}

// The messages that a document has to describe.
class Components {
 public:
  json of(const kube::Message& message) {
    json properties = json::object();
    add_fields(message, properties);
    return {{"type", "object"}, {"properties", std::move(properties)}};
  }
  // Those that were met on the way, and those in them.
  void add_met(json& schemas) {
    while (!met_.empty()) {
      const std::uint32_t index = *met_.begin();
      met_.erase(met_.begin());
      done_.insert(index);
      const kube::Message& message = kube::Schema::built_in().message(index);
      std::string name(message.name);
      std::ranges::replace(name, '/', '.');
      if (!schemas.contains(name)) schemas[name] = of(message);
    }
  }

 private:
  void add_fields(const kube::Message& message, json& properties) {
    for (const kube::Field& field : message.fields) {
      if (field.is_inline) {
        add_fields(kube::Schema::built_in().message(field.type.message), properties);
      } else if (!field.name.empty()) {
        properties[std::string(field.name)] = of(field.type);
      }
    }
  }
  json of(const kube::Type& type) {
    switch (type.shape) {
      case kube::Shape::list: return {{"type", "array"}, {"items", of_value(type)}};
      case kube::Shape::map: return {{"type", "object"}, {"additionalProperties", of_value(type)}};
      case kube::Shape::value:
      case kube::Shape::pointer: break;
    }
    return of_value(type);
  }
  json of_value(const kube::Type& type) {
    switch (type.base) {
      case Base::string:
      case Base::duration:
      case Base::quantity: return simple("string");
      case Base::boolean: return simple("boolean");
      case Base::int32:
      case Base::uint32: return simple("integer", "int32");
      case Base::int64:
      case Base::uint64: return simple("integer", "int64");
      case Base::float32:
      case Base::float64: return simple("number", "double");
      case Base::bytes: return simple("string", "byte");
      case Base::time:
      case Base::micro_time: return simple("string", "date-time");
      case Base::int_or_string: return simple("string", "int-or-string");
      case Base::fields_v1:
      case Base::raw_extension:
      case Base::unknown:
      case Base::json:
      case Base::schema_or_bool:
      case Base::schema_or_array:
      case Base::schema_or_strings: return simple("object");
      case Base::message: break;
    }
    const kube::Message& message = kube::Schema::built_in().message(type.message);
    if (type.items && message.field(1) != nullptr) {
      return {{"type", "array"}, {"items", of_value(message.field(1)->type)}};
    }
    if (!done_.contains(type.message)) met_.insert(type.message);
    return reference(std::string(message.name));
  }

  std::set<std::uint32_t> met_, done_;
};

json kind_mark(const ServedKind& kind) {
  return {{"group", kind.resource.group}, {"version", kind.version}, {"kind", kind.resource.kind}};
}

json schema_of(const ServedKind& kind, Components& components) {
  json schema = kind.schema;
  if (!schema.is_object()) {
    const kube::Message* type = kube::Schema::built_in().root(kind.api_version(), kind.resource.kind);
    schema = type == nullptr ? simple("object") : components.of(*type);
  }
  json& properties = schema["properties"];
  if (!properties.is_object()) properties = json::object();
  for (const char* name : {"apiVersion", "kind"}) {
    if (!properties.contains(name)) properties[name] = simple("string");
  }
  if (!properties.contains("metadata")) properties["metadata"] = simple("object");
  schema["x-kubernetes-group-version-kind"] = json::array({kind_mark(kind)});
  return schema;
}

std::string base_of(std::string_view group, std::string_view version) {
  return group.empty() ? fmt::format("api/{}", version) : fmt::format("apis/{}/{}", group, version);
}

}  // namespace

json openapi_v2() {
  return {{"swagger", "2.0"},
          {"info", {{"title", "a moment of the past"}, {"version", "v1"}}},
          {"paths", json::object()},
          {"definitions", json::object()}};
}

json openapi_index(const ServedKinds& kinds) {
  json paths = json::object();
  for (const ServedKinds::Group& group : kinds.groups()) {
    for (const std::string& version : group.versions) {
      const std::string base = base_of(group.name, version);
      paths[base] = {{"serverRelativeURL", "/openapi/v3/" + base}};
    }
  }
  return {{"paths", std::move(paths)}};
}

json openapi_of(const ServedKinds& kinds, std::string_view group, std::string_view version) {
  Components components;
  json schemas = json::object(), paths = json::object();
  const json field_validation{{"name", "fieldValidation"}, {"in", "query"}, {"schema", simple("string")}};
  for (const ServedKind* kind : kinds.of(group, version)) {
    const std::string name = fmt::format("{}.{}.{}", group.empty() ? "core" : group, version, kind->resource.kind);
    schemas[name] = schema_of(*kind, components);
    std::string path = "/" + base_of(group, version) + (kind->resource.namespaced ? "/namespaces/{namespace}/" : "/") +
                       kind->resource.plural;
    const json mark = kind_mark(*kind);
    paths[path]["get"] = {{"x-kubernetes-action", "list"}, {"x-kubernetes-group-version-kind", mark}};
    paths[path + "/{name}"]["get"] = {{"x-kubernetes-action", "get"}, {"x-kubernetes-group-version-kind", mark}};
    // Who would change something asks here whether the server checks fields. It refuses, which is check enough.
    paths[path + "/{name}"]["patch"] = {{"x-kubernetes-action", "patch"},
                                        {"x-kubernetes-group-version-kind", mark},
                                        {"parameters", json::array({field_validation})}};
  }
  components.add_met(schemas);
  return {{"openapi", "3.0.0"},
          {"info", {{"title", "a moment of the past"}, {"version", "v1"}}},
          {"paths", std::move(paths)},
          {"components", {{"schemas", std::move(schemas)}}}};
}

}  // namespace tidemark::serve
