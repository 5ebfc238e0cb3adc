// Fields that a server refuses to change once an object is there.
// Only for src/live. Threads: any. Source: k8s.io/kubernetes pkg/apis (validation of updates), k8s.io/api (the types'
// own words).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "link/kube_client.h"

namespace tidemark::live {

// Those that differ between what is and what it is to be: ".spec.selector". Custom resources have rules of their own,
// which only their server knows.
std::vector<std::string> immutable_differences(const link::KubeKind& kind, const nlohmann::json& live,
                                               const nlohmann::json& target);

// All that is known, "deployments.apps .spec.selector": for those who ask a real server about each.
std::vector<std::string> immutable_fields();

// May it be deleted and made again to have it changed? Empty: yes; else why not.
std::string never_recreated(const link::KubeKind& kind);

}  // namespace tidemark::live
