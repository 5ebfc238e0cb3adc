#include "base/base64.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/testing/scale.h"

namespace tidemark {

namespace {

std::string encode(Bytes from) {
  std::string to(base64_size(from.size()), '?');
  base64_encode(from, to.data());
  return to;
}

std::optional<std::string> decode(std::string_view text) {
  // Exactly the promised room, on the heap: a byte too far is seen by the sanitizers.
  std::vector<std::byte> to(base64_most_bytes(text.size()));
  const auto n = base64_decode(text, to.data());
  if (!n) return std::nullopt;
  return std::string(as_text(Bytes(to).first(*n)));
}

}  // namespace

// RFC 4648 section 10.
TEST(Base64, PublishedVectors) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : rows) {
    EXPECT_EQ(encode(as_bytes(bytes)), text);
    EXPECT_EQ(decode(text), bytes);
  }
}

TEST(Base64, Refuses) {
  const std::string long_good(128, 'A');
  std::vector<std::string> rows = {
      "A",    "AA",   "AAA",  "A===", "====",  "=AAA",    "AA=A",   "AAAAA", "AA==AAAA", "AB==",
      "AAB=", "AA-A", "AA_A", "AA A", "AA\nA", "AAA\x80", "AA==\n", "AAAA=", "AAAA==",   std::string("AA\0A", 4)};
  // Every byte that is not in the alphabet, at every place of a text long enough for the fast path.
  for (int c = 0; c < 256; c++) {
    if (std::isalnum(c) != 0 || c == '+' || c == '/') continue;
    for (std::size_t at = 0; at < long_good.size(); at++) {
      if (c == '=' && at + 1 == long_good.size()) continue;
      std::string bad = long_good;
      bad[at] = static_cast<char>(c);
      rows.push_back(std::move(bad));
    }
  }
  for (const std::string& row : rows) {
    EXPECT_EQ(decode(row), std::nullopt) << row;
    std::vector<std::byte> to(base64_most_bytes(row.size()));
    EXPECT_EQ(base64_decode_scalar(row, to.data()), std::nullopt) << row;
  }
}

TEST(Base64, VectorsAndScalarsAgree) {
  std::mt19937_64 random(tidemark::testing::seed());
  const int longest = tidemark::testing::scaled(600);
  for (int n = 0; n < longest; n++) {
    std::string bytes(static_cast<std::size_t>(n), '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::vector<std::byte> exact(as_bytes(bytes).begin(), as_bytes(bytes).end());
    std::string scalar(base64_size(bytes.size()), '?');
    base64_encode_scalar(exact, scalar.data());
    ASSERT_EQ(encode(exact), scalar);
    ASSERT_EQ(decode(scalar), bytes);
    std::vector<std::byte> back(base64_most_bytes(scalar.size()));
    ASSERT_EQ(base64_decode_scalar(scalar, back.data()), bytes.size());
    ASSERT_EQ(as_text(Bytes(back).first(bytes.size())), bytes);
    // A random text is judged alike.
    std::string text = scalar;
    if (!text.empty()) text[random() % text.size()] = static_cast<char>(random());
    ASSERT_EQ(decode(text).has_value(), base64_decode_scalar(text, back.data()).has_value()) << text;
  }
}

}  // namespace tidemark
