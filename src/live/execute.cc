#include "live/execute.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "live/patience.h"

namespace tidemark::live {
namespace {

// Of a step whose answer was lost; each does only what is not done yet.
constexpr int kMostWrites = 3;
// For what a cluster does by itself after something was created: accounts, quotas, the pods of a webhook.
constexpr std::chrono::seconds kRoundsWithin{20};

// A server that has lost a webhook answers all else: the step waits for the next round.
bool is_lost(const Error& error) {
  return error.code == Errc::unavailable && error.what.find("webhook") == std::string::npos;
}

// May it go better a moment later, though no other step went well?
bool may_pass(const Error& error) {
  return error.code != Errc::conflict && error.code != Errc::timeout && error.code != Errc::unsupported;
}

class Course {
 public:
  Course(const StepTools& tools, const Plan& plan, const OnStep& on_step)
      : tools_(tools), on_step_(on_step), writer_(tools, plan) {
    for (const Step& step : plan.steps) {
      if (step.changes()) steps_.push_back(&step);
    }
    std::ranges::stable_sort(steps_, {}, &Step::wave);
  }

  Result<Executed> run() {
    for (const Step* step : steps_) TM_CHECK(write(*step));
    TM_CHECK(rounds());
    for (const Step* step : wrote_) {
      tell("verify");
      Status as_meant = writer_.verify(*step);
      if (!as_meant) TM_CHECK(need_server(as_meant.error()));
      if (!as_meant && is_lost(as_meant.error())) as_meant = writer_.verify(*step);
      if (!as_meant) all_.failed.push_back({step, as_meant.error()});
    }
    all_.made = writer_.made();
    return std::move(all_);
  }

 private:
  void tell(std::string_view what) {
    if (on_step_) on_step_(what, wrote_.size(), steps_.size());
  }

  // The failure of the namespace that it is to be in; nullptr: there is none.
  const StepFailure* failed_space_of(const Step& step) const {
    if (!step.kind.namespaced || step.action == Action::remove) return nullptr;
    const auto found = std::ranges::find_if(all_.failed, [&](const StepFailure& one) {
      return one.step->name == step.name_space && one.step->kind.full_name() == "namespaces";
    });
    return found == all_.failed.end() ? nullptr : &*found;
  }

  // Fails only when no other step can be done either.
  Status write(const Step& step) {
    tell("write");
    if (const StepFailure* space = failed_space_of(step)) {
      all_.failed.push_back({&step, {space->error.code, "its namespace is not done", ""}});
      return {};
    }
    auto done = writer_.write(step);
    for (int tries = 1; !done; tries++) {
      TM_CHECK(need_server(done.error()));
      if (!is_lost(done.error()) || tries == kMostWrites) break;
      done = writer_.write(step);
    }
    if (done) {
      wrote_.push_back(&step);
      (*done == StepWriter::Done::wrote ? all_.wrote : all_.already)++;
    } else {
      all_.failed.push_back({&step, std::move(done).error()});
    }
    return {};
  }

  // After a failure: was it only this step's? A server that restarts is waited for, so that not every step waits its
  // whole time for nobody. Fails with `why`: there is no server any more.
  Status need_server(const Error& why) {
    if (tools_.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (!is_no_answer(why.code)) return {};
    Patience patience(tools_.clock, tools_.server_back_within);
    for (;;) {
      const auto version = tools_.client.version(tools_.stop);
      if (version || !is_no_answer(version.error().code)) return {};
      if (!patience.wait(tools_.stop)) break;
    }
    if (tools_.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    return std::unexpected(why);
  }

  Status rounds() {
    Patience patience(tools_.clock, std::min<std::chrono::nanoseconds>(kRoundsWithin, tools_.settle_within));
    while (!all_.failed.empty()) {
      const std::vector<StepFailure> before = std::exchange(all_.failed, {});
      const std::size_t done = wrote_.size();
      for (const StepFailure& one : before) {
        // Each try may take as long as a webhook takes to be given up.
        if (patience.over() && wrote_.size() == done) {
          all_.failed.push_back(one);
        } else {
          TM_CHECK(write(*one.step));
        }
      }
      if (all_.failed.size() < before.size()) continue;
      const bool some_may =
          std::ranges::any_of(all_.failed, [](const StepFailure& one) { return may_pass(one.error); });
      if (!some_may || !patience.wait(tools_.stop)) break;
    }
    if (tools_.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    return {};
  }

  const StepTools& tools_;
  const OnStep& on_step_;
  StepWriter writer_;
  std::vector<const Step*> steps_, wrote_;
  Executed all_;
};

}  // namespace

Result<Executed> execute(const StepTools& tools, const Plan& plan, const OnStep& on_step) {
  return Course(tools, plan, on_step).run();
}

}  // namespace tidemark::live
