// What `get -o` asks for: one of the forms that all verbs have, or one of kubectl's templates.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/program.h"
#include "kube/json_path.h"

namespace tidemark::cli {

struct GetForm {
  Format format = Format::table;
  // Instead of it, at most one of these:
  std::optional<kube::JsonPath> path = {};
  bool as_json = false;  // what the path finds, as JSON
  std::vector<std::pair<std::string, kube::JsonPath>> columns = {};

  // A template sees the object as it is; kubectl takes managed fields out of JSON and YAML only.
  bool is_template() const { return path.has_value() || !columns.empty(); }
};

// "table", "json", ..., "jsonpath=TEMPLATE", "jsonpath-file=FILE", "jsonpath-as-json=TEMPLATE",
// "custom-columns=HEADING:PATH,...", "custom-columns-file=FILE". Errc::invalid: none of them, or a template that is
// none. What the file fails with.
Result<GetForm> read_get_form(const std::string& word);

inline constexpr const char* kGetForms =
    "table, wide, json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, jsonpath-file=FILE, "
    "custom-columns=HEADING:PATH,... or custom-columns-file=FILE";

}  // namespace tidemark::cli
