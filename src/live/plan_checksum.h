// The checksum of a plan's document. Only for src/live. Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tidemark::live {

// Of all but the checksum itself, whatever the order of the members: YAML and back changes nothing.
// Requires: an object.
std::string plan_checksum(const nlohmann::json& document);

}  // namespace tidemark::live
