#include "cli/output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

TEST(Table, ColumnsLineUpAndLinesHaveNoTail) {
  Table table({"A", "LONG", "C"});
  EXPECT_TRUE(table.empty());
  table.add({"wörd", "x", ""});
  table.add({"1"});
  table.add({"", "", "end"});
  EXPECT_FALSE(table.empty());
  EXPECT_EQ(table.print(),
            "A     LONG  C\n"
            "wörd  x\n"
            "1\n"
            "            end\n");
}

TEST(Yaml, BlockStyle) {
  const Json value = Json::parse(R"({"a":1,"empty":{},"none":[],"list":["x",{"b":2,"c":[3]},[4,5]],
    "deep":{"d":null,"e":true,"f":1.5}})");
  EXPECT_EQ(print_yaml(value),
            "a: 1\n"
            "empty: {}\n"
            "none: []\n"
            "list:\n"
            "- x\n"
            "- b: 2\n"
            "  c:\n"
            "  - 3\n"
            "- - 4\n"
            "  - 5\n"
            "deep:\n"
            "  d: null\n"
            "  e: true\n"
            "  f: 1.5\n");
  EXPECT_EQ(print_yaml(Json::array()), "[]\n");
  EXPECT_EQ(print_yaml(Json("x")), "x\n");
}

TEST(Yaml, StringsThatCouldBeSomethingElseAreQuoted) {
  for (const char* text :
       {"",   "yes", "No", "NULL",       "true", "y",  "1", "1e3",  "0x1", "-", "a: b", "a #b", "- a",
        "*a", "&a",  "!a", "2026-11-21", "a b",  " a", "~", "a\nb", "\"",  "'", "@a",   "ä",    "12:30:00"}) {
    const std::string printed = print_yaml(Json{{"k", text}});
    EXPECT_EQ(printed, "k: " + Json(text).dump() + "\n");
  }
  for (const char* text : {"gzip", "v2/Full-0-1-2.gz", "a_b", "full"}) {
    EXPECT_EQ(print_yaml(Json{{"k", text}}), std::string("k: ") + text + "\n");
  }
}

TEST(Json, BytesThatAreNoUtf8DoNotThrow) {
  EXPECT_NE(print_json(Json{{"k", "\xff"}}).find("k"), std::string::npos);
  EXPECT_NE(print_yaml(Json{{"k", "\xff"}}).find("k"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::cli
