// Expected: what print_json(parse_json(text)) prints, which stands here in words for some and is asked for the rest.
#include "kube/json_reprint.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "base/testing/scale.h"
#include "kube/json_text.h"

namespace tidemark::kube {
namespace {

using Style = JsonWriter::Style;

std::optional<std::string> by_tree(std::string_view text, Style style) {
  const auto value = parse_json(as_bytes(text));
  if (!value) return std::nullopt;
  std::string printed;
  JsonWriter to(printed, style);
  print_json(*value, to);
  return printed;
}

std::optional<std::string> reprinted(std::string_view text, Style style = Style::compact) {
  std::string printed = "before";
  JsonWriter to(printed, style);
  const bool done = JsonReprinter().print(as_bytes(text), to);
  EXPECT_TRUE(printed.starts_with("before"));
  EXPECT_TRUE(done || printed == "before") << text;
  return done ? std::optional(printed.substr(6)) : std::nullopt;
}

// What is taken is what the tree gives. What the tree refuses is refused.
void expect_like_tree(std::string_view text) {
  for (const Style style : {Style::compact, Style::indented}) {
    const auto ours = reprinted(text, style);
    ASSERT_TRUE(!ours || ours == by_tree(text, style)) << text;
  }
}

TEST(JsonReprint, SortsKeysAndTakesTheLast) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"({"a":1,"b":2})", R"({"a":1,"b":2})"},
      {R"({"b":2,"a":1})", R"({"a":1,"b":2})"},
      {R"( { "b" : [ ] , "a" : { } , "" : null } )", R"({"":null,"a":{},"b":[]})"},
      {R"({"a":1,"a":2})", R"({"a":2})"},
      {R"({"a":{"z":1,"y":2},"b":0,"a":[true,false]})", R"({"a":[true,false],"b":0})"},
      {R"([{"z":{"y":1,"x":2},"b":[{"d":1,"c":2}]},{}])", R"([{"b":[{"c":2,"d":1}],"z":{"x":2,"y":1}},{}])"},
      {R"({"\u0062":1,"a":2})", R"({"a":2,"b":1})"},  // by what they say, not by how it is written
      {R"({"k:{\"b\":1}":{},"k:{\"a\":1}":{}})", R"({"k:{\"a\":1}":{},"k:{\"b\":1}":{}})"},
      {"{\"\xc3\xa4\":1,\"z\":2}", "{\"z\":2,\"\xc3\xa4\":1}"},  // as bytes, not as signed ones
      {R"("\/\b\f\n\r\t\"\\<\u003e\u00e4\u20ac\u2028")",
       "\"/\\b\\f\\n\\r\\t\\\"\\\\\\u003c\\u003e\xc3\xa4\xe2\x82\xac\\u2028\""},
      {"[-0,0,-0.0,1.0,1e3,-12.50,1E-7,1e21,123456789012345678]", "[0,0,0,1,1000,-12.5,1e-7,1e+21,123456789012345678]"},
  };
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(reprinted(text), expected);
    EXPECT_EQ(by_tree(text, Style::compact), expected);
    expect_like_tree(text);
  }
}

