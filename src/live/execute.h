// Runs a plan in the running cluster: wave by wave, and what fails once more in rounds as long as something moves.
//
//   TM_LET(const std::vector<StepFailure> refused, rehearse(tools, plan));    // changes nothing
//   TM_LET(const Executed all, execute(tools, plan, progress));
//
// It may be run again after it was cut, with the same plan: what is done already stays. Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "live/step_writer.h"

namespace tidemark::live {

struct StepFailure {
  const Step* step = nullptr;
  Error error;
};

struct Executed {
  std::size_t wrote = 0, already = 0;
  std::vector<StepFailure> failed{};
  std::map<std::string, std::string> made{};  // Step::id() -> uid
  bool whole() const { return failed.empty(); }
};

using OnStep = std::function<void(std::string_view what, std::size_t done, std::size_t all)>;

// Has the server go through all steps without storing anything (dryRun=All): what webhooks, validation and immutable
// fields refuse. What needs an earlier step (a new namespace, a new definition) is passed over, and so is a webhook
// that cannot do it.
Result<std::vector<StepFailure>> rehearse(const StepTools& tools, const Plan& plan, const OnStep& on_step = {});

// What a step's failure stops is only itself. The whole fails only when the server is gone or we are told to stop; then
// some steps are done and others not.
Result<Executed> execute(const StepTools& tools, const Plan& plan, const OnStep& on_step = {});

}  // namespace tidemark::live
