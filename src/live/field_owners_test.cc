#include "live/field_owners.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::live {
namespace {

using nlohmann::json;

json managed(const char* spec, const char* fields, const char* more = "") {
  return json::parse(fmt::format(R"({{"spec":{},"metadata":{{"managedFields":[{{"manager":"m","operation":"Apply"{},
    "fieldsV1":{{"f:spec":{}}}}}]}}}})",
                                 spec, more, fields));
}

TEST(FieldOwners, WhoOwnsSomethingThatDiffers) {
  struct Row {
    const char* now;
    const char* target;
    const char* fields;
    bool owns;
  };
  const Row rows[] = {
      {R"({"a":1})", R"({"a":2})", R"({"f:a":{}})", true},
      {R"({"a":1})", R"({"a":1})", R"({"f:a":{}})", false},
      {R"({"a":1,"b":1})", R"({"a":1,"b":2})", R"({"f:a":{}})", false},
      {R"({"a":1})", "{}", R"({"f:a":{}})", true},
      {"{}", R"({"a":1})", R"({"f:a":{}})", false},
      {R"({"a":{"x":1}})", R"({"a":{"x":1,"y":2}})", R"({"f:a":{"f:x":{}}})", false},
      {R"({"a":{"x":1}})", R"({"a":{"x":1,"y":2}})", R"({"f:a":{".":{},"f:x":{}}})", false},
      {R"({"a":{"x":1}})", "{}", R"({"f:a":{".":{}}})", true},
      {R"({"a":{"x":1}})", R"({"a":{"x":1,"y":2}})", R"({"f:a":{}})", true},
      {R"({"c":[{"name":"a","v":1},{"name":"b","v":1}]})", R"({"c":[{"name":"b","v":1},{"name":"a","v":2}]})",
       R"({"f:c":{"k:{\"name\":\"a\"}":{".":{},"f:v":{}}}})", true},
      {R"({"c":[{"name":"a","v":1},{"name":"b","v":1}]})", R"({"c":[{"name":"b","v":1},{"name":"a","v":2}]})",
       R"({"f:c":{"k:{\"name\":\"b\"}":{".":{},"f:v":{}}}})", false},
      {R"({"c":[{"name":"a"}]})", R"({"c":[]})", R"({"f:c":{"k:{\"name\":\"a\"}":{".":{}}}})", true},
      {R"({"p":[{"port":80}]})", R"({"p":[{"port":80}]})",
       R"({"f:p":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}})", false},
      {R"({"s":["a","b"]})", R"({"s":["b"]})", R"({"f:s":{"v:\"a\"":{}}})", true},
      {R"({"s":["a","b"]})", R"({"s":["b"]})", R"({"f:s":{"v:\"b\"":{}}})", false},
      {R"({"s":["a","b"]})", R"({"s":["a","c"]})", R"({"f:s":{"i:1":{}}})", true},
      {R"({"s":["a"]})", R"({"s":["b"]})", R"({"f:s":{"i:7":{},"i:x":{},"k:{":{},"v:{":{},"q:a":{},"":{},"f":{}}})",
       false},
      {R"({"s":["a"]})", R"({"s":["b"]})", "7", true},
      {R"({"s":["a"]})", R"({"s":["a"]})", "null", false},
  };
  for (const Row& row : rows) {
    json target = managed(row.target, "{}");
    const json live = managed(row.now, row.fields);
    EXPECT_EQ(!owners_of_differences(live, target).empty(), row.owns) << row.now << row.target << row.fields;
  }
}

TEST(FieldOwners, StatusIsNobodysBusinessHere) {
  const json live = managed(R"({"a":1})", R"({"f:a":{}})", R"(,"subresource":"status")");
  EXPECT_TRUE(owners_of_differences(live, managed(R"({"a":2})", "{}")).empty());
  EXPECT_EQ(owners_of_differences(managed(R"({"a":1})", R"({"f:a":{}})", R"(,"subresource":"scale")"),
                                  managed(R"({"a":2})", "{}")),
            std::vector<std::string>({"m/scale"}));
}

TEST(FieldOwners, OfOneField) {
  const json live = managed(R"({"replicas":1})", R"({"f:replicas":{},"f:a":{"f:b":{}}})");
  EXPECT_EQ(owners_of_field(live, "/spec/replicas").size(), 1U);
  EXPECT_EQ(owners_of_field(live, "/spec/a/b").front().name(), "m");
  EXPECT_EQ(owners_of_field(live, "/spec/a/b").front().operation, "Apply");
  EXPECT_TRUE(owners_of_field(live, "/spec/b").empty());
  for (const char* odd :
       {"{}", "[]", "null", R"({"metadata":{"managedFields":3}})", R"({"metadata":{"managedFields":[3]}})"}) {
    EXPECT_TRUE(owners_of_field(json::parse(odd), "/spec/replicas").empty());
    EXPECT_TRUE(owners_of_differences(json::parse(odd), json::object()).empty());
  }
}

}  // namespace
}  // namespace tidemark::live
