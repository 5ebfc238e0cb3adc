#include "cli/plan_output.h"

#include <ostream>

#include "cli/output.h"

namespace tidemark::cli {

using live::Action;

std::string_view action_word(Action action) {
  switch (action) {
    case Action::create: return "create";
    case Action::change: return "change";
    case Action::recreate: return "recreate";
    case Action::remove: return "remove";
    case Action::keep: return "keep";
    case Action::leave_out: return "leave out";
  }
  return "";
}

std::string plan_counts(const live::Plan& plan) {
  std::string text;
  for (const Action action : {Action::create, Action::change, Action::recreate, Action::remove}) {
    if (plan.count(action) == 0) continue;
    text += fmt::format("{}{} to {}", text.empty() ? "" : ", ", plan.count(action), action_word(action));
  }
  return text;
}

void print_plan(std::ostream& to, const live::Plan& plan, bool wide) {
  Table table({"ACTION", "OBJECT", "REASON"});
  std::size_t equal = 0;
  for (const live::Step& step : plan.steps) {
    // What is equal is no news.
    const bool is_equal = step.action == Action::keep && step.reason == live::kAsItWas;
    if (is_equal) equal++;
    if (is_equal && !wide) continue;
    std::string reason = step.reason;
    if (!step.verb_denied.empty()) reason += (reason.empty() ? "" : "; ") + ("denied: " + step.verb_denied);
    table.add({std::string(action_word(step.action)), step.id(), reason});
  }
  if (!table.empty()) to << table.print();
  for (const live::Step& step : plan.steps) {
    for (const std::string& warning : step.warnings) to << fmt::format("warning: {}: {}\n", step.id(), warning);
  }
  for (const std::string& warning : plan.warnings) to << "warning: " << warning << '\n';
  const std::string counts = plan_counts(plan);
  to << fmt::format("{}; {} stay, {} left out\n", counts.empty() ? "nothing to do" : counts, plan.count(Action::keep),
                    plan.count(Action::leave_out));
  if (equal > 0 && !wide) to << fmt::format("{} of those that stay are equal and not shown: -o wide\n", equal);
}

}  // namespace tidemark::cli
