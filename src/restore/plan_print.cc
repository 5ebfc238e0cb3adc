#include <iterator>
#include <nlohmann/json.hpp>

#include "restore/plan.h"

namespace tidemark::restore {

std::string print_plan_table(const Plan& plan) {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "base    {}  revision {}  {}\n", plan.base.key, plan.base_revision, human_size(plan.base.size));
  if (plan.base_revision > plan.reach) {
    fmt::format_to(out, "        its own history is used: rows up to revision {}\n", plan.reach);
  }
  std::uint64_t bytes = 0;
  for (const Step& step : plan.steps) bytes += step.point.size;
  if (!plan.steps.empty()) {
    fmt::format_to(out, "deltas  {} objects, {}, revisions {}..{}\n", plan.steps.size(), human_size(bytes),
                   plan.steps.front().take.first, plan.steps.back().take.last);
  }
  // A long chain is shown by its ends: the plan is for reading, the JSON form has every object.
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (plan.steps.size() > 2 * kShown && i == kShown) {
      fmt::format_to(out, "          … {} more …\n", plan.steps.size() - 2 * kShown);
      i = plan.steps.size() - kShown;
    }
    const Step& step = plan.steps[i];
    fmt::format_to(out, "          {}  takes {}..{}\n", step.point.key, step.take.first, step.take.last);
  }
  fmt::format_to(out, "result  revision {}{}\n", plan.reach,
                 plan.complete() ? "" : fmt::format(" of {}: PART OF THE HISTORY IS MISSING", plan.wanted));
  for (const Hole& hole : plan.holes) {
    fmt::format_to(out, "lost    revisions {}..{}: {}\n", hole.span.first, hole.span.last, hole.reason);
  }
  for (const std::string& note : plan.notes) fmt::format_to(out, "note    {}\n", note);
  return text;
}

std::string print_plan_json(const Plan& plan) {
  using nlohmann::json;
  json deltas = json::array();
  for (const Step& step : plan.steps) {
    deltas.push_back({{"object", step.point.key}, {"first", step.take.first.raw()}, {"last", step.take.last.raw()}});
  }
  json lost = json::array();
  for (const Hole& hole : plan.holes) {
    lost.push_back({{"first", hole.span.first.raw()}, {"last", hole.span.last.raw()}, {"reason", hole.reason}});
  }
  nlohmann::ordered_json text;
  text["kind"] = "RestorePlan";
  text["formatVersion"] = 1;
  text["base"] = {{"object", plan.base.key}, {"revision", plan.base_revision.raw()}};
  text["deltas"] = deltas;
  text["wanted"] = plan.wanted.raw();
  text["revision"] = plan.reach.raw();
  text["newestKnown"] = plan.newest.raw();
  text["complete"] = plan.complete();
  text["lost"] = lost;
  text["notes"] = plan.notes;
  return text.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace tidemark::restore
