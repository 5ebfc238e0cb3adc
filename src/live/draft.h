// One object on its way to a step. Only for src/live.
#pragma once

#include <string>
#include <vector>

#include "live/world.h"

namespace tidemark::live {

struct Draft {
  Found found{};  // as it was, its namespaces moved, in the version it was kept in
  std::string id{};
  bool moved = false;  // to another namespace
  Step step{};
  nlohmann::json target{};  // of one that is there: all that it is to be
};

// Decides create, change, recreate, keep or leave_out for each, with bodies, owners and what a person should know.
void decide(const PlanOptions& options, World& world, std::vector<Draft>& drafts);

// What is live, in scope, and was not there then: keep or remove. Errc::invalid: more than its share.
Result<std::vector<Step>> leftovers(const PlanInput& input, const PlanOptions& options, const World& world,
                                    const std::vector<Draft>& drafts);

}  // namespace tidemark::live
