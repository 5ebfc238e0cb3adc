#include "live/execute.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "live/patience.h"

namespace tidemark::live {
namespace {

// One after the other without an answer, and nobody is there any more.
constexpr int kMostSilent = 3;
// For what a cluster does by itself after something was created: accounts, quotas, the pods of a webhook.
constexpr std::chrono::seconds kRoundsWithin{20};

bool is_silence(const Error& error) {
  return is_no_answer(error.code) && error.what.find("webhook") == std::string::npos && error.code != Errc::timeout;
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
      const Status as_meant = writer_.verify(*step);
      if (tools_.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
      if (!as_meant) all_.failed.push_back({step, as_meant.error()});
    }
    all_.made = writer_.made();
    return std::move(all_);
  }

 private:
  void tell(std::string_view what) {
    if (on_step_) on_step_(what, wrote_.size(), steps_.size());
  }

  // Fails only when no other step can be done either.
  Status write(const Step& step) {
    tell("write");
    auto done = writer_.write(step);
    if (tools_.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (done) {
      silent_ = 0;
      wrote_.push_back(&step);
      (*done == StepWriter::Done::wrote ? all_.wrote : all_.already)++;
      return {};
    }
    if (is_silence(done.error()) && ++silent_ >= kMostSilent) return std::unexpected(std::move(done).error());
    all_.failed.push_back({&step, std::move(done).error()});
    return {};
  }

  Status rounds() {
    Patience patience(tools_.clock, kRoundsWithin);
    while (!all_.failed.empty()) {
      const std::vector<StepFailure> before = std::exchange(all_.failed, {});
      for (const StepFailure& one : before) TM_CHECK(write(*one.step));
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
  int silent_ = 0;
};

}  // namespace

Result<Executed> execute(const StepTools& tools, const Plan& plan, const OnStep& on_step) {
  return Course(tools, plan, on_step).run();
}

}  // namespace tidemark::live
