// Objects through a template of the user's: a JSONPath, or columns of them.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/get_output.h"
#include "kube/go_text.h"

namespace tidemark::cli {
namespace {

using nlohmann::json;

// A template is of all objects at once, as one List, unless one was asked for by its name.
class PathOutput final : public ObjectOutput {
 public:
  PathOutput(std::ostream& to, const Options& options) : to_(to), form_(*options.form), single_(options.single) {}
  Status add(const Entry&, const json& object) override {
    if (single_) return print(object);
    items_.push_back(object);
    return {};
  }
  Status finish() override {
    if (single_) return {};
    return print({{"apiVersion", "v1"},
                  {"items", std::move(items_)},
                  {"kind", "List"},
                  {"metadata", {{"resourceVersion", ""}}}});
  }

 private:
  Status print(const json& object) {
    TM_LET(const std::string text,
           named("-o jsonpath", form_.as_json ? form_.path->print_as_json(object) : form_.path->print(object)));
    to_ << text;
    return {};
  }
  std::ostream& to_;
  const GetForm& form_;
  const bool single_;
  json items_ = json::array();
};

// Nothing that a terminal would obey.
std::string harmless(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    if (c == '\x1b') {
      shown += "^[";
    } else if (c == '\r') {
      shown += "\\r";
    } else {
      shown += c;
    }
  }
  return shown;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// As wide as kubectl makes them: three blanks behind the widest cell, six columns at least.
class ColumnsOutput final : public ObjectOutput {
 public:
  ColumnsOutput(std::ostream& to, const Options& options) : to_(to), columns_(options.form->columns) {
    if (!options.headings) return;
    std::vector<std::string>& row = rows_.emplace_back();
    for (const auto& [heading, path] : columns_) row.push_back(heading);
  }
  Status add(const Entry&, const json& object) override {
    std::vector<std::string> row;
    for (const auto& [heading, path] : columns_) {
      TM_LET(const auto found, named("-o custom-columns: column " + heading, path.find(object)));
      row.push_back(cell(found));
    }
    rows_.push_back(std::move(row));
    return {};
  }
  Status finish() override {
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); i++) widths[i] = std::max({widths[i], characters(row[i]) + 3, kLeast});
    }
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i + 1 < row.size(); i++) {
        to_ << row[i] << std::string(widths[i] - characters(row[i]), ' ');
      }
      to_ << row.back() << '\n';
    }
    return {};
  }

 private:
  static constexpr std::size_t kLeast = 6;

  static std::string cell(const std::vector<kube::JsonPath::Found>& found) {
    if (found.empty() || found.front().empty()) return "<none>";
    std::string text;
    bool first = true;
    for (const auto& part : found) {
      for (const json* value : part) {
        if (!std::exchange(first, false)) text += ',';
        text += value == nullptr ? "<nil>" : harmless(kube::go_text(*value));
      }
    }
    return text;
  }

  std::ostream& to_;
  const std::vector<std::pair<std::string, kube::JsonPath>>& columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

std::unique_ptr<ObjectOutput> make_template_output(std::ostream& to, const ObjectOutput::Options& options) {
  if (options.form->path) return std::make_unique<PathOutput>(to, options);
  return std::make_unique<ColumnsOutput>(to, options);
}

}  // namespace tidemark::cli
