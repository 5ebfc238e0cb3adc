#include "link/json_feed.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidemark::link {
namespace {

// Gives so many bytes a time.
class Dripping final : public io::Source {
 public:
  Dripping(std::string_view text, std::size_t drop) : left_(text), drop_(drop) {}
  Result<std::size_t> read(MutableBytes into) override {
    const std::size_t n = std::min({into.size(), drop_, left_.size()});
    std::ranges::copy(as_bytes(left_.substr(0, n)), into.begin());
    left_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view left_;
  std::size_t drop_;
};

using Values = std::vector<std::string>;

// All values up to the end.
Result<Values> values_of(std::string_view text, std::size_t drop = 1000, std::size_t most = 1000) {
  Dripping source(text, drop);
  JsonFeed feed(source, most);
  Values all;
  for (;;) {
    TM_LET(const char next, feed.peek());
    if (next == '\0') return all;
    TM_LET(const std::string_view value, feed.value());
    all.emplace_back(value);
  }
}

TEST(JsonFeed, ValuesOneAfterTheOther) {
  const std::pair<std::string_view, Values> rows[] = {
      {"", {}},
      {" \n\t\r ", {}},
      {"{}{}\n[]", {"{}", "{}", "[]"}},
      {R"({"a":"}\"]{"}  {"b":[1,{"c":"\\"}]})", {R"({"a":"}\"]{"})", R"({"b":[1,{"c":"\\"}]})"}},
      {"1 true\nnull -0.5e7", {"1", "true", "null", "-0.5e7"}},
      {R"("a" "b\"" "\\" "")", {R"("a")", R"("b\"")", R"("\\")", R"("")"}},
      {"[[[]],{}] 7", {"[[[]],{}]", "7"}},
  };
  for (const auto& [text, wanted] : rows) {
    for (const std::size_t drop : {1UL, 2UL, 3UL, 1000UL}) {
      const auto got = values_of(text, drop);
      ASSERT_TRUE(got) << text << ": " << got.error().what;
      EXPECT_EQ(*got, wanted) << text << " by " << drop;
    }
  }
}

TEST(JsonFeed, WhatIsNoneIsTold) {
  struct Row {
    std::string_view text;
    Errc code;
  };
  const Row rows[] = {
      {"{", Errc::torn},
      {R"({"a":)", Errc::torn},
      {R"("abc)", Errc::torn},
      {R"("abc\")", Errc::torn},
      {"[1,2", Errc::torn},
      {R"({"a":"})", Errc::torn},
      {"}", Errc::corrupt},
      {"]", Errc::corrupt},
      {",", Errc::corrupt},
      {":1", Errc::corrupt},
      {"{} }", Errc::corrupt},
      {"1,", Errc::corrupt},
      {R"("abcdefghijklmnopqrstuvwxyz")", Errc::no_space},
      {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", Errc::no_space},
  };
  for (const Row& row : rows) {
    const auto got = values_of(row.text, 2, 20);
    ASSERT_FALSE(got) << row.text;
    EXPECT_EQ(got.error().code, row.code) << row.text << ": " << got.error().what;
  }
}

// A list as a server writes it: names and items.
Status read_list(std::string_view text, Values& names, Values& items) {
  Dripping source(text, 7);
  JsonFeed feed(source, 100);
  return read_members(feed, [&](const std::string& name) -> Status {
    names.push_back(name);
    if (name == "items") {
      return read_elements(feed, [&](std::string_view item) -> Status {
        items.emplace_back(item);
        return {};
      });
    }
    TM_LET(const std::string_view skipped, feed.value());
    (void)skipped;
    return {};
  });
}

TEST(JsonFeed, AListAndEveryPrefixOfIt) {
  const std::string_view text =
      R"({"kind":"PodList","metadata":{"continue":"x"},"items":[{"a":1},{"b":"]"},3],"end":null})";
  Values names, items;
  const Status whole = read_list(text, names, items);
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_EQ(names, (Values{"kind", "metadata", "items", "end"}));
  EXPECT_EQ(items, (Values{R"({"a":1})", R"({"b":"]"})", "3"}));
  for (std::size_t n = 0; n < text.size(); n++) {
    const Status cut = read_list(text.substr(0, n), names, items);
    ASSERT_FALSE(cut) << n;
    EXPECT_EQ(cut.error().code, Errc::torn) << text.substr(0, n) << ": " << cut.error().what;
  }
  for (const std::string_view bad : {"[]", "7", R"({"a" 1})", R"({"a":1 "b":2})", R"({a:1})", R"({"a":1,,"b":2})",
                                     R"({"items":[1 2]})", R"({"items":[,]})", R"({"items":{}})", R"({"a":})"}) {
    const Status status = read_list(bad, names, items);
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().code, Errc::corrupt) << bad << ": " << status.error().what;
  }
}

}  // namespace
}  // namespace tidemark::link
