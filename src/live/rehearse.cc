#include <nlohmann/json.hpp>
#include <set>

#include "live/execute.h"
#include "live/object_facts.h"
#include "live/served_kinds.h"
#include "live/silent_webhooks.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

constexpr int kMostSilentTries = 3;

// What this plan brings, so that nothing in it can be tried before.
class Brought {
 public:
  explicit Brought(const Plan& plan) {
    for (const Step& step : plan.steps) {
      if (step.action != Action::create && step.action != Action::recreate) continue;
      if (step.kind.resource == "namespaces" && step.kind.group.empty()) namespaces_.insert(step.name);
      if (step.kind.resource != "customresourcedefinitions") continue;
      if (const auto kind = kind_of_definition(step.body)) kinds_.insert(kind->full_name());
    }
  }
  bool needs(const Step& step) const {
    if (!step.owners.empty()) return true;
    return (step.kind.namespaced && namespaces_.contains(step.name_space)) || kinds_.contains(step.kind.full_name());
  }

 private:
  std::set<std::string> namespaces_, kinds_;
};

Result<json> try_step(const StepTools& tools, const Step& step) {
  const link::KubePlace place{.name_space = step.kind.namespaced ? step.name_space : std::string(), .name = step.name};
  const link::KubeWriteOptions dry{.dry_run = true, .force = true, .strict = !step.kept_as.empty()};
  json body = step.body;
  if (body.is_object()) {
    body["apiVersion"] = step.kind.api_version();
    body["kind"] = step.kind.kind;
  }
  switch (step.action) {
    case Action::create:
      return tools.client.create(step.kind, place, body, {.dry_run = true, .strict = dry.strict}, tools.stop);
    case Action::change:
      body["metadata"]["uid"] = uid_in(step.before);
      if (step.merge) return tools.client.apply(step.kind, place, body, dry, tools.stop);
      body["metadata"]["resourceVersion"] = version_in(step.before);
      return tools.client.put(step.kind, place, body, {.dry_run = true, .strict = dry.strict}, tools.stop);
    case Action::recreate:
      if (is_going(step.before)) break;
      [[fallthrough]];
    case Action::remove:
      return tools.client.remove(step.kind, place, {.uid = uid_in(step.before), .dry_run = true}, tools.stop);
    case Action::keep:
    case Action::leave_out: break;
  }
  return json();
}

// It says nothing about the step itself: the steps have their own answers to it.
bool is_no_refusal(const Error& error) {
  return error.code == Errc::conflict || error.code == Errc::already_exists || error.code == Errc::not_found ||
         error.what.find("does not support dry run") != std::string::npos;
}

}  // namespace

Result<std::vector<StepFailure>> rehearse(const StepTools& tools, const Plan& plan, const OnStep& on_step) {
  const Brought brought(plan);
  std::vector<StepFailure> refused;
  std::size_t done = 0;
  int silent = 0;
  for (const Step& step : plan.steps) {
    if (on_step) on_step("rehearse", ++done, plan.steps.size());
    if (!step.changes() || brought.needs(step)) continue;
    const auto answer = try_step(tools, step);
    if (answer || is_no_refusal(answer.error())) continue;
    if (tools.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    // A call that stores nothing is asked again by itself. Without a server each step would wait for its whole time.
    if (is_no_answer(answer.error().code)) {
      const auto version = tools.client.version(tools.stop);
      if (!version && is_no_answer(version.error().code)) return std::unexpected(answer.error());
    }
    refused.push_back({&step, answer.error()});
    // Each try may take as long as the webhook takes to be given up, and tells the same.
    if (!silent_webhook_in(answer.error()).empty() && ++silent == kMostSilentTries) break;
  }
  return refused;
}

}  // namespace tidemark::live
