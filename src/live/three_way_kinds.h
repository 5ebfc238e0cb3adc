// What of some kinds stays as it is now. Only for src/live. Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tidemark::live {

struct Target;

// `kind`: "services", "pods".
void three_way_by_kind(const std::string& kind, const nlohmann::json& live, bool may_recreate, Target& target);

}  // namespace tidemark::live
