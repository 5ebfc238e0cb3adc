#include "kube/changes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/sha256.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

json* object_member(json& of, const char* name) {
  if (!of.is_object()) return nullptr;
  const auto found = of.find(name);
  return found == of.end() || !found->is_object() ? nullptr : &*found;
}

const json* list_of_managers(const json& object) {
  if (!object.is_object()) return nullptr;
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return nullptr;
  const auto managers = metadata->find("managedFields");
  return managers == metadata->end() || !managers->is_array() ? nullptr : &*managers;
}

std::string member_text(const json& entry, const char* member) {
  const auto found = entry.find(member);
  return found == entry.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

ChangedBy manager_of(const json& entry) {
  return {.manager = member_text(entry, "manager"),
          .operation = member_text(entry, "operation"),
          .subresource = member_text(entry, "subresource"),
          .time = member_text(entry, "time"),
          .certain = true};
}

void leave_out_identity(json& metadata) {
  for (const char* name : {"uid", "creationTimestamp"}) metadata.erase(name);
  const auto owners = metadata.find("ownerReferences");
  if (owners == metadata.end() || !owners->is_array()) return;
  for (json& owner : *owners) {
    if (owner.is_object()) owner.erase("uid");
  }
}

}  // namespace

void keep_compared(json& object, const Compared& what) {
  if (what.all || !object.is_object()) return;
  if (!what.status) object.erase("status");
  json* metadata = object_member(object, "metadata");
  if (metadata == nullptr) return;
  if (!what.managed_fields) metadata->erase("managedFields");
  for (const char* name : {"resourceVersion", "generation", "selfLink"}) metadata->erase(name);
  if (!what.identity) leave_out_identity(*metadata);
  json* annotations = object_member(*metadata, "annotations");
  if (annotations == nullptr) return;
  annotations->erase(kLastApplied);
  if (annotations->empty()) metadata->erase("annotations");
}

std::string SecretMask::hash(std::string_view text) const {
  crypto::Sha256 digest;
  digest.update(key_);
  digest.update(as_bytes(text));
  return "hash:" + to_hex(Bytes(digest.finish()).first(8));
}

void SecretMask::hide(json& object) const {
  if (!object.is_object() || member_text(object, "kind") != "Secret" || member_text(object, "apiVersion") != "v1")
    return;
  const auto hide_value = [&](json& value) {
    value =
        hash(value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace));
  };
  for (const char* name : {"data", "stringData"}) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) continue;
    if (!found->is_object()) {
      hide_value(*found);
      continue;
    }
    for (auto& [key, value] : found->items()) hide_value(value);
  }
  // It holds a copy of the data.
  json* metadata = object_member(object, "metadata");
  json* annotations = metadata == nullptr ? nullptr : object_member(*metadata, "annotations");
  if (annotations == nullptr) return;
  if (const auto copy = annotations->find(kLastApplied); copy != annotations->end()) hide_value(*copy);
}

std::vector<ChangedBy> field_managers(const json& before, const json& after) {
  std::vector<ChangedBy> found;
  const json* now = list_of_managers(after);
  if (now == nullptr) return found;
  const json* then = list_of_managers(before);
  const auto was_there = [&](const json& entry) {
    return then != nullptr && std::ranges::find(*then, entry) != then->end();
  };
  std::string newest;
  for (const json& entry : *now) {
    if (!entry.is_object()) continue;
    newest = std::max(newest, member_text(entry, "time"));
    if (!before.is_null() && !was_there(entry)) found.push_back(manager_of(entry));
  }
  if (!found.empty()) return found;
  for (const json& entry : *now) {
    if (!entry.is_object() || member_text(entry, "time") != newest) continue;
    found.push_back(manager_of(entry));
    found.back().certain = false;
  }
  return found;
}

std::string newest_claimed_time(const json& object) {
  std::string newest;
  if (const json* managers = list_of_managers(object)) {
    for (const json& entry : *managers) {
      if (entry.is_object()) newest = std::max(newest, member_text(entry, "time"));
    }
  }
  if (!newest.empty() || !object.is_object()) return newest;
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return newest;
  return member_text(*metadata, "creationTimestamp");
}

}  // namespace tidemark::kube
