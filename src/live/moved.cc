#include "live/moved.h"

#include <nlohmann/json.hpp>

#include "live/gather.h"
#include "live/object_facts.h"

namespace tidemark::live {

using nlohmann::json;

Result<std::vector<std::string>> what_moved(link::KubeClient& client, Plan& plan, const std::stop_token& stop) {
  std::vector<std::string> moved;
  for (Step& step : plan.steps) {
    if (!step.changes()) continue;
    TM_LET(json live, look_up(client, step.kind, step.name_space, step.name, stop));
    if (live.is_null() || step.before.is_null()) {
      if (live.is_null() && step.before.is_null()) continue;
      moved.push_back(fmt::format("{}: {}", step.id(), live.is_null() ? "it was deleted" : "it was made"));
    } else if (uid_in(live) != uid_in(step.before)) {
      moved.push_back(fmt::format("{}: it was deleted and made again", step.id()));
    } else if (version_in(live) != version_in(step.before)) {
      moved.push_back(fmt::format("{}: it was written (resourceVersion {}, the plan has {})", step.id(),
                                  version_in(live), version_in(step.before)));
    } else {
      step.before = std::move(live);
    }
  }
  return moved;
}

}  // namespace tidemark::live