TEST(JsonReprint, LeavesTheRestToTheTree) {
  const std::string_view rows[] = {
      "",
      " ",
      "{",
      "}",
      "[",
      "[1",
      "[1,",
      "[1,]",
      "{\"a\"",
      "{\"a\":",
      "{\"a\":1",
      "{\"a\":1,",
      "{\"a\":1,}",
      "{a:1}",
      "{\"a\" 1}",
      "{1:2}",
      "[1 2]",
      "[1] 2",
      "[1]x",
      "nul",
      "nulls",
      "True",
      "+1",
      "01",
      "-",
      "-a",
      "1.",
      ".5",
      "1e",
      "1e+",
      "0x1",
      "1e400",
      "-1e400",
      "1e-400",
      "NaN",
      "\"",
      "\"a",
      "\"\\",
      "\"\\\"",
      "\"\\x\"",
      "\"\\u12\"",
      "\"\\u12g4\"",
      "\"\\u+123\"",
      "\"\\u-123\"",
      "\"\\ud83d\\ude00\"",
      "\"\\ud800\"",
      "\"\\udc00\"",
      "\"\xff\"",
      "\"\xc3\"",
      "\"\xed\xa0\x80\"",
      "\"a\nb\"",
      "\"12345678\x01\"",
      "\xef\xbb\xbf{}",
      "[1]\xff",
      "// x\n1",
      "1234567890123456789",
      "18446744073709551616",
      "\xa1\x61\x61\x01",
      "\xd9\xd9\xf7\xa0",
      std::string_view("[1]\0", 4),
      std::string_view("\0", 1),
  };
  for (const std::string_view text : rows) EXPECT_EQ(reprinted(text), std::nullopt) << text;
  for (const std::size_t levels : {50U, 150U, 100'000U}) {
    const std::string deep = std::string(levels, '[') + std::string(levels, ']');
    EXPECT_EQ(reprinted(deep).has_value(), levels == 50) << levels;
    expect_like_tree(deep);
  }
}

TEST(JsonReprint, MetadataIsWhatClientsSee) {
  const auto object = [](std::string_view text, JsonReprinter::Metadata metadata) {
    std::string printed;
    JsonWriter to(printed);
    return JsonReprinter().print_object(as_bytes(text), metadata, to) ? printed : "refused";
  };
  const std::string_view text = R"({"metadata":{"managedFields":[{"a":1}],"selfLink":"/x","resourceVersion":"1",)"
                                R"("name":"n"},"spec":{"selfLink":"s","metadata":{"managedFields":1}}})";
  EXPECT_EQ(
      object(text, {"7", false}),
      R"({"metadata":{"name":"n","resourceVersion":"7"},"spec":{"metadata":{"managedFields":1},"selfLink":"s"}})");
  EXPECT_EQ(object(text, {"", true}), R"({"metadata":{"managedFields":[{"a":1}],"name":"n","resourceVersion":"1"},)"
                                      R"("spec":{"metadata":{"managedFields":1},"selfLink":"s"}})");
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"{}", R"({"metadata":{"resourceVersion":"7"}})"},
      {R"({"spec":1})", R"({"metadata":{"resourceVersion":"7"},"spec":1})"},
      {R"({"metadata":null,"a":1})", R"({"a":1,"metadata":{"resourceVersion":"7"}})"},
      {R"({"metadata":[1],"a":1})", R"({"a":1,"metadata":[1]})"},
      {R"({"metadata":{"z":1}})", R"({"metadata":{"resourceVersion":"7","z":1}})"},
      {R"({"metadata":{"z":1},"metadata":{}})", R"({"metadata":{"resourceVersion":"7"}})"},
      {R"({"metadata":{"managedFields":[1,2}]})", "refused"},
      {"[]", "refused"},
      {"null", "refused"},
  };
  for (const auto& [from, expected] : rows) EXPECT_EQ(object(from, {"7", false}), expected) << from;
}

// Values of all kinds, and then bytes of them exchanged.
TEST(JsonReprint, LikeTheTreeWhateverTheText) {
  std::mt19937_64 random(tidemark::testing::seed());
  const auto below = [&](std::size_t n) { return random() % n; };
  const std::string_view scalars[] = {"null",
                                      "true",
                                      "-17",
                                      "0.25",
                                      "1e9",
                                      "123456789012345678901",
                                      "\"\"",
                                      R"("plain text of some length")",
                                      R"("\u003ca\n\"b\"")",
                                      "\"\xc3\xa4\""};
  const std::string_view keys[] = {"a", "b", "aa", "", "f:name", R"(k:{\"a\":1})", "z", R"(\u0061)"};
  const std::function<std::string(int)> any = [&](int level) {
    const std::size_t kind = level > 4 ? 0 : below(3);
    if (kind == 0) return std::string(scalars[below(std::size(scalars))]);
    std::string text(1, kind == 1 ? '[' : '{');
    for (std::size_t n = below(5), i = 0; i < n; i++) {
      if (i > 0) text += i % 2 == 0 ? "," : " ,\n";
      if (kind == 2) text += fmt::format("\"{}\": ", keys[below(std::size(keys))]);
      text += any(level + 1);
    }
    return text + (kind == 1 ? ']' : '}');
  };
  for (int i = tidemark::testing::scaled(300); i > 0; i--) {
    std::string text = any(0);
    expect_like_tree(text);
    for (int changes = 0; changes < 10; changes++) {
      text[below(text.size())] = "\"\\{}[]:,0-e. x\xc3\x01"[below(16)];
      expect_like_tree(text);
    }
    text.resize(below(text.size()));
    expect_like_tree(text);
  }
}

}  // namespace
}  // namespace tidemark::kube
