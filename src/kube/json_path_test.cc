// The dialect, table by table; tests/drill_serve_path.cc holds the same against kubectl itself.
#include "kube/json_path.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kube/go_text.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

const json& sample() {
  static const json object = json::parse(R"({
    "kind": "List", "a": {"b": [1, 2, 3], "c.d": "x", "e/f": "<y>", "n": null, "t": true, "r": 2.5},
    "items": [
      {"metadata": {"name": "p", "labels": {"app": "web"}}, "spec": {"replicas": 2, "ports": [80, 443]}},
      {"metadata": {"name": "q"}, "spec": {"replicas": 1, "ports": []}}],
    "empty": [], "null": [null, 7]})");
  return object;
}

struct PathRow {
  const char* path;
  const char* printed;
};

TEST(JsonPath, Prints) {
  const PathRow rows[] = {
      {"{.kind}", "List"},
      {"{ .kind }", "List"},
      {"{@.kind}{$.kind}", "ListList"},
      {"kind: {.kind}\n", "kind: List\n"},
      {".kind", ".kind"},  // no braces, no expression
      {"", ""},
      {"{}", R"({"a":{"b":[1,2,3],"c.d":"x","e/f":"\u003cy\u003e","n":null,"r":2.5,"t":true},"empty":[],"items":)"
             R"([{"metadata":{"labels":{"app":"web"},"name":"p"},"spec":{"ports":[80,443],"replicas":2}},)"
             R"({"metadata":{"name":"q"},"spec":{"ports":[],"replicas":1}}],"kind":"List","null":[null,7]})"},
      {"{.}", ""},
      {"{.a.b}", "[1,2,3]"},
      {"{.a.b[0]}|{.a.b[-1]}|{.a.b[-2:]}|{.a.b[0:2]}|{.a.b[::2]}", "1|3|2 3|1 2|1 3"},
      {"{.a.b[1:1]}|{.a.b[]}|{.a.b[*]}|{.a.b[:]}", "|1|1 2 3|1 2 3"},
      {"{.a.b[0,2,-1]}|{.a['t','r']}", "1 3 3|true 2.5"},
      {R"({.a.c\.d}|{.a['c\.d']}|{.a['c.d']}|{.a.e/f})", "x|x||<y>"},
      {"{.a.n}|{.none}|{.none.deeper[0]}", "null||"},
      {"{.a.b.*}|{.items[*].spec.*}", "1 2 3|[80,443] 2 [] 1"},
      {"{.kind.*}", "76 105 115 116"},  // bytes, as Go has them
      {"{.items[*].metadata.name}", "p q"},
      {"{.items..name}|{..replicas}", "p q|2 1"},
      {"{.items[?(@.metadata.name==\"q\")].spec.replicas}", "1"},
      {"{.items[?(@.spec.replicas>1)].metadata.name}", "p"},
      {"{.items[?(@.spec.replicas >= 1)].metadata.name}", "p q"},
      {"{.items[?(@.spec.replicas!=2)].metadata.name}", "q"},
      {"{.items[?(@.metadata.labels.app)].metadata.name}", "p"},
      {"{.items[?(@.metadata.labels.app=='web')].metadata.name}", "p"},
      {"{.items[?(@.spec.ports[0])].metadata.name}", "p q"},  // kubectl takes the failure for something
      {"{range .items[*]}{.metadata.name}={.spec.replicas}{\"\\n\"}{end}", "p=2\nq=1\n"},
      {"{range .items[*]}[{range .spec.ports[*]}{@},{end}]{end}.", "[80,443,][]."},
      {"{range .empty[*]}{.x}{end}after", "after"},
      {"{range .null[*]}{@};{end}{.null[0]}", "<no value>;7;null"},
      {"{range .items[*]}{.metadata.name},", "p,q,,"},  // without an end the rest comes once more
      {R"({"a\tb\u00e9\x41\101\\-"}{'it\'s'})", "a\tb\u00e9AA\\-it's"},
      {"{1}{-2.5}{+7}{true}", "1-2.57true"},
      // The list that is empty ends the others' turn, too.
      {"{.items[*].spec.ports[*]}", "80 443"},
  };
  for (const PathRow& row : rows) {
    const auto path = JsonPath::parse(row.path);
    ASSERT_TRUE(path) << row.path << ": " << path.error().what;
    const auto printed = path->print(sample());
    ASSERT_TRUE(printed) << row.path << ": " << printed.error().what;
    EXPECT_EQ(*printed, row.printed) << row.path;
  }
}

