// What verbs print: tables for people, JSON and YAML for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tidemark::cli {

// Columns as wide as their widest cell, two blanks between them, none at the ends of lines.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }
  std::string print(bool headings = true) const;  // without them: their width counts all the same

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string print_json(const nlohmann::ordered_json& value);  // indented by 2, with a newline
std::string print_yaml(const nlohmann::ordered_json& value);  // block style; strings quoted unless they are plain words

}  // namespace tidemark::cli
