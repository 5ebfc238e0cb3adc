#include "kube/yaml_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::kube {
namespace {

using Json = nlohmann::json;

std::string yaml(const Json& value) {
  std::string text;
  print_yaml(value, text);
  return text;
}

TEST(YamlPrint, AsKubectlPrints) {
  struct Row {
    Json value;
    const char* text;
  };
  const Row rows[] = {
      {Json::object(), "{}\n"},
      {{{"a", Json::object()}, {"b", Json::array()}, {"c", nullptr}}, "a: {}\nb: []\nc: null\n"},
      {{{"list", {1, "x", {{"k", "v"}, {"l", Json::array({2})}}}}}, "list:\n- 1\n- x\n- k: v\n  l:\n  - 2\n"},
      {{{"text", "one\ntwo\n"}}, "text: |\n  one\n  two\n"},
      {{{"text", "one\ntwo"}}, "text: |-\n  one\n  two\n"},
      {{{"text", "a\tb\nc"}}, "text: \"a\\tb\\nc\"\n"},
      {{{"text", "trailing \nx"}}, "text: \"trailing \\nx\"\n"},
      {{{"text", " leading"}}, "text: ' leading'\n"},
      {{{"text", "a: b"}}, "text: 'a: b'\n"},
      {{{"text", "it's # no comment"}}, "text: 'it''s # no comment'\n"},
      {{{"text", "- x"}}, "text: '- x'\n"},
      {{{"text", "*"}}, "text: '*'\n"},
      {{{"big", 9223372036854775807}, {"float", 0.25}, {"small", -3}},
       "big: 9223372036854775807\nfloat: 0.25\nsmall: -3\n"},
      {{{"a10", 1}, {"a2", 2}, {"a.b", 3}, {"ab", 4}}, "a.b: 3\na2: 2\na10: 1\nab: 4\n"},
      {{{"no", "x"}, {"1", "y"}}, "\"1\": \"y\"\n\"no\": x\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(yaml(row.value), row.text) << row.value;
}

TEST(YamlPrint, QuotesWhatIsReadAsSomethingElse) {
  for (const char* text : {"",
                           "~",
                           "null",
                           "Null",
                           "true",
                           "True",
                           "yes",
                           "Yes",
                           "no",
                           "on",
                           "off",
                           "y",
                           "N",
                           "1",
                           "-1",
                           "+1",
                           "0x1f",
                           "0o17",
                           "017",
                           "0b11",
                           "1_000",
                           "1.5",
                           ".5",
                           "1.",
                           "1e3",
                           "1E-3",
                           ".inf",
                           "-.Inf",
                           ".NaN",
                           "2026-11-21",
                           "1:30",
                           "-1:30:00",
                           "12:30.5",
                           "2026-11-21T10:00:00Z",
                           "2026-11-21 10:00:00",
                           "2026-1-2",
                           "2026-11-21t10:00:00+02:00"}) {
    EXPECT_FALSE(is_yaml_string(text)) << text;
    EXPECT_EQ(yaml({{"k", text}}), "k: \"" + std::string(text) + "\"\n");
  }
  for (const char* text : {"a",
                           "v1",
                           "1a",
                           "1.2.3",
                           "10.96.0.1",
                           "1Gi",
                           "100m",
                           "yesterday",
                           "nO",
                           "tRUE",
                           "NaN",
                           "0x",
                           "0xg",
                           "e3",
                           "1e",
                           "+",
                           "-",
                           ".",
                           "..",
                           "1-2",
                           "2026-11",
                           "20261121",
                           "12345-1-1",
                           "2026-13-01",
                           "2026-11-32",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T10:00",
                           "1:",
                           "1:99x",
                           "0b12",
                           "a1:30",
                           "<<",
                           "=="}) {
    const bool number = std::string(text) == "20261121";
    EXPECT_EQ(is_yaml_string(text), !number) << text;
  }
}

TEST(YamlRead, WhatItPrints) {
  const Json value = {{"apiVersion", "v1"},
                      {"data", {{"a", "one\ntwo\n"}, {"b", "yes"}, {"c", "1.50"}, {"d", ""}, {"e", " x"}, {"f", "\t"}}},
                      {"list", {1, -2, 0.5, true, nullptr, {{"x", Json::array()}}, Json::array({Json::array()})}}};
  EXPECT_EQ(parse_yaml(as_bytes(yaml(value))).value(), value);
}

TEST(YamlRead, Scalars) {
  struct Row {
    const char* text;
    Json value;
  };
  const Row rows[] = {
      {"", nullptr},
      {"~", nullptr},
      {"a", "a"},
      {"'1'", "1"},
      {"\"true\"", "true"},
      {"yes", true},
      {"Off", false},
      {"12", 12},
      {"-12", -12},
      {"0x10", 16},
      {"010", 8},
      {"1_000", 1000},
      {"1.5", 1.5},
      {"1e3", 1000.0},
      {"2026-11-21", "2026-11-21"},
      {"{a: 1, b: [x]}", {{"a", 1}, {"b", {"x"}}}},
      {"# nothing\n---\na: b\n", {{"a", "b"}}},
  };
  for (const Row& row : rows) EXPECT_EQ(parse_yaml(as_bytes(row.text)).value(), row.value) << row.text;
  EXPECT_EQ(parse_yaml(Buffer()).value(), nullptr);  // of no address
}

TEST(YamlRead, Refuses) {
  struct Row {
    std::string text;
    const char* what;
  };
  const Row rows[] = {
      {"a: b: c", "line 1, column 5"},
      {"a: 1\na: 2\n", "line 2, column 1: the key 'a' stands here twice"},
      {"a: &x 1\nb: *x\n", "line 2, column 4: an alias is not read"},
      {"a: !!binary aGk=\n", "a tag is not read"},
      {"a: !!map {}\n", "a tag is not read"},
      {"a\n---\nb\n", "a second document is not read"},
      {"a: .inf", "'.inf' is no number of JSON"},
      {"[a", "line"},
      {"{a: 1", "line"},
      {"\"a", "line"},
      {"a:\n\t- b", "line 2"},
      {"? [a]\n: b\n", "a key that is no word"},
      {"\xff\xfe\xfa", "byte"},
      {std::string(500, '[') + std::string(500, ']'), "more than 200 levels"},
  };
  for (const Row& row : rows) {
    const auto read = parse_yaml(as_bytes(row.text));
    ASSERT_FALSE(read) << row.text;
    EXPECT_NE(read.error().what.find(row.what), std::string::npos) << read.error().what;
  }
}

}  // namespace
}  // namespace tidemark::kube
