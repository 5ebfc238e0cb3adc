#include "live/three_way.h"

#include <algorithm>

#include "live/bookkeeping.h"
#include "live/field_owners.h"
#include "live/json_reach.h"
#include "live/preparation.h"
#include "live/preparation_kinds.h"
#include "live/three_way_kinds.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

// Those that scale by themselves. A person's `kubectl scale` is a wish like any other.
constexpr std::string_view kScalers[] = {"cluster-proportional-autoscaler", "keda", "keda-operator",
                                         "kube-controller-manager", "vpa-updater"};

std::string scaler_of(const link::KubeKind& kind, const json& live, const World& world) {
  for (const auto* known : {&world.all_wanted(), &world.all_live()}) {
    for (const auto& [id, found] : *known) {
      if (found->kind.full_name() != "horizontalpodautoscalers.autoscaling" || is_going(found->object)) continue;
      if (text_at(found->object, "/metadata/namespace") != text_at(live, "/metadata/namespace")) continue;
      const json* target = reach(found->object, "/spec/scaleTargetRef");
      if (target == nullptr || text_at(*target, "/kind") != kind.kind ||
          text_at(*target, "/name") != text_at(live, "/metadata/name") ||
          group_of(text_at(*target, "/apiVersion")) != kind.group) {
        continue;
      }
      // One that is only wanted will find what the object has now.
      return "HorizontalPodAutoscaler " + text_at(found->object, "/metadata/name");
    }
  }
  for (const FieldOwner& owner : owners_of_field(live, "/spec/replicas")) {
    if (std::ranges::find(kScalers, owner.manager) != std::end(kScalers)) return owner.name();
  }
  return {};
}

std::string said(const json* value) {
  return value == nullptr ? "unset" : value->dump(-1, ' ', false, json::error_handler_t::replace);
}

void keep_replicas(const link::KubeKind& kind, const json& live, const World& world, Target& target) {
  constexpr std::string_view kReplicas = "/spec/replicas";
  if (equal_at(target.body, live, kReplicas)) return;
  const std::string scaler = scaler_of(kind, live, world);
  if (scaler.empty()) return;
  target.notes.push_back(fmt::format(".spec.replicas stays {} (was {}): {} sets it", said(reach(live, kReplicas)),
                                     said(reach(target.body, kReplicas)), scaler));
  take_at(target.body, live, kReplicas);
}

}  // namespace

Target three_way(const link::KubeKind& kind, const json& wanted, const json& live, const World& world,
                 bool may_recreate) {
  Target target{.body = wanted};
  strip_served(kind, target.body);
  take_bookkeeping(kind, target.body, live);
  take_at(target.body, live, "/metadata/generateName");
  keep_replicas(kind, live, world, target);
  three_way_by_kind(kind.full_name(), live, may_recreate, target);
  return target;
}

}  // namespace tidemark::live
