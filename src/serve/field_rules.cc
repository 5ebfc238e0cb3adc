#include "serve/field_rules.h"

#include <algorithm>

namespace tidemark::serve {
namespace {

using nlohmann::json;

struct KindFields {
  std::string_view plural, group, fields;  // between blanks
};
constexpr KindFields kFields[] = {
    {"pods", "",
     "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork status.phase "
     "status.podIP status.nominatedNodeName"},
    {"events", "",
     "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid involvedObject.apiVersion "
     "involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent source type"},
    {"secrets", "", "type"},
    {"services", "", "spec.clusterIP spec.type"},
    {"namespaces", "", "status.phase"},
    {"nodes", "", "spec.unschedulable"},
    {"replicationcontrollers", "", "status.replicas"},
    {"replicasets", "apps", "status.replicas"},
    {"jobs", "batch", "status.successful"},
    {"certificatesigningrequests", "certificates.k8s.io", "spec.signerName"},
};

// Those whose value is no text, as the server prints what is not there.
constexpr std::string_view kFalse[] = {"spec.hostNetwork", "spec.unschedulable"};
constexpr std::string_view kZero[] = {"status.replicas", "status.successful"};

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t blank = std::min(words.find(' '), words.size());
    if (words.substr(0, blank) == word) return true;
    words.remove_prefix(std::min(blank + 1, words.size()));
  }
  return false;
}

bool can_select(const ServedKind& kind, std::string_view field) {
  if (field == "metadata.name" || field == "metadata.namespace") return true;
  if (std::ranges::find(kind.selectable, field) != kind.selectable.end()) return true;
  return std::ranges::any_of(kFields, [&](const KindFields& row) {
    return row.plural == kind.resource.plural && row.group == kind.resource.group && has_word(row.fields, field);
  });
}

// Where the value is, when that is not what the selector calls it.
std::string_view place_of(std::string_view field) {
  if (field == "source") return "source.component";
  if (field == "status.successful") return "status.succeeded";
  return field;
}

std::string value_at(const json& object, std::string_view field) {
  const json* at = &object;
  for (std::string_view path = place_of(field); !path.empty();) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const auto found = at->is_object() ? at->find(path.substr(0, dot)) : at->end();
    path.remove_prefix(std::min(dot + 1, path.size()));
    if (at->is_object() && found != at->end()) {
      at = &*found;
      continue;
    }
    if (std::ranges::find(kFalse, field) != std::end(kFalse)) return "false";
    return std::ranges::find(kZero, field) != std::end(kZero) ? "0" : "";
  }
  if (at->is_string()) return at->get<std::string>();
  return at->is_primitive() && !at->is_null() ? at->dump() : "";
}

}  // namespace

Result<FieldRules> FieldRules::parse(std::string_view text, const ServedKind& kind) {
  FieldRules read;
  TM_LET(read.terms_, kube::parse_field_terms(text));
  for (const kube::FieldTerm& term : read.terms_) {
    if (can_select(kind, term.field)) continue;
    return fail(Errc::invalid, "field selector '{}': {} cannot be selected by it", term.field,
                kind.resource.full_name());
  }
  return read;
}

bool FieldRules::matches(const json& object) const {
  return std::ranges::all_of(
      terms_, [&](const kube::FieldTerm& term) { return (value_at(object, term.field) == term.value) == term.equal; });
}

}  // namespace tidemark::serve
