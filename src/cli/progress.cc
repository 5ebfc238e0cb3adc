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

// Columns of a line without wide characters: its code points.
std::size_t columns_in(std::string_view line) {
  return static_cast<std::size_t>(
      std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string left_words(std::uint64_t eta_s) { return eta_s == 0 ? "0s" : print_duration(std::chrono::seconds(eta_s)); }

std::string shortened(std::string_view text, std::size_t columns) {
  std::string kept(text);
  while (columns_in(kept) > columns) kept.pop_back();  // a cut character counts until its first byte is gone
  return kept;
}

}  // namespace

Progress::Progress(std::ostream& err, Mode mode, const Screen& screen, const Clock& clock)
    : err_(err),
      mode_(mode != Mode::automatic ? mode
            : screen.can_draw       ? Mode::bar
                                    : Mode::plain),
      screen_(screen),
      clock_(clock) {}

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
  const auto every = mode_ == Mode::json  ? std::chrono::nanoseconds(kJsonEvery)
                     : mode_ == Mode::bar ? std::chrono::nanoseconds(kBarEvery)
                                          : std::chrono::nanoseconds(kLineEvery);
  // A bar and a program want to know of a new step at once; a log only of steps that take their time.
  if (now - shown_ < every && !(begins && mode_ != Mode::plain)) return;
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
  } else if (mode_ == Mode::bar) {
    draw();
    if (last) {
      err_ << "\n" << std::flush;
      drawn_ = 0;
    }
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

// What stood there is drawn over, never beyond the terminal's last column but one: behind it some terminals wrap.
void Progress::draw() {
  const std::size_t columns = screen_.columns ? screen_.columns() : 80;
  const std::size_t room = columns > 1 ? columns - 1 : 0;
  std::string line = bar(room);
  const std::size_t width = columns_in(line);
  if (const std::size_t former = std::min(drawn_, room); former > width) line.append(former - width, ' ');
  drawn_ = width;
  err_ << "\r" << line << std::flush;
}

// As much as there is room for; the first to go are the sizes, then the bar itself, then the time, then the rate.
std::string Progress::bar(std::size_t columns) const {
  const std::string rate_words = "  " + human_size(rate()) + "/s";
  const auto first_that_fits = [&](std::initializer_list<std::string> lines) {
    for (const std::string& line : lines) {
      if (columns_in(line) <= columns) return line;
    }
    return shortened(step_, columns);
  };
  const std::string padded = fmt::format("{:<28} ", step_), step = step_ + " ";
  if (all_ == 0) {
    const std::string done = human_size(done_);
    return first_that_fits({padded + done + rate_words, step + done + rate_words, step + done});
  }
  const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(all_));
  const auto gauge = [&](std::size_t width) {
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
    return fmt::format("[{}{}] ", std::string(filled, '#'), std::string(width - filled, '-'));
  };
  const std::string percent = fmt::format("{:3}%", static_cast<int>(share * 100));
  const std::string sizes = fmt::format("  {} of {}", human_size(done_), human_size(all_));
  const auto left = eta_s();
  const std::string eta = left ? "  ETA " + left_words(*left) : "";
  return first_that_fits(
      {padded + gauge(24) + percent + sizes + rate_words + eta, step + gauge(24) + percent + sizes + rate_words + eta,
       step + gauge(10) + percent + sizes + rate_words + eta, step + gauge(10) + percent + rate_words + eta,
       step + percent + rate_words + eta, step + percent + rate_words, step + percent});
}

std::string Progress::words() const {
  std::string line = fmt::format("{}: {}", step_, human_size(done_));
  if (all_ != 0) line += fmt::format(" of {}", human_size(all_));
  line += fmt::format(", {}/s", human_size(rate()));
  if (const auto eta = eta_s()) line += fmt::format(", {} left", left_words(*eta));
  return line;
}

}  // namespace tidemark::cli
