#include "kube/codecs.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/proto.h"
#include "base/rfc3339.h"
#include "kube/json_reprint.h"
#include "kube/json_text.h"

namespace tidemark::kube {

namespace {

using proto::Fields;
using proto::Wire;

// Year 1 and year 9999: what Go prints as RFC 3339.
constexpr std::int64_t kZeroSeconds = -62'135'596'800, kMostSeconds = 253'402'300'799;

std::unexpected<Error> damaged(std::string_view what) { return fail(Errc::corrupt, "damaged {}", what); }

struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
};
Result<Timestamp> read_timestamp(Bytes message) {
  Timestamp t;
  Fields fields(message);
  while (fields.next()) {
    if (fields.expect(1, Wire::varint)) t.seconds = fields.signed_value();
    if (fields.expect(2, Wire::varint)) t.nanos = static_cast<std::int32_t>(fields.value());
  }
  if (fields.bad() || t.seconds < kZeroSeconds || t.seconds > kMostSeconds) return damaged("time");
  return t;
}

// RFC 3339 text. `Time` has no year 1, and this is met several times in each object: put down digit by digit.
struct TimeText {
  std::array<char, 32> room;
  std::size_t size = 0;

  void put(unsigned number, int digits, char behind) {
    for (int i = digits; i > 0; number /= 10)
      room[size + static_cast<std::size_t>(--i)] = static_cast<char>('0' + number % 10);
    size += static_cast<std::size_t>(digits);
    room[size++] = behind;
  }
  std::string_view text() const { return {room.data(), size}; }
};

// With `behind` in place of the zone.
TimeText date_and_time(std::int64_t seconds, char behind) {
  using namespace std::chrono;
  const sys_seconds at{std::chrono::seconds(seconds)};
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const auto of_day = static_cast<unsigned>((at - day).count());
  TimeText text;
  text.put(static_cast<unsigned>(static_cast<int>(date.year())), 4, '-');
  text.put(static_cast<unsigned>(date.month()), 2, '-');
  text.put(static_cast<unsigned>(date.day()), 2, 'T');
  text.put(of_day / 3600, 2, ':');
  text.put(of_day / 60 % 60, 2, ':');
  text.put(of_day % 60, 2, behind);
  return text;
}

bool is_zero(const Timestamp& t) { return t.seconds == kZeroSeconds && t.nanos == 0; }

}  // namespace

bool is_zero_time(Bytes timestamp) {
  if (timestamp.empty()) return true;
  const auto t = read_timestamp(timestamp);
  return t && is_zero(*t);
}

Status print_time(Bytes timestamp, JsonWriter& to) {
  TM_LET(const Timestamp t, read_timestamp(timestamp));
  if (timestamp.empty() || is_zero(t)) {
    to.null();
  } else {
    to.string(date_and_time(t.seconds, 'Z').text());
  }
  return {};
}

Status print_micro_time(Bytes timestamp, JsonWriter& to) {
  TM_LET(const Timestamp t, read_timestamp(timestamp));
  if (timestamp.empty() || is_zero(t)) {
    to.null();
  } else if (const int micros = t.nanos / 1000; micros >= 0 && micros < 1'000'000) {
    TimeText text = date_and_time(t.seconds, '.');
    text.put(static_cast<unsigned>(micros), 6, 'Z');
    to.string(text.text());
  } else {
    to.string(fmt::format("{}{:06}Z", date_and_time(t.seconds, '.').text(), micros));
  }
  return {};
}

std::string go_duration(std::chrono::nanoseconds d) {
  constexpr std::uint64_t kMicro = 1'000, kMilli = 1'000'000, kSecond = 1'000'000'000;
  const auto count = d.count();
  // Of the least value the magnitude is one more than the greatest.
  const std::uint64_t ns = count < 0 ? ~static_cast<std::uint64_t>(count) + 1 : static_cast<std::uint64_t>(count);
  const char* sign = count < 0 ? "-" : "";
  const auto with_fraction = [](std::uint64_t value, std::uint64_t unit, int digits) {
    std::string text = std::to_string(value / unit);
    if (value % unit == 0) return text;
    text += fmt::format(".{:0{}}", value % unit, digits);
    while (text.ends_with('0')) text.pop_back();
    return text;
  };
  if (ns == 0) return "0s";
  if (ns < kMicro) return fmt::format("{}{}ns", sign, ns);
  if (ns < kMilli) return sign + with_fraction(ns, kMicro, 3) + "\u00b5s";
  if (ns < kSecond) return sign + with_fraction(ns, kMilli, 6) + "ms";
  const std::uint64_t minutes = ns / (60 * kSecond), hours = minutes / 60;
  std::string text = sign;
  if (hours > 0) text += fmt::format("{}h", hours);
  if (minutes > 0) text += fmt::format("{}m", minutes % 60);
  return text + with_fraction(ns % (60 * kSecond), kSecond, 9) + "s";
}

Status print_go_duration(Bytes duration, JsonWriter& to) {
  std::int64_t ns = 0;
  Fields fields(duration);
  while (fields.next()) {
    if (fields.expect(1, Wire::varint)) ns = fields.signed_value();
  }
  if (fields.bad()) return damaged("duration");
  to.string(go_duration(std::chrono::nanoseconds(ns)));
  return {};
}

Status print_quantity(Bytes quantity, JsonWriter& to) {
  std::string_view text;
  Fields fields(quantity);
  while (fields.next()) {
    if (fields.expect(1, Wire::bytes)) text = as_text(fields.bytes());
  }
  if (fields.bad()) return damaged("quantity");
  to.string(text.empty() ? "0" : text);
  return {};
}

Status print_int_or_string(Bytes value, JsonWriter& to) {
  std::uint64_t type = 0;
  std::int32_t number = 0;
  std::string_view text;
  Fields fields(value);
  while (fields.next()) {
    if (fields.expect(1, Wire::varint)) type = fields.value();
    if (fields.expect(2, Wire::varint)) number = static_cast<std::int32_t>(fields.value());
    if (fields.expect(3, Wire::bytes)) text = as_text(fields.bytes());
  }
  if (fields.bad() || type > 1) return damaged("number or string");
  if (type == 0) {
    to.number(std::int64_t{number});
  } else {
    to.string(text);
  }
  return {};
}

Status print_embedded(Bytes raw, JsonWriter& to) {
  if (JsonReprinter().print(raw, to)) return {};
  TM_LET(const nlohmann::json value, named("embedded", parse_json_or_cbor(raw)));
  print_json(value, to);
  return {};
}

Status print_raw(Bytes message, JsonWriter& to) {
  Bytes raw;
  Fields fields(message);
  while (fields.next()) {
    if (fields.expect(1, Wire::bytes)) raw = fields.bytes();
  }
  if (fields.bad()) return damaged("embedded JSON");
  if (raw.empty()) {
    to.null();
    return {};
  }
  return print_embedded(raw, to);
}

}  // namespace tidemark::kube
