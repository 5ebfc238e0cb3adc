// Who owns which fields of a live object, by its metadata.managedFields.
// Only for src/live. Threads: any. Source: sigs.k8s.io/structured-merge-diff fieldpath (f:, k:, v:, i:).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::live {

struct FieldOwner {
  std::string manager{}, operation{}, subresource{};
  // "hpa/scale" with its subresource
  std::string name() const { return subresource.empty() ? manager : manager + "/" + subresource; }
};

// Those that own the very field, such as "/spec/replicas": plain members only, not within lists.
std::vector<FieldOwner> owners_of_field(const nlohmann::json& live, std::string_view path);

// The names of those that own something of `live` that is different in `target` or not in it. Sorted, each once. Status
// is not looked at.
std::vector<std::string> owners_of_differences(const nlohmann::json& live, const nlohmann::json& target);

}  // namespace tidemark::live
