#include "live/plan.h"

#include <algorithm>
#include <map>

#include "crypto/sha256.h"
#include "live/draft.h"
#include "live/json_reach.h"
#include "live/namespaces.h"
#include "live/order.h"
#include "live/plan_secrets.h"
#include "live/volumes.h"
#include "live/warnings.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

// A kind that the server serves in a version other than the one an object was kept in: the object goes to its own.
link::KubeKind kind_of(const Found& found) {
  link::KubeKind kind = found.kind;
  const std::string api_version = text_at(found.object, "/apiVersion");
  if (!api_version.empty() && group_of(api_version) == kind.group) kind.version = version_of(api_version);
  return kind;
}

Result<std::vector<Draft>> begin_drafts(const PlanInput& input, const PlanOptions& options) {
  std::vector<Draft> drafts;
  drafts.reserve(input.wanted.size());
  std::map<std::string, std::string> first;  // by where it goes: where it was
  for (const Found& wanted : input.wanted) {
    Draft draft{.found = {.kind = kind_of(wanted), .object = wanted.object, .kept_as = wanted.kept_as}};
    const std::string was = object_id(draft.found.kind, wanted.object);
    move_namespaces(draft.found.kind, options.namespaces, draft.found.object);
    draft.id = object_id(draft.found.kind, draft.found.object);
    draft.moved = draft.id != was;
    if (text_at(draft.found.object, "/metadata/name").empty()) {
      return fail(Errc::invalid, "{}: an object without a name cannot be put back", was);
    }
    const auto [other, is_new] = first.emplace(draft.id, was);
    if (!is_new && other->second == was) return fail(Errc::invalid, "{}: it is wanted twice", was);
    if (!is_new) {
      return hinted<std::vector<Draft>>(fail(Errc::invalid, "{}: {} would come to the same place", was, other->second),
                                        "map the namespaces of the two to different ones");
    }
    Step& step = draft.step;
    step.kind = draft.found.kind;
    step.name_space = step.kind.namespaced ? text_at(draft.found.object, "/metadata/namespace") : std::string();
    step.name = text_at(draft.found.object, "/metadata/name");
    drafts.push_back(std::move(draft));
  }
  // What others need is decided before them.
  std::ranges::stable_sort(drafts, {}, [](const Draft& draft) { return rank_of(draft.step.kind); });
  return drafts;
}

// "widgets.shop.example.com shop/a"
Step unserved_step(const Unserved& unserved) {
  Step step{.action = Action::leave_out, .reason = unserved.reason};
  const std::string& id = unserved.id;
  const std::size_t space = std::min(id.find(' '), id.size());
  const std::string kind = id.substr(0, space);
  const std::size_t dot = std::min(kind.find('.'), kind.size());
  step.kind.resource = kind.substr(0, dot);
  step.kind.group = kind.substr(std::min(dot + 1, kind.size()));
  std::string place = id.substr(std::min(space + 1, id.size()));
  if (const std::size_t slash = place.find('/'); slash != std::string::npos) {
    step.kind.namespaced = true;
    step.name_space = place.substr(0, slash);
    place.erase(0, slash + 1);
  }
  step.name = std::move(place);
  return step;
}

void digest_text(crypto::Sha256& digest, std::string_view text) {
  // With its length, so that no two lists of texts are the same bytes.
  const std::string length = std::to_string(text.size()) + ":";
  digest.update(as_bytes(length));
  digest.update(as_bytes(text));
}

void digest_json(crypto::Sha256& digest, const json& value) {
  digest_text(digest, value.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

std::string Step::id() const { return object_id(kind, name_space, name); }

std::size_t Plan::count(Action action) const {
  return static_cast<std::size_t>(std::ranges::count(steps, action, &Step::action));
}

std::string Plan::digest() const {
  crypto::Sha256 digest;
  for (const Step& step : steps) {
    for (const std::string& text : {std::to_string(static_cast<int>(step.action)), std::to_string(step.wave), step.id(),
                                    step.kind.version, step.kept_as, std::string(step.merge ? "merge" : "")}) {
      digest_text(digest, text);
    }
    digest_json(digest, hidden_body(step));
    digest_json(digest, step.status);
    digest_json(digest, step.owners);
    // What is left out was not looked at: its state says nothing.
    const bool looked_at = step.action != Action::leave_out;
    digest_text(digest, looked_at ? text_at(step.before, "/metadata/uid") : "");
    digest_text(digest, looked_at ? text_at(step.before, "/metadata/resourceVersion") : "");
  }
  return "sha256:" + to_hex(digest.finish());
}

Result<Plan> make_plan(const PlanInput& input, const PlanOptions& options) {
  TM_LET(std::vector<Draft> drafts, begin_drafts(input, options));
  World world(input);
  for (const Draft& draft : drafts) world.add_wanted(draft.id, draft.found);
  // Each wanted object has one place, and the world knows all that is there and all that shall be.

  decide(options, world, drafts);
  TM_LET(std::vector<Step> steps, leftovers(input, options, world, drafts));
  // Each object that was and each that is has its step.

  Plan plan;
  for (Draft& draft : drafts) {
    add_warnings(world, draft);
    steps.push_back(std::move(draft.step));
  }
  for (const Unserved& unserved : input.unserved) steps.push_back(unserved_step(unserved));
  free_volumes(world, steps);
  put_in_order(world, steps);
  plan.steps = std::move(steps);
  plan.warnings = plan_warnings(world, plan.steps);
  return plan;
}

}  // namespace tidemark::live
