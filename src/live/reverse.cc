#include "live/reverse.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "live/as_made.h"
#include "live/gather.h"
#include "live/left_out.h"
#include "live/object_facts.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

// Removals come after all else, and in the other direction: what is in a namespace before the namespace.
constexpr int kLastWave = 1'000;

bool is_as_made(const Step& made, const json& live) {
  json body = made.body;
  // Its owners' uids were not known before.
  if (body.contains("metadata")) body["metadata"].erase("ownerReferences");
  return is_as_sent(made.kind, live, body);
}

bool is_ours(const Step& made, const json& live, const std::optional<UndoEnd>& end) {
  if (end) {
    if (const auto uid = end->made.find(made.id()); uid != end->made.end()) return uid->second == uid_in(live);
  }
  // A cut one has no list of what it made. What was not there when it began and has our name on it is its work, also
  // when a controller has changed it since.
  return is_as_made(made, live) || bears_our_name(live);
}

bool is_namespace(const Step& step) { return step.kind.full_name() == "namespaces"; }

// A namespace whose data or whose newer objects stay stays, too.
void keep_their_namespaces(std::vector<Step>& removals, const std::optional<UndoEnd>& end, const UndoBegin& begin) {
  for (Step& space : removals) {
    if (!is_namespace(space) || space.action != Action::remove) continue;
    const bool holds_some = std::ranges::any_of(removals, [&](const Step& step) {
      if (step.action != Action::keep || !step.kind.namespaced || step.name_space != space.name) return false;
      if (holds_data(step.kind)) return true;
      const auto made = std::ranges::find(begin.steps, step.id(), &Step::id);
      return made != begin.steps.end() && !is_ours(*made, step.before, end);
    });
    if (!holds_some) continue;
    space.action = Action::keep;
    space.reason = "something in it stays";
    space.warnings.clear();
  }
}

Step removal(const Step& made, json live, const std::optional<UndoEnd>& end) {
  Step step{.action = Action::remove,
            .wave = kLastWave - made.wave,
            .kind = made.kind,
            .name_space = made.name_space,
            .name = made.name,
            .before = std::move(live)};
  const std::string never = never_removed(made.kind, step.before, {.remove_namespaces = true});
  if (!is_ours(made, step.before, end)) {
    step.action = Action::keep;
    step.reason = "another one is there now, or somebody changed it";
  } else if (!never.empty()) {
    step.action = Action::keep;
    step.reason = "it stays: " + never;
  } else if (is_namespace(step)) {
    step.warnings.emplace_back("everything in it goes with it");
  } else if (!is_as_made(made, step.before)) {
    step.warnings.emplace_back("somebody changed it since; undoing this undo brings that back");
  }
  return step;
}

}  // namespace

Result<WayBack> way_back(link::KubeClient& client, const ServedKinds& served, const UndoBegin& begin,
                         const std::optional<UndoEnd>& end, const std::stop_token& stop) {
  WayBack back;
  PlanInput input;
  std::vector<Step> removals;
  bool recreated = false;
  for (const Step& step : begin.steps) {
    recreated = recreated || step.action == Action::recreate;
    TM_LET(json now, look_up(client, step.kind, step.name_space, step.name, stop));
    const bool there = !now.is_null() && !is_going(now);
    if (step.before.is_null()) {
      if (there) removals.push_back(removal(step, std::move(now), end));
      continue;
    }
    if (there) input.live.push_back({step.kind, std::move(now)});
    input.wanted.push_back({step.kind, step.before});
  }
  TM_LET(Beside beside, gather_beside(client, served, input.wanted, input.live, {}, stop));
  input.beside = std::move(beside.objects);
  input.missing = std::move(beside.missing);
  back.options = {
      .existing = recreated ? Existing::recreate : Existing::replace, .status = begin.status, .undo = begin.number};
  TM_LET(back.plan, make_plan(input, back.options));
  keep_their_namespaces(removals, end, begin);
  std::ranges::stable_sort(removals, {}, &Step::wave);
  for (Step& step : removals) back.plan.steps.push_back(std::move(step));
  return back;
}

}  // namespace tidemark::live
