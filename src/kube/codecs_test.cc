#include "kube/codecs.h"

#include <gtest/gtest.h>

#include "base/proto.h"

namespace tidemark::kube {
namespace {

using namespace std::chrono_literals;

Buffer numbers(std::initializer_list<std::pair<std::uint32_t, std::int64_t>> fields) {
  Buffer message;
  for (const auto& [number, value] : fields) proto::append_field(message, number, static_cast<std::uint64_t>(value));
  return message;
}

std::string printed(Status (*print)(Bytes, JsonWriter&), Bytes message) {
  std::string text;
  JsonWriter json(text);
  const Status done = print(message, json);
  return done ? text : std::string(done.error().what);
}

// Expected: what Go's time.Duration.String prints.
TEST(Codecs, DurationsAsGoSaysThem) {
  const std::pair<std::chrono::nanoseconds, std::string_view> rows[] = {
      {0ns, "0s"},
      {1ns, "1ns"},
      {-999ns, "-999ns"},
      {1us, "1µs"},
      {1100ns, "1.1µs"},
      {1500us, "1.5ms"},
      {1s, "1s"},
      {1s + 1ns, "1.000000001s"},
      {90s, "1m30s"},
      {1min, "1m0s"},
      {1h, "1h0m0s"},
      {1h + 2min + 3500ms, "1h2m3.5s"},
      {100h, "100h0m0s"},
      {-90min, "-1h30m0s"},
      {std::chrono::nanoseconds::max(), "2562047h47m16.854775807s"},
      {std::chrono::nanoseconds::min(), "-2562047h47m16.854775808s"},
  };
  for (const auto& [d, expected] : rows) {
    EXPECT_EQ(go_duration(d), expected);
    EXPECT_EQ(printed(print_go_duration, numbers({{1, d.count()}})), fmt::format("\"{}\"", expected));
  }
}

TEST(Codecs, Times) {
  struct Row {
    Buffer message;
    std::string_view time, micro;
  };
  const Row rows[] = {
      {{}, "null", "null"},
      {numbers({{1, 0}}), "\"1970-01-01T00:00:00Z\"", "\"1970-01-01T00:00:00.000000Z\""},
      {numbers({{1, 1'795'250'000}, {2, 123'456'789}}), "\"2026-11-21T08:33:20Z\"", "\"2026-11-21T08:33:20.123456Z\""},
      {numbers({{1, -62'135'596'800}, {2, 0}}), "null", "null"},
      {numbers({{1, -62'135'596'799}}), "\"0001-01-01T00:00:01Z\"", "\"0001-01-01T00:00:01.000000Z\""},
      {numbers({{1, 253'402'300'799}}), "\"9999-12-31T23:59:59Z\"", "\"9999-12-31T23:59:59.000000Z\""},
      {numbers({{1, 253'402'300'800}}), "damaged time", "damaged time"},
      {{std::byte{0x08}}, "damaged time", "damaged time"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(printed(print_time, row.message), row.time);
    EXPECT_EQ(printed(print_micro_time, row.message), row.micro);
  }
}

TEST(Codecs, QuantitiesAndNumbersOrStrings) {
  Buffer quantity, text = numbers({{1, 1}, {2, 0}});
  proto::append_field(quantity, 1, as_bytes("100m"));
  proto::append_field(text, 3, as_bytes("50%"));
  EXPECT_EQ(printed(print_quantity, quantity), R"("100m")");
  EXPECT_EQ(printed(print_quantity, {}), R"("0")");
  EXPECT_EQ(printed(print_int_or_string, text), R"("50%")");
  EXPECT_EQ(printed(print_int_or_string, numbers({{1, 0}, {2, -7}})), "-7");
  EXPECT_EQ(printed(print_int_or_string, {}), "0");
  EXPECT_EQ(printed(print_int_or_string, numbers({{1, 2}})), "damaged number or string");
}

// A turned bit makes one message of another; a server refuses it then, and so do we.
TEST(Codecs, FieldsOfAnotherTypeAreDamage) {
  Buffer text;
  proto::append_field(text, 1, as_bytes("app"));
  const Buffer number = numbers({{1, 7}});
  const std::tuple<Status (*)(Bytes, JsonWriter&), Buffer, std::string_view> rows[] = {
      {print_time, text, "damaged time"},
      {print_micro_time, text, "damaged time"},
      {print_go_duration, text, "damaged duration"},
      {print_int_or_string, text, "damaged number or string"},
      {print_int_or_string, numbers({{3, 7}}), "damaged number or string"},
      {print_quantity, number, "damaged quantity"},
      {print_raw, number, "damaged embedded JSON"},
  };
  for (const auto& [print, message, expected] : rows) EXPECT_EQ(printed(print, message), expected);
}

TEST(Codecs, EmbeddedJsonIsSortedAndCborIsShownAsJson) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", "null"},
      {R"({"b":1.0,"a":[1e2,"<"],"b":2})", R"({"a":[100,"\u003c"],"b":2})"},
      {"9223372036854775808", "9223372036854776000"},  // as a float64
      {"[-1,18446744073709551616]", "[-1,18446744073709552000]"},
      {"\xd9\xd9\xf7\xa1\x61\x61\x01", R"({"a":1})"},
      {"\xa1\x61\x61\x01", R"({"a":1})"},  // as FieldsV1 has it
  };
  for (const auto& [raw, expected] : rows) {
    Buffer message;
    proto::append_field(message, 1, as_bytes(raw));
    EXPECT_EQ(printed(print_raw, message), expected) << raw;
  }
  const std::string deep_json(300, '['), deep_cbor = "\xd9\xd9\xf7" + std::string(1'000'000, '\x81');
  for (const std::string& raw :
       {deep_json + std::string(300, ']'), deep_cbor, std::string("{"), std::string("{\"a\":}"),
        std::string("\xd9\xd9\xf7\x9a\xff\xff\xff\xff"), std::string("\xd9\xd9\xf7")}) {
    Buffer message;
    proto::append_field(message, 1, as_bytes(raw));
    std::string text;
    JsonWriter json(text);
    const Status done = print_raw(message, json);
    ASSERT_FALSE(done) << raw.substr(0, 20);
    EXPECT_EQ(done.error().code, Errc::corrupt) << done.error().what;
  }
}

}  // namespace
}  // namespace tidemark::kube
