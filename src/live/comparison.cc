#include "live/comparison.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/json_diff.h"
#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

// What names the entries of lists of maps, the most telling first.
constexpr std::string_view kEntryNames[] = {"name", "key", "type", "ip", "uid", "containerPort", "port", "mountPath"};

bool same_entry(const json& a, const json& b) {
  if (!a.is_object() || !b.is_object()) return a == b;
  for (const std::string_view name : kEntryNames) {
    const auto one = a.find(name);
    const auto other = b.find(name);
    if (one != a.end() && other != b.end()) return *one == *other;
  }
  return false;
}

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

bool has_value(const json& live, const json& wanted);

bool has_entries(const json& live, const json& wanted) {
  if (live == wanted) return true;
  // Lists of plain values are taken as one value: most of Kubernetes' are.
  if (!std::ranges::all_of(wanted, [](const json& entry) { return entry.is_object(); })) return false;
  return std::ranges::all_of(wanted, [&](const json& entry) {
    return std::ranges::any_of(live,
                               [&](const json& there) { return same_entry(there, entry) && has_value(there, entry); });
  });
}

bool has_value(const json& live, const json& wanted) {
  if (wanted.is_object() && live.is_object()) {
    for (const auto& [name, value] : wanted.items()) {
      const auto found = live.find(name);
      if (found == live.end() ? !value.is_null() : !has_value(*found, value)) return false;
    }
    return true;
  }
  if (wanted.is_array() && live.is_array()) return has_entries(live, wanted);
  return live == wanted;
}

}  // namespace

std::vector<std::string> differing_paths(const json& live, const json& target) {
  json a = live;
  json b = target;
  erase_annotation(a, kLastApplied);
  erase_annotation(b, kLastApplied);
  std::vector<std::string> paths;
  for (const kube::JsonChange& change : kube::json_changes(a, b)) paths.push_back(change.path);
  return paths;
}

bool has_all_of(const json& live, const json& wanted) {
  json asked = wanted;
  erase_annotation(asked, kLastApplied);
  return has_value(live, asked);
}

json agreed_part(const json& wanted, const json& exact) {
  if (!wanted.is_object() || !exact.is_object()) return exact;
  json agreed = json::object();
  for (const auto& [name, value] : wanted.items()) {
    const auto found = exact.find(name);
    if (found == exact.end()) continue;
    if (value.is_object() && found->is_object()) {
      agreed[name] = agreed_part(value, *found);
    } else if (value == *found || value.is_array()) {
      agreed[name] = *found;
    }
  }
  return agreed;
}

std::string differs_in(const std::vector<std::string>& paths) { return "differs in " + some_of(paths, 3); }

}  // namespace tidemark::live
