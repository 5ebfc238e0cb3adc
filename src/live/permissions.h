// May we do what a plan says? Asked of the server before the first step, so that nothing is left half done.
// Threads: one at a time.
// Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/ (SelfSubjectAccessReview).
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "live/plan.h"
#include "live/served_kinds.h"

namespace tidemark::live {

// Fills in Step::verb_denied, and returns each denial once: "create deployments.apps in namespace shop". A server that
// answers no such questions denies nothing here: then the steps themselves tell.
Result<std::vector<std::string>> ask_permissions(link::KubeClient& client, const ServedKinds& served, Plan& plan,
                                                 const std::stop_token& stop = {});

}  // namespace tidemark::live
