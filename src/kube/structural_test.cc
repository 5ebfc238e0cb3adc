#include "kube/structural.h"

#include <gtest/gtest.h>

#include "kube/testing/structural_rows.h"

namespace tidemark::kube {
namespace {

using Json = nlohmann::json;

Json definition(const Json& spec_schema, const Json& more = Json::object()) {
  Json spec{{"versions",
             {{{"name", "v1"},
               {"schema", {{"openAPIV3Schema", {{"type", "object"}, {"properties", {{"spec", spec_schema}}}}}}}}}}};
  spec.update(more);
  return {{"apiVersion", "apiextensions.k8s.io/v1"}, {"spec", spec}};
}

Json object_with(const Json& spec) {
  return {{"apiVersion", "x.y/v1"}, {"kind", "K"}, {"metadata", {{"name", "n"}, {"odd", 1}}}, {"spec", spec}};
}

TEST(StructuralSchemas, ReadAsAServerDoes) {
  for (const testing::StructuralRow& row : testing::kStructuralRows) {
    const StructuralSchemas schemas(definition(Json::parse(row.schema)).dump());
    Json object = object_with(Json::parse(row.stored));
    schemas.read(object, "v1");
    EXPECT_EQ(object, object_with(Json::parse(row.read))) << row.name;
    schemas.read(object, "v1");
    EXPECT_EQ(object, object_with(Json::parse(row.read))) << "twice: " << row.name;
  }
}

TEST(StructuralSchemas, OldDefinitionsKeepWhatTheyDoNotKnow) {
  const Json schema = Json::parse(R"({"properties":{"a":{"default":1}}})");
  const Json stored = object_with({{"b", 2}});
  const auto read = [&](const Json& definition) {
    Json object = stored;
    StructuralSchemas(definition.dump()).read(object, "v1");
    return object;
  };
  EXPECT_EQ(read(definition(schema)), object_with({{"a", 1}}));
  EXPECT_EQ(read(definition(schema, {{"preserveUnknownFields", true}})), object_with({{"a", 1}, {"b", 2}}));
  Json old = definition(schema);
  old["apiVersion"] = "apiextensions.k8s.io/v1beta1";
  EXPECT_EQ(read(old), object_with({{"a", 1}, {"b", 2}}));
  old["spec"]["preserveUnknownFields"] = false;
  EXPECT_EQ(read(old), object_with({{"a", 1}}));
  // One schema for all versions, and the version named the old way.
  old["spec"]["validation"] = old["spec"]["versions"][0]["schema"];
  old["spec"].erase("versions");
  old["spec"]["version"] = "v1";
  EXPECT_EQ(read(old), object_with({{"a", 1}}));
}

TEST(StructuralSchemas, AVersionOfWhichNothingIsKnownIsLeftAlone) {
  const StructuralSchemas schemas(definition(Json::parse(R"({"type":"object"})")).dump());
  Json object = object_with({{"a", 1}});
  schemas.read(object, "v2");
  schemas.convert(object, "v3");
  EXPECT_EQ(object, object_with({{"a", 1}}));
  schemas.convert(object, "v1");
  EXPECT_EQ(object, object_with(Json::object()));
}

// Whatever the definition and the object are, nothing is thrown.
TEST(StructuralSchemas, HostileDefinitionsAndObjects) {
  for (const char* text :
       {"", "null", "7", "{}", R"({"spec":7})", R"({"spec":{"versions":7}})",
        R"({"spec":{"versions":[7,null,{"name":7},{"name":"v1","schema":7}]}})",
        R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"properties":[],"items":[],)"
        R"("additionalProperties":[],"default":{},"nullable":3}}}]}})",
        R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"properties":{"a":7},)"
        R"("items":null}}}]}})"}) {
    for (const char* stored : {"null", "7", "[]", "{}", R"({"a":{"b":[null,{}]},"metadata":null})"}) {
      const StructuralSchemas schemas{std::string(text)};
      Json object = Json::parse(stored);
      schemas.read(object, "v1");
      schemas.convert(object, "v1");
    }
  }
}

}  // namespace
}  // namespace tidemark::kube
