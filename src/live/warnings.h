// What a person should know before a plan is done: who may fight it, and what it does without.
// Only for src/live. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "live/draft.h"

namespace tidemark::live {

// To draft.step.warnings, of a step that changes something.
void add_warnings(const World& world, Draft& draft);

// Of the plan as a whole: what is missing is named once with all who miss it.
std::vector<std::string> plan_warnings(const World& world, const std::vector<Step>& steps);

// "helm (release shop/web)"; empty: nobody known manages it. By its labels, annotations and field managers.
std::string manager_of(const nlohmann::json& object);

}  // namespace tidemark::live
