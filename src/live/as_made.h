// Is an object as it was sent? Apart from what each cluster adds to an object of its kind by itself.
// Only for src/live. Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "link/kube_client.h"

namespace tidemark::live {

// The first path of `sent` that `live` has not so, as uncovered() (object_facts.h); nullopt: there is none. No
// difference: status; of a pod the volume of its account's token, which has another name in each, and further
// tolerations; the rules that a controller gathers in a role; bookkeeping (bookkeeping.h).
std::optional<std::string> unlike_sent(const link::KubeKind& kind, const nlohmann::json& live,
                                       const nlohmann::json& sent);
inline bool is_as_sent(const link::KubeKind& kind, const nlohmann::json& live, const nlohmann::json& sent) {
  return !unlike_sent(kind, live, sent);
}
// Of what was applied there may be more, in lists too: has_all_of() (comparison.h) with the same excuses.
bool has_all_sent(const link::KubeKind& kind, const nlohmann::json& live, const nlohmann::json& sent);

}  // namespace tidemark::live
