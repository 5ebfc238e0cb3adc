#include "kube/served.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::kube {
namespace {

using Json = nlohmann::json;

Json served(std::string_view word, Json object) {
  static const Resources resources;
  EXPECT_TRUE(as_served(object, *resources.find(word)));
  return object;
}

TEST(Served, Definitions) {
  struct Row {
    const char* stored;
    const char* served;
  };
  const Row rows[] = {
      // One version, named the old way.
      {R"({"version":"v1","validation":{"openAPIV3Schema":{}},"subresources":{"status":{}},"preserveUnknownFields":false,
           "additionalPrinterColumns":[{"name":"A","JSONPath":".a"}],"selectableFields":[{"jsonPath":".b"}]})",
       R"({"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{}},"subresources":{"status":{}},
           "additionalPrinterColumns":[{"name":"A","jsonPath":".a"}],"selectableFields":[{"jsonPath":".b"}]}],"conversion":{"strategy":"None"}})"},
      // What a version says itself stays.
      {R"({"version":"v1","versions":[{"name":"v1","schema":{"x":1}},{"name":"v2"}],"validation":{"y":2},"preserveUnknownFields":true})",
       R"({"versions":[{"name":"v1","schema":{"x":1}},{"name":"v2","schema":{"y":2}}],"preserveUnknownFields":true,"conversion":{"strategy":"None"}})"},
      {R"({"versions":[{"name":"v1"}],"conversion":{"strategy":"Webhook","webhookClientConfig":{"url":"u"},"conversionReviewVersions":["v1"]}})",
       R"({"versions":[{"name":"v1"}],"conversion":{"strategy":"Webhook","webhook":{"clientConfig":{"url":"u"},"conversionReviewVersions":["v1"]}}})"},
      {R"({"versions":[{"name":"v1"}],"conversion":{"strategy":"None","conversionReviewVersions":["v1beta1"]}})",
       R"({"versions":[{"name":"v1"}],"conversion":{"strategy":"None"}})"},
  };
  for (const Row& row : rows) {
    const Json stored{{"apiVersion", "apiextensions.k8s.io/v1beta1"}, {"spec", Json::parse(row.stored)}};
    const Json expected{{"apiVersion", "apiextensions.k8s.io/v1"}, {"spec", Json::parse(row.served)}};
    EXPECT_EQ(served("crd", stored), expected) << row.stored;
  }
  const Json newer{{"apiVersion", "apiextensions.k8s.io/v1"}, {"spec", {{"version", "x"}}}};
  EXPECT_EQ(served("crd", newer), newer);
}

TEST(Served, VolumesHaveAPhase) {
  struct Row {
    const char* kind;
    const char* stored;
    const char* served;
  };
  const Row rows[] = {
      {"pvc", R"({})", R"({"status":{"phase":"Pending"}})"},
      {"pv", R"({"status":null})", R"({"status":{"phase":"Pending"}})"},
      {"pvc", R"({"status":{"capacity":{}}})", R"({"status":{"capacity":{},"phase":"Pending"}})"},
      {"pvc", R"({"status":{"phase":""}})", R"({"status":{"phase":"Pending"}})"},
      {"pvc", R"({"status":{"phase":"Bound"}})", R"({"status":{"phase":"Bound"}})"},
      {"pv", R"({"status":7})", R"({"status":7})"},
      {"cm", R"({})", R"({})"},
      {"pods", R"({"status":{}})", R"({"status":{}})"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(served(row.kind, Json::parse(row.stored)), Json::parse(row.served)) << row.stored;
}

// Whatever is stored, nothing is thrown.
TEST(Served, HostileObjects) {
  for (
      const char* text :
      {"null", "7", "[]", "{}", R"({"apiVersion":7})", R"({"apiVersion":"apiextensions.k8s.io/v1beta1"})",
       R"({"apiVersion":"apiextensions.k8s.io/v1beta1","spec":7})",
       R"({"apiVersion":"apiextensions.k8s.io/v1beta1","spec":{}})",
       R"({"apiVersion":"apiextensions.k8s.io/v1beta1","spec":{"versions":7,"version":7,"conversion":7}})",
       R"({"apiVersion":"apiextensions.k8s.io/v1beta1","spec":{"versions":[7,null],"validation":{},"additionalPrinterColumns":7}})",
       R"({"apiVersion":"apiextensions.k8s.io/v1beta1","spec":{"conversion":{"strategy":7,"conversionReviewVersions":[]}}})",
       R"({"spec":{"volumeClaimTemplates":7}})", R"({"spec":{"volumeClaimTemplates":[7,null]}})"}) {
    for (const char* kind : {"crd", "sts", "cm", "pv", "pvc"}) served(kind, Json::parse(text));
  }
}

TEST(Served, ClaimTemplates) {
  const Json stored = Json::parse(R"({"spec":{"volumeClaimTemplates":[{"metadata":{"name":"a"}},{"kind":"Own"}]}})");
  const Json expected = Json::parse(R"({"spec":{"volumeClaimTemplates":[
    {"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"a"}},{"apiVersion":"v1","kind":"Own"}]}})");
  EXPECT_EQ(served("sts", stored), expected);
  EXPECT_EQ(served("cm", stored), stored);
}

TEST(Served, CustomResourcesInTheVersionOfClients) {
  Resource widget;
  widget.custom = true;
  widget.group = "g";
  widget.version = "v2";
  Json object{{"apiVersion", "g/v1"}};
  EXPECT_TRUE(as_served(object, widget));
  EXPECT_EQ(object, Json({{"apiVersion", "g/v2"}}));
  widget.convertible = false;
  object["apiVersion"] = "g/v1";
  EXPECT_FALSE(as_served(object, widget));
  EXPECT_EQ(object, Json({{"apiVersion", "g/v1"}}));
  object["apiVersion"] = "g/v2";
  EXPECT_TRUE(as_served(object, widget));
}

}  // namespace
}  // namespace tidemark::kube
