#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace tidemark {
namespace {

TEST(Bytes, IntegersByHand) {
  const std::array<std::byte, 8> raw = {std::byte{0x01}, std::byte{0x02}, std::byte{0x03}, std::byte{0x04},
                                        std::byte{0x05}, std::byte{0x06}, std::byte{0x07}, std::byte{0xf8}};
  EXPECT_EQ(load_be<std::uint64_t>(raw), 0x01020304050607f8ULL);
  EXPECT_EQ(load_le<std::uint64_t>(raw), 0xf807060504030201ULL);
  EXPECT_EQ(load_be<std::uint32_t>(raw), 0x01020304U);
  EXPECT_EQ(load_le<std::uint16_t>(raw), 0x0201U);
  EXPECT_EQ(load_be<std::uint8_t>(raw), 1U);
  EXPECT_LT(load_le<std::int64_t>(raw), 0);  // the sign bit is in the last byte
}

TEST(Bytes, LoadNeedsNoAlignment) {
  std::array<std::byte, 9> raw{};
  raw[8] = std::byte{1};
  EXPECT_EQ(load_be<std::uint64_t>(Bytes(raw).subspan(1)), 1U);
}

TEST(Bytes, StoreIsLoadBackwards) {
  for (const std::uint64_t value : {0ULL, 1ULL, 0x8000000000000000ULL, 0x0123456789abcdefULL, ~0ULL}) {
    std::array<std::byte, 8> raw{};
    store_be(raw.data(), value);
    EXPECT_EQ(load_be<std::uint64_t>(raw), value);
    EXPECT_EQ(load_le<std::uint64_t>(raw), std::byteswap(value));
    store_le(raw.data(), value);
    EXPECT_EQ(load_le<std::uint64_t>(raw), value);
  }
}

TEST(Bytes, Hex) {
  EXPECT_EQ(to_hex({}), "");
  EXPECT_EQ(to_hex(as_bytes(std::string_view("\x00\x0f\xf0\xff", 4))), "000ff0ff");
}

TEST(Bytes, CompareIsUnsignedAndShorterFirst) {
  const std::string_view ascending[] = {
      "", std::string_view("\0", 1), std::string_view("\0\0", 2), "a", "aa", "b", "\x7f", "\x80", "\xff"};
  for (std::size_t i = 0; i < std::size(ascending); i++) {
    for (std::size_t j = 0; j < std::size(ascending); j++) {
      const int c = compare(as_bytes(ascending[i]), as_bytes(ascending[j]));
      EXPECT_EQ(c < 0, i < j) << i << " " << j;
      EXPECT_EQ(c == 0, i == j) << i << " " << j;
    }
  }
}

TEST(Bytes, HumanSize) {
  struct Row {
    std::uint64_t bytes;
    std::string_view text;
  };
  const Row rows[] = {
      {0, "0 B"},
      {1023, "1023 B"},
      {1024, "1.00 KiB"},
      {1536, "1.50 KiB"},
      {100ULL << 20U, "100.00 MiB"},
      {UINT64_MAX, "16.00 EiB"},
  };
  for (const Row& row : rows) EXPECT_EQ(human_size(row.bytes), row.text);
}

}  // namespace
}  // namespace tidemark
