// What of an object belongs at every moment to whoever works on it: the annotations in which controllers keep their own
// books, and the finalizers of those that still have to clean up. They change whenever their owner likes, also between
// a look, a write and the next look: a state that differs in nothing else is the same.
//
// Only for src/live. Threads: any. Rules: doc/operate/restore-rules.md.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "link/kube_client.h"

namespace tidemark::live {

// `object` gets those of `from`, and loses what `from` has not.
void take_bookkeeping(const link::KubeKind& kind, nlohmann::json& object, const nlohmann::json& from);
void drop_bookkeeping(const link::KubeKind& kind, nlohmann::json& object);

}  // namespace tidemark::live
