#include "live/step_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "live/as_made.h"
#include "live/bookkeeping.h"
#include "live/gather.h"
#include "live/object_facts.h"
#include "live/settle.h"

namespace tidemark::live {
namespace {

using link::KubePlace;
using nlohmann::json;

constexpr int kMostTries = 5;

KubePlace place_of_step(const Step& step, std::string subresource = {}) {
  return {.name_space = step.kind.namespaced ? step.name_space : std::string(),
          .name = step.name,
          .subresource = std::move(subresource)};
}

bool is_kind(const Step& step, std::string_view resource, std::string_view group) {
  return step.kind.resource == resource && step.kind.group == group;
}

// In a version that it was not kept in: a field that the server drops would be lost.
bool is_strict(const Step& step) { return !step.kept_as.empty(); }

bool is_as_planned_on(const Step& step, json live) {
  json before = step.before;
  drop_bookkeeping(step.kind, before);
  drop_bookkeeping(step.kind, live);
  return same_substance(live, before);
}

std::unexpected<Error> moved(const Step& step, std::string_view how) {
  return std::unexpected(Error{Errc::conflict, fmt::format("{}: {} since the plan was made", step.id(), how),
                               "plan again: the cluster has moved"});
}

}  // namespace

StepWriter::StepWriter(const StepTools& tools, const Plan& plan)
    : tools_(tools), plan_(plan), begun_(tools.clock.ticks()) {
  for (const Step& step : plan_.steps) by_id_.emplace(step.id(), &step);
}

Result<json> StepWriter::live_of(const Step& step) {
  return look_up(tools_.client, step.kind, step.name_space, step.name, tools_.stop);
}

bool StepWriter::in_new_namespace(const Step& step) const {
  if (!step.kind.namespaced) return false;
  const auto space = by_id_.find(
      object_id({.group = "", .version = "v1", .resource = "namespaces", .singular = "", .kind = "Namespace"}, "",
                step.name_space));
  return space != by_id_.end() && space->second->changes() && space->second->action != Action::change;
}

Result<std::string> StepWriter::uid_of_owner(const Step& owner) {
  const std::string id = owner.id();
  if (const auto found = made_.find(id); found != made_.end()) return found->second;
  TM_LET(const json live, live_of(owner));
  return uid_in(live);
}

Result<json> StepWriter::body_of(const Step& step) {
  json body = step.body;
  body["apiVersion"] = step.kind.api_version();
  body["kind"] = step.kind.kind;
  const json::json_pointer references("/metadata/ownerReferences");
  if (step.owners.empty() || !body.contains(references)) return body;
  auto owner = step.owners.begin();
  for (json& reference : body.at(references)) {
    if (!text_at(reference, "/uid").empty() || owner == step.owners.end()) continue;
    const auto found = by_id_.find(*owner);
    if (found == by_id_.end()) return fail(Errc::corrupt, "{}: the plan has no owner {}", step.id(), *owner);
    TM_LET(reference["uid"], uid_of_owner(*found->second));
    if (text_at(reference, "/uid").empty())
      return fail(Errc::not_found, "{}: its owner {} is not there", step.id(), *owner);
    ++owner;
  }
  return body;
}

Result<StepWriter::Done> StepWriter::write(const Step& step) {
  Result<Done> done = Done::already;
  switch (step.action) {
    case Action::create: done = create(step); break;
    case Action::change: done = change(step); break;
    case Action::recreate: done = recreate(step); break;
    case Action::remove: return remove(step);
    case Action::keep:
    case Action::leave_out: return done;
  }
  if (!done) return done;
  TM_CHECK(settle(step));
  TM_CHECK(write_status(step));
  return done;
}

Status StepWriter::settle(const Step& step) {
  if (is_kind(step, "namespaces", "")) return await_namespace(tools_, step);
  if (is_kind(step, "customresourcedefinitions", "apiextensions.k8s.io")) return await_definition(tools_, step);
  return {};
}

Result<StepWriter::Done> StepWriter::create(const Step& step) {
  TM_LET(const json body, body_of(step));
  tools_.steps.about_to("live: create an object");
  const auto made =
      tools_.client.create(step.kind, place_of_step(step), body, {.strict = is_strict(step)}, tools_.stop);
  if (made) {
    made_[step.id()] = uid_in(*made);
    return Done::wrote;
  }
  if (is_no_answer(made.error().code)) return std::unexpected(made.error());
  if (made.error().code != Errc::already_exists) {
    // Addresses, quotas and webhooks are asked before the name is, so what we made before may be refused for itself.
    const auto live = live_of(step);
    if (!live || live->is_null()) return std::unexpected(made.error());
  }
  return create_again(step, body);
}

// Something of that name is there: what we made before we were cut, what goes, or what the cluster made.
Result<StepWriter::Done> StepWriter::create_again(const Step& step, const json& body) {
  TM_LET(const json live, live_of(step));
  if (is_going(live)) TM_CHECK(await_gone(tools_, step, uid_in(live)));
  if (live.is_null() || is_going(live)) {
    TM_LET(const json made,
           tools_.client.create(step.kind, place_of_step(step), body, {.strict = is_strict(step)}, tools_.stop));
    made_[step.id()] = uid_in(made);
    return Done::wrote;
  }
  if (is_as_sent(step.kind, live, body)) {
    made_[step.id()] = uid_in(live);
    return Done::already;
  }
  if (bears_our_name(live)) {
    // It was not there when the plan was made, and we wrote it: before we were cut, and somebody has changed it since.
    made_[step.id()] = uid_in(live);
    return Done::already;
  }
  if (!in_new_namespace(step)) return moved(step, "another one was made");
  made_[step.id()] = uid_in(live);
  return put_over(step, body, live);
}

Result<StepWriter::Done> StepWriter::put_over(const Step& step, json body, const json& live) {
  body["metadata"]["uid"] = uid_in(live);
  body["metadata"]["resourceVersion"] = version_in(live);
  tools_.steps.about_to("live: put an object");
  TM_CHECK(tools_.client.put(step.kind, place_of_step(step), body, {.strict = is_strict(step)}, tools_.stop));
  return Done::wrote;
}

Result<StepWriter::Done> StepWriter::change(const Step& step) {
  TM_LET(json body, body_of(step));
  if (step.merge) {
    body["metadata"]["uid"] = uid_in(step.before);  // so that nothing is created
    tools_.steps.about_to("live: apply an object");
    TM_CHECK(tools_.client.apply(step.kind, place_of_step(step), body, {.force = true, .strict = is_strict(step)},
                                 tools_.stop));
    return Done::wrote;
  }
  Result<Done> done = put_over(step, body, step.before);
  for (int tries = 1; !done && done.error().code == Errc::conflict && tries < kMostTries; tries++) {
    TM_LET(const json live, live_of(step));
    if (live.is_null()) return moved(step, "it was deleted");
    if (uid_in(live) != uid_in(step.before)) return moved(step, "it was deleted and made again");
    if (!is_as_planned_on(step, live) && !is_as_sent(step.kind, live, body)) return moved(step, "somebody changed it");
    take_bookkeeping(step.kind, body, live);
    done = put_over(step, body, live);
  }
  return done;
}

Result<StepWriter::Done> StepWriter::recreate(const Step& step) {
  TM_LET(const json live, live_of(step));
  if (!live.is_null() && uid_in(live) != uid_in(step.before)) {
    TM_LET(const json body, body_of(step));
    if (!is_as_sent(step.kind, live, body)) return moved(step, "it was deleted and made again");
    made_[step.id()] = uid_in(live);
    return Done::already;
  }
  if (!live.is_null()) {
    tools_.steps.about_to("live: delete an object to make it again");
    TM_CHECK(remove_as_planned(step, live, "Orphan"));
    TM_CHECK(await_its_end(step, uid_in(live)));
  }
  return create(step);
}

// What was going before we came has had our patience as long as we have been here: of hundreds that hang each is looked
// at, and only the first is waited for.
Status StepWriter::await_its_end(const Step& step, const std::string& uid) {
  StepTools tools = tools_;
  if (is_going(step.before)) {
    const auto left = begun_ + tools_.settle_within - tools_.clock.ticks();
    tools.settle_within = std::max<std::chrono::nanoseconds>(left, std::chrono::nanoseconds(0));
  }
  return await_gone(tools, step, uid);
}

Result<StepWriter::Done> StepWriter::remove(const Step& step) {
  TM_LET(const json live, live_of(step));
  if (live.is_null() || (is_going(live) && uid_in(live) == uid_in(step.before))) return Done::already;
  tools_.steps.about_to("live: remove an object");
  TM_CHECK(remove_as_planned(step, live, "Background"));
  return Done::wrote;
}

// Only in the very state that was looked at; a status that was written meanwhile is looked at again.
Status StepWriter::remove_as_planned(const Step& step, json live, const char* propagation) {
  for (int tries = 1;; tries++) {
    if (live.is_null() || is_going(live)) return {};
    if (uid_in(live) != uid_in(step.before)) return moved(step, "another one was made");
    if (!is_as_planned_on(step, live)) return moved(step, "somebody changed it");
    const auto gone = tools_.client.remove(
        step.kind, place_of_step(step),
        {.uid = uid_in(live), .resource_version = version_in(live), .propagation = propagation}, tools_.stop);
    if (gone || gone.error().code == Errc::not_found) return {};
    if (gone.error().code != Errc::conflict || tries == kMostTries) return std::unexpected(gone.error());
    TM_LET(live, live_of(step));
  }
}

Status StepWriter::write_status(const Step& step) {
  if (step.status.is_null()) return {};
  Status wrote;
  for (int tries = 0; tries < kMostTries; tries++) {
    TM_LET(json live, live_of(step));
    if (live.is_null()) return moved(step, "it was deleted");
    live["status"] = step.status;
    tools_.steps.about_to("live: put a status");
    const auto put = tools_.client.put(step.kind, place_of_step(step, "status"), live, {}, tools_.stop);
    if (put) return {};
    wrote = std::unexpected(put.error());
    if (put.error().code != Errc::conflict) break;
  }
  return wrote;
}

Status StepWriter::verify(const Step& step) {
  if (step.action == Action::remove) {
    if (is_kind(step, "namespaces", "")) return await_gone(tools_, step, uid_in(step.before));
    TM_LET(const json live, live_of(step));
    if (live.is_null() || is_going(live) || uid_in(live) != uid_in(step.before)) return {};
    return fail(Errc::conflict, "{}: it was removed and is there", step.id());
  }
  TM_LET(const json live, live_of(step));
  if (live.is_null()) return fail(Errc::conflict, "{}: it was written and is not there", step.id());
  TM_LET(const json body, body_of(step));
  if (step.merge && has_all_sent(step.kind, live, body)) return {};
  if (const auto where = unlike_sent(step.kind, live, body)) {
    return fail(Errc::conflict, "{}: {} is not as it was written: another one changes it", step.id(), *where);
  }
  return {};
}

}  // namespace tidemark::live
