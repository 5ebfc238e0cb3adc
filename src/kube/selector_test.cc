#include "kube/selector.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::kube {
namespace {

using Json = nlohmann::json;

TEST(LabelSelector, Matches) {
  const Json labels = {{"app", "web"}, {"tier", "front"}, {"size", "7"}, {"example.com/x", ""}};
  struct Row {
    const char* text;
    bool matches;
  };
  const Row rows[] = {
      {"", true},
      {"app=web", true},
      {"app==web", true},
      {"app=db", false},
      {"app!=db", true},
      {"app!=web", false},
      {"none!=x", true},
      {"none=x", false},
      {"none=", false},
      {"example.com/x=", true},
      {"app", true},
      {"none", false},
      {"!none", true},
      {"!app", false},
      {"app in (db,web)", true},
      {"app in (db, cache)", false},
      {"app notin (db,cache)", true},
      {"app notin (web)", false},
      {"none notin (a)", true},
      {"none in (a)", false},
      {"app=web,tier=front", true},
      {"app=web, tier=back", false},
      {" app = web , !none ", true},
      {"size>6", true},
      {"size>7", false},
      {"size<8,app", true},
      {"size<7", false},
      {"app>1", false},
      {"none<1", false},
      {"in in (in)", false},
  };
  for (const Row& row : rows) {
    const auto selector = LabelSelector::parse(row.text);
    ASSERT_TRUE(selector) << row.text << ": " << selector.error().what;
    EXPECT_EQ(selector->matches(labels), row.matches) << row.text;
  }
  EXPECT_FALSE(LabelSelector::parse("app")->matches(Json()));
  EXPECT_TRUE(LabelSelector::parse("!app")->matches(Json()));
  EXPECT_FALSE(LabelSelector::parse("app")->matches({{"app", 7}}));
}

TEST(LabelSelector, Refuses) {
  for (const char* text : {",", "a,",   "=",      "a=b c", "a in",  "a in (", "a in (b", "a in b", "a has (b)", "a>x",
                           "!", "!a=b", "a=b,,c", "/a",    "a/b/c", "-a",     "a-",      "a b",    "a=b)",      "a>"}) {
    EXPECT_FALSE(LabelSelector::parse(text)) << text;
  }
}

TEST(FieldSelector, Matches) {
  struct Row {
    const char* text;
    bool matches;
  };
  const Row rows[] = {
      {"", true},
      {"metadata.name=web", true},
      {"metadata.name==web", true},
      {"metadata.name!=web", false},
      {"metadata.name!=db", true},
      {"metadata.namespace=shop", true},
      {"metadata.namespace!=shop", false},
      {"metadata.name=web,metadata.namespace=shop", true},
      {"metadata.name=web,metadata.namespace=x", false},
      {"metadata.name=", false},
      {"metadata.name=web,", true},
      {R"(metadata.name=w\,eb)", false},
  };
  for (const Row& row : rows) {
    const auto selector = FieldSelector::parse(row.text);
    ASSERT_TRUE(selector) << row.text;
    EXPECT_EQ(selector->matches("shop", "web"), row.matches) << row.text;
  }
  for (const char* text : {"metadata.name", "status.phase=Running", "=a", "name=web", "metadata.name=a,x",
                           "metadata.name=a=b", R"(metadata.name=a\b)", R"(metadata.name=a\)"}) {
    EXPECT_FALSE(FieldSelector::parse(text)) << text;
  }
}

TEST(FieldSelector, ValuesMayHoldWhatPartsThem) {
  const auto terms = parse_field_terms(R"(reason!=a\,b\=c\\,type==x)");
  ASSERT_TRUE(terms) << terms.error().what;
  ASSERT_EQ(terms->size(), 2U);
  EXPECT_EQ(terms->front().field, "reason");
  EXPECT_FALSE(terms->front().equal);
  EXPECT_EQ(terms->front().value, R"(a,b=c\)");
  EXPECT_EQ(terms->back().value, "x");
}

}  // namespace
}  // namespace tidemark::kube
