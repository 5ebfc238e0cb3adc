#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/bytes.h"
#include "base/rfc3339.h"

namespace tidemark::cli {
namespace {

constexpr auto kBarEvery = std::chrono::milliseconds(200);
constexpr auto kJsonEvery = std::chrono::seconds(1);
constexpr auto kLineEvery = std::chrono::seconds(10);

}  // namespace

Progress::Progress(std::ostream& err, Mode mode, bool terminal, const Clock& clock)
    : err_(err), mode_(mode), terminal_(terminal), clock_(clock) {}

Progress::~Progress() { finish(); }

void Progress::update(std::string_view step, std::uint64_t done, std::uint64_t all) {
  if (mode_ == Mode::none) return;
  const std::scoped_lock lock(mutex_);
  const Ticks now = clock_.ticks();
  const bool begins = step != step_;
  if (begins) {
    if (!step_.empty()) show(true);
    step_ = step;
    began_ = shown_ = now;
  }
  done_ = done;
  all_ = all;
  const auto every = mode_ == Mode::json ? std::chrono::nanoseconds(kJsonEvery)
                     : terminal_         ? std::chrono::nanoseconds(kBarEvery)
                                         : std::chrono::nanoseconds(kLineEvery);
  // A bar and a program want to know of a new step at once; a log only of steps that take their time.
  if (now - shown_ < every && !(begins && (terminal_ || mode_ == Mode::json))) return;
  shown_ = now;
  show(false);
}

void Progress::finish() {
  const std::scoped_lock lock(mutex_);
  if (!step_.empty()) show(true);
  step_.clear();
}

void Progress::show(bool last) {
  if (mode_ == Mode::json) {
    err_ << json_line() << std::flush;
  } else if (terminal_) {
    err_ << "\r\x1b[K" << bar() << (last ? "\n" : "") << std::flush;
  } else if (!last || clock_.ticks() - began_ >= kLineEvery) {
    err_ << words() << "\n" << std::flush;
  }
}

double Progress::seconds() const { return std::chrono::duration<double>(clock_.ticks() - began_).count(); }

std::uint64_t Progress::rate() const {
  const double s = seconds();
  return s <= 0 ? 0 : static_cast<std::uint64_t>(static_cast<double>(done_) / s);
}

std::optional<std::uint64_t> Progress::eta_s() const {
  const std::uint64_t per_s = rate();
  if (all_ == 0 || per_s == 0) return std::nullopt;
  return done_ >= all_ ? 0 : (all_ - done_) / per_s;
}

std::string Progress::json_line() const {
  nlohmann::ordered_json line{{"kind", "Progress"},
                              {"formatVersion", 1},
                              {"time", print_rfc3339_nano(clock_.now())},
                              {"step", step_},
                              {"done", done_}};
  if (all_ != 0) line["all"] = all_;
  line["bytesPerSecond"] = rate();
  if (const auto eta = eta_s()) line["etaSeconds"] = *eta;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string Progress::bar() const {
  if (all_ == 0) return fmt::format("{:<28} {}  {}/s", step_, human_size(done_), human_size(rate()));
  constexpr std::uint64_t kWidth = 24;
  const std::uint64_t done = std::min(done_, all_);
  const auto filled = static_cast<std::size_t>(static_cast<double>(done) / static_cast<double>(all_) * kWidth);
  std::string line = fmt::format("{:<28} [{}{}] {:3}%  {} of {}  {}/s", step_, std::string(filled, '#'),
                                 std::string(kWidth - filled, '-'),
                                 static_cast<int>(static_cast<double>(done) / static_cast<double>(all_) * 100),
                                 human_size(done_), human_size(all_), human_size(rate()));
  if (const auto eta = eta_s()) line += "  ETA " + print_duration(std::chrono::seconds(*eta));
  return line;
}

std::string Progress::words() const {
  std::string line = fmt::format("{}: {}", step_, human_size(done_));
  if (all_ != 0) line += fmt::format(" of {}", human_size(all_));
  line += fmt::format(", {}/s", human_size(rate()));
  if (const auto eta = eta_s()) line += fmt::format(", {} left", print_duration(std::chrono::seconds(*eta)));
  return line;
}

}  // namespace tidemark::cli
