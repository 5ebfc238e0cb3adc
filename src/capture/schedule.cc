#include "capture/schedule.h"

#include <charconv>
#include <string>
#include <vector>

namespace tidemark::capture {

namespace {

struct Field {
  std::string_view name;
  unsigned least, most;
  std::string_view words;  // three letters each, the first stands for `least` (or for 0 with week days)
};

constexpr Field kMinute{"minute", 0, 59, ""};
constexpr Field kHour{"hour", 0, 23, ""};
constexpr Field kDay{"day of month", 1, 31, ""};
constexpr Field kMonth{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"};
constexpr Field kWeekday{"day of week", 0, 7, "sunmontuewedthufrisat"};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

Result<unsigned> number(const Field& field, std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= field.least && value <= field.most) {
    return value;
  }
  if (text.size() == 3) {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (std::size_t at = 0; at + 3 <= field.words.size(); at += 3) {
      if (field.words.substr(at, 3) == lower) return field.least + static_cast<unsigned>(at / 3);
    }
  }
  return fail(Errc::invalid, "schedule: '{}' is no {} ({} to {})", text, field.name, field.least, field.most);
}

// Bit n: n matches.
Result<std::uint64_t> parse_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    unsigned first = field.least, last = field.most, step = 1;
    if (range != "*") {
      const std::size_t dash = range.find('-');
      TM_LET(first, number(field, range.substr(0, dash)));
      last = slash == std::string_view::npos ? first : field.most;  // "5/15": from 5 on
      if (dash != std::string_view::npos) {
        TM_LET(last, number(field, range.substr(dash + 1)));
      }
    }
    if (slash != std::string_view::npos) {
      const std::string_view digits = part.substr(slash + 1);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
      if (error != std::errc() || end != digits.data() + digits.size() || step == 0) {
        return fail(Errc::invalid, "schedule: '{}' is no step for the {}", digits, field.name);
      }
    }
    if (last < first) return fail(Errc::invalid, "schedule: the {} range '{}' runs backwards", field.name, range);
    for (std::uint64_t n = first; n <= last; n += step) bits |= std::uint64_t{1} << n;
  }
  return bits;
}

std::string_view unfold(std::string_view spec) {
  if (spec == "@hourly") return "0 * * * *";
  if (spec == "@daily" || spec == "@midnight") return "0 0 * * *";
  if (spec == "@weekly") return "0 0 * * 0";
  if (spec == "@monthly") return "0 0 1 * *";
  if (spec == "@yearly" || spec == "@annually") return "0 0 1 1 *";
  return spec;
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view spec) {
  const auto fields = words_of(unfold(spec));
  if (fields.size() != 5) {
    return fail(Errc::invalid, "schedule '{}' has {} fields instead of 5 (minute hour day month weekday)", spec,
                fields.size());
  }
  Schedule s;
  TM_LET(const std::uint64_t minutes, parse_field(kMinute, fields[0]));
  TM_LET(const std::uint64_t hours, parse_field(kHour, fields[1]));
  TM_LET(const std::uint64_t days, parse_field(kDay, fields[2]));
  TM_LET(const std::uint64_t months, parse_field(kMonth, fields[3]));
  TM_LET(const std::uint64_t weekdays, parse_field(kWeekday, fields[4]));
  s.minutes_ = minutes;
  s.hours_ = hours;
  s.days_ = days;
  s.months_ = months;
  s.weekdays_ = (weekdays | weekdays >> 7U) & 0x7FU;
  s.any_day_ = fields[2].starts_with('*');
  s.any_weekday_ = fields[4].starts_with('*');
  return s;
}

std::optional<Time> Schedule::next_after(Time now) const {
  namespace ch = std::chrono;
  const auto from = ch::floor<ch::minutes>(now) + ch::minutes(1);
  const auto first_day = ch::floor<ch::days>(from);
  for (auto day = first_day; day < first_day + ch::days(8 * 366); day += ch::days(1)) {
    const ch::year_month_day date(day);
    const bool by_day = days_[static_cast<unsigned>(date.day())];
    const bool by_weekday = weekdays_[ch::weekday(day).c_encoding()];
    const bool matches = any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
    if (!matches || !months_[static_cast<unsigned>(date.month())]) continue;
    for (auto at = std::max<ch::sys_time<ch::minutes>>(day, from); at < day + ch::days(1); at += ch::minutes(1)) {
      const auto minute = static_cast<std::size_t>((at - day).count());
      if (hours_[minute / 60] && minutes_[minute % 60]) return Time(at);
    }
  }
  return std::nullopt;
}

}  // namespace tidemark::capture
