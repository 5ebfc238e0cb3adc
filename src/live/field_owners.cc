#include "live/field_owners.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

FieldOwner owner_of_entry(const json& entry) {
  return {.manager = text_at(entry, "/manager"),
          .operation = text_at(entry, "/operation"),
          .subresource = text_at(entry, "/subresource")};
}

bool has_all(const json& entry, const json& keys) {
  if (!entry.is_object() || !keys.is_object()) return false;
  for (const auto& [name, value] : keys.items()) {
    const auto found = entry.find(name);
    if (found == entry.end()) {
      // A key that the type defaults, such as a port's protocol, need not be there.
      if (name != "protocol") return false;
    } else if (*found != value) {
      return false;
    }
  }
  return true;
}

// What a step of fieldsV1 means in a value; nullptr: it is not there.
const json* step_into(const json* value, std::string_view step) {
  if (value == nullptr || step.size() < 2 || step[1] != ':') return nullptr;
  const std::string_view rest = step.substr(2);
  if (step[0] == 'f') {
    if (!value->is_object()) return nullptr;
    const auto found = value->find(rest);
    return found == value->end() ? nullptr : &*found;
  }
  if (!value->is_array()) return nullptr;
  const json words = json::parse(rest, nullptr, false);
  if (words.is_discarded()) return nullptr;
  if (step[0] == 'i') {
    return words.is_number_unsigned() && words.get<std::size_t>() < value->size() ? &(*value)[words.get<std::size_t>()]
                                                                                  : nullptr;
  }
  const auto found = std::ranges::find_if(
      *value, [&](const json& entry) { return step[0] == 'v' ? entry == words : has_all(entry, words); });
  return found == value->end() ? nullptr : &*found;
}

// Is something different that these fields name?
bool any_differs(const json& fields, const json* live, const json* target, int depth) {
  if (live == nullptr || depth == 0) return false;
  bool leaf = true;
  if (fields.is_object()) {
    for (const auto& [step, inner] : fields.items()) {
      // The thing itself, not what is in it: a map or an entry that has gone.
      if (step == ".") {
        if (target == nullptr) return true;
        continue;
      }
      leaf = false;
      if (any_differs(inner, step_into(live, step), step_into(target, step), depth - 1)) return true;
    }
    if (!leaf || fields.contains(".")) return false;
  }
  return target == nullptr || *live != *target;
}

}  // namespace

std::vector<FieldOwner> owners_of_field(const json& live, std::string_view path) {
  std::vector<FieldOwner> owners;
  std::string fields_path;
  for (const char c : path) fields_path += c == '/' ? std::string("/f:") : std::string(1, c);
  for (const json& entry : list_at(live, "/metadata/managedFields")) {
    const json* fields = reach(entry, "/fieldsV1");
    if (fields != nullptr && reach(*fields, fields_path) != nullptr) owners.push_back(owner_of_entry(entry));
  }
  return owners;
}

std::vector<std::string> owners_of_differences(const json& live, const json& target) {
  std::set<std::string> names;
  for (const json& entry : list_at(live, "/metadata/managedFields")) {
    if (text_at(entry, "/subresource") == "status") continue;
    const json* fields = reach(entry, "/fieldsV1");
    if (fields == nullptr || !fields->is_object()) continue;
    json named = *fields;
    named.erase("f:status");
    if (!named.empty() && any_differs(named, &live, &target, 100)) names.insert(owner_of_entry(entry).name());
  }
  return {names.begin(), names.end()};
}

}  // namespace tidemark::live
