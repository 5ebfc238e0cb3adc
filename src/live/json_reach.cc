#include "live/json_reach.h"

#include <algorithm>

namespace tidemark::live {
namespace {

using nlohmann::json;

// The last name of a path, and what is before it.
struct Split {
  std::string_view parent, name;
};
Split split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return {.parent = path.substr(0, slash), .name = path.substr(slash + 1)};
}

template <class Json>
Json* walk(Json& object, std::string_view path) {
  Json* at = &object;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    if (!at->is_object()) return nullptr;
    const auto found = at->find(name);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

std::string text_in_map(const json& object, std::string_view path, std::string_view name) {
  const json* map = reach(object, path);
  if (map == nullptr || !map->is_object()) return {};
  const auto found = map->find(name);
  return found == map->end() || !found->is_string() ? std::string() : found->get<std::string>();
}

void erase_in_map(json& object, std::string_view path, std::string_view name) {
  json* map = reach(object, path);
  if (map == nullptr || !map->is_object() || map->erase(std::string(name)) == 0 || !map->empty()) return;
  erase_at(object, path);
}

void take_in_map(json& object, const json& from, std::string_view path, std::string_view name) {
  const json* map = reach(from, path);
  if (map == nullptr || !map->is_object() || !map->contains(name)) return erase_in_map(object, path, name);
  json to = json::object();
  if (const json* own = reach(object, path); own != nullptr && own->is_object()) to = *own;
  to[std::string(name)] = map->at(name);
  set_at(object, path, std::move(to));
}

}  // namespace

const json* reach(const json& object, std::string_view path) { return walk(object, path); }
json* reach(json& object, std::string_view path) { return walk(object, path); }

std::string text_at(const json& object, std::string_view path) {
  const json* value = reach(object, path);
  return value == nullptr || !value->is_string() ? std::string() : value->get<std::string>();
}

bool true_at(const json& object, std::string_view path) {
  const json* value = reach(object, path);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

const json& list_at(const json& object, std::string_view path) {
  static const json none = json::array();
  const json* value = reach(object, path);
  return value == nullptr || !value->is_array() ? none : *value;
}

void erase_at(json& object, std::string_view path) {
  const Split split = split_path(path);
  json* parent = reach(object, split.parent);
  if (parent != nullptr && parent->is_object()) parent->erase(std::string(split.name));
}

void set_at(json& object, std::string_view path, json value) {
  json* at = &object;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    if (at->is_null()) *at = json::object();
    if (!at->is_object()) return;
    at = &(*at)[std::string(name)];
  }
  *at = std::move(value);
}

void take_at(json& object, const json& from, std::string_view path) {
  const json* value = reach(from, path);
  if (value == nullptr) {
    erase_at(object, path);
  } else {
    set_at(object, path, *value);
  }
}

bool equal_at(const json& a, const json& b, std::string_view path) {
  const json* one = reach(a, path);
  const json* other = reach(b, path);
  return one == nullptr || other == nullptr ? one == other : *one == *other;
}

std::string label_of(const json& object, std::string_view name) {
  return text_in_map(object, "/metadata/labels", name);
}
std::string annotation_of(const json& object, std::string_view name) {
  return text_in_map(object, "/metadata/annotations", name);
}
void erase_label(json& object, std::string_view name) { erase_in_map(object, "/metadata/labels", name); }
void erase_annotation(json& object, std::string_view name) { erase_in_map(object, "/metadata/annotations", name); }

void take_label(json& object, const json& from, std::string_view name) {
  take_in_map(object, from, "/metadata/labels", name);
}
void take_annotation(json& object, const json& from, std::string_view name) {
  take_in_map(object, from, "/metadata/annotations", name);
}

std::string group_of(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(api_version.substr(0, slash));
}
std::string version_of(std::string_view api_version) {
  return std::string(api_version.substr(api_version.find('/') + 1));  // npos + 1 is 0: "v1"
}

std::string object_id(const link::KubeKind& kind, std::string_view name_space, std::string_view name) {
  return name_space.empty() ? fmt::format("{} {}", kind.full_name(), name)
                            : fmt::format("{} {}/{}", kind.full_name(), name_space, name);
}

std::string object_id(const link::KubeKind& kind, const json& object) {
  return object_id(kind, kind.namespaced ? text_at(object, "/metadata/namespace") : std::string(),
                   text_at(object, "/metadata/name"));
}

bool is_going(const json& object) { return !text_at(object, "/metadata/deletionTimestamp").empty(); }

const json* controller_of(const json& object) {
  const json& owners = list_at(object, "/metadata/ownerReferences");
  const auto found = std::ranges::find_if(owners, [](const json& owner) { return true_at(owner, "/controller"); });
  return found == owners.end() ? nullptr : &*found;
}

std::string some_of(const std::vector<std::string>& words, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), most); i++) text += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > most) text += fmt::format(" and {} more", words.size() - most);
  return text;
}

}  // namespace tidemark::live
