#include "age/bech32.h"

#include <algorithm>
#include <array>
#include <optional>

namespace tidemark::age {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksum = 6;

using Fives = std::vector<std::uint8_t>;  // groups of five bits

std::uint32_t polymod(const Fives& values) {
  constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  std::uint32_t check = 1;
  for (const std::uint8_t value : values) {
    const std::uint32_t top = check >> 25U;
    check = (check & 0x1ffffffU) << 5U ^ value;
    for (std::size_t i = 0; i < kGenerator.size(); ++i) {
      if ((top >> i & 1U) != 0) check ^= kGenerator[i];
    }
  }
  return check;
}

Fives expand(std::string_view prefix) {
  Fives values;
  for (const char c : prefix) values.push_back(static_cast<std::uint8_t>(c) >> 5U);
  values.push_back(0);
  for (const char c : prefix) values.push_back(static_cast<std::uint8_t>(c) & 31U);
  return values;
}

Fives to_fives(Bytes data) {
  Fives fives;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::byte b : data) {
    bits = bits << 8U | static_cast<std::uint32_t>(b);
    for (count += 8; count >= 5; count -= 5) fives.push_back(bits >> (count - 5) & 31U);
  }
  if (count > 0) fives.push_back(bits << (5 - count) & 31U);
  return fives;
}

std::optional<Buffer> from_fives(std::span<const std::uint8_t> fives) {
  Buffer data;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t five : fives) {
    bits = bits << 5U | five;
    count += 5;
    if (count >= 8) {
      data.push_back(static_cast<std::byte>(bits >> (count - 8) & 255U));
      count -= 8;
    }
  }
  // What is left is padding: less than a group, and zero.
  if (count >= 5 || (bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return data;
}

}  // namespace

std::string print_bech32(std::string_view prefix, Bytes data) {
  Fives values = to_fives(data);
  std::string text(prefix);
  text += '1';
  for (const std::uint8_t v : values) text += kAlphabet[v];
  Fives all = expand(prefix);
  all.insert(all.end(), values.begin(), values.end());
  all.insert(all.end(), kChecksum, 0);
  const std::uint32_t check = polymod(all) ^ 1U;
  for (std::size_t i = 0; i < kChecksum; ++i) text += kAlphabet[check >> 5 * (kChecksum - 1 - i) & 31U];
  return text;
}

Result<Buffer> parse_bech32(std::string_view prefix, std::string_view text) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (std::ranges::any_of(text, is_lower) && std::ranges::any_of(text, is_upper)) {
    return fail(Errc::invalid, "upper and lower case are mixed");
  }
  std::string lower(text);
  for (char& c : lower) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  const std::size_t one = lower.rfind('1');
  if (one == std::string::npos || lower.substr(0, one) != prefix) {
    return fail(Errc::invalid, "it does not begin with '{}1'", prefix);
  }
  Fives values = expand(prefix);
  const std::size_t begin = values.size();
  for (const char c : std::string_view(lower).substr(one + 1)) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return fail(Errc::invalid, "it has a character that no key has");
    values.push_back(static_cast<std::uint8_t>(value));
  }
  if (values.size() < begin + kChecksum || polymod(values) != 1) return fail(Errc::invalid, "its checksum is wrong");
  const auto data = from_fives(std::span(values).subspan(begin, values.size() - begin - kChecksum));
  if (!data) return fail(Errc::invalid, "bits are left over");
  return *data;
}

}  // namespace tidemark::age
