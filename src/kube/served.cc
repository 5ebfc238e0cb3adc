#include "kube/served.h"

#include <nlohmann/json.hpp>
#include <string>

#include "kube/structural.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

// The member `name` of an object, or null.
json* member(json& of, const char* name) {
  if (!of.is_object()) return nullptr;
  const auto found = of.find(name);
  return found == of.end() ? nullptr : &*found;
}

bool says(const json& of, const char* name, std::string_view text) {
  const auto found = of.find(name);
  return found != of.end() && found->is_string() && found->get_ref<const std::string&>() == text;
}

void default_claim_templates(json& object) {
  json* spec = member(object, "spec");
  json* templates = spec == nullptr ? nullptr : member(*spec, "volumeClaimTemplates");
  if (templates == nullptr || !templates->is_array()) return;
  for (json& claim : *templates) {
    if (!claim.is_object()) continue;
    claim.emplace("apiVersion", "v1");
    claim.emplace("kind", "PersistentVolumeClaim");
  }
}

// Of a PersistentVolume and a claim: one whose status was written without it.
void default_phase(json& object) {
  json& status = object["status"];
  if (status.is_null()) status = json::object();
  if (!status.is_object()) return;
  const auto phase = status.find("phase");
  const bool none = phase == status.end() || (phase->is_string() && phase->get_ref<const std::string&>().empty());
  if (none) status["phase"] = "Pending";
}

// Moves what v1beta1 says once for all versions into each of them.
void spread(json& spec, json& versions, const char* name, const char* name_in_version) {
  json* shared = member(spec, name);
  if (shared == nullptr) return;
  for (json& version : versions) {
    if (!version.is_object() || shared->is_null()) continue;
    const bool unset = member(version, name_in_version) == nullptr || version[name_in_version].is_null();
    if (unset) version[name_in_version] = *shared;
  }
  spec.erase(name);
}

void rename_paths(json& columns) {
  if (!columns.is_array()) return;
  for (json& column : columns) {
    json* path = member(column, "JSONPath");
    if (path == nullptr) continue;
    json moved = std::move(*path);
    column.erase("JSONPath");
    column["jsonPath"] = std::move(moved);
  }
}

void convert_conversion(json& spec) {
  json* conversion = member(spec, "conversion");
  if (conversion == nullptr) {
    spec["conversion"] = json{{"strategy", "None"}};
    return;
  }
  if (!conversion->is_object()) return;
  json* client = member(*conversion, "webhookClientConfig");
  json* reviews = member(*conversion, "conversionReviewVersions");
  if (client == nullptr && (reviews == nullptr || !says(*conversion, "strategy", "Webhook"))) {
    conversion->erase("conversionReviewVersions");
    return;
  }
  json webhook = json::object();
  webhook["conversionReviewVersions"] = reviews == nullptr ? json() : *reviews;
  if (client != nullptr) webhook["clientConfig"] = *client;
  conversion->erase("webhookClientConfig");
  conversion->erase("conversionReviewVersions");
  (*conversion)["webhook"] = std::move(webhook);
}

// apiextensions.k8s.io/v1beta1, as which definitions are stored, to v1.
void convert_definition(json& object) {
  if (!says(object, "apiVersion", "apiextensions.k8s.io/v1beta1")) return;
  json* spec = member(object, "spec");
  if (spec == nullptr || !spec->is_object()) return;
  object["apiVersion"] = "apiextensions.k8s.io/v1";
  json& versions = (*spec)["versions"];
  if (!versions.is_array() || versions.empty()) {
    versions = json::array();
    if (const json* only = member(*spec, "version"); only != nullptr && only->is_string()) {
      versions.push_back(json{{"name", *only}, {"served", true}, {"storage", true}});
    }
  }
  spec->erase("version");
  spread(*spec, versions, "validation", "schema");
  spread(*spec, versions, "subresources", "subresources");
  spread(*spec, versions, "additionalPrinterColumns", "additionalPrinterColumns");
  spread(*spec, versions, "selectableFields", "selectableFields");
  for (json& version : versions) {
    if (json* columns = member(version, "additionalPrinterColumns")) rename_paths(*columns);
  }
  convert_conversion(*spec);
  const json* unknown = member(*spec, "preserveUnknownFields");
  if (unknown != nullptr && unknown->is_boolean() && !unknown->get<bool>()) spec->erase("preserveUnknownFields");
}

// "v1" of "example.com/v1".
std::string stored_version(const json& object) {
  const auto found = object.find("apiVersion");
  if (found == object.end() || !found->is_string()) return {};
  const auto& whole = found->get_ref<const std::string&>();
  return whole.substr(whole.find('/') + 1);
}

}  // namespace

bool as_served(json& object, const Resource& resource) {
  if (!object.is_object()) return true;
  if (!resource.custom) {
    if (resource.kind == "StatefulSet") default_claim_templates(object);
    if (resource.kind == "PersistentVolume" || resource.kind == "PersistentVolumeClaim") default_phase(object);
    if (resource.kind == "CustomResourceDefinition") convert_definition(object);
    return true;
  }
  if (resource.schemas) resource.schemas->read(object, stored_version(object));
  const std::string wanted = resource.group + "/" + resource.version;
  if (resource.version.empty() || says(object, "apiVersion", wanted)) return true;
  if (!resource.convertible) return false;
  object["apiVersion"] = wanted;
  if (resource.schemas) resource.schemas->convert(object, resource.version);
  return true;
}

}  // namespace tidemark::kube
