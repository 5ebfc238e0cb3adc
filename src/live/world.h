// What a plan knows of: what shall be, what is in scope, what is beside it, and what is known to be missing.
// Only for src/live. Threads: any may read.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "live/plan.h"

namespace tidemark::live {

enum class There { yes, no, unknown };

class World {
 public:
  // Requires: what `input` holds outlives this.
  explicit World(const PlanInput& input);

  // An object that is to be put back, as prepared so far: kind, and where it is going to be.
  void add_wanted(std::string id, const Found& found) { wanted_.emplace(std::move(id), &found); }
  // It is not put back after all.
  void drop_wanted(const std::string& id) { wanted_.erase(id); }

  const Found* live(std::string_view id) const;    // in scope or beside it; also one that is going
  const Found* wanted(std::string_view id) const;  // put back by this plan
  const Found* either(std::string_view id) const;  // wanted, else live
  There there(std::string_view id) const;          // when the plan has been done
  // Who the words of an owner's reference mean: in that namespace, or in none. Empty: nobody known.
  std::string owner_id(const nlohmann::json& reference, std::string_view name_space) const;

  // Does a live object have it, so that somebody may serve it?
  bool has_finalizer(std::string_view name) const { return finalizers_.contains(name); }
  // All in order of their ids.
  const std::map<std::string, const Found*, std::less<>>& all_live() const { return live_; }
  const std::map<std::string, const Found*, std::less<>>& all_wanted() const { return wanted_; }

 private:
  void add_kind(const link::KubeKind& kind);

  std::map<std::string, const Found*, std::less<>> live_{}, wanted_{};
  std::set<std::string, std::less<>> missing_{}, finalizers_{};
  std::map<std::string, link::KubeKind> kinds_{};  // by "group/Kind"
};

}  // namespace tidemark::live
