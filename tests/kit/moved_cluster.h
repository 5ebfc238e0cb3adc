// A cluster without what another one could not have the same: to see whether everything was moved into it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "link/kube_client.h"

namespace tidemark::testing {

using nlohmann::json;
using Dump = std::map<std::string, json>;  // "deployments.apps shop/web" -> what is compared

// All objects but those that doc/operate/restore-rules.md says are left out, each without what it says is taken out.
Result<Dump> dump_movable(link::KubeClient& client);

// How the two differ, a line each.
std::string differences(const Dump& was, const Dump& is);

}  // namespace tidemark::testing
