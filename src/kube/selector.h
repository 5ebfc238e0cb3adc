// Which objects are meant: labels and fields, as `-l` and `--field-selector` name them.
// Threads: any.
// Source: k8s.io/apimachinery pkg/labels (selector.go), pkg/fields (selector.go).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/object_metadata.h"

namespace tidemark::kube {

// "app=web,tier!=db,env in (a, b),env notin (c),key,!key,size>3": all of them hold. Empty: everything matches.
class LabelSelector {
 public:
  // Errc::invalid names the place.
  static Result<LabelSelector> parse(std::string_view text);
  // `labels`: a JSON object of strings, or anything else for none.
  bool matches(const nlohmann::json& labels) const;
  bool matches_labels_of(const ObjectMetadata& object) const;
  bool empty() const { return rules_.empty(); }

 private:
  enum class Is : std::uint8_t { one_of, none_of, there, missing, above, below };
  struct Rule {
    std::string key;
    Is is = Is::there;
    std::vector<std::string> values;
  };
  static bool holds(const Rule& rule, std::optional<std::string_view> value);  // of the label with the rule's key
  std::vector<Rule> rules_;
};

// One of "metadata.name=a,status.phase!=Failed".
struct FieldTerm {
  std::string field;
  bool equal = true;
  std::string value;
};
// In a value a backslash stands in front of each ',', '=' and backslash. Empty terms are passed over. Errc::invalid
// names the term.
Result<std::vector<FieldTerm>> parse_field_terms(std::string_view text);

// "metadata.name=a,metadata.namespace!=b". Other fields are Errc::unsupported: which there are is different for each
// kind.
class FieldSelector {
 public:
  static Result<FieldSelector> parse(std::string_view text);
  bool matches(std::string_view ns, std::string_view name) const;

 private:
  std::vector<FieldTerm> terms_;
};

}  // namespace tidemark::kube
