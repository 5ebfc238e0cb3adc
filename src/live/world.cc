#include "live/world.h"

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using Known = std::map<std::string, const Found*, std::less<>>;

const Found* find_known(const Known& in, std::string_view id) {
  const auto found = in.find(id);
  return found == in.end() ? nullptr : found->second;
}

}  // namespace

World::World(const PlanInput& input) : missing_(input.missing.begin(), input.missing.end()) {
  for (const auto* list : {&input.live, &input.beside}) {
    for (const Found& found : *list) {
      live_.emplace(object_id(found.kind, found.object), &found);
      add_kind(found.kind);
      for (const nlohmann::json& name : list_at(found.object, "/metadata/finalizers")) {
        if (name.is_string()) finalizers_.insert(name.get<std::string>());
      }
    }
  }
  for (const Found& found : input.wanted) add_kind(found.kind);
}

void World::add_kind(const link::KubeKind& kind) { kinds_.emplace(kind.group + "/" + kind.kind, kind); }

const Found* World::live(std::string_view id) const { return find_known(live_, id); }
const Found* World::wanted(std::string_view id) const { return find_known(wanted_, id); }

const Found* World::either(std::string_view id) const {
  const Found* found = wanted(id);
  return found != nullptr ? found : live(id);
}

There World::there(std::string_view id) const {
  if (wanted(id) != nullptr) return There::yes;
  if (const Found* found = live(id)) return is_going(found->object) ? There::no : There::yes;
  return missing_.contains(id) ? There::no : There::unknown;
}

std::string World::owner_id(const nlohmann::json& reference, std::string_view name_space) const {
  const auto kind = kinds_.find(group_of(text_at(reference, "/apiVersion")) + "/" + text_at(reference, "/kind"));
  if (kind == kinds_.end()) return {};
  // What is in no namespace cannot be owned by what is in one.
  if (kind->second.namespaced && name_space.empty()) return {};
  return object_id(kind->second, kind->second.namespaced ? name_space : std::string_view(),
                   text_at(reference, "/name"));
}

}  // namespace tidemark::live
