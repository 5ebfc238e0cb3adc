#include "live/settle.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "live/gather.h"
#include "live/object_facts.h"
#include "live/patience.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

bool has_condition(const json& object, std::string_view type) {
  const json::json_pointer conditions("/status/conditions");
  if (!object.contains(conditions) || !object.at(conditions).is_array()) return false;
  const json& all = object.at(conditions);
  return std::any_of(all.begin(), all.end(), [&](const json& one) {
    return text_at(one, "/type") == type && text_at(one, "/status") == "True";
  });
}

// Looks until `holds` says so of the object (null: there is none). Errc::timeout: "<what>: <why>".
template <class Holds, class Why>
Status look_until(const StepTools& tools, const Step& step, const Holds& holds, const Why& why) {
  Patience patience(tools.clock, tools.settle_within);
  for (;;) {
    TM_LET(const json live, look_up(tools.client, step.kind, step.name_space, step.name, tools.stop));
    TM_LET(const bool there, holds(live));
    if (there) return {};
    if (patience.wait(tools.stop)) continue;
    if (tools.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    return fail(Errc::timeout, "{}: {}", step.id(), why(live));
  }
}

}  // namespace

Status await_gone(const StepTools& tools, const Step& step, const std::string& uid) {
  return look_until(
      tools, step, [&](const json& live) -> Result<bool> { return live.is_null() || uid_in(live) != uid; },
      [&](const json& live) {
        const std::string why = held_by(live);
        return "was deleted and is still there" + (why.empty() ? "" : ": " + why);
      });
}

Status await_namespace(const StepTools& tools, const Step& step) {
  return look_until(
      tools, step, [](const json& live) -> Result<bool> { return text_at(live, "/status/phase") == "Active"; },
      [](const json& live) { return "is not Active but " + text_at(live, "/status/phase"); });
}

Status await_definition(const StepTools& tools, const Step& step) {
  return look_until(
      tools, step,
      [&](const json& live) -> Result<bool> {
        if (!has_condition(live, "Established") || !has_condition(live, "NamesAccepted")) return false;
        const auto defined = kind_of_definition(live);
        if (!defined) return true;
        TM_LET(const link::KubeDiscovery all, tools.client.discover(tools.stop));
        return ServedKinds(all).find(defined->resource, defined->group) != nullptr;
      },
      [](const json& live) {
        return has_condition(live, "NamesAccepted") ? "is not established and served yet"
                                                    : "its names are not accepted: another definition has them";
      });
}

}  // namespace tidemark::live
