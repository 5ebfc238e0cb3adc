#include "kube/cbor.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::kube {
namespace {

using namespace std::string_view_literals;

// Each pair was read by the real serializer too (testbed/goldens, handmade cases).
TEST(Cbor, WhatTheServerReads) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"\x05", "5"},
      {"\x38\x63", "-100"},
      {"\x1b\x7f\xff\xff\xff\xff\xff\xff\xff", "9223372036854775807"},
      {"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", "-9223372036854775808"},
      {"\x9b\x00\x00\x00\x00\x00\x00\x00\x01\x1b\x00\x00\x00\x00\x00\x00\x00\x05"sv, "[5]"},
      {"\x45hello", R"("hello")"},
      {"\x65hello", R"("hello")"},
      {"\x5f\x42he\x43llo\xff", R"("hello")"},
      {"\x7f\x62he\x63llo\xff", R"("hello")"},
      {"\xd5\x43\xfb\xff\xfe", R"("-__-")"},
      {"\xd6\x43\x01\x02\xff", R"("AQL/")"},
      {"\xd6\x40", R"("")"},
      {"\xd7\x43\x01\x02\xff", R"("0102ff")"},
      {"\xd6\x82\x41"
       "a\x41"
       "b",
       R"(["YQ==","Yg=="])"},
      {"\xbf\x41"
       "a\x01\x61"
       "b\x02\xff",
       R"({"a":1,"b":2})"},
      {"\x9f\x01\xf6\xf5\xf4\xff", "[1,null,true,false]"},
      {"\xf9\x3c\x00"sv, "1.0"},
      {"\xf9\x80\x00"sv, "-0.0"},
      {"\xf9\x00\x01"sv, "5.960464477539063e-08"},
      {"\xfa\x47\xc3\x50\x00"sv, "100000.0"},
      {"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", "1.1"},
      {"\xd9\xd9\xf7\xd9\xd9\xf7\x01", "1"},
      {"\xd8\x64\x01", "1"},
      {"\xc1\x1a\x69\x20\x3c\x00"sv, R"("2025-11-21T10:16:32Z")"},
      {"\xc1\xfb\x41\xda\x48\x0f\x00\x20\x00\x00"sv, R"("2025-11-21T10:16:32.5Z")"},
      {"\xc0\x74"
       "2026-11-21T10:00:00Z",
       R"("2026-11-21T10:00:00Z")"},
  };
  for (const auto& [bytes, expected] : rows) {
    const auto value = parse_cbor(as_bytes(bytes));
    ASSERT_TRUE(value) << expected << ": " << value.error().what;
    EXPECT_EQ(value->dump(), expected);
  }
}

TEST(Cbor, WhatTheServerRefuses) {
  const std::string_view rows[] = {
      "",
      "\x1b\x80\x00\x00\x00\x00\x00\x00\x00"sv,
      "\x3b\x80\x00\x00\x00\x00\x00\x00\x00"sv,
      "\x1c",
      "\x1f",
      "\x3f",
      "\xdf",
      "\xff",
      "\xc2\x41\x05",
      "\xc3\x41\x05",
      "\x45he",
      "\x62\xff\xfe",
      "\x5f\x61h\xff",
      "\x5f\x5f\xff\xff",
      "\x82\x01",
      "\x9f\x01",
      "\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
      "\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
      "\xa1\x01\x02",
      "\xa2\x41"
      "a\x01\x41"
      "a\x02",
      "\xa2\x41"
      "a\x01\x61"
      "a\x02",
      "\xf7",
      "\xf0",
      "\xf9\x7e\x00"sv,
      "\xf9\x7c\x00"sv,
      "\xc0\x43"
      "abc",
      "\xc1\xfb\x7f\xef\xff\xff\xff\xff\xff\xff",
      "\x01\x01",
  };
  for (const std::string_view bytes : rows) {
    const auto value = parse_cbor(as_bytes(bytes));
    ASSERT_FALSE(value) << to_hex(as_bytes(bytes));
    EXPECT_EQ(value.error().code, Errc::corrupt);
    EXPECT_TRUE(value.error().what.starts_with("CBOR: byte ")) << value.error().what;
  }
  EXPECT_FALSE(parse_cbor(as_bytes(std::string(1'000'000, '\x81'))));
  EXPECT_FALSE(parse_cbor(as_bytes(std::string(1'000'000, '\xc6'))));
}

}  // namespace
}  // namespace tidemark::kube
