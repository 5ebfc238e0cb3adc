#include "kube/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidemark::kube {
namespace {

std::string printed(const auto& value) {
  std::string text;
  JsonWriter json(text);
  if constexpr (requires { json.number(value); }) {
    json.number(value);
  } else {
    json.string(value);
  }
  return text;
}

// Expected: what Go 1.26's json.Marshal prints.
TEST(JsonWriter, StringsAsGoEscapesThem) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", R"("")"},
      {"plain / text ~", R"("plain / text ~")"},
      {"\"quoted\" \\", R"("\"quoted\" \\")"},
      {"<a href=\"x\">&</a>", R"("\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e")"},
      {"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
      {{"\0", 1}, R"("\u0000")"},
      {"ä€😀", "\"ä€😀\""},
      {"\u2027\u2028\u2029\u202a", "\"\u2027\\u2028\\u2029\u202a\""},
      {"\xff", "\"\ufffd\""},
      {"a\xc3", "\"a\ufffd\""},
      {"\xc0\x80", "\"\ufffd\ufffd\""},                        // longer than needed
      {"\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\""},              // a surrogate
      {"\xf4\x90\x80\x80z", "\"\ufffd\ufffd\ufffd\ufffdz\""},  // above U+10FFFF
      {"\xe2\x80", "\"\ufffd\ufffd\""},                        // cut off
      {"\xf0\x9f\x98", "\"\ufffd\ufffd\ufffd\""},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(printed(text), expected);
}

// Text is looked at by words: a byte is escaped wherever in a word it stands, and whatever stands beside it.
TEST(JsonWriter, EveryByteAtEveryPlace) {
  for (unsigned c = 0; c < 256; c++) {
    const std::string one(1, static_cast<char>(c)), quoted = printed(std::string_view(one));
    const std::string_view inner = std::string_view(quoted).substr(1, quoted.size() - 2);
    for (const char beside : {'a', '\x7f', '\n'}) {
      const std::string other = beside == '\n' ? "\\n" : std::string(1, beside);
      for (std::size_t before = 0; before < 18; before++) {
        for (const std::size_t behind : {0U, 1U, 7U, 16U}) {
          std::string expected = "\"";
          for (std::size_t i = 0; i < before; i++) expected += other;
          expected += inner;
          for (std::size_t i = 0; i < behind; i++) expected += other;
          const std::string text = std::string(before, beside) + one + std::string(behind, beside);
          ASSERT_EQ(printed(std::string_view(text)), expected + '"') << c << " behind " << before;
        }
      }
    }
  }
  // All of it much longer than it was.
  std::string expected = "\"";
  for (int i = 0; i < 5000; i++) expected += "\\u0001";
  EXPECT_EQ(printed(std::string_view(std::string(5000, '\1'))), expected + '"');
}

TEST(JsonWriter, ReadyKeysAreKeys) {
  for (const auto style : {JsonWriter::Style::compact, JsonWriter::Style::indented}) {
    std::string texts[2];
    for (std::string& text : texts) {
      JsonWriter json(text, style);
      json.begin_object();
      for (const std::string_view name : {"name", "a\"b", ""}) {
        if (&text == texts) {
          json.key(name);
        } else {
          json.ready_key(JsonWriter::key_text(name));
        }
        json.null();
      }
      json.end_object();
    }
    EXPECT_EQ(texts[0], texts[1]);
  }
}

TEST(JsonWriter, NumbersAsGoPrintsThem) {
  EXPECT_EQ(printed(std::int64_t{0}), "0");
  EXPECT_EQ(printed(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(printed(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  const std::pair<double, std::string_view> rows[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {1.5, "1.5"},
      {0.1, "0.1"},
      {100, "100"},
      {1e20, "100000000000000000000"},
      {1e21, "1e+21"},
      {-1e21, "-1e+21"},
      {1e-6, "0.000001"},
      {1e-7, "1e-7"},
      {1.25e-9, "1.25e-9"},
      {1e-10, "1e-10"},
      {5e-324, "5e-324"},
      {1e300, "1e+300"},
      {123456789.125, "123456789.125"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
  };
  for (const auto& [number, expected] : rows) EXPECT_EQ(printed(number), expected);
}

TEST(JsonWriter, BytesAreBase64) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", R"("")"}, {"f", R"("Zg==")"}, {"fo", R"("Zm8=")"}, {"foo", R"("Zm9v")"}, {"\xff\xfe\xfd", R"("//79")"}};
  for (const auto& [bytes, expected] : rows) {
    std::string text;
    JsonWriter(text).base64(as_bytes(bytes));
    EXPECT_EQ(text, expected);
  }
}

void write_sample(JsonWriter& json) {
  json.begin_object();
  json.key("empty");
  json.begin_object();
  json.end_object();
  json.key("list");
  json.begin_array();
  json.number(std::int64_t{1});
  json.null();
  json.begin_array();
  json.end_array();
  json.begin_object();
  json.key("deep");
  json.boolean(true);
  json.end_object();
  json.end_array();
  json.key("z");
  json.boolean(false);
  json.end_object();
}

TEST(JsonWriter, Layout) {
  std::string compact, indented;
  JsonWriter small(compact), large(indented, JsonWriter::Style::indented);
  write_sample(small);
  write_sample(large);
  EXPECT_EQ(compact, R"({"empty":{},"list":[1,null,[],{"deep":true}],"z":false})");
  EXPECT_EQ(indented, R"({
    "empty": {},
    "list": [
        1,
        null,
        [],
        {
            "deep": true
        }
    ],
    "z": false
})");
}

}  // namespace
}  // namespace tidemark::kube
