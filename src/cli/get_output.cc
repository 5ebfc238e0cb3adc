#include "cli/get_output.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "cli/object_reading.h"
#include "cli/output.h"
#include "kube/columns.h"
#include "kube/json_text.h"
#include "kube/yaml_text.h"

namespace tidemark::cli {
namespace {

using nlohmann::json;

// {"apiVersion":"v1","items":[…],"kind":"List",…}, an object at a time.
class JsonOutput final : public ObjectOutput {
 public:
  JsonOutput(std::ostream& to, bool single) : to_(to), single_(single) {
    if (single_) return;
    json_.begin_object();
    json_.key("apiVersion");
    json_.string("v1");
    json_.key("items");
    json_.begin_array();
  }
  Status add(const Entry&, const json& object) override {
    kube::print_json(object, json_);
    flush();
    return {};
  }
  Status finish() override {
    if (!single_) {
      json_.end_array();
      json_.key("kind");
      json_.string("List");
      json_.key("metadata");
      kube::print_json(json{{"resourceVersion", ""}}, json_);
      json_.end_object();
    }
    text_ += '\n';
    flush();
    return {};
  }

 private:
  void flush() {
    to_ << text_;
    text_.clear();
  }
  std::ostream& to_;
  const bool single_;
  std::string text_;
  kube::JsonWriter json_{text_, kube::JsonWriter::Style::indented};
};

class YamlOutput final : public ObjectOutput {
 public:
  YamlOutput(std::ostream& to, bool single) : to_(to), single_(single) {}
  Status add(const Entry&, const json& object) override {
    std::string text;
    if (single_) {
      kube::print_yaml(object, text);
    } else {
      if (!any_) to_ << "apiVersion: v1\nitems:\n";
      kube::print_yaml(json::array({object}), text);
      // The mark of an end that only the whole document may have.
      if (text.ends_with("\n...\n")) text.resize(text.size() - 4);
    }
    any_ = true;
    to_ << text;
    return {};
  }
  Status finish() override {
    if (single_) return {};
    if (!any_) to_ << "apiVersion: v1\nitems: []\n";
    to_ << "kind: List\nmetadata:\n  resourceVersion: \"\"\n";
    return {};
  }

 private:
  std::ostream& to_;
  const bool single_;
  bool any_ = false;
};

class NameOutput final : public ObjectOutput {
 public:
  explicit NameOutput(std::ostream& to) : to_(to) {}
  Status add(const Entry& entry, const json&) override {
    to_ << object_name(*entry.resource, entry.name) << '\n';
    return {};
  }
  void add_unreadable(const Entry& entry, std::string_view) override {
    to_ << object_name(*entry.resource, entry.name) << '\n';
  }
  Status finish() override { return {}; }

 private:
  std::ostream& to_;
};

// A table for each kind, an empty line between them.
class TableOutput final : public ObjectOutput {
 public:
  TableOutput(std::ostream& to, const Options& options) : to_(to), options_(options) {}

  Status add(const Entry& entry, const json& object) override {
    begin(entry);
    const std::vector<std::string> cells = kube::cells_of(*entry.resource, object, options_.now);
    std::vector<std::string> row = namespace_cell(entry);
    for (std::size_t i = 0; i < cells.size() && i < columns_.size(); i++) {
      if (shown(columns_[i])) row.push_back(columns_[i].name ? name_cell(entry, cells[i]) : in_one_line(cells[i]));
    }
    table_->add(std::move(row));
    return {};
  }
  void add_unreadable(const Entry& entry, std::string_view why) override {
    begin(entry);
    std::vector<std::string> row = namespace_cell(entry);
    row.push_back(name_cell(entry, ""));
    row.push_back(fmt::format("<{}>", why));
    table_->add(std::move(row));
  }
  Status finish() override {
    end_table();
    return {};
  }

 private:
  bool shown(const kube::Column& column) const { return options_.form->format == Format::wide || !column.wide; }

  std::vector<std::string> namespace_cell(const Entry& entry) const {
    std::vector<std::string> row;
    if (options_.namespaces && entry.resource->namespaced) row.emplace_back(entry.ns);
    return row;
  }
  // `cell`: what the kind's table shows as the name; empty: it does not say.
  std::string name_cell(const Entry& entry, std::string_view cell) const {
    const std::string_view name = cell.empty() ? entry.name : cell;
    return options_.many_kinds ? object_name(*entry.resource, name) : std::string(name);
  }
  // As kubectl cuts what has more lines.
  static std::string in_one_line(const std::string& cell) {
    const std::size_t end = cell.find_first_of("\f\n\r");
    return end == std::string::npos ? cell : cell.substr(0, end) + "...";
  }

  void begin(const Entry& entry) {
    if (table_ && kind_ == entry.resource) return;
    end_table();
    kind_ = entry.resource;
    columns_ = kube::columns_of(*kind_);
    std::vector<std::string> headings;
    if (options_.namespaces && kind_->namespaced) headings.emplace_back("NAMESPACE");
    for (const kube::Column& column : columns_) {
      if (shown(column)) headings.push_back(column.heading);
    }
    table_.emplace(std::move(headings));
  }

  void end_table() {
    if (!table_) return;
    if (std::exchange(printed_, true) && options_.headings) to_ << "\n";
    to_ << table_->print(options_.headings);
    table_.reset();
  }

  std::ostream& to_;
  const Options options_;
  const kube::Resource* kind_ = nullptr;
  std::vector<kube::Column> columns_;
  std::optional<Table> table_;
  bool printed_ = false;
};

}  // namespace

std::unique_ptr<ObjectOutput> ObjectOutput::make(std::ostream& to, const Options& options) {
  if (options.form->is_template()) return make_template_output(to, options);
  switch (options.form->format) {
    case Format::json: return std::make_unique<JsonOutput>(to, options.single);
    case Format::yaml: return std::make_unique<YamlOutput>(to, options.single);
    case Format::name: return std::make_unique<NameOutput>(to);
    case Format::table:
    case Format::wide: break;
  }
  return std::make_unique<TableOutput>(to, options);
}

}  // namespace tidemark::cli
