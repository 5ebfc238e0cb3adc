#include "serve/served_kinds.h"

#include <gtest/gtest.h>

#include "serve/field_rules.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;

std::string versions_of(const ServedKinds& kinds, std::string_view group) {
  const ServedKinds::Group* found = kinds.group(group);
  std::string text;
  if (found == nullptr) return text;
  for (const std::string& version : found->versions) text += (text.empty() ? "" : " ") + version;
  return text;
}

TEST(ServedKinds, BuiltInKindsAreServedAsStored) {
  struct Row {
    const char* word;
    const char* stored_as;
    const char* version;  // empty: not served
  };
  const Row rows[] = {
      {"pods", "v1", "v1"},
      {"pods", "", "v1"},
      {"deploy", "apps/v1", "apps/v1"},
      {"deploy", "apps/v1beta2", "apps/v1beta2"},
      {"hpa", "", "autoscaling/v2"},
      {"hpa", "autoscaling/v1", "autoscaling/v1"},
      {"ingress", "extensions/v1beta1", "networking.k8s.io/v1"},  // of another group: only its objects say so
      {"ingress", "networking", "networking.k8s.io/v1"},
      {"pods", "apps/v1", "v1"},
      {"psp", "", ""},
      {"psp", "policy/v1beta1", "policy/v1beta1"},
  };
  const kube::Resources own;
  for (const Row& row : rows) {
    ServedKinds kinds;
    kinds.add_built_in(*own.find(row.word), row.stored_as);
    kinds.settle();
    const std::string version = kinds.all().empty() ? "" : kinds.all().front().api_version();
    EXPECT_EQ(version, row.version) << row.word << " as " << row.stored_as;
  }
}

json definition(const json& more) {
  json whole{{"kind", "CustomResourceDefinition"},
             {"spec",
              {{"group", "a.example"},
               {"scope", "Namespaced"},
               {"names", {{"plural", "gears"}, {"kind", "Gear"}, {"listKind", "Gears"}}}}}};
  whole["spec"].update(more);
  return whole;
}

TEST(ServedKinds, DefinitionsAreServedInWhatCanBeShown) {
  struct Row {
    const char* spec;
    const char* versions;
  };
  const Row rows[] = {
      {R"({"versions":[{"name":"v1","served":true,"storage":true}]})", "v1"},
      {R"({"versions":[{"name":"v1alpha1","served":true},{"name":"v1","served":true,"storage":true},{"name":"v2beta1","served":true},{"name":"v0","served":false}]})",
       "v1 v2beta1 v1alpha1"},
      {R"({"conversion":{"strategy":"Webhook"},"versions":[{"name":"v1","served":true},{"name":"v1beta1","served":true,"storage":true}]})",
       "v1beta1"},
      {R"({"conversion":{"strategy":"Webhook"},"versions":[{"name":"v1","served":true},{"name":"v1beta1","served":false,"storage":true}]})",
       "v1"},
      {R"({"version":"v1beta1"})", "v1beta1"},
      {R"({"versions":[{"name":"v10","served":true},{"name":"v9","served":true},{"name":"foo","served":true}]})",
       "v10 v9 foo"},
      {R"({"versions":[]})", ""},
      {R"({"versions":[{"name":"v1","served":false}]})", ""},
      {R"({"versions":[7,null,{"name":7,"served":true}]})", ""},
      {R"({"versions":7})", ""},
      {R"({})", ""},
  };
  for (const Row& row : rows) {
    ServedKinds kinds;
    const std::string text = definition(json::parse(row.spec)).dump();
    ASSERT_TRUE(kinds.add_definition(as_bytes(text))) << row.spec;
    kinds.settle();
    EXPECT_EQ(versions_of(kinds, "a.example"), row.versions) << row.spec;
  }
  for (const char* bad : {"", "{", "[]", "{}", R"({"spec":7})", R"({"spec":{"group":"a"}})", "k8s"}) {
    EXPECT_FALSE(ServedKinds().add_definition(as_bytes(std::string_view(bad)))) << bad;
  }
}

TEST(ServedKinds, EachVersionHasItsOwn) {
  ServedKinds kinds;
  const std::string text = definition(json::parse(R"({"versions":[
    {"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"selectableFields":[{"jsonPath":".spec.color"}],
     "additionalPrinterColumns":[{"name":"Color","type":"string","jsonPath":".spec.color"}],"schema":{"openAPIV3Schema":{"type":"object"}}},
    {"name":"v1beta1","served":true}]})"))
                               .dump();
  ASSERT_TRUE(kinds.add_definition(as_bytes(text)));
  kinds.settle();
  const ServedKind* one = kinds.find("a.example", "v1", "gears");
  const ServedKind* other = kinds.find("a.example", "v1beta1", "gears");
  ASSERT_TRUE(one != nullptr && other != nullptr);
  EXPECT_EQ(one->list_kind, "Gears");
  EXPECT_TRUE(one->has_status);
  EXPECT_FALSE(other->has_status);
  EXPECT_EQ(one->resource.columns.size(), 1U);
  EXPECT_TRUE(other->resource.columns.empty());
  EXPECT_EQ(one->schema, json({{"type", "object"}}));
  EXPECT_TRUE(FieldRules::parse("spec.color=red", *one));
  EXPECT_FALSE(FieldRules::parse("spec.color=red", *other));
  EXPECT_EQ(kinds.find("a.example", "v2", "gears"), nullptr);
  EXPECT_EQ(kinds.find("", "v1", "gears"), nullptr);
}

TEST(FieldRules, OfPods) {
  ServedKinds kinds;
  const kube::Resources own;
  kinds.add_built_in(*own.find("pods"), "v1");
  const ServedKind& pods = kinds.all().front();
  const json pod{{"metadata", {{"name", "web"}, {"namespace", "shop"}}},
                 {"spec", {{"nodeName", "node-1"}}},
                 {"status", {{"phase", "Running"}}}};
  struct Row {
    const char* text;
    bool matches;
  };
  const Row rows[] = {
      {"", true},
      {"metadata.name=web", true},
      {"metadata.name==web,spec.nodeName=node-1", true},
      {"status.phase!=Failed,status.phase!=Succeeded", true},
      {"spec.hostNetwork=false", true},
      {"status.podIP=", true},
      {"metadata.name=web,", true},
      {"metadata.name=other", false},
      {"metadata.name!=web", false},
      {"metadata.namespace=shop,spec.nodeName=node-2", false},
      {"spec.hostNetwork=true", false},
      {"status.podIP!=", false},
  };
  for (const Row& row : rows) {
    const auto rules = FieldRules::parse(row.text, pods);
    ASSERT_TRUE(rules) << row.text;
    EXPECT_EQ(rules->matches(pod), row.matches) << row.text;
  }
  for (const char* bad : {"a", "metadata.name", "spec=x", "spec.color=red", "metadata.labels.a=b", "=x", "!=x",
                          "metadata.name>a", "involvedObject.name=x", "type=x"}) {
    const auto rules = FieldRules::parse(bad, pods);
    ASSERT_FALSE(rules) << bad;
    EXPECT_EQ(rules.error().code, Errc::invalid) << bad;
  }
  for (const char* hostile : {"null", "7", "[]", "{}", R"({"metadata":7})", R"({"metadata":{"name":7}})"}) {
    (void)FieldRules::parse("metadata.name=web", pods)->matches(json::parse(hostile));
  }
}

}  // namespace
}  // namespace tidemark::serve
