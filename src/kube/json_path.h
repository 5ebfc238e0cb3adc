// The JSON paths that custom resource definitions use for table columns: names, indexes, all, and a filter by one
// equality.
//
//   .spec.size   .metadata.labels.app\.kubernetes\.io/name   .items[0].x   ['a.b']   .list[*].name
//   .status.conditions[?(@.type=="Ready")].status
//
// Threads: any. Source: k8s.io/client-go util/jsonpath.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tidemark::kube {

// All values there, in the order of the document; none when a part is missing. Pointers into `object`.
// Errc::unsupported: another form of path.
Result<std::vector<const nlohmann::json*>> find_path(const nlohmann::json& object, std::string_view path);

}  // namespace tidemark::kube
