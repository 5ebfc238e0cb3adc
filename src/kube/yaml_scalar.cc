// Which plain scalars are strings, by the rules of YAML 1.1 as Go's readers apply them.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "kube/yaml_scalar.h"
#include "kube/yaml_text.h"

namespace tidemark::kube {
namespace {

constexpr std::string_view kTrue[] = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::string_view kFalse[] = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
constexpr std::string_view kNull[] = {"", "~", "null", "Null", "NULL"};
constexpr std::string_view kNoNumber[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                          "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes `least` to `most` digits, as a number between two others.
bool take_number(std::string_view& from, std::size_t least, std::size_t most, int low, int high) {
  std::size_t n = 0;
  int value = 0;
  while (n < from.size() && n < most && is_digit(from[n])) value = value * 10 + (from[n++] - '0');
  from.remove_prefix(n);
  return n >= least && value >= low && value <= high;
}

// Takes `least` to `most` digits.
bool take_digits(std::string_view& from, std::size_t least, std::size_t most) {
  std::size_t n = 0;
  while (n < from.size() && n < most && is_digit(from[n])) n++;
  from.remove_prefix(n);
  return n >= least;
}

bool take(std::string_view& from, char c) {
  if (!from.starts_with(c)) return false;
  from.remove_prefix(1);
  return true;
}

bool take_zone(std::string_view& from) {
  if (take(from, 'Z')) return true;
  return (take(from, '+') || take(from, '-')) && take_digits(from, 2, 2) && take(from, ':') && take_digits(from, 2, 2);
}

// A date, perhaps with a time; a space in front of the time goes without a zone, a T with one.
bool is_time(std::string_view text) {
  if (!take_digits(text, 4, 4) || !take(text, '-') || !take_number(text, 1, 2, 1, 12) || !take(text, '-') ||
      !take_number(text, 1, 2, 1, 31)) {
    return false;
  }
  if (text.empty()) return true;
  const bool zoned = !text.starts_with(' ');
  if (!take(text, ' ') && !take(text, 'T') && !take(text, 't')) return false;
  if (!take_number(text, 1, 2, 0, 23) || !take(text, ':') || !take_number(text, 1, 2, 0, 59) || !take(text, ':') ||
      !take_number(text, 1, 2, 0, 59)) {
    return false;
  }
  if (text.starts_with('.') || text.starts_with(',')) {
    text.remove_prefix(1);
    if (!take_digits(text, 1, text.size())) return false;
  }
  return (!zoned || take_zone(text)) && text.empty();
}

// [sign] digits [. digits] [e [sign] digits], or without digits in front of the point.
bool is_decimal(std::string_view text) {
  if (!take(text, '+')) take(text, '-');
  const bool whole = take_digits(text, 1, text.size());
  const bool point = take(text, '.');
  const bool fraction = point && take_digits(text, 1, text.size());
  if (!whole && !fraction) return false;
  if (take(text, 'e') || take(text, 'E')) {
    if (!take(text, '+')) take(text, '-');
    if (!take_digits(text, 1, text.size())) return false;
  }
  return text.empty();
}

// 1:30:00, which YAML 1.1 reads in base 60.
bool is_base_60(std::string_view text) {
  if (!take(text, '+')) take(text, '-');
  if (text.empty() || !is_digit(text.front())) return false;
  text.remove_prefix(std::min(text.find_first_not_of("0123456789_"), text.size()));
  if (!text.starts_with(':')) return false;
  while (take(text, ':')) {
    const bool two = text.size() >= 2 && text[0] <= '5' && is_digit(text[0]) && is_digit(text[1]);
    if (!two && (text.empty() || !is_digit(text[0]))) return false;
    text.remove_prefix(two ? 2 : 1);
  }
  if (take(text, '.')) text.remove_prefix(std::min(text.find_first_not_of("0123456789_"), text.size()));
  return text.empty();
}

// Go's number with a prefix: 0x1f, 0o17, 0b11, 017. nullopt: none, or more than 64 bits hold.
std::optional<WholeNumber> whole_number(std::string_view text) {
  WholeNumber number;
  number.negative = text.starts_with('-');
  if (!take(text, '+')) take(text, '-');
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(std::tolower(static_cast<unsigned char>(text[1])));
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.magnitude, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (number.negative && number.magnitude > (1ULL << 63U)) return std::nullopt;
  return number;
}

std::optional<double> go_float(std::string_view text) {
  take(text, '+');
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

PlainScalar read_plain(std::string_view text) {
  if (is_one_of(text, kNull)) return {.kind = PlainScalar::Kind::null};
  if (is_one_of(text, kTrue)) return {.kind = PlainScalar::Kind::boolean, .boolean = true};
  if (is_one_of(text, kFalse)) return {.kind = PlainScalar::Kind::boolean, .boolean = false};
  if (is_one_of(text, kNoNumber)) return {.kind = PlainScalar::Kind::no_json};
  const char first = text.front();
  const bool signed_or_digit = first == '+' || first == '-' || is_digit(first);
  if (!signed_or_digit && first != '.') return {};
  if (is_time(text)) return {.kind = PlainScalar::Kind::time};
  std::string digits(text);
  std::erase(digits, '_');
  if (digits.empty()) return {};
  if (signed_or_digit) {
    if (const auto whole = whole_number(digits)) return {.kind = PlainScalar::Kind::whole, .whole = *whole};
  }
  if (is_decimal(digits)) {
    if (const auto value = go_float(digits)) return {.kind = PlainScalar::Kind::floating, .floating = *value};
  }
  return {};
}

bool is_yaml_string(std::string_view text) {
  return read_plain(text).kind == PlainScalar::Kind::string && !is_base_60(text);
}

}  // namespace tidemark::kube