TEST(JsonPath, RefusesAtACharacter) {
  const PathRow rows[] = {
      {"{.a", "character 1: '{' is not closed"},
      {"x{.a\n}", "character 2: '{' is not closed in its line"},
      {"{.a[}", "character 4: '[' is not closed"},
      {"{.a[x]}", "character 4: [x] is neither an index nor a name in single quotes"},
      {"{.a[\"x\"]}", "character 4: "},
      {"{.a[1:2:3:4]}", "character 4: "},
      {"{.a[99999999999999999999]}", "character 4: "},
      {"{.a[-]}", "character 4: "},
      {"{.a[0,x]}", "character 7: [x]"},
      {"{.a['b[c']}", "character 7: '[' is not closed"},
      {"{metadata.name}", "character 2: 'metadata' is neither 'range' nor 'end', nor a path"},
      {"{.a[?(@.b==c)]}", "character 12: 'c' is neither"},
      {"{.a[?(range)]}", "character 7: 'range' stands in an expression of its own"},
      {"{.a[?(@.b=~\"c\")]}", "character 10: '=' is none of"},
      {"{.a[?(@.b=\"c\")]}", "character 10: '=' is none of"},
      {"{.a[?(@.b)}", "character 4: ']' is missing"},
      {"{.a[?(@.b==\"c)]}", "character 4: '[?(' is not closed"},
      {"{.a[?(@.b==)]}", "character 10: '=' is none of"},
      {"{....a}", "character 4: '..' stands behind '..'"},
      {"{..*}", "character 4: '*' begins nothing"},
      {"{\"a}", "character 2: the quote is not closed"},
      {R"({"a\q"})", R"(character 4: '\q' is not an escape)"},
      {R"({"a\'b"})", R"(character 4: '\'' is not an escape)"},
      {R"({"\ud800"})", "character 3: "},
      {R"({"\400"})", "character 3: "},
      {R"({"\\"})", "character 2: the quote is not closed"},
      {R"({.a\)", R"(character 4: nothing stands behind the backslash)"},
      {"{1.2.3}", "character 2: '1.2.3' is not a number"},
      {"{-}", "character 2: '-' is not a number"},
      {"{.a,.b}", "character 4: ',' begins nothing"},
      {"\u00e9\u00e9{(}", "character 4: '(' begins nothing"},
      {"{{.a}}", "character 2: '{' begins nothing"},
  };
  for (const PathRow& row : rows) {
    const auto path = JsonPath::parse(row.path);
    ASSERT_FALSE(path) << row.path;
    EXPECT_EQ(path.error().code, Errc::invalid) << row.path;
    EXPECT_NE(path.error().what.find(row.printed), std::string::npos) << row.path << ": " << path.error().what;
  }
  std::string nested = "{.a";
  for (int i = 0; i < 40; i++) nested += "['a";
  EXPECT_FALSE(JsonPath::parse(nested + "']}"));
}

