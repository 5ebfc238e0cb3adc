#include "live/namespaces.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::object;

TEST(MoveNamespaces, EveryPlaceThatNamesOne) {
  struct Row {
    const char* id;
    const char* before;
    const char* after;
  };
  const Row rows[] = {
      {"configmaps shop/c", R"({"data":{"namespace":"shop"}})",
       R"({"data":{"namespace":"shop"},"metadata":{"namespace":"store"}})"},
      {"configmaps other/c", "{}", "{}"},
      {"namespaces shop", R"({"metadata":{"labels":{"kubernetes.io/metadata.name":"shop"}}})",
       R"({"metadata":{"name":"store","labels":{"kubernetes.io/metadata.name":"store"}}})"},
      {"clusterroles.rbac.authorization.k8s.io shop", "{}", "{}"},
      {"rolebindings.rbac.authorization.k8s.io other/r",
       R"({"subjects":[{"namespace":"shop","name":"a"},{"namespace":"third"},{"name":"b"}]})",
       R"({"subjects":[{"namespace":"store","name":"a"},{"namespace":"third"},{"name":"b"}]})"},
      {"clusterrolebindings.rbac.authorization.k8s.io r", R"({"subjects":[{"namespace":"shop"}]})",
       R"({"subjects":[{"namespace":"store"}]})"},
      {"persistentvolumes p", R"({"spec":{"claimRef":{"namespace":"shop"}}})",
       R"({"spec":{"claimRef":{"namespace":"store"}}})"},
      {"persistentvolumeclaims other/p", R"({"spec":{"dataSourceRef":{"namespace":"shop"}}})",
       R"({"spec":{"dataSourceRef":{"namespace":"store"}}})"},
      {"mutatingwebhookconfigurations.admissionregistration.k8s.io w",
       R"({"webhooks":[{"clientConfig":{"service":{"namespace":"shop"}},"namespaceSelector":{
           "matchLabels":{"kubernetes.io/metadata.name":"shop","shop":"shop"},
           "matchExpressions":[{"key":"kubernetes.io/metadata.name","values":["shop","x"]},{"key":"k","values":["shop"]}]}}]})",
       R"({"webhooks":[{"clientConfig":{"service":{"namespace":"store"}},"namespaceSelector":{
           "matchLabels":{"kubernetes.io/metadata.name":"store","shop":"shop"},
           "matchExpressions":[{"key":"kubernetes.io/metadata.name","values":["store","x"]},{"key":"k","values":["shop"]}]}}]})"},
      {"networkpolicies.networking.k8s.io other/n",
       R"({"spec":{"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"shop"}}}]}]}})",
       R"({"spec":{"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"store"}}}]}]}})"},
      {"apiservices.apiregistration.k8s.io a", R"({"spec":{"service":{"namespace":"shop"}}})",
       R"({"spec":{"service":{"namespace":"store"}}})"},
      {"customresourcedefinitions.apiextensions.k8s.io c",
       R"({"spec":{"conversion":{"webhook":{"clientConfig":{"service":{"namespace":"shop"}}}}}})",
       R"({"spec":{"conversion":{"webhook":{"clientConfig":{"service":{"namespace":"store"}}}}}})"},
      {"widgets.shop.example.com other/w", R"({"spec":{"namespace":"shop"}})", R"({"spec":{"namespace":"shop"}})"},
  };
  for (const Row& row : rows) {
    Found found = object(row.id, row.before);
    const Found expected = testing::with(found, row.after);
    move_namespaces(found.kind, {{"shop", "store"}}, found.object);
    EXPECT_EQ(found.object, expected.object) << row.id;
    Found still = object(row.id, row.before);
    move_namespaces(still.kind, {}, still.object);
    EXPECT_EQ(still.object, object(row.id, row.before).object);
  }
}

TEST(MoveNamespaces, AMovedServiceGetsAddressesOfItsOwn) {
  const Found service = object("services shop/s", R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"]}})");
  const Plan plan = testing::planned({.wanted = {service}, .live = {object("namespaces store")}},
                                     {.namespaces = {{"shop", "store"}}});
  const Step& step = testing::step_of(plan, "services store/s");
  EXPECT_EQ(step.name_space, "store");
  EXPECT_EQ(step.body["spec"], nlohmann::json::object());
}

}  // namespace
}  // namespace tidemark::live
