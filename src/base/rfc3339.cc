#include "base/rfc3339.h"

#include <cctype>

namespace tidemark {

namespace {

using std::chrono::nanoseconds;

// Reads exactly `digits` decimal digits at `at`.
bool take_number(std::string_view text, std::size_t& at, std::size_t digits, int& value) {
  if (at + digits > text.size()) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; i++) {
    const char c = text[at + i];
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  at += digits;
  return true;
}

bool take_char(std::string_view text, std::size_t& at, char wanted) {
  if (at >= text.size() || text[at] != wanted) return false;
  at++;
  return true;
}

bool take_fraction(std::string_view text, std::size_t& at, std::int64_t& ns) {
  std::size_t digits = 0;
  ns = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; at++, digits++) {
    if (digits < 9) ns = ns * 10 + (text[at] - '0');
  }
  for (std::size_t i = digits; i < 9; i++) ns *= 10;
  return digits > 0;
}

bool take_zone(std::string_view text, std::size_t& at, std::chrono::minutes& offset) {
  offset = std::chrono::minutes(0);
  if (take_char(text, at, 'Z') || take_char(text, at, 'z')) return true;
  const bool minus = at < text.size() && text[at] == '-';
  if (!minus && !(at < text.size() && text[at] == '+')) return false;
  at++;
  int hours = 0, minutes = 0;
  if (!take_number(text, at, 2, hours) || !take_char(text, at, ':') || !take_number(text, at, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  offset = std::chrono::minutes(hours * 60 + minutes) * (minus ? -1 : 1);
  return true;
}

}  // namespace

Result<Time> parse_rfc3339(std::string_view text) {
  std::size_t at = 0;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t ns = 0;
  std::chrono::minutes offset{};
  const bool date = take_number(text, at, 4, year) && take_char(text, at, '-') && take_number(text, at, 2, month) &&
                    take_char(text, at, '-') && take_number(text, at, 2, day);
  const bool separator = date && (take_char(text, at, 'T') || take_char(text, at, 't') || take_char(text, at, ' '));
  const bool clock = separator && take_number(text, at, 2, hour) && take_char(text, at, ':') &&
                     take_number(text, at, 2, minute) && take_char(text, at, ':') && take_number(text, at, 2, second);
  const bool fraction = clock && (!take_char(text, at, '.') || take_fraction(text, at, ns));
  const bool zone = fraction && take_zone(text, at, offset) && at == text.size();
  const std::chrono::year_month_day ymd{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                        std::chrono::day(static_cast<unsigned>(day))};
  // 1678..2261 is what 64-bit nanoseconds hold.
  if (!zone || !ymd.ok() || hour > 23 || minute > 59 || second > 60 || year < 1678 || year > 2261) {
    return fail(Errc::invalid, "'{}' is not an RFC 3339 time: stopped at character {}", text, at + 1);
  }
  return Time(std::chrono::sys_days(ymd)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + nanoseconds(ns) - offset;
}

std::string print_rfc3339_nano(Time t) {
  const auto days = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day ymd(days);
  const std::chrono::hh_mm_ss clock(t - days);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(ymd.year()),
                                static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                                clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const auto ns = clock.subseconds().count(); ns != 0) {
    std::string digits = fmt::format(".{:09}", ns);
    while (digits.back() == '0') digits.pop_back();
    out += digits;
  }
  return out + "Z";
}

std::string print_rfc3339(Time t) { return print_rfc3339_nano(std::chrono::floor<std::chrono::seconds>(t)); }

Result<nanoseconds> parse_duration(std::string_view text) {
  static constexpr struct {
    std::string_view name;
    std::int64_t ns;
  } kUnits[] = {{"ns", 1},
                {"us", 1'000},
                {"ms", 1'000'000},
                {"s", 1'000'000'000},
                {"m", 60'000'000'000},
                {"h", 3'600'000'000'000},
                {"d", 86'400'000'000'000},
                {"w", 604'800'000'000'000}};
  const auto bad = [&] { return fail(Errc::invalid, "'{}' is not a duration (write it as 90s, 5m, 1h30m, 7d)", text); };
  std::size_t at = 0;
  const bool minus = !text.empty() && text[0] == '-';
  if (minus) at++;
  if (at == text.size()) return bad();
  std::int64_t total = 0;
  while (at < text.size()) {
    std::int64_t number = 0, fraction = 0;
    const std::size_t start = at;
    for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; at++) {
      if (at - start > 9) return bad();
      number = number * 10 + (text[at] - '0');
    }
    if (at == start) return bad();
    if (take_char(text, at, '.') && !take_fraction(text, at, fraction)) return bad();
    std::size_t end = at;
    while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])) != 0) end++;
    std::int64_t unit = 0;
    for (const auto& u : kUnits) {
      if (u.name == text.substr(at, end - at)) unit = u.ns;
    }
    std::int64_t part = 0;
    if (unit == 0 || __builtin_mul_overflow(number, unit, &part)) return bad();
    part += static_cast<std::int64_t>(static_cast<double>(fraction) / 1e9 * static_cast<double>(unit));
    if (__builtin_add_overflow(total, part, &total)) return bad();
    at = end;
  }
  return nanoseconds(minus ? -total : total);
}

std::string print_duration(nanoseconds d) {
  if (d < nanoseconds(0)) return "-" + print_duration(-d);
  using namespace std::chrono_literals;
  if (d < 1ms) return fmt::format("{}us", d / 1us);
  if (d < 1s) return fmt::format("{}ms", d / 1ms);
  if (d < 10s) return fmt::format("{:.1f}s", std::chrono::duration<double>(d).count());
  if (d < 1min) return fmt::format("{}s", d / 1s);
  if (d < 1h) return fmt::format("{}m{}s", d / 1min, d % 1min / 1s);
  if (d < 48h) return fmt::format("{}h{}m", d / 1h, d % 1h / 1min);
  return fmt::format("{}d{}h", d / 24h, d % 24h / 1h);
}

}  // namespace tidemark
