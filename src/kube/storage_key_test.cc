#include "kube/storage_key.h"

#include <gtest/gtest.h>

#include "base/result.h"

namespace tidemark::kube {
namespace {

std::string read(std::string_view key, std::string_view prefix = kDefaultPrefix) {
  const auto k = parse_storage_key(as_bytes(key), prefix);
  return k ? fmt::format("{}|{}|{}|{}", k->group, k->resource, k->ns, k->name) : "none";
}

TEST(StorageKey, Table) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"/registry/pods/kube-system/etcd-0", "|pods|kube-system|etcd-0"},
      {"/registry/namespaces/default", "|namespaces||default"},
      {"/registry/services/specs/default/kubernetes", "|services|default|kubernetes"},
      {"/registry/services/endpoints/default/kubernetes", "|endpoints|default|kubernetes"},
      {"/registry/minions/node-1", "|nodes||node-1"},
      {"/registry/controllers/ns/rc", "|replicationcontrollers|ns|rc"},
      {"/registry/ingress/ns/web", "|ingresses|ns|web"},
      {"/registry/clusterroles/system:controller:job-controller", "|clusterroles||system:controller:job-controller"},
      {"/registry/apiextensions.k8s.io/customresourcedefinitions/widgets.shop.example.com",
       "apiextensions.k8s.io|customresourcedefinitions||widgets.shop.example.com"},
      {"/registry/shop.example.com/widgets/ns/one", "shop.example.com|widgets|ns|one"},
      {"/registry/shop.example.com/worlds/earth", "shop.example.com|worlds||earth"},
      // No objects.
      {"compact_rev_key", "none"},
      {"/registry/ranges/serviceips", "none"},
      {"/registry/masterleases/10.0.0.1", "none"},
      {"/registry/peerserverleases/apiserver-x", "none"},
      {"/registry/health", "none"},
      // Of another shape.
      {"", "none"},
      {"/registry", "none"},
      {"/registry/", "none"},
      {"/registry/pods", "none"},
      {"/registry/pods/", "none"},
      {"/registry//ns/x", "none"},
      {"/registry/pods/ns/", "none"},
      {"/registry/pods/ns/a/b", "none"},
      {"/registry/services/other/ns/x", "none"},
      {"/registry/services/specs", "none"},
      {"/registry/shop.example.com/widgets", "none"},
      {"/registry/a/b/c/d/e/f", "none"},
      {"/registryx/pods/ns/a", "none"},
      {"registry/pods/ns/a", "none"},
  };
  for (const auto& [key, expected] : rows) EXPECT_EQ(read(key), expected) << key;
  EXPECT_EQ(read("/tenant/a/registry/pods/ns/a", "/tenant/a/registry"), "|pods|ns|a");
}

}  // namespace
}  // namespace tidemark::kube
