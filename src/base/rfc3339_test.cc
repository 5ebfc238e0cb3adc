#include "base/rfc3339.h"

#include <gtest/gtest.h>

#include <optional>

namespace tidemark {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST(Rfc3339, Parse) {
  struct Row {
    std::string_view text;
    std::optional<std::int64_t> ns;  // since 1970; nullopt: refused
  };
  constexpr std::int64_t kSecond = 1'000'000'000;
  const Row rows[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01T00:00:00.000000001Z", 1},
      {"2024-05-01T12:00:00Z", 1714564800 * kSecond},
      {"2024-05-01t12:00:00z", 1714564800 * kSecond},
      {"2024-05-01 12:00:00Z", 1714564800 * kSecond},
      {"2024-05-01T14:00:00+02:00", 1714564800 * kSecond},
      {"2024-05-01T06:30:00-05:30", 1714564800 * kSecond},
      {"2024-05-01T12:00:00.5Z", 1714564800 * kSecond + kSecond / 2},
      {"2024-05-01T12:00:00.123456789Z", 1714564800 * kSecond + 123456789},
      {"2024-05-01T12:00:00.1234567899Z", 1714564800 * kSecond + 123456789},  // finer than nanoseconds: cut
      {"2024-02-29T00:00:00Z", 1709164800 * kSecond},
      {"2016-12-31T23:59:60Z", 1483228800 * kSecond},  // a leap second is the next second
      {"1969-12-31T23:59:59Z", -kSecond},
      {"", std::nullopt},
      {"2024-05-01", std::nullopt},
      {"2024-05-01T12:00:00", std::nullopt},  // no zone: whose noon?
      {"2024-05-01T12:00Z", std::nullopt},
      {"2024-5-1T12:00:00Z", std::nullopt},
      {"24-05-01T12:00:00Z", std::nullopt},
      {"2023-02-29T00:00:00Z", std::nullopt},
      {"2024-13-01T00:00:00Z", std::nullopt},
      {"2024-00-01T00:00:00Z", std::nullopt},
      {"2024-04-31T00:00:00Z", std::nullopt},
      {"2024-05-01T24:00:00Z", std::nullopt},
      {"2024-05-01T12:60:00Z", std::nullopt},
      {"2024-05-01T12:00:61Z", std::nullopt},
      {"2024-05-01T12:00:00.Z", std::nullopt},
      {"2024-05-01T12:00:00,5Z", std::nullopt},
      {"2024-05-01T12:00:00+0200", std::nullopt},
      {"2024-05-01T12:00:00+24:00", std::nullopt},
      {"2024-05-01T12:00:00+02:60", std::nullopt},
      {"2024-05-01T12:00:00Zjunk", std::nullopt},
      {" 2024-05-01T12:00:00Z", std::nullopt},
      {"2024-05-01T12:00:00 Z", std::nullopt},
      {"1677-12-31T00:00:00Z", std::nullopt},  // outside 64-bit nanoseconds
      {"2262-01-01T00:00:00Z", std::nullopt},
      {"+2024-05-01T12:00:00Z", std::nullopt},
      {"2024-05-01T-1:00:00Z", std::nullopt},
  };
  for (const Row& row : rows) {
    const auto got = parse_rfc3339(row.text);
    ASSERT_EQ(got.has_value(), row.ns.has_value()) << row.text;
    if (got) {
      EXPECT_EQ(got->time_since_epoch().count(), *row.ns) << row.text;
    } else {
      EXPECT_EQ(got.error().code, Errc::invalid) << row.text;
    }
  }
}

TEST(Rfc3339, EveryCutIsRefused) {
  const std::string_view whole = "2024-05-01T14:00:00.25+02:00";
  ASSERT_TRUE(parse_rfc3339(whole));
  for (std::size_t n = 0; n < whole.size(); n++) EXPECT_FALSE(parse_rfc3339(whole.substr(0, n))) << n;
}

TEST(Rfc3339, ErrorNamesTheCharacter) {
  EXPECT_EQ(parse_rfc3339("2024-05-01X12:00:00Z").error().what,
            "'2024-05-01X12:00:00Z' is not an RFC 3339 time: stopped at character 11");
}

TEST(Rfc3339, PrintCutsWhatIsNotNeeded) {
  struct Row {
    std::int64_t ns;
    std::string_view nano, seconds;
  };
  const Row rows[] = {
      {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
      {1, "1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00Z"},
      {1714564800'500000000, "2024-05-01T12:00:00.5Z", "2024-05-01T12:00:00Z"},
      {1714564800'120000000, "2024-05-01T12:00:00.12Z", "2024-05-01T12:00:00Z"},
      {-1, "1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59Z"},
  };
  for (const Row& row : rows) {
    const Time t{nanoseconds(row.ns)};
    EXPECT_EQ(print_rfc3339_nano(t), row.nano);
    EXPECT_EQ(print_rfc3339(t), row.seconds);
    EXPECT_EQ(parse_rfc3339(row.nano).value(), t);  // print and parse agree
  }
}

TEST(Duration, Parse) {
  struct Row {
    std::string_view text;
    std::optional<nanoseconds> value;
  };
  const Row rows[] = {
      {"0s", 0ns},
      {"90s", 90s},
      {"5m", 5min},
      {"1h30m", 90min},
      {"250ms", 250ms},
      {"1us", 1us},
      {"7ns", 7ns},
      {"1.5h", 90min},
      {"0.25s", 250ms},
      {"7d", 168h},
      {"2w", 336h},
      {"-15m", -15min},
      {"-1h30m", -90min},
      {"", std::nullopt},
      {"-", std::nullopt},
      {"5", std::nullopt},  // no unit
      {"m", std::nullopt},
      {"5 m", std::nullopt},
      {"5x", std::nullopt},
      {"5M", std::nullopt},
      {"5mm", std::nullopt},
      {"--5m", std::nullopt},
      {"5m-3s", std::nullopt},
      {"+5m", std::nullopt},
      {"1.h", std::nullopt},
      {".5h", std::nullopt},
      {"1h30", std::nullopt},
      {"99999999999h", std::nullopt},
      {"999999999w", std::nullopt},  // does not fit in 64-bit nanoseconds
      {"15000w15000w", std::nullopt},
      {"1e3s", std::nullopt},
      {"\xef\xbc\x95m", std::nullopt},  // a full-width 5
  };
  for (const Row& row : rows) {
    const auto got = parse_duration(row.text);
    ASSERT_EQ(got.has_value(), row.value.has_value()) << row.text;
    if (got) {
      EXPECT_EQ(*got, *row.value) << row.text;
    } else {
      EXPECT_EQ(got.error().code, Errc::invalid) << row.text;
    }
  }
}

TEST(Duration, PrintForPeople) {
  struct Row {
    nanoseconds value;
    std::string_view text;
  };
  const Row rows[] = {
      {0ns, "0us"},          {900us, "900us"},           {350ms, "350ms"}, {1500ms, "1.5s"}, {59s, "59s"},
      {4min + 12s, "4m12s"}, {1h + 30min + 5s, "1h30m"}, {49h, "2d1h"},    {-90s, "-1m30s"},
  };
  for (const Row& row : rows) EXPECT_EQ(print_duration(row.value), row.text);
}

}  // namespace
}  // namespace tidemark
