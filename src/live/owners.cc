#include "live/owners.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

json* references_to_owners(json& object) {
  json* references = reach(object, "/metadata/ownerReferences");
  return references == nullptr || !references->is_array() ? nullptr : references;
}

}  // namespace

Owners resolve_owners(const World& world, const std::string& name_space, const std::set<std::string>& made,
                      json& object) {
  Owners owners;
  json* references = references_to_owners(object);
  if (references == nullptr) return owners;
  json kept = json::array();
  for (json& reference : *references) {
    if (!reference.is_object()) continue;
    const std::string id = world.owner_id(reference, name_space);
    const Found* live = id.empty() ? nullptr : world.live(id);
    if (made.contains(id)) {
      reference.erase("uid");
      owners.made.push_back(id);
    } else if (live != nullptr && !is_going(live->object)) {
      reference["uid"] = text_at(live->object, "/metadata/uid");
    } else {
      owners.warnings.push_back(fmt::format("its owner {} {} is not here any more: it is put back without",
                                            text_at(reference, "/kind"), text_at(reference, "/name")));
      continue;
    }
    kept.push_back(reference);
  }
  if (kept.empty()) {
    erase_at(object, "/metadata/ownerReferences");
  } else {
    *references = std::move(kept);
  }
  return owners;
}

void drop_owners(const World& world, const std::string& name_space, const std::set<std::string>& ids, json& object) {
  json* references = references_to_owners(object);
  if (references == nullptr) return;
  std::erase_if(references->get_ref<json::array_t&>(),
                [&](const json& reference) { return ids.contains(world.owner_id(reference, name_space)); });
  if (references->empty()) erase_at(object, "/metadata/ownerReferences");
}

}  // namespace tidemark::live
