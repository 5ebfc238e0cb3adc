// What is stripped from an object before it is sent: what the server gives it, and what binds it to what is gone.
// Rules: doc/operate/restore-rules.md. Only for src/live. Threads: any.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "live/plan.h"

namespace tidemark::live {

// Fields that the server fills in each object, and status: where the kind has it as a subresource a write drops it, so
// it is no part of what is compared and sent. Of other custom resources it is data as any.
void strip_served(const link::KubeKind& kind, nlohmann::json& object);

struct Stripping {
  bool same_cluster = true;
  bool moved = false;  // to another namespace: what it had may still be in use
};

// For an object that is not there: also addresses, tokens, placements and bindings that cannot be had again.
// Requires: strip_served() was not called, for what was a user's own choice is told by managedFields.
// Returns what a person should know of it.
std::vector<std::string> strip_for_create(const link::KubeKind& kind, const Stripping& how, nlohmann::json& object);

// Null: the kind has no status of its own, or the object had none.
nlohmann::json status_of(const link::KubeKind& kind, const nlohmann::json& object);

// Kubernetes' own kinds, not those of a definition.
bool is_builtin(const link::KubeKind& kind);

}  // namespace tidemark::live
