#include "kube/go_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace tidemark::kube {
namespace {

using nlohmann::json;

// The fewest digits that say it; from 1e+06 on and below 1e-04 with an exponent.
std::string number_text(double value) {
  std::array<char, 512> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  const std::string with_exponent(text.data(), end);
  int exponent = 0;
  const char* digits = with_exponent.data() + with_exponent.find('e') + 1;
  if (*digits == '+') digits++;
  std::from_chars(digits, with_exponent.data() + with_exponent.size(), exponent);
  if (exponent < -4 || exponent >= 6) return with_exponent;
  const auto fixed = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return {text.data(), fixed.ptr};
}

void append(const json& value, std::string& to) {
  switch (value.type()) {
    case json::value_t::object: {
      to += "map[";
      bool first = true;
      for (const auto& [key, inner] : value.items()) {
        if (!std::exchange(first, false)) to += ' ';
        to += key + ":";
        append(inner, to);
      }
      to += ']';
      return;
    }
    case json::value_t::array: {
      to += '[';
      bool first = true;
      for (const json& inner : value) {
        if (!std::exchange(first, false)) to += ' ';
        append(inner, to);
      }
      to += ']';
      return;
    }
    case json::value_t::string: to += value.get_ref<const std::string&>(); return;
    case json::value_t::boolean: to += value.get<bool>() ? "true" : "false"; return;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float: {
      const auto whole = whole_number(value);
      to += whole ? std::to_string(*whole) : number_text(value.get<double>());
      return;
    }
    case json::value_t::null:
    case json::value_t::binary:
    case json::value_t::discarded: to += "<nil>"; return;
  }
}

}  // namespace

std::optional<std::int64_t> whole_number(const json& value) {
  if (value.is_number_float()) {
    constexpr double kTooLarge = 9223372036854775808.0;  // 2^63
    const auto number = value.get<double>();
    const bool whole = number == std::trunc(number) && number >= -kTooLarge && number < kTooLarge;
    return whole ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt;
  }
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

std::string go_text(const json& value) {
  std::string text;
  append(value, text);
  return text;
}

}  // namespace tidemark::kube
