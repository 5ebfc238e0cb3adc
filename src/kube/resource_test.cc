#include "kube/resource.h"

#include <gtest/gtest.h>

#include <set>

namespace tidemark::kube {
namespace {

TEST(Resources, AreFoundAsKubectlFindsThem) {
  const Resources all;
  struct Row {
    const char* word;
    const char* prefix;
  };
  const Row rows[] = {
      {"pods", "pods"},
      {"pod", "pods"},
      {"po", "pods"},
      {"Pod", "pods"},
      {"PODS", "pods"},
      {"deploy", "deployments"},
      {"deployments.apps", "deployments"},
      {"deployment.v1.apps", "deployments"},
      {"Deployment.v1beta2.apps", "deployments"},
      {"pods.v1", "pods"},
      {"svc", "services/specs"},
      {"ep", "services/endpoints"},
      {"no", "minions"},
      {"rc", "controllers"},
      {"ing", "ingress"},
      {"crd", "apiextensions.k8s.io/customresourcedefinitions"},
      {"apiservice", "apiregistration.k8s.io/apiservices"},
      {"netpol", "networkpolicies"},
      {"psp", "podsecuritypolicy"},
      {"ev", "events"},
      {"events.events.k8s.io", "events"},
      {"clusterroles.rbac.authorization.k8s.io", "clusterroles"},
  };
  for (const Row& row : rows) {
    const Resource* found = all.find(row.word);
    ASSERT_NE(found, nullptr) << row.word;
    EXPECT_EQ(found->prefix, row.prefix) << row.word;
  }
  for (const char* word : {"", ".", "podss", "pods.apps", "deployments.v1", "deployments.x.apps", "deployments.apps.v1",
                           "pods.v1.apps", "componentstatuses", "all", "po po"}) {
    EXPECT_EQ(all.find(word), nullptr) << word;
  }
  EXPECT_EQ(all.in_category("all").size(), 10U);
  EXPECT_TRUE(all.in_category("none").empty());
  EXPECT_EQ(all.nearest("deploymnets"), "deployments");
  EXPECT_EQ(all.nearest("something-else-entirely"), "");
}

TEST(Resources, CustomOnesStandBehind) {
  Resources all;
  Resource widget;
  widget.plural = "pods";
  widget.kind = "Pod";
  widget.group = "shop.example.com";
  widget.prefix = "shop.example.com/pods";
  widget.custom = true;
  all.add(widget);
  EXPECT_EQ(all.find("pods")->prefix, "pods");
  EXPECT_EQ(all.find("pods.shop.example.com")->prefix, "shop.example.com/pods");
}

TEST(Definition, IsRead) {
  const auto read = read_definition(as_bytes(R"({"spec":{"group":"shop.example.com","scope":"Cluster",
    "names":{"plural":"widgets","singular":"widget","kind":"Widget","shortNames":["wd"],"categories":["all"]},
    "versions":[{"name":"v1alpha1","served":true},{"name":"v2","served":false,"storage":true},
                {"name":"v1","served":true,"additionalPrinterColumns":[{"name":"Size","type":"integer","jsonPath":".spec.size","priority":1}]},
                {"name":"v1beta1","served":true}]}})"));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->prefix, "shop.example.com/widgets");
  EXPECT_EQ(read->version, "v1");
  EXPECT_FALSE(read->namespaced);
  EXPECT_TRUE(read->other_versions);
  EXPECT_TRUE(read->convertible);
  ASSERT_EQ(read->columns.size(), 1U);
  EXPECT_EQ(read->columns[0].json_path, ".spec.size");
  EXPECT_EQ(read->columns[0].priority, 1);

  const auto old = read_definition(as_bytes(R"({"spec":{"group":"g","version":"v1beta1","scope":"Namespaced",
    "names":{"plural":"as","kind":"A"},"additionalPrinterColumns":[{"name":"X","type":"string","JSONPath":".x"}],
    "conversion":{"strategy":"Webhook"}}})"));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->version, "v1beta1");
  EXPECT_TRUE(old->namespaced);
  EXPECT_FALSE(old->convertible);
  EXPECT_EQ(old->columns.at(0).json_path, ".x");
}

TEST(Definition, PreferredVersion) {
  struct Row {
    const char* versions;
    const char* preferred;
  };
  const Row rows[] = {
      {"v1,v2", "v2"},
      {"v10,v9", "v10"},
      {"v1beta1,v1", "v1"},
      {"v2beta1,v1", "v1"},
      {"v1alpha9,v1beta1", "v1beta1"},
      {"v1beta2,v1beta10", "v1beta10"},
      {"foo,v1alpha1", "v1alpha1"},
      {"b,a", "a"},
      {"v01,v1alpha1", "v01"},
      {"v1gamma1,v1alpha1", "v1alpha1"},
      {"v0,zz", "v0"},
  };
  for (const Row& row : rows) {
    std::string list;
    std::string_view left = row.versions;
    while (!left.empty()) {
      const std::size_t comma = std::min(left.find(','), left.size());
      list += fmt::format(R"({}{{"name":"{}","served":true}})", list.empty() ? "" : ",", left.substr(0, comma));
      left.remove_prefix(std::min(comma + 1, left.size()));
    }
    const std::string text = R"({"spec":{"group":"g","names":{"plural":"as","kind":"A"},"versions":[)" + list + "]}}";
    const auto read = read_definition(as_bytes(text));
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->version, row.preferred) << row.versions;
  }
}

TEST(Definition, IsRefused) {
  for (const char* text :
       {"", "{", "[]", "{}", "7", R"({"spec":7})", R"({"spec":{"group":"g"}})",
        R"({"spec":{"group":"g","names":{"plural":"as"}}})", R"({"spec":{"names":{"plural":"as","kind":"A"}}})",
        R"({"spec":{"group":7,"names":{"plural":"as","kind":"A"}}})"}) {
    EXPECT_FALSE(read_definition(as_bytes(text))) << text;
  }
}

}  // namespace
}  // namespace tidemark::kube
