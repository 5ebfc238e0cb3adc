#include "kube/json_writer.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/base64.h"
#include "kube/utf8.h"

namespace tidemark::kube {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Bytes that stand for themselves inside a string.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; c++) plain[c] = true;
  for (const char c : {'"', '\\', '<', '>', '&'}) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}();

void append_escape(std::string& to, unsigned char c) {
  switch (c) {
    case '"': to += "\\\""; return;
    case '\\': to += "\\\\"; return;
    case '\b': to += "\\b"; return;
    case '\f': to += "\\f"; return;
    case '\n': to += "\\n"; return;
    case '\r': to += "\\r"; return;
    case '\t': to += "\\t"; return;
    default:
      to += "\\u00";
      to += kHex[c >> 4U];
      to += kHex[c & 15U];
  }
}

}  // namespace

void JsonWriter::new_line() {
  to_ += '\n';
  to_.append(std::size_t{depth_} * 4, ' ');
}

void JsonWriter::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (depth_ == 0) return;
  if (!first_) to_ += ',';
  if (style_ == Style::indented) new_line();
  first_ = false;
}

void JsonWriter::begin(char bracket) {
  before_value();
  to_ += bracket;
  depth_++;
  first_ = true;
}

void JsonWriter::end(char bracket) {
  depth_--;
  if (!first_ && style_ == Style::indented) new_line();
  to_ += bracket;
  first_ = false;
}

void JsonWriter::key(std::string_view name) {
  before_value();
  quoted(name);
  to_ += style_ == Style::indented ? ": " : ":";
  after_key_ = true;
}

void JsonWriter::quoted(std::string_view text) {
  to_ += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && kPlain[static_cast<unsigned char>(text[plain])]) plain++;
    to_ += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text[0]);
    if (c < 0x80) {
      append_escape(to_, c);
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, length);
    if (length == 0) {
      to_ += "\ufffd";
    } else if (sequence == "\u2028" || sequence == "\u2029") {
      to_ += sequence == "\u2028" ? "\\u2028" : "\\u2029";
    } else {
      to_ += sequence;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  to_ += '"';
}

void JsonWriter::string(std::string_view text) {
  before_value();
  quoted(text);
}

void JsonWriter::number(std::int64_t value) {
  before_value();
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), value);
  to_.append(digits.begin(), end);
}

void JsonWriter::number(std::uint64_t value) {
  before_value();
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), value);
  to_.append(digits.begin(), end);
}

void JsonWriter::number(double value) {
  before_value();
  // The fewest digits that read back as this value: "-1.25e-07".
  std::array<char, 32> room{};
  const auto [end, error] = std::to_chars(room.begin(), room.end(), value, std::chars_format::scientific);
  std::string_view text(room.begin(), end);
  if (text.starts_with('-')) {
    to_ += '-';
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.end(), exponent);
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const int count = static_cast<int>(digits.size());
  if (value != 0 && (exponent < -6 || exponent >= 21)) {
    to_ += digits[0];
    if (count > 1) to_ += '.';
    to_.append(digits, 1);
    to_ += fmt::format("e{:+}", exponent);
  } else if (exponent < 0) {
    to_ += "0.";
    to_.append(static_cast<std::size_t>(-exponent - 1), '0');
    to_ += digits;
  } else if (count <= exponent + 1) {
    to_ += digits;
    to_.append(static_cast<std::size_t>(exponent + 1 - count), '0');
  } else {
    to_.append(digits, 0, static_cast<std::size_t>(exponent) + 1);
    to_ += '.';
    to_.append(digits, static_cast<std::size_t>(exponent) + 1);
  }
}

void JsonWriter::boolean(bool value) {
  before_value();
  to_ += value ? "true" : "false";
}

void JsonWriter::null() {
  before_value();
  to_ += "null";
}

void JsonWriter::base64(Bytes bytes) {
  before_value();
  const std::size_t from = to_.size();
  to_.resize(from + 2 + base64_size(bytes.size()), '"');
  base64_encode(bytes, to_.data() + from + 1);
}

}  // namespace tidemark::kube
