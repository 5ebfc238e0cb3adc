// JSONPath in kubectl's dialect: what `-o jsonpath` prints, what a custom column shows, and the columns that
// definitions of custom resources ask for.
//
//   {.metadata.name}  {.items[*].metadata.name}  {.items[-1:]}  {.items[0,2]}  {.metadata['name','uid']}
//   {.metadata.labels.app\.kubernetes\.io/name}  {..image}  {.spec.*}  {.items[?(@.spec.replicas>1)].metadata.name}
//   {range .items[*]}{.metadata.name}{"\t"}{.kind}{"\n"}{end}
//
// Text outside of braces stands for itself. A name that is missing is no failure and finds nothing; an index that a
// list does not have is one. Where kubectl follows the random order of Go's maps (".*", ".."), names come sorted.
// Threads: any; a JsonPath does not change.
// Source: k8s.io/client-go v0.36 util/jsonpath; k8s.io/kubectl pkg/cmd/get (customcolumn.go).
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tidemark::kube {

struct PathPart;

class JsonPath {
 public:
  // A template. Errc::invalid names the character, counted from 1.
  static Result<JsonPath> parse(std::string_view text);
  // One path as columns are written: the braces and the first dot may be missing. Empty: finds nothing.
  static Result<JsonPath> parse_column(std::string_view text);
  // One path, without braces, as in a definition.
  static Result<JsonPath> parse_inside(std::string_view text);

  // Pointers into the object or into the path; nullptr stands for "no value", which a range makes of a null.
  using Found = std::vector<const nlohmann::json*>;
  // For each part of the template what it found, parts in a range once for each turn. Errc::unsupported: the template
  // does not fit the object (an index out of bounds, values that cannot be compared), the message names the character.
  // Requires: both outlive what is found.
  Result<std::vector<Found>> find(const nlohmann::json& object) const;

  // As kubectl prints it: values with blanks between them, lists and objects as JSON. Errors as find()'s.
  Result<std::string> print(const nlohmann::json& object) const;
  // -o jsonpath-as-json: a JSON list for each part.
  Result<std::string> print_as_json(const nlohmann::json& object) const;

  // There is an expression in it, and not only text.
  bool has_expression() const;

 private:
  struct Parts;
  explicit JsonPath(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  static Result<JsonPath> parse_text(std::string text, std::string_view as_written);
  std::shared_ptr<const Parts> parts_;
};

// One value as print() has it.
std::string path_text(const nlohmann::json* value);

}  // namespace tidemark::kube
