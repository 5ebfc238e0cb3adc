#include "cli/output.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

// Terminal columns of UTF-8 text, near enough for names and sizes: continuation bytes take none.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string dump(const Json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Would YAML read these letters as this very string? Only what is certainly no number, date, boolean or null.
bool plain(std::string_view text) {
  static constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  if (text.empty() || !std::isalpha(static_cast<unsigned char>(text.front()))) return false;
  std::string lower;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (!std::isalnum(u) && c != '-' && c != '_' && c != '.' && c != '/') return false;
    lower += static_cast<char>(std::tolower(u));
  }
  return std::ranges::find(kWords, lower) == std::end(kWords);
}

std::string scalar(const Json& value) {
  if (value.is_string() && plain(value.get_ref<const std::string&>())) return value.get<std::string>();
  if (value.is_object()) return "{}";
  if (value.is_array() && value.empty()) return "[]";
  return dump(value, -1);  // a JSON string is a YAML double-quoted one
}

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

void emit(const Json& value, std::size_t indent, std::string& to) {
  const std::string margin(indent, ' ');
  if (value.is_object()) {
    for (const auto& [name, item] : value.items()) {
      to += margin + scalar(name) + ":";
      if (is_block(item)) {
        to += "\n";
        emit(item, item.is_array() ? indent : indent + 2, to);
      } else {
        to += " " + scalar(item) + "\n";
      }
    }
    return;
  }
  for (const Json& item : value) {
    if (!is_block(item)) {
      to += margin + "- " + scalar(item) + "\n";
      continue;
    }
    // The item's first line moves up behind the dash.
    std::string lines;
    emit(item, indent + 2, lines);
    lines.replace(indent, 1, "-");
    to += lines;
  }
}

}  // namespace

std::string Table::print(bool headings) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string text;
  for (const auto& row : std::span(rows_).subspan(headings ? 0 : 1)) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - columns(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string print_json(const Json& value) { return dump(value, 2) + "\n"; }

std::string print_yaml(const Json& value) {
  if (!is_block(value)) return scalar(value) + "\n";
  std::string text;
  emit(value, 0, text);
  return text;
}

}  // namespace tidemark::cli
