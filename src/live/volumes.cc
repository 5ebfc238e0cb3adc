#include "live/volumes.h"

#include <map>

#include "live/json_reach.h"
#include "live/preparation.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

constexpr std::string_view kContents = "volumesnapshotcontents.snapshot.storage.k8s.io";
constexpr std::string_view kSnapshots = "volumesnapshots.snapshot.storage.k8s.io";

// Who is bound to whom, and where it says so.
struct Bond {
  std::string_view asker, names_at;   // "persistentvolumeclaims", "/spec/volumeName"
  std::string_view holder, bound_at;  // "persistentvolumes", "/spec/claimRef"
};
constexpr Bond kBonds[] = {
    {"persistentvolumeclaims", "/spec/volumeName", "persistentvolumes", "/spec/claimRef"},
    {kSnapshots, "/spec/source/volumeSnapshotContentName", kContents, "/spec/volumeSnapshotRef"},
};

std::string name_of_reference(const json* reference) {
  if (reference == nullptr) return {};
  return text_at(*reference, "/namespace") + "/" + text_at(*reference, "/name");
}

std::vector<std::string> without_volume(json& body, const std::string& why) {
  erase_at(body, "/spec/volumeName");
  return {why + ": it gets a new and empty one"};
}

std::vector<std::string> bind_claim(const PlanOptions& options, const World& world, Draft& draft) {
  json& body = draft.step.body;
  const std::string volume = text_at(body, "/spec/volumeName");
  if (volume.empty()) return {};
  const std::string id = "persistentvolumes " + volume;
  const std::string own = draft.step.name_space + "/" + draft.step.name;
  if (const Found* live = world.live(id); live != nullptr && !is_going(live->object) && options.same_cluster) {
    const std::string holder = name_of_reference(reach(live->object, "/spec/claimRef"));
    if (holder == "/" || holder.empty() || holder == own) return {};
    if (draft.moved) return without_volume(body, fmt::format("its volume {} stays with {}", volume, holder));
    return {fmt::format("its volume {} is claimed by {} now: it waits until that is free", volume, holder)};
  }
  if (world.wanted(id) != nullptr) return {};
  if (draft.moved) return without_volume(body, fmt::format("its volume {} stays where it was", volume));
  if (!options.same_cluster) return without_volume(body, fmt::format("its volume {} is not put back with it", volume));
  if (world.there(id) == There::no) {
    return without_volume(body,
                          fmt::format("its volume {} is gone, and pv/{} is not put back with it", volume, volume));
  }
  return {};
}

using PlaceById = std::map<std::string, std::size_t>;

void free_one(const Bond& bond, const Found& holder, const Step& asker, PlaceById& places, std::vector<Step>& steps) {
  const json* reference = reach(holder.object, bond.bound_at);
  if (name_of_reference(reference) != asker.name_space + "/" + asker.name || text_at(*reference, "/uid").empty())
    return;
  const std::string id = object_id(holder.kind, holder.object);
  const std::string reason = "so that " + asker.id() + " gets it back";
  const auto [place, is_new] = places.emplace(id, steps.size());
  if (is_new) {
    steps.push_back(
        {.kind = holder.kind,
         .name_space = holder.kind.namespaced ? text_at(holder.object, "/metadata/namespace") : std::string(),
         .name = text_at(holder.object, "/metadata/name"),
         .before = holder.object});
  }
  Step& step = steps[place->second];
  if (step.action == Action::create || step.action == Action::recreate) return;
  if (step.action != Action::change || step.merge) {
    step.body = holder.object;
    strip_served(holder.kind, step.body);
  }
  step.action = Action::change;
  step.merge = false;  // an apply takes nothing away
  step.reason = reason;
  for (const std::string_view member : {"/uid", "/resourceVersion"}) {
    erase_at(step.body, std::string(bond.bound_at) + std::string(member));
  }
}

}  // namespace

std::vector<std::string> bind_volume(const PlanOptions& options, const World& world, Draft& draft) {
  const std::string kind = draft.step.kind.full_name();
  if (kind == "persistentvolumeclaims") return bind_claim(options, world, draft);
  if (kind != "persistentvolumes") return {};
  if (!options.same_cluster) return {"it stands for storage of another place: only one cluster may use it at a time"};
  if (text_at(draft.step.body, "/spec/persistentVolumeReclaimPolicy") != "Delete") return {};
  return {"its reclaim policy was Delete: the storage it stands for may be gone"};
}

std::string bind_snapshot(const World& world, Draft& draft) {
  const std::string kind = draft.step.kind.full_name();
  json& object = draft.found.object;
  if (kind == kContents && reach(object, "/spec/source/volumeHandle") != nullptr) {
    const std::string handle = text_at(object, "/status/snapshotHandle");
    if (handle.empty()) return "the snapshot had not been taken: it would be one of now";
    set_at(object, "/spec/source", json{{"snapshotHandle", handle}});
  }
  if (kind == kSnapshots && reach(object, "/spec/source/persistentVolumeClaimName") != nullptr) {
    const std::string content = text_at(object, "/status/boundVolumeSnapshotContentName");
    if (content.empty()) return "the snapshot had not been taken: it would be one of now";
    if (world.there(fmt::format("{} {}", kContents, content)) != There::yes) {
      return fmt::format("its content {} is not here and not put back: it would be a snapshot of now", content);
    }
    set_at(object, "/spec/source", json{{"volumeSnapshotContentName", content}});
  }
  return {};
}

void free_volumes(const World& world, std::vector<Step>& steps) {
  const std::size_t askers = steps.size();
  PlaceById places;
  for (std::size_t i = 0; i < askers; i++) places.emplace(steps[i].id(), i);
  for (std::size_t i = 0; i < askers; i++) {
    if (steps[i].action != Action::create && steps[i].action != Action::recreate) continue;
    for (const Bond& bond : kBonds) {
      if (steps[i].kind.full_name() != bond.asker) continue;
      const std::string holder = text_at(steps[i].body, bond.names_at);
      const Found* live = world.live(fmt::format("{} {}", bond.holder, holder));
      if (holder.empty() || live == nullptr || is_going(live->object)) continue;
      const Step asker{.kind = steps[i].kind, .name_space = steps[i].name_space, .name = steps[i].name};
      free_one(bond, *live, asker, places, steps);
    }
  }
}

}  // namespace tidemark::live
