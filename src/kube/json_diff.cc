#include "kube/json_diff.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

namespace tidemark::kube {
namespace {

using nlohmann::json;

// What names the entries of Kubernetes' lists, the most telling first.
constexpr const char* kNames[] = {"name", "key", "type", "ip", "uid", "containerPort", "port", "mountPath", "path"};

bool is_word(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && std::ranges::all_of(name, is_letter);
}

std::string member_path(const std::string& base, const std::string& name) {
  if (is_word(name)) return base + "." + name;
  std::string quoted;
  for (const char c : name) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return base + "['" + quoted + "']";
}

// Each entry's value of that member, or nothing when one has none or two have the same.
using Named = std::map<std::string, const json*>;
bool named_by(const json& list, const char* member, Named& to) {
  for (const json& entry : list) {
    if (!entry.is_object()) return false;
    const auto found = entry.find(member);
    if (found == entry.end() || found->is_structured()) return false;
    const std::string name =
        found->is_string() ? found->get<std::string>() : found->dump(-1, ' ', false, json::error_handler_t::replace);
    if (!to.emplace(name, &entry).second) return false;
  }
  return true;
}

class Comparison {
 public:
  std::vector<JsonChange> changes;

  void compare(const std::string& path, const json& before, const json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return objects(path, before, after);
    if (before.is_array() && after.is_array() && !before.empty() && !after.empty()) return lists(path, before, after);
    changes.push_back({path, &before, &after});
  }

 private:
  void objects(const std::string& path, const json& before, const json& after) {
    auto a = before.begin();
    auto b = after.begin();
    while (a != before.end() || b != after.end()) {
      if (b == after.end() || (a != before.end() && a.key() < b.key())) {
        changes.push_back({member_path(path, a.key()), &*a, nullptr});
        ++a;
      } else if (a == before.end() || b.key() < a.key()) {
        changes.push_back({member_path(path, b.key()), nullptr, &*b});
        ++b;
      } else {
        compare(member_path(path, a.key()), *a, *b);
        ++a, ++b;
      }
    }
  }

  void lists(const std::string& path, const json& before, const json& after) {
    for (const char* member : kNames) {
      Named a, b;
      if (named_by(before, member, a) && named_by(after, member, b)) return by_name(path, member, before, after, a, b);
    }
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); i++) {
      const std::string at = path + "[" + std::to_string(i) + "]";
      if (i < before.size() && i < after.size()) {
        compare(at, before[i], after[i]);
      } else {
        changes.push_back({at, i < before.size() ? &before[i] : nullptr, i < after.size() ? &after[i] : nullptr});
      }
    }
  }

  void by_name(const std::string& path, const char* member, const json& before, const json& after, const Named& a,
               const Named& b) {
    const auto name_of = [&](const json& entry) {
      const json& name = entry.at(member);
      return name.is_string() ? name.get<std::string>() : name.dump(-1, ' ', false, json::error_handler_t::replace);
    };
    // The order of those that stayed.
    std::vector<std::string> stayed_before, stayed_after;
    for (const json& entry : before) {
      if (b.contains(name_of(entry))) stayed_before.push_back(name_of(entry));
    }
    for (const json& entry : after) {
      if (a.contains(name_of(entry))) stayed_after.push_back(name_of(entry));
    }
    if (stayed_before != stayed_after) {
      changes.push_back({path, &before, &after});
      return;
    }
    const auto at = [&](const std::string& name) { return path + "[" + member + "=" + name + "]"; };
    for (const json& entry : before) {
      const std::string name = name_of(entry);
      const auto found = b.find(name);
      if (found == b.end()) {
        changes.push_back({at(name), &entry, nullptr});
      } else {
        compare(at(name), entry, *found->second);
      }
    }
    for (const json& entry : after) {
      if (const std::string name = name_of(entry); !a.contains(name)) changes.push_back({at(name), nullptr, &entry});
    }
  }
};

}  // namespace

std::vector<JsonChange> json_changes(const json& before, const json& after) {
  Comparison comparison;
  comparison.compare("", before, after);
  return std::move(comparison.changes);
}

}  // namespace tidemark::kube
