#include <algorithm>
#include <set>

#include "live/bookkeeping.h"
#include "live/comparison.h"
#include "live/draft.h"
#include "live/field_owners.h"
#include "live/immutables.h"
#include "live/left_out.h"
#include "live/object_facts.h"
#include "live/owners.h"
#include "live/preparation.h"
#include "live/preparation_kinds.h"
#include "live/three_way.h"
#include "live/volumes.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

void append_all(std::vector<std::string>& to, std::vector<std::string> from) {
  std::ranges::move(from, std::back_inserter(to));
}

// Its namespace is on its way out and takes it along.
bool goes_with_namespace(const Draft& draft, const World& world) {
  if (!draft.step.kind.namespaced) return false;
  const Found* live = world.live("namespaces " + draft.step.name_space);
  return live != nullptr && is_going(live->object);
}

bool is_made_anew(const Draft& draft, const World& world) {
  const Found* live = world.live(draft.id);
  return live == nullptr || is_going(live->object) || goes_with_namespace(draft, world);
}

// ---- what is left out

void leave_out_for(World& world, Draft& draft, std::string reason) {
  if (reason.empty()) return;
  draft.step.action = Action::leave_out;
  draft.step.reason = std::move(reason);
  world.drop_wanted(draft.id);
}

void leave_out(const PlanOptions& options, World& world, std::vector<Draft>& drafts) {
  for (Draft& draft : drafts) {
    const nlohmann::json& object = draft.found.object;
    std::string reason = made_by_itself(draft.found.kind, object, world, options);
    if (reason.empty() && is_going(object)) reason = "it was being deleted then";
    leave_out_for(world, draft, std::move(reason));
  }
  // Which namespaces, owners and volumes come back is known from here on.
  for (Draft& draft : drafts) {
    if (world.wanted(draft.id) == nullptr || !is_made_anew(draft, world)) continue;
    std::string reason = not_made_again(draft.found.kind, draft.found.object, world);
    if (reason.empty()) reason = bind_snapshot(world, draft);
    leave_out_for(world, draft, std::move(reason));
  }
}

// ---- what is not there

// A StatefulSet that does not find its claim makes one, and that one is empty. So claims come before it and without
// their reference to it: it writes that by itself into those that it finds.
void leave_owner_to_set(const World& world, Draft& draft) {
  Step& step = draft.step;
  if (step.kind.full_name() != "persistentvolumeclaims") return;
  std::set<std::string> sets;
  for (const std::string& owner : step.owners) {
    if (owner.starts_with("statefulsets.apps ")) sets.insert(owner);
  }
  drop_owners(world, step.name_space, sets, step.body);
  std::erase_if(step.owners, [&](const std::string& owner) { return sets.contains(owner); });
}

void make(const PlanOptions& options, const World& world, const std::set<std::string>& made, Draft& draft) {
  Step& step = draft.step;
  const Found* live = world.live(draft.id);
  step.action = live == nullptr ? Action::create : Action::recreate;
  if (live != nullptr) {
    step.before = live->object;
    const std::string holder = held_by(live->object);
    step.reason = is_going(live->object) ? "it is being deleted now: it is made when it has gone"
                                         : "its namespace is being deleted now, and it goes along";
    if (is_going(live->object) && !holder.empty()) step.reason += " (" + holder + ")";
  }
  step.kept_as = draft.found.kept_as;
  if (live == nullptr && !step.kept_as.empty()) {
    step.reason = fmt::format("kept as {}, made as {}", step.kept_as, step.kind.version);
  }
  step.body = draft.found.object;
  append_all(step.warnings,
             strip_for_create(step.kind, {.same_cluster = options.same_cluster, .moved = draft.moved}, step.body));
  append_all(step.warnings, bind_volume(options, world, draft));
  Owners owners = resolve_owners(world, step.name_space, made, step.body);
  step.owners = std::move(owners.made);
  append_all(step.warnings, std::move(owners.warnings));
  leave_owner_to_set(world, draft);
  if (options.status) step.status = status_of(step.kind, draft.found.object);
}

// ---- what is there

void keep_as_is(Draft& draft, std::string reason) {
  draft.step.action = Action::keep;
  draft.step.reason = std::move(reason);
  draft.step.owners.clear();
}

void make_instead(const PlanOptions& options, const World& world, const std::set<std::string>& made, Draft& draft,
                  const std::string& why) {
  make(options, world, made, draft);
  draft.step.reason = why;
}

