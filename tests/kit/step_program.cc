#include "kit/step_program.h"

#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "capture/testing/kill_at.h"
#include "cli/program.h"
#include "cli/signals.h"

namespace tidemark::testing {
namespace {

// Stops its process at a step; whoever waits for that lets it go on.
class StopAt final : public Steps {
 public:
  explicit StopAt(std::string step) : step_(std::move(step)) {}
  void about_to(std::string_view action) override {
    if (action == step_ && !std::exchange(stopped_, true)) ::raise(SIGSTOP);
  }

 private:
  const std::string step_;
  bool stopped_ = false;
};

class FastClock final : public Clock {
 public:
  explicit FastClock(int speed) : speed_(speed) {}
  Time now() const override { return began_ + (system_clock().now() - began_) * speed_; }
  Ticks ticks() const override { return ticks_began_ + (system_clock().ticks() - ticks_began_) * speed_; }

 private:
  const int speed_;
  const Time began_ = system_clock().now();
  const Ticks ticks_began_ = system_clock().ticks();
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int number_in(const char* name, int otherwise) {
  const std::string value = variable(name);
  return value.empty() ? otherwise : std::stoi(value);
}

}  // namespace

bool is_step_program() { return std::getenv("TM_STEP_JOURNAL") != nullptr; }

int step_program(int argc, char** argv) {
  auto signals = cli::Signals::install().value();
  const std::string step = variable("TM_STEP");
  capture::testing::KillAt kill(variable("TM_STEP_JOURNAL"), {step, number_in("TM_STEP_NTH", 0)});
  StopAt stop(step);
  Steps* steps = &kill;
  if (!variable("TM_STEP_STOPS").empty()) steps = &stop;
  const FastClock clock(number_in("TM_CLOCK_SPEED", 1));
  cli::Program program(
      {.in = std::cin, .out = std::cout, .err = std::cerr, .clock = clock, .stop = signals.stop(), .steps = steps});
  return program.run(std::vector<std::string>(argv + 1, argv + argc));
}

}  // namespace tidemark::testing
