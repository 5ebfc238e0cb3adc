// Field selectors: "spec.nodeName=a,status.phase!=Failed", of the fields that an API server knows for each kind.
// Threads: any.
// Source: k8s.io/kubernetes pkg/apis/*/v1 (conversion.go: field label conversions), pkg/registry (strategy.go).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/selector.h"
#include "serve/served_kinds.h"

namespace tidemark::serve {

class FieldRules {
 public:
  // Errc::invalid: not a selector, or a field that this kind cannot be selected by. Empty: everything matches.
  static Result<FieldRules> parse(std::string_view text, const ServedKind& kind);
  bool matches(const nlohmann::json& object) const;
  bool empty() const { return terms_.empty(); }

 private:
  std::vector<kube::FieldTerm> terms_;
};

}  // namespace tidemark::serve
