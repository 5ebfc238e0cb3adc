// How `log` and `diff` show what changed in an object: without noise, Secrets as hashes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kube/changes.h"

namespace CLI {
class App;
}

namespace tidemark::cli {

// --status, --show-managed-fields, --all-fields.
void add_compared_options(CLI::App& app, kube::Compared& compared);

class ObjectChanges {
 public:
  // The hashes of Secrets are comparable within one of these, and with nothing else.
  explicit ObjectChanges(const kube::Compared& compared);

  // What of an object is compared, without secrets; null stays null.
  nlohmann::json shown(const nlohmann::json& object) const;

  // Both as shown() gives them; null: there is none.
  static std::string hunks(const nlohmann::json& before, const nlohmann::json& after);
  // [{"path":…,"from":…,"to":…}]: a side that is missing has no member.
  static nlohmann::ordered_json list(const nlohmann::json& before, const nlohmann::json& after);
  // ".spec.replicas,.data.x +3": for a table; empty: no change.
  static std::string words(const nlohmann::json& before, const nlohmann::json& after);

 private:
  kube::Compared compared_;
  kube::SecretMask mask_;
};

}  // namespace tidemark::cli
