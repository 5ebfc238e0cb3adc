#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kube/json_text.h"
#include "kube/resource.h"
#include "kube/version_order.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

const json kNothing;

// A member of an object; null when it is not there or `from` is no object.
const json& at(const json& from, const char* name) {
  if (!from.is_object()) return kNothing;
  const auto found = from.find(name);
  return found == from.end() ? kNothing : *found;
}

std::string text(const json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }
bool is_true(const json& value) { return value.is_boolean() && value.get<bool>(); }

std::vector<std::string> texts(const json& value) {
  std::vector<std::string> all;
  if (!value.is_array()) return all;
  for (const json& one : value) {
    if (one.is_string()) all.push_back(one.get<std::string>());
  }
  return all;
}

std::vector<PrinterColumn> columns_of(const json& list) {
  std::vector<PrinterColumn> all;
  if (!list.is_array()) return all;
  for (const json& one : list) {
    PrinterColumn column{.name = text(at(one, "name")), .type = text(at(one, "type")), .json_path = {}, .priority = 0};
    column.json_path = text(at(one, "jsonPath"));
    if (column.json_path.empty()) column.json_path = text(at(one, "JSONPath"));  // v1beta1
    if (at(one, "priority").is_number_integer()) column.priority = at(one, "priority").get<std::int64_t>();
    all.push_back(std::move(column));
  }
  return all;
}

}  // namespace

Result<Resource> read_definition(Bytes value) {
  TM_LET(const json object, parse_json_or_cbor(value));
  const json& spec = at(object, "spec");
  const json& names = at(spec, "names");
  Resource r;
  r.custom = true;
  r.group = text(at(spec, "group"));
  r.plural = text(at(names, "plural"));
  r.kind = text(at(names, "kind"));
  r.singular = text(at(names, "singular"));
  r.short_names = texts(at(names, "shortNames"));
  r.categories = texts(at(names, "categories"));
  r.namespaced = text(at(spec, "scope")) != "Cluster";
  if (r.group.empty() || r.plural.empty() || r.kind.empty()) {
    return fail(Errc::corrupt, "a definition without group, plural or kind");
  }
  r.prefix = r.group + "/" + r.plural;
  r.convertible = text(at(at(spec, "conversion"), "strategy")) != "Webhook";
  r.columns = columns_of(at(spec, "additionalPrinterColumns"));  // v1beta1: of all versions
  r.version = text(at(spec, "version"));                         // v1beta1, with one version
  const json& versions = at(spec, "versions");
  if (!versions.is_array()) return r;
  bool found = false;
  for (const json& version : versions) {
    const std::string name = text(at(version, "name"));
    if (!is_true(at(version, "served"))) continue;
    if (std::exchange(found, true) && !is_preferred(name, r.version)) continue;
    r.version = name;
    if (at(version, "additionalPrinterColumns").is_array()) {
      r.columns = columns_of(at(version, "additionalPrinterColumns"));
    }
  }
  r.other_versions = versions.size() > 1;
  return r;
}

}  // namespace tidemark::kube
