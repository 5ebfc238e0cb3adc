#include <yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "kube/utf8.h"
#include "kube/yaml_text.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

char32_t take_letter(std::string_view& from) {
  const std::size_t length = std::max<std::size_t>(utf8_length(from), 1);
  auto letter = static_cast<unsigned char>(from.front());
  char32_t code = length == 1 ? letter : letter & (0x7fU >> length);
  for (std::size_t i = 1; i < length; i++) code = code << 6U | (static_cast<unsigned char>(from[i]) & 0x3fU);
  from.remove_prefix(length);
  return code;
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80; }

// The digits that `text` begins with, behind `first`: how many, and their value beginning with `value`.
struct Number {
  std::size_t digits = 0;
  std::uint64_t value = 0;
};
Number number_at(std::string_view text, std::uint64_t value) {
  Number number{.value = value};
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    number.value = number.value * 10 + static_cast<std::uint64_t>(c - '0');
    number.digits++;
  }
  return number;
}

// Numbers inside names count as numbers ("a2" before "a10"), letters stand behind everything else.
bool natural_less(std::string_view a, std::string_view b) {
  std::string_view left_a = a, left_b = b;
  bool behind_digit = false, behind_number = false;  // the common part ends in a digit; in one that is not all zeros
  while (!left_a.empty() && !left_b.empty()) {
    const std::string_view at_a = left_a, at_b = left_b;
    const char32_t x = take_letter(left_a), y = take_letter(left_b);
    if (x == y) {
      behind_digit = is_digit(x);
      behind_number = behind_digit && (behind_number || x != '0');
      continue;
    }
    if (is_letter(x) && is_letter(y)) return x < y;
    if (is_letter(x) || is_letter(y)) return behind_digit ? is_letter(x) : is_letter(y);
    const std::uint64_t begin = (x == '0' || y == '0') && behind_number ? 1 : 0;
    const Number m = number_at(at_a, begin), n = number_at(at_b, begin);
    if (m.value != n.value) return m.value < n.value;
    if (m.digits != n.digits) return m.digits < n.digits;
    return x < y;
  }
  return left_a.empty() && !left_b.empty();
}

// A number that 64 bits hold is printed as such; all others as Go's %g with the fewest digits that tell it: with an
// exponent below -4 and from 6 on.
std::string float_text(double value) {
  constexpr double kTwoTo64 = 18446744073709551616.0;
  if (value == std::trunc(value) && std::fabs(value) < kTwoTo64) {
    if (value >= 0) return std::to_string(static_cast<std::uint64_t>(value));
    if (value >= -kTwoTo64 / 2) return std::to_string(static_cast<std::int64_t>(value));
  }
  std::array<char, 40> buffer;
  const auto print = [&](std::chars_format form) {
    return std::string(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, form).ptr);
  };
  const std::string text = print(std::chars_format::scientific);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  return exponent < -4 || exponent >= 6 ? text : print(std::chars_format::fixed);
}

const yaml_char_t* raw(std::string_view text) { return reinterpret_cast<const yaml_char_t*>(text.data()); }

// Writes events to libyaml's emitter. It can fail only for want of memory, or by a text that is not UTF-8.
class Emitter {
 public:
  explicit Emitter(std::string& to) : to_(to) {
    yaml_emitter_initialize(&emitter_);
    yaml_emitter_set_output(&emitter_, append, this);
    yaml_emitter_set_unicode(&emitter_, 1);
  }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;
  ~Emitter() { yaml_emitter_delete(&emitter_); }

  void document(const json& value) {
    yaml_event_t event;
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    emit(event);
    yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
    emit(event);
    node(value);
    yaml_document_end_event_initialize(&event, 1);
    emit(event);
    yaml_stream_end_event_initialize(&event);
    emit(event);
  }

 private:
  static int append(void* self, unsigned char* bytes, std::size_t size) {
    static_cast<Emitter*>(self)->to_.append(reinterpret_cast<const char*>(bytes), size);
    return 1;
  }

  void emit(yaml_event_t& event) { yaml_emitter_emit(&emitter_, &event); }

  void scalar(std::string_view text, yaml_scalar_style_t style) {
    yaml_event_t event;
    yaml_scalar_event_initialize(&event, nullptr, nullptr, raw(text), static_cast<int>(text.size()), 1, 1, style);
    emit(event);
  }

  void string(std::string_view text) {
    // Line ends of Unicode and the mark of byte order: nobody sees them unless they are escaped.
    for (const std::string_view hidden : {"\u0085", "\u2028", "\u2029", "\ufeff"}) {
      if (text.find(hidden) != std::string_view::npos) return scalar(text, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    }
    if (text.find('\n') != std::string_view::npos) return scalar(text, YAML_LITERAL_SCALAR_STYLE);
    scalar(text, is_yaml_string(text) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
  }

  void map(const json& value) {
    std::vector<const std::string*> keys;
    for (const auto& [key, inner] : value.items()) keys.push_back(&key);
    std::ranges::stable_sort(keys, [](const std::string* a, const std::string* b) { return natural_less(*a, *b); });
    yaml_event_t event;
    yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_MAPPING_STYLE);
    emit(event);
    for (const std::string* key : keys) {
      string(*key);
      node(value.at(*key));
    }
    yaml_mapping_end_event_initialize(&event);
    emit(event);
  }

  void list(const json& value) {
    yaml_event_t event;
    yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_SEQUENCE_STYLE);
    emit(event);
    for (const json& inner : value) node(inner);
    yaml_sequence_end_event_initialize(&event);
    emit(event);
  }

  void node(const json& value) {
    switch (value.type()) {
      case json::value_t::object: return map(value);
      case json::value_t::array: return list(value);
      case json::value_t::string: return string(value.get_ref<const std::string&>());
      case json::value_t::boolean: return scalar(value.get<bool>() ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
      case json::value_t::number_integer:
        return scalar(std::to_string(value.get<std::int64_t>()), YAML_PLAIN_SCALAR_STYLE);
      case json::value_t::number_unsigned:
        return scalar(std::to_string(value.get<std::uint64_t>()), YAML_PLAIN_SCALAR_STYLE);
      case json::value_t::number_float: return scalar(float_text(value.get<double>()), YAML_PLAIN_SCALAR_STYLE);
      case json::value_t::null:
      case json::value_t::binary:
      case json::value_t::discarded: return scalar("null", YAML_PLAIN_SCALAR_STYLE);
    }
  }

  std::string& to_;
  yaml_emitter_t emitter_{};
};

}  // namespace

void print_yaml(const json& value, std::string& to) { Emitter(to).document(value); }

}  // namespace tidemark::kube
