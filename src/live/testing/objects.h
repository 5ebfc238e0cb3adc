// Objects and kinds in few words, for tests of plans.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "live/plan.h"

namespace tidemark::live::testing {

// By the name that Step::id() begins with: "deployments.apps". A kind that Kubernetes does not have is a custom one:
// "widgets.shop.example.com" is the kind Widget, in namespaces, with a status as subresource.
link::KubeKind kind(std::string_view full_name);
// A custom one that is in no namespace.
link::KubeKind cluster_kind(std::string_view full_name);

// "deployments.apps shop/web", with what else it has: R"({"spec":{"replicas":2}})". uid "u-<name>", resourceVersion
// "1".
Found object(std::string_view id, std::string_view rest = "{}");
// Any object by its apiVersion and kind.
Found of_json(const nlohmann::json& object);
// Deep: members of `with` replace those of the object, null takes away.
Found with(Found found, std::string_view with);

// The step with that id. Fails the test when there is none.
const Step& step_of(const Plan& plan, std::string_view id);
// "create deployments.apps shop/web" for each, in the order of the plan, separated by line ends.
std::string actions(const Plan& plan);
const char* word(Action action);

// make_plan(), which must succeed.
Plan planned(const PlanInput& input, const PlanOptions& options = {});

}  // namespace tidemark::live::testing
