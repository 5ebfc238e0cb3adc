#include "live/object_facts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tidemark::live {
namespace {

using nlohmann::json;

bool says_nothing(const json& value) {
  if (value.is_object() && !value.empty()) {
    return std::all_of(value.begin(), value.end(), [](const json& member) { return says_nothing(member); });
  }
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.empty() || value == false || value == 0;  // null is empty, too
}

void leave_substance(json& object) {
  object.erase("status");
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return;
  for (const char* counted : {"managedFields", "resourceVersion", "generation", "selfLink"}) metadata->erase(counted);
}

}  // namespace

std::optional<std::string> uncovered(const json& live, const json& wanted) {
  if (wanted.is_null() || (says_nothing(live) && says_nothing(wanted))) return std::nullopt;
  if (wanted.is_object() && live.is_object()) {
    static const json kNothing;
    for (auto member = wanted.begin(); member != wanted.end(); ++member) {
      const auto found = live.find(member.key());
      if (const auto where = uncovered(found == live.end() ? kNothing : *found, *member)) {
        return "." + member.key() + *where;
      }
    }
    return std::nullopt;
  }
  if (wanted.is_array() && live.is_array() && wanted.size() == live.size()) {
    for (std::size_t i = 0; i < wanted.size(); i++) {
      if (const auto where = uncovered(live[i], wanted[i])) return fmt::format("[{}]{}", i, *where);
    }
    return std::nullopt;
  }
  return live == wanted ? std::nullopt : std::optional<std::string>("");
}

bool bears_our_name(const json& object) {
  const json& managers = list_at(object, "/metadata/managedFields");
  return std::ranges::any_of(managers, [](const json& entry) {
    return text_at(entry, "/manager") == link::KubeClientOptions().field_manager;
  });
}

std::string held_by(const json& object) {
  std::string said;
  if (text_at(object, "/kind") == "Namespace") {
    // NamespaceFinalizersRemaining, NamespaceContentRemaining, NamespaceDeletionContentFailure, ...
    for (const json& condition : list_at(object, "/status/conditions")) {
      if (text_at(condition, "/status") != "True") continue;
      const std::string message = text_at(condition, "/message");
      if (!message.empty()) said += (said.empty() ? "" : "; ") + message;
    }
  }
  if (!said.empty()) return said;
  std::vector<std::string> names;
  for (const json& name : list_at(object, "/metadata/finalizers")) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return names.empty() ? "" : "held by the finalizers " + some_of(names, 5);
}

bool same_substance(const json& a, const json& b) {
  if (!a.is_object() || !b.is_object()) return a == b;
  json one = a, other = b;
  leave_substance(one);
  leave_substance(other);
  return one == other;
}

}  // namespace tidemark::live
