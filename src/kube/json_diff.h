// What is different between two objects, value by value, and in the lines of their YAML.
//
//   .spec.replicas   .spec.template.spec.containers[name=web].image   .metadata.labels['app.kubernetes.io/name']
//
// Entries of a list are told apart by what names them (name, key, type, ip, …) where that is one of a kind in both
// lists; else by their index. A list whose entries only changed their order is one change of the whole list.
// Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tidemark::kube {

// Pointers into the two objects; nullptr: it is not there.
struct JsonChange {
  std::string path;
  const nlohmann::json* before = nullptr;
  const nlohmann::json* after = nullptr;
};

// In the order of the keys. Empty: the two are equal. What is a map or a list on one side only is one change.
std::vector<JsonChange> json_changes(const nlohmann::json& before, const nlohmann::json& after);

// The hunks of a unified diff ("@@ -1,4 +1,5 @@" and its lines), `context` equal lines around each; empty: equal.
// Both texts end with a newline or are empty. Memory: some MiB beside the texts; very different texts of many thousand
// lines are shown with larger blocks than needed, never wrongly.
std::string unified_hunks(std::string_view before, std::string_view after, std::size_t context = 3);

}  // namespace tidemark::kube
