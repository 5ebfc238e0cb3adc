#include "kube/json_diff.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/testing/scale.h"

namespace tidemark::kube {
namespace {

// "path: before -> after" a line.
std::string changes(const std::string& before, const std::string& after) {
  const nlohmann::json a = nlohmann::json::parse(before), b = nlohmann::json::parse(after);
  std::string text;
  for (const JsonChange& change : json_changes(a, b)) {
    text += fmt::format("{}: {} -> {}\n", change.path, change.before == nullptr ? "" : change.before->dump(),
                        change.after == nullptr ? "" : change.after->dump());
  }
  return text;
}

TEST(JsonChanges, NamesThePlace) {
  struct Row {
    const char* before;
    const char* after;
    const char* says;
  };
  const Row rows[] = {
      {"{}", "{}", ""},
      {R"({"a":1,"b":[1,{"c":null}]})", R"({"b":[1,{"c":null}],"a":1})", ""},
      {R"({"a":1})", R"({"a":2})", ".a: 1 -> 2\n"},
      {R"({"a":1})", R"({"a":"1"})", ".a: 1 -> \"1\"\n"},
      {R"({"a":1})", R"({})", ".a: 1 -> \n"},
      {R"({})", R"({"a":null})", ".a:  -> null\n"},
      {R"({"b":1})", R"({"a":1,"c":2})", ".a:  -> 1\n.b: 1 -> \n.c:  -> 2\n"},
      {R"({"a":{"b":{"c":1}}})", R"({"a":{"b":{"c":2}}})", ".a.b.c: 1 -> 2\n"},
      {R"({"a":{"b":1}})", R"({"a":[1]})", ".a: {\"b\":1} -> [1]\n"},
      {R"({"a/b.c":1,"x'y\\":1})", R"({"a/b.c":2,"x'y\\":2})", "['a/b.c']: 1 -> 2\n['x\\'y\\\\']: 1 -> 2\n"},
      {R"({"":1})", R"({"":2})", "['']: 1 -> 2\n"},
      // Lists by their names.
      {R"({"c":[{"name":"a","v":1},{"name":"b","v":1}]})", R"({"c":[{"name":"a","v":1},{"name":"b","v":2}]})",
       ".c[name=b].v: 1 -> 2\n"},
      {R"({"c":[{"name":"a"}]})", R"({"c":[{"name":"new"},{"name":"a"}]})", ".c[name=new]:  -> {\"name\":\"new\"}\n"},
      {R"({"c":[{"name":"a"},{"name":"b"}]})", R"({"c":[{"name":"b"}]})", ".c[name=a]: {\"name\":\"a\"} -> \n"},
      {R"({"c":[{"port":1,"x":1},{"port":2}]})", R"({"c":[{"port":1,"x":2},{"port":2}]})", ".c[port=1].x: 1 -> 2\n"},
      // An order of its own is a change.
      {R"({"c":[{"name":"a"},{"name":"b"}]})", R"({"c":[{"name":"b"},{"name":"a"}]})",
       ".c: [{\"name\":\"a\"},{\"name\":\"b\"}] -> [{\"name\":\"b\"},{\"name\":\"a\"}]\n"},
      // No names, or not one of a kind: by index.
      {R"([1,2,3])", R"([1,4])", "[1]: 2 -> 4\n[2]: 3 -> \n"},
      {R"([1])", R"([1,2])", "[1]:  -> 2\n"},
      {R"([{"name":"a","v":1},{"name":"a","v":2}])", R"([{"name":"a","v":1},{"name":"a","v":3}])", "[1].v: 2 -> 3\n"},
      {R"([{"name":"a"},1])", R"([{"name":"b"},1])", "[0].name: \"a\" -> \"b\"\n"},
      {R"([{"name":{}}])", R"([{"name":[]}])", "[0].name: {} -> []\n"},
      {R"({"a":[]})", R"({"a":[1]})", ".a: [] -> [1]\n"},
      {"1", "2", ": 1 -> 2\n"},
      {"null", "{}", ": null -> {}\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(changes(row.before, row.after), row.says) << row.before << " " << row.after;
}

TEST(UnifiedHunks, AreWhatDiffPrints) {
  struct Row {
    const char* before;
    const char* after;
    const char* says;
  };
  const Row rows[] = {
      {"", "", ""},
      {"a\nb\n", "a\nb\n", ""},
      {"a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n"},
      {"", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
      {"a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n"},
      {"a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
      {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
       "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
      // Six equal lines between two changes are in one hunk, seven part them.
      {"a\n1\n2\n3\n4\n5\n6\nb\n", "x\n1\n2\n3\n4\n5\n6\ny\n",
       "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n"},
      {"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "x\n1\n2\n3\n4\n5\n6\n7\ny\n",
       "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+y\n"},
      {"a\nb\n", "b\n", "@@ -1,2 +1 @@\n-a\n b\n"},
      {"\n\n", "\n", "@@ -1,2 +1 @@\n \n-\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(unified_hunks(row.before, row.after), row.says) << row.before << row.after;
}

// Puts hunks onto a text; empty when a line is not where the hunk says.
std::string patched(const std::string& before, std::string_view hunks) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < before.size(); at = before.find('\n', at) + 1) {
    lines.push_back(before.substr(at, before.find('\n', at) - at));
  }
  std::string result;
  std::size_t next = 0;
  while (!hunks.empty()) {
    const std::string line(hunks.substr(0, hunks.find('\n')));
    hunks.remove_prefix(line.size() + 1);
    if (line.starts_with("@@ -")) {
      std::size_t from = std::stoul(line.substr(4));
      if (line.substr(4, line.find(' ', 4) - 4).ends_with(",0")) from++;
      for (; next + 1 < from; next++) result += lines.at(next) + "\n";
      continue;
    }
    if (line[0] != '+' && (next >= lines.size() || lines[next++] != line.substr(1))) return "not there: " + line;
    if (line[0] != '-') result += line.substr(1) + "\n";
  }
  for (; next < lines.size(); next++) result += lines[next] + "\n";
  return result;
}

TEST(UnifiedHunks, LeadFromAnyTextToAnyOther) {
  std::mt19937_64 dice(tidemark::testing::seed());
  for (int i = 0; i < tidemark::testing::scaled(300); i++) {
    const std::uint64_t letters = 1 + dice() % 6;
    std::string a, b;
    for (std::uint64_t n = dice() % 40; n > 0; n--) a += fmt::format("{}\n", dice() % letters);
    for (std::uint64_t n = dice() % 40; n > 0; n--) b += fmt::format("{}\n", dice() % letters);
    const std::size_t context = dice() % 4;
    EXPECT_EQ(patched(a, unified_hunks(a, b, context)), b) << a << "---\n" << b << unified_hunks(a, b, context);
  }
}

TEST(UnifiedHunks, VeryDifferentTextsAreOneBlock) {
  std::string a, b;
  for (int i = 0; i < 5000; i++) a += fmt::format("a{}\n", i), b += fmt::format("b{}\n", i);
  const std::string hunks = unified_hunks("same\n" + a + "end\n", "same\n" + b + "end\n");
  EXPECT_TRUE(hunks.starts_with("@@ -1,5002 +1,5002 @@\n same\n-a0\n")) << hunks.substr(0, 60);
  EXPECT_EQ(patched("same\n" + a + "end\n", hunks), "same\n" + b + "end\n");
}

}  // namespace
}  // namespace tidemark::kube