TEST(JsonPath, SaysWhereItDoesNotFit) {
  const PathRow rows[] = {
      {"{.a.b[3]}", "character 6: there is no index 3 in a list of 3"},
      {"{.a.b[-4]}", "there is no index -1 in a list of 3"},
      {"{.a.b[0:4]}", "there is no index 3 in a list of 3"},
      {"{.a.b[2:1]}", "begins at 2 and ends before"},
      {"{.a.b[0:2:0]}", "a slice's step is at least 1"},
      {"{.empty[0]}", "there is no index 0 in a list of 0"},
      {"{.a[0]}", "an object is no list"},
      {"{.kind[*]}", "a string is no list"},
      {"{.a[?(@.b)]}", "cannot be filtered"},
      {"{.items[?(@.spec.replicas==\"2\")]}", "character 8: a whole number and a string cannot be compared"},
      {"{.items[?(@.spec.replicas==2.0)]}", "a whole number and a number with a fraction cannot be compared"},
      {"{.items[?(@.spec==1)]}", "what is no single value and a whole number"},
      {"{.items[?(@.spec.*==1)]}", "only one value at a time"},
      {"{end}", "character 2: there is no range to end"},
      {"{['items','items']['a','b']}{['a']}{.a.b[9]}", "character 41: "},
  };
  for (const PathRow& row : rows) {
    const auto path = JsonPath::parse(row.path);
    ASSERT_TRUE(path) << row.path << ": " << path.error().what;
    const auto printed = path->print(sample());
    ASSERT_FALSE(printed) << row.path << ": " << *printed;
    EXPECT_EQ(printed.error().code, Errc::unsupported) << row.path;
    EXPECT_NE(printed.error().what.find(row.printed), std::string::npos) << row.path << ": " << printed.error().what;
  }
}

TEST(JsonPath, WhatMultipliesIsBounded) {
  std::string path = "{.a";
  for (int i = 0; i < 60; i++) path += "['a','a']";
  json nested = 1;
  for (int i = 0; i < 61; i++) nested = json{{"a", std::move(nested)}};
  const auto printed = JsonPath::parse(path + "}").value().print(nested);
  ASSERT_FALSE(printed);
  EXPECT_NE(printed.error().what.find("too much"), std::string::npos) << printed.error().what;
  std::string ranges;
  for (int i = 0; i < 100; i++) ranges += "{range @}";
  EXPECT_FALSE(JsonPath::parse(ranges).value().print(sample()));
}

TEST(JsonPath, Columns) {
  for (const char* path : {"a.t", ".a.t", "{.a.t}", "{a.t}"}) {
    const auto column = JsonPath::parse_column(path);
    ASSERT_TRUE(column) << path;
    EXPECT_EQ(column->print(sample()).value(), "true") << path;
  }
  EXPECT_EQ(JsonPath::parse_column("").value().print(sample()).value(), "");
  for (const char* path : {"{}", ".", "{.a}{.b}", "a{.b}", "a[", "{a"}) {
    const auto column = JsonPath::parse_column(path);
    EXPECT_FALSE(column) << path;
  }
  // An error's place is that of the path as the engine reads it; the path itself stands as it was written.
  EXPECT_NE(JsonPath::parse_column("a[").error().what.find("'a['"), std::string::npos);
}

TEST(JsonPath, AsJson) {
  const auto print = [](const char* path) { return JsonPath::parse(path).value().print_as_json(sample()).value(); };
  EXPECT_EQ(print("{.a.b[0,1]}"), "[\n    1,\n    2\n]\n");
  EXPECT_EQ(print("{.none}"), "[]\n");
  EXPECT_EQ(print("x{.kind}"), "[\n    \"x\"\n]\n[\n    \"List\"\n]\n");
}

TEST(GoText, AsSprintPrints) {
  const PathRow rows[] = {
      {R"("x y")", "x y"},
      {"null", "<nil>"},
      {"true", "true"},
      {"7", "7"},
      {"-7", "-7"},
      {"0.5", "0.5"},
      {"100000.5", "100000.5"},
      {"1000000.5", "1.0000005e+06"},
      {"1e21", "1e+21"},
      {"2000000.0", "2000000"},
      {"1e19", "1e+19"},
      {"-1e18", "-1000000000000000000"},
      {"0.0001", "0.0001"},
      {"0.00001", "1e-05"},
      {"-0.0", "0"},
      {"18446744073709551615", "1.8446744073709552e+19"},
      {"[]", "[]"},
      {"{}", "map[]"},
      {R"({"b":[1,"x"],"a":{"c":null}})", "map[a:map[c:<nil>] b:[1 x]]"},
  };
  for (const PathRow& row : rows) EXPECT_EQ(go_text(json::parse(row.path)), row.printed) << row.path;
}

}  // namespace
}  // namespace tidemark::kube
