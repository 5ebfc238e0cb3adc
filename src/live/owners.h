// References to owners: they name a uid, and what is made again has another.
//
// A reference to a uid that is no more is worse than none: the garbage collector takes the object for an orphan and
// deletes it. Only for src/live. Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "live/world.h"

namespace tidemark::live {

struct Owners {
  std::vector<std::string> made{};      // by this plan: their references have no uid yet
  std::vector<std::string> warnings{};  // of those that are gone
};

// Changes the references of `object`: the uid of the owner that is there now; none where this plan makes it (the ids in
// `made`); those of owners that are neither are dropped.
Owners resolve_owners(const World& world, const std::string& name_space, const std::set<std::string>& made,
                      nlohmann::json& object);

// Drops the references to these: for they are owned by what they own, or write the reference themselves.
void drop_owners(const World& world, const std::string& name_space, const std::set<std::string>& ids,
                 nlohmann::json& object);

}  // namespace tidemark::live
