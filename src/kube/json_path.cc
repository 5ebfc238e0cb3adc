#include "kube/json_path.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/go_text.h"
#include "kube/json_path_part.h"
#include "kube/json_text.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

std::string compact_text(const json& value) {
  std::string text;
  JsonWriter writer(text);
  print_json(value, writer);
  return text;
}

}  // namespace

struct JsonPath::Parts {
  std::string text;
  std::vector<PathPart> parts;
};

Result<JsonPath> JsonPath::parse_text(std::string text, std::string_view as_written) {
  auto parts = std::make_shared<Parts>();
  parts->text = std::move(text);
  TM_LET(parts->parts, named(fmt::format("'{}'", as_written), parse_path(parts->text)));
  return JsonPath(std::move(parts));
}

Result<JsonPath> JsonPath::parse(std::string_view text) { return parse_text(std::string(text), text); }

Result<JsonPath> JsonPath::parse_inside(std::string_view text) { return parse_text(fmt::format("{{{}}}", text), text); }

Result<JsonPath> JsonPath::parse_column(std::string_view text) {
  if (text.empty()) return parse_text("", text);
  std::string_view path = text;
  if (path.size() > 2 && path.front() == '{' && path.back() == '}') path = path.substr(1, path.size() - 2);
  if (path.starts_with('.')) path.remove_prefix(1);
  if (path.empty() || path.find_first_of("{}") != std::string_view::npos) {
    return hinted(Result<JsonPath>(fail(Errc::invalid, "'{}' is not the path of a column", text)),
                  "metadata.name, .metadata.name or {.metadata.name}");
  }
  return parse_text(fmt::format("{{.{}}}", path), text);
}

Result<std::vector<JsonPath::Found>> JsonPath::find(const json& object) const {
  return find_parts(parts_->parts, parts_->text, object);
}

bool JsonPath::has_expression() const { return std::ranges::any_of(parts_->parts, &PathPart::expression); }

std::string path_text(const json* value) {
  if (value == nullptr) return "<no value>";
  if (value->is_structured()) return compact_text(*value);
  return value->is_null() ? "null" : go_text(*value);
}

Result<std::string> JsonPath::print(const json& object) const {
  TM_LET(const std::vector<Found> all, find(object));
  std::string text;
  for (const Found& part : all) {
    bool first = true;
    for (const json* value : part) {
      if (!std::exchange(first, false)) text += ' ';
      text += path_text(value);
    }
  }
  return text;
}

Result<std::string> JsonPath::print_as_json(const json& object) const {
  TM_LET(const std::vector<Found> all, find(object));
  std::string text;
  for (const Found& part : all) {
    JsonWriter writer(text, JsonWriter::Style::indented);
    writer.begin_array();
    for (const json* value : part) print_json(value == nullptr ? json() : *value, writer);
    writer.end_array();
    text += '\n';
  }
  return text;
}

}  // namespace tidemark::kube
