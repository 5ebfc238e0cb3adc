// A plan of putting objects back, for people.
#pragma once

#include <iosfwd>
#include <string>

#include "live/plan.h"

namespace tidemark::cli {

std::string_view action_word(live::Action action);

// A line for each object, those that stay as they are only with `wide`; then the warnings and how many of each.
void print_plan(std::ostream& to, const live::Plan& plan, bool wide);

// "3 to create, 1 to change"; empty: nothing is to be done.
std::string plan_counts(const live::Plan& plan);

}  // namespace tidemark::cli
