#include "kube/columns.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "base/rfc3339.h"
#include "kube/age.h"
#include "kube/cells.h"
#include "kube/go_text.h"
#include "kube/json_path.h"
#include "kube/kind_columns.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

const KindColumns* known(const Resource& resource) {
  if (resource.custom) return nullptr;
  for (const auto kinds : {core_columns(), network_columns(), rule_columns(), storage_columns()}) {
    const auto found = std::ranges::find_if(
        kinds, [&](const KindColumns& row) { return row.kind == resource.kind && row.group == resource.group; });
    if (found != kinds.end()) return &*found;
  }
  return nullptr;
}

std::vector<Column> read_headings(std::string_view text) {
  std::vector<Column> columns;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    std::string word(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
    const bool wide = word.starts_with('|');
    if (wide) word.erase(0, 1);
    std::ranges::replace(word, '_', ' ');
    const bool name = word == "NAME";
    columns.push_back({.heading = std::move(word), .wide = wide, .name = name});
  }
  return columns;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

// As the API server fills such a cell: the first value that there is, if it is of the column's type.
std::string custom_cell(const PrinterColumn& column, const json& object, Time now) {
  const auto path = JsonPath::parse_inside(column.json_path);
  if (!path) return "";
  const auto found = path->find(object);
  if (!found || found->empty() || found->front().empty()) return "";
  const json* value = found->front().front();
  if (value != nullptr && value->is_null()) value = nullptr;
  if (column.type == "string") return path_text(value);
  if (value == nullptr) return "";
  const bool whole = column.type == "integer";
  if (whole && value->is_number_float()) return go_text(std::trunc(value->get<double>()));
  if (value->is_number() && (whole || column.type == "number")) return go_text(*value);
  if (column.type == "boolean" && value->is_boolean()) return go_text(*value);
  if (column.type == "date" && value->is_string()) {
    const std::string& text = value->get_ref<const std::string&>();
    if (text.empty()) return "<unknown>";
    return parse_rfc3339(text) ? age_of_text(text, now) : "<invalid>";
  }
  return "";
}

}  // namespace

std::vector<Column> columns_of(const Resource& resource) {
  if (const KindColumns* kind = known(resource)) return read_headings(kind->headings);
  std::vector<Column> columns{{.heading = "NAME", .name = true}};
  for (const PrinterColumn& column : resource.columns)
    columns.push_back({.heading = upper(column.name), .wide = column.priority > 0});
  if (resource.columns.empty()) columns.push_back({.heading = "AGE"});
  return columns;
}

std::vector<std::string> cells_of(const Resource& resource, const json& object, Time now) {
  if (const KindColumns* kind = known(resource)) return kind->cells(object, now);
  std::vector<std::string> cells{name_of(object)};
  for (const PrinterColumn& column : resource.columns) cells.push_back(custom_cell(column, object, now));
  if (resource.columns.empty()) cells.push_back(age_of(object, now));
  return cells;
}

}  // namespace tidemark::kube
