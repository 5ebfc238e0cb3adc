#include "kube/structural.h"

#include "base/bytes.h"
#include "kube/json_text.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

bool is_meta(std::string_view field) { return field == "apiVersion" || field == "kind" || field == "metadata"; }

// A member; null: it is not there.
const json* find(const json& of, const char* name) {
  if (!of.is_object()) return nullptr;
  const auto found = of.find(name);
  return found == of.end() ? nullptr : &*found;
}

bool is_true(const json& of, const char* name) {
  const json* value = find(of, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::string text(const json& of, const char* name) {
  const json* value = find(of, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace

StructuralSchema::StructuralSchema(const json& schema) : root_(read(schema)) { root_->embedded = true; }

std::unique_ptr<StructuralSchema::Node> StructuralSchema::read(const json& schema) {
  auto node = std::make_unique<Node>();
  node->preserve = is_true(schema, "x-kubernetes-preserve-unknown-fields");
  node->embedded = is_true(schema, "x-kubernetes-embedded-resource");
  node->nullable = is_true(schema, "nullable");
  if (const json* fallback = find(schema, "default")) node->fallback = *fallback;
  if (const json* items = find(schema, "items"); items != nullptr && items->is_object()) node->items = read(*items);
  if (const json* additional = find(schema, "additionalProperties")) {
    node->any_additional = additional->is_object() || additional->is_boolean();
    if (additional->is_object()) node->additional = read(*additional);
  }
  if (const json* properties = find(schema, "properties"); properties != nullptr && properties->is_object()) {
    for (const auto& [name, property] : properties->items()) node->properties.emplace(name, read(property));
  }
  return node;
}

const StructuralSchema::Node* StructuralSchema::below(const Node& node, const std::string& field) {
  const auto property = node.properties.find(field);
  return property != node.properties.end() ? property->second.get() : node.additional.get();
}

// `node` null: nothing is known of what is here.
void StructuralSchema::prune(json& value, const Node* node) {
  if (node != nullptr && node->preserve) return prune_known(value, node);
  if (value.is_array()) {
    for (json& item : value) prune(item, node == nullptr ? nullptr : node->items.get());
    return;
  }
  if (!value.is_object()) return;
  if (node == nullptr) {
    value.clear();
    return;
  }
  for (auto field = value.begin(); field != value.end();) {
    const bool known = node->properties.contains(field.key()) || node->any_additional;
    if (node->embedded && is_meta(field.key())) {
      ++field;
    } else if (known) {
      prune(field.value(), below(*node, field.key()));
      ++field;
    } else {
      field = value.erase(field);
    }
  }
}

// Where unknown fields stay, what is below the known ones is pruned all the same.
void StructuralSchema::prune_known(json& value, const Node* node) {
  if (node == nullptr) return;
  if (value.is_array()) {
    for (json& item : value) prune_known(item, node->items.get());
    return;
  }
  if (!value.is_object()) return;
  for (auto field = value.begin(); field != value.end(); ++field) {
    if (node->embedded && is_meta(field.key())) continue;
    const bool known = node->properties.contains(field.key()) || node->any_additional;
    if (known) prune(field.value(), below(*node, field.key()));
  }
}

void StructuralSchema::drop_nulls(json& value, const Node* node) {
  if (node == nullptr) return;
  if (value.is_array()) {
    for (json& item : value) drop_nulls(item, node->items.get());
    return;
  }
  if (!value.is_object()) return;
  for (auto field = value.begin(); field != value.end();) {
    const Node* const child = below(*node, field.key());
    if (field->is_null() && child != nullptr && !child->nullable && child->fallback.is_null()) {
      field = value.erase(field);
    } else {
      drop_nulls(field.value(), child);
      ++field;
    }
  }
}

void StructuralSchema::add_defaults(json& value, const Node* node) {
  if (node == nullptr) return;
  const auto fill = [](json& child, const Node* by) {
    if (by != nullptr && child.is_null() && !by->nullable) child = by->fallback;
    add_defaults(child, by);
  };
  if (value.is_array()) {
    for (json& item : value) fill(item, node->items.get());
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [name, property] : node->properties) {
    if (!property->fallback.is_null() && !value.contains(name)) value[name] = property->fallback;
  }
  for (auto field = value.begin(); field != value.end(); ++field) {
    const auto property = node->properties.find(field.key());
    fill(field.value(), property != node->properties.end() ? property->second.get() : node->additional.get());
  }
}

void StructuralSchema::prune(json& object) const {
  prune(object, root_.get());
  drop_nulls(object, root_.get());
}

void StructuralSchema::add_defaults(json& object) const { add_defaults(object, root_.get()); }

void StructuralSchemas::load() const {
  const auto object = parse_json_or_cbor(as_bytes(definition_));
  definition_ = {};
  const json* const spec = object ? find(*object, "spec") : nullptr;
  if (spec == nullptr) return;
  const bool old = text(*object, "apiVersion") == "apiextensions.k8s.io/v1beta1";
  const json* const keeps = find(*spec, "preserveUnknownFields");
  prunes_ = keeps != nullptr && keeps->is_boolean() ? !keeps->get<bool>() : !old;
  const auto schema_in = [](const json* of) { return of == nullptr ? nullptr : find(*of, "openAPIV3Schema"); };
  const json* const shared = schema_in(find(*spec, "validation"));  // v1beta1
  const auto add = [&](const std::string& name, const json* schema) {
    if (schema == nullptr) schema = shared;
    if (schema != nullptr && schema->is_object() && !name.empty()) versions_.try_emplace(name, *schema);
  };
  add(text(*spec, "version"), nullptr);  // v1beta1
  const json* const versions = find(*spec, "versions");
  if (versions == nullptr || !versions->is_array()) return;
  for (const json& version : *versions) {
    const std::string name = text(version, "name");
    versions_.erase(name);
    add(name, schema_in(find(version, "schema")));
  }
}

const StructuralSchema* StructuralSchemas::of(std::string_view version) const {
  std::call_once(once_, [this] { load(); });
  const auto found = versions_.find(version);
  return found == versions_.end() ? nullptr : &found->second;
}

void StructuralSchemas::read(json& object, std::string_view version) const {
  const StructuralSchema* const schema = of(version);
  if (schema == nullptr) return;
  if (prunes_) schema->prune(object);
  schema->add_defaults(object);
}

void StructuralSchemas::convert(json& object, std::string_view version) const {
  const StructuralSchema* const schema = of(version);
  if (schema != nullptr && prunes_) schema->prune(object);
}

}  // namespace tidemark::kube
