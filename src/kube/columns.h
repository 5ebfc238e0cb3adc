// The columns that kubectl shows of an object.
// Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/resource.h"

namespace tidemark::kube {

struct Column {
  std::string heading;
  bool wide = false;  // only in wide tables
  bool name = false;  // the object's, in front of which a table of several kinds puts what it is
};

// Without NAMESPACE, which the table adds.
std::vector<Column> columns_of(const Resource& resource);

// A cell for each of columns_of(). `now`: what ages are counted from.
std::vector<std::string> cells_of(const Resource& resource, const nlohmann::json& object, Time now);

}  // namespace tidemark::kube
