// A cluster that shall be moved: objects that are hard to move, and all of a cluster without what another one could not
// have the same.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "link/kube_client.h"

namespace tidemark::testing {

using nlohmann::json;
using Dump = std::map<std::string, json>;  // "deployments.apps shop/web" -> what is compared

// What no filling has, in the namespace `move`: a bound volume, node ports that were chosen and such that were not, an
// account's token, owners, an aggregated role, a pod without a controller, a Deployment. `make` makes one:
// ("configmaps", "move", object), and returns it as it is then.
void make_hard_to_move(const std::function<json(const char*, const char*, json)>& make);
// Are its controllers done with it?
bool is_settled(link::KubeClient& client, const link::KubeDiscovery& served);
// A webhook that nobody answers, and that refuses each ConfigMap in `move`.
json wall();

// All objects but those that doc/operate/restore-rules.md says are left out, each without what it says is taken out.
Result<Dump> dump_movable(link::KubeClient& client);

// How the two differ, a line each.
std::string differences(const Dump& was, const Dump& is);
// What has come, a line each, and is none of what an undo leaves: definitions, volumes, claims and their namespaces.
std::string more_than(const Dump& before, const Dump& now);

}  // namespace tidemark::testing
