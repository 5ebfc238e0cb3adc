#include "cli/object_changes.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/aead.h"
#include "kube/json_diff.h"
#include "kube/yaml_text.h"

namespace tidemark::cli {
namespace {

using nlohmann::json;
using Json = nlohmann::ordered_json;

kube::SecretMask::Key fresh_key() {
  kube::SecretMask::Key key{};
  crypto::random_bytes(key);
  return key;
}

std::string yaml_of(const json& object) {
  std::string text;
  if (!object.is_null()) kube::print_yaml(object, text);
  return text;
}

}  // namespace

void add_compared_options(CLI::App& app, kube::Compared& compared) {
  app.add_flag("--status", compared.status, "with status");
  app.add_flag("--show-managed-fields", compared.managed_fields, "with metadata.managedFields");
  app.add_flag("--all-fields", compared.all,
               "with everything: also resourceVersion, generation and what kubectl apply remembers");
}

ObjectChanges::ObjectChanges(const kube::Compared& compared) : compared_(compared), mask_(fresh_key()) {}

json ObjectChanges::shown(const json& object) const {
  json shown = object;
  mask_.hide(shown);
  kube::keep_compared(shown, compared_);
  return shown;
}

std::string ObjectChanges::hunks(const json& before, const json& after) {
  return kube::unified_hunks(yaml_of(before), yaml_of(after));
}

Json ObjectChanges::list(const json& before, const json& after) {
  Json list = Json::array();
  if (before.is_null() || after.is_null()) return list;
  for (const kube::JsonChange& change : kube::json_changes(before, after)) {
    Json row{{"path", change.path}};
    if (change.before != nullptr) row["from"] = *change.before;
    if (change.after != nullptr) row["to"] = *change.after;
    list.push_back(std::move(row));
  }
  return list;
}

std::string ObjectChanges::words(const json& before, const json& after) {
  constexpr std::size_t kMost = 3;
  if (before.is_null() || after.is_null()) return "";
  const auto changes = kube::json_changes(before, after);
  std::string text;
  for (std::size_t i = 0; i < std::min(changes.size(), kMost); i++) text += (i == 0 ? "" : ",") + changes[i].path;
  if (changes.size() > kMost) text += fmt::format(" +{}", changes.size() - kMost);
  return text;
}

}  // namespace tidemark::cli
