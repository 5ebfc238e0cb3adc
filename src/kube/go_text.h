// A value as Go's fmt.Sprint prints it: "map[a:1 b:[x y]]", "<nil>", 1.5e+06. Kubernetes' tools show values so where
// they have no form of their own for them.
// Threads: any. Source: Go 1.26, fmt (print.go), strconv (ftoa.go).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace tidemark::kube {

std::string go_text(const nlohmann::json& value);

// A number as Kubernetes' tools get it, over the wire: whole where it has no fraction and fits into an int64.
std::optional<std::int64_t> whole_number(const nlohmann::json& value);

}  // namespace tidemark::kube
