#include "live/namespaces.h"

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

constexpr const char* kNameLabel = "kubernetes.io/metadata.name";

class Mover {
 public:
  Mover(const NamespaceMap& to, json& object) : to_(to), object_(object) {}

  void value(json& object, std::string_view path) const {
    const auto found = to_.find(text_at(object, path));
    if (found != to_.end()) set_at(object, path, found->second);
  }
  void at(std::string_view path) const { value(object_, path); }
  void each(std::string_view list, std::string_view path) const {
    json* entries = reach(object_, list);
    if (entries == nullptr || !entries->is_array()) return;
    for (json& entry : *entries) value(entry, path);
  }
  // A selector of namespaces picks one by the label that the server gives each.
  void selectors(json& in) const {
    if (in.is_array()) {
      for (json& entry : in) selectors(entry);
    }
    if (!in.is_object()) return;
    for (auto& [name, member] : in.items()) {
      if (name == "namespaceSelector") {
        label(member);
      } else {
        selectors(member);
      }
    }
  }

 private:
  void word(json& text) const {
    if (!text.is_string()) return;
    const auto found = to_.find(text.get<std::string>());
    if (found != to_.end()) text = found->second;
  }
  void label(json& selector) const {
    if (json* labels = reach(selector, "/matchLabels"); labels != nullptr && labels->is_object()) {
      if (const auto found = labels->find(kNameLabel); found != labels->end()) word(*found);
    }
    json* expressions = reach(selector, "/matchExpressions");
    if (expressions == nullptr || !expressions->is_array()) return;
    for (json& expression : *expressions) {
      json* values = reach(expression, "/values");
      if (text_at(expression, "/key") != kNameLabel || values == nullptr || !values->is_array()) continue;
      for (json& one : *values) word(one);
    }
  }

  const NamespaceMap& to_;
  json& object_;
};

}  // namespace

void move_namespaces(const link::KubeKind& kind, const NamespaceMap& to, json& object) {
  if (to.empty()) return;
  const Mover move(to, object);
  if (kind.namespaced) move.at("/metadata/namespace");
  const std::string name = kind.full_name();
  if (name == "namespaces") {
    move.at("/metadata/name");
    if (!label_of(object, kNameLabel).empty()) {
      (*reach(object, "/metadata/labels"))[kNameLabel] = text_at(object, "/metadata/name");
    }
  }
  if (name == "rolebindings.rbac.authorization.k8s.io" || name == "clusterrolebindings.rbac.authorization.k8s.io") {
    move.each("/subjects", "/namespace");
  }
  if (name == "persistentvolumes") move.at("/spec/claimRef/namespace");
  if (name == "persistentvolumeclaims") move.at("/spec/dataSourceRef/namespace");
  if (name == "volumesnapshotcontents.snapshot.storage.k8s.io") move.at("/spec/volumeSnapshotRef/namespace");
  if (name == "apiservices.apiregistration.k8s.io") move.at("/spec/service/namespace");
  if (name == "customresourcedefinitions.apiextensions.k8s.io") {
    move.at("/spec/conversion/webhook/clientConfig/service/namespace");
  }
  if (kind.group == "admissionregistration.k8s.io") {
    move.each("/webhooks", "/clientConfig/service/namespace");
    move.selectors(object);
  }
  if (name == "networkpolicies.networking.k8s.io") move.selectors(object);
}

}  // namespace tidemark::live
