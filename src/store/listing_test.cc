#include "store/listing.h"

#include <gtest/gtest.h>

namespace tidemark::store {
namespace {

ObjectInfo object(std::string key) { return {std::move(key), 1, {}}; }

std::vector<std::string> keys_of(const Result<std::vector<ObjectInfo>>& all) {
  std::vector<std::string> keys;
  if (!all) return {"failed: " + all.error().what};
  for (const ObjectInfo& o : *all) keys.push_back(o.key);
  return keys;
}

TEST(ListPages, AllPagesBelowThePrefixInByteOrder) {
  const auto page = [](const std::string& token) -> Result<ListPage> {
    if (token.empty()) return ListPage{{object("a/p/z"), object("a/p/v2/"), object("a/p"), object("a/pq/x")}, "1"};
    if (token == "1") return ListPage{{}, "2"};  // an empty page is not the end
    return ListPage{{object("a/p/b"), object("a/p/V"), object("b/p/c"), object("a/p/a//b")}, ""};
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys_of(list_pages("a/p", "", page)), (Keys{"V", "b", "z"}));
  EXPECT_EQ(keys_of(list_pages("a/p", "b", page)), Keys{"b"});
  EXPECT_EQ(keys_of(list_pages("", "b/", page)), Keys{"b/p/c"});
  EXPECT_EQ(keys_of(list_pages("c", "", page)), Keys{});
}

TEST(ListPages, FailuresEndIt) {
  int asked = 0;
  const auto circle = [&](const std::string&) -> Result<ListPage> {
    ++asked;
    return ListPage{{}, "same"};
  };
  EXPECT_EQ(keys_of(list_pages("p", "k", circle)),
            std::vector<std::string>{"failed: list 'p/k': the same page again and again"});
  EXPECT_EQ(asked, 2);
  const auto broken = [](const std::string& token) -> Result<ListPage> {
    if (!token.empty()) return fail(Errc::unavailable, "away");
    return ListPage{{object("k")}, "1"};
  };
  EXPECT_EQ(keys_of(list_pages("", "", broken)), std::vector<std::string>{"failed: away"});
}

}  // namespace
}  // namespace tidemark::store
