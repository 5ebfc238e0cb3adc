// What is not put back: what the cluster makes by itself, and what would do harm.
// Only for src/live. Threads: any.
#pragma once

#include <string>

#include "live/world.h"

namespace tidemark::live {

// Why the cluster makes it by itself: so it is neither put back nor removed. Empty: it does not.
// `object`: as it is to be, or as it is.
std::string made_by_itself(const link::KubeKind& kind, const nlohmann::json& object, const World& world,
                           const PlanOptions& options);

// Why no object of this kind ("leases.coordination.k8s.io") is ever put back. Empty: some are.
std::string never_back(const std::string& kind);

// Why it is not made when it is not there: it was going, or would do again what it has done. Empty: it is.
std::string not_made_again(const link::KubeKind& kind, const nlohmann::json& object, const World& world);

// Why prune does not remove it, although it was not there then. Empty: it does.
std::string never_removed(const link::KubeKind& kind, const nlohmann::json& object, const PlanOptions& options);

// Volumes, claims, snapshots: deleting it may delete what it stands for, so nothing here does.
bool holds_data(const link::KubeKind& kind);

}  // namespace tidemark::live
