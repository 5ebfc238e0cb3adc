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
  void add(const Entry&, const json& object) override {
    kube::print_json(object, json_);
    flush();
  }
  void finish() override {
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
  void add(const Entry&, const json& object) override {
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
  }
  void finish() override {
    if (single_) return;
    if (!any_) to_ << "apiVersion: v1\nitems: []\n";
    to_ << "kind: List\nmetadata:\n  resourceVersion: \"\"\n";
  }

 private:
  std::ostream& to_;
  const bool single_;
  bool any_ = false;
};

class NameOutput final : public ObjectOutput {
 public:
  explicit NameOutput(std::ostream& to) : to_(to) {}
  void add(const Entry& entry, const json&) override { to_ << object_name(*entry.resource, entry.name) << '\n'; }
  void add_unreadable(const Entry& entry, std::string_view) override {
    to_ << object_name(*entry.resource, entry.name) << '\n';
  }
  void finish() override {}

 private:
  std::ostream& to_;
};

// A table for each kind, an empty line between them.
class TableOutput final : public ObjectOutput {
 public:
  TableOutput(std::ostream& to, const Options& options) : to_(to), options_(options) {}

  void add(const Entry& entry, const json& object) override {
    begin(entry);
    std::vector<std::string> cells = kube::cells_of(*entry.resource, object, options_.now);
    std::vector<std::string> row = first_cells(entry);
    for (std::size_t i = 1; i < cells.size() && i < columns_.size(); i++) {
      if (shown(columns_[i])) row.push_back(std::move(cells[i]));
    }
    table_->add(std::move(row));
  }
  void add_unreadable(const Entry& entry, std::string_view why) override {
    begin(entry);
    std::vector<std::string> row = first_cells(entry);
    row.push_back(fmt::format("<{}>", why));
    table_->add(std::move(row));
  }
  void finish() override { end_table(); }

 private:
  bool shown(const kube::Column& column) const { return options_.format == Format::wide || !column.wide; }

  std::vector<std::string> first_cells(const Entry& entry) const {
    std::vector<std::string> row;
    if (options_.namespaces && entry.resource->namespaced) row.emplace_back(entry.ns);
    row.push_back(options_.many_kinds ? object_name(*entry.resource, entry.name) : std::string(entry.name));
    return row;
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
    if (std::exchange(printed_, true)) to_ << '\n';
    to_ << table_->print();
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
  switch (options.format) {
    case Format::json: return std::make_unique<JsonOutput>(to, options.single);
    case Format::yaml: return std::make_unique<YamlOutput>(to, options.single);
    case Format::name: return std::make_unique<NameOutput>(to);
    case Format::table:
    case Format::wide: break;
  }
  return std::make_unique<TableOutput>(to, options);
}

}  // namespace tidemark::cli