void change(const PlanOptions& options, const World& world, const std::set<std::string>& made, const Found& live,
            Draft& draft) {
  Step& step = draft.step;
  const bool may_recreate = options.existing == Existing::recreate && never_recreated(step.kind).empty();
  json wanted = draft.found.object;
  // What the other cluster's server picked says nothing here.
  if (!options.same_cluster && step.kind.full_name() == "services") drop_node_ports(wanted, /*chosen_too=*/false);
  Owners owners = resolve_owners(world, step.name_space, made, wanted);
  json is = live.object;
  strip_served(step.kind, is);
  Target target = three_way(step.kind, wanted, live.object, world, may_recreate);
  step.before = live.object;
  step.owners = std::move(owners.made);

  const json status = options.status ? status_of(step.kind, draft.found.object) : json();
  const bool status_differs = !status.is_null() && status != status_of(step.kind, live.object);
  const bool merge = options.existing == Existing::merge;
  if (merge) {
    strip_served(step.kind, wanted);
    target.body = agreed_part(wanted, target.body);
    drop_bookkeeping(step.kind, target.body);
  }
  const std::vector<std::string> paths = differing_paths(is, target.body);
  const bool same = merge ? has_all_of(is, target.body) : paths.empty();
  draft.target = target.body;
  if (same && !status_differs) return keep_as_is(draft, kAsItWas);
  if (options.existing == Existing::skip) {
    return keep_as_is(draft, same ? "differs in .status" : differs_in(paths));
  }

  if (const std::vector<std::string> fixed = immutable_differences(step.kind, is, target.body); !fixed.empty()) {
    const std::string what = some_of(fixed, 3) + " cannot be changed in place";
    if (may_recreate) return make_instead(options, world, made, draft, what);
    const std::string never = never_recreated(step.kind);
    return keep_as_is(draft, never.empty() ? what + "; --existing recreate deletes it and makes it again"
                                           : fmt::format("{}, and it is never deleted: {}", what, never));
  }
  step.action = Action::change;
  step.kept_as = draft.found.kept_as;
  step.merge = merge;
  step.body = std::move(target.body);
  step.field_owners = owners_of_differences(live.object, merge ? is : step.body);
  if (merge) {
    json merged = is;
    merged.merge_patch(step.body);
    step.field_owners = owners_of_differences(live.object, merged);
  }
  if (status_differs) step.status = status;
  append_all(step.warnings, std::move(target.notes));
  append_all(step.warnings, std::move(owners.warnings));
}

}  // namespace

void decide(const PlanOptions& options, World& world, std::vector<Draft>& drafts) {
  leave_out(options, world, drafts);
  // What is still wanted is put back, or is there.

  std::set<std::string> made;
  for (const Draft& draft : drafts) {
    if (world.wanted(draft.id) != nullptr && is_made_anew(draft, world)) made.insert(draft.id);
  }
  const auto decide_one = [&](Draft& draft) {
    draft.step = Step{.kind = draft.step.kind, .name_space = draft.step.name_space, .name = draft.step.name};
    if (made.contains(draft.id) && is_made_anew(draft, world)) {
      make(options, world, made, draft);
    } else {
      change(options, world, made, *world.live(draft.id), draft);
    }
  };
  // One that turns out to need making again changes what its dependants must refer to. Each round adds at least one.
  for (bool again = true; again;) {
    again = false;
    for (Draft& draft : drafts) {
      if (world.wanted(draft.id) == nullptr) continue;
      decide_one(draft);
      if (draft.step.action == Action::recreate && made.insert(draft.id).second) again = true;
    }
  }
}

Result<std::vector<Step>> leftovers(const PlanInput& input, const PlanOptions& options, const World& world,
                                    const std::vector<Draft>& drafts) {
  std::vector<Step> steps;
  std::size_t in_scope = 0;
  std::vector<std::string> removed;
  std::set<std::string> were, wanted_namespaces;
  for (const Draft& draft : drafts) {
    were.insert(draft.id);
    if (draft.step.kind.namespaced && draft.step.action != Action::leave_out) {
      wanted_namespaces.insert(draft.step.name_space);
    }
  }
  for (const Found& found : input.live) {
    if (!made_by_itself(found.kind, found.object, world, options).empty()) continue;
    in_scope++;
    const std::string id = object_id(found.kind, found.object);
    if (were.contains(id)) continue;
    Step step{.kind = found.kind,
              .name_space = found.kind.namespaced ? text_at(found.object, "/metadata/namespace") : std::string(),
              .name = text_at(found.object, "/metadata/name"),
              .before = found.object,
              .reason = "was not there then"};
    const std::string never = never_removed(found.kind, found.object, options);
    if (is_going(found.object)) {
      step.reason = "was not there then, and is being deleted now";
    } else if (options.prune && !never.empty()) {
      step.reason = "was not there then; --prune leaves it: " + never;
    } else if (options.prune && found.kind.full_name() == "namespaces" && wanted_namespaces.contains(step.name)) {
      step.reason = "was not there then; --prune leaves it: objects are put back into it";
    } else if (options.prune) {
      step.action = Action::remove;
      removed.push_back(id);
    }
    steps.push_back(std::move(step));
  }
  const auto most = static_cast<std::size_t>(std::max(options.max_share, 0));
  if (removed.size() * 100 <= most * in_scope) return steps;
  std::ranges::sort(removed);
  return hinted<std::vector<Step>>(
      fail(Errc::invalid, "prune would remove {} of {} objects, {} %, and may remove {} %: {}", removed.size(),
           in_scope, removed.size() * 100 / in_scope, options.max_share, some_of(removed, 5)),
      "if that is right, allow it with --max-share; else look for what the moment or the selection leaves out");
}

}  // namespace tidemark::live
