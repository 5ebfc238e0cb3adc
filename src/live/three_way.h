// What an object that is there should become: what it was then, except what others own now.
//
// A controller that sets a field (an autoscaler its replicas, the server its addresses) has set it for the cluster as
// it is now; the value of then would be set back at once, or refused. Rules: doc/operate/restore-rules.md. Only for
// src/live. Threads: any.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "live/world.h"

namespace tidemark::live {

struct Target {
  nlohmann::json body{};             // all that the object is to be, without what the server fills in
  std::vector<std::string> notes{};  // what stays as it is although it was different then
};

// `wanted`: as it was, its namespaces moved. `live`: as the server gave it.
// `may_recreate`: the object may be deleted and made again, so that what cannot be changed in place is no reason to
// leave it.
Target three_way(const link::KubeKind& kind, const nlohmann::json& wanted, const nlohmann::json& live,
                 const World& world, bool may_recreate);

}  // namespace tidemark::live
