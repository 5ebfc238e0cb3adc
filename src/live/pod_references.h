// What the spec of a pod names. Only for src/live. Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "live/references.h"

namespace tidemark::live {

// In the order of the spec; one that is named twice stands twice.
std::vector<Reference> pod_references(const nlohmann::json& spec, const std::string& name_space);

}  // namespace tidemark::live
