#include "live/references.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::object;

std::string named_by(const char* id, const char* rest) {
  const Found found = object(id, rest);
  std::string text;
  for (const Reference& reference : references_of(found.kind, found.object)) {
    text += reference.id() + (reference.optional ? "?" : "") + "\n";
  }
  return text;
}

TEST(References, OfEachKind) {
  constexpr const char* kPod = R"({"serviceAccountName":"bot","priorityClassName":"high","runtimeClassName":"gvisor",
    "imagePullSecrets":[{"name":"pull"}],
    "volumes":[{"secret":{"secretName":"tls"}},{"configMap":{"name":"conf","optional":true}},
               {"persistentVolumeClaim":{"claimName":"data"}},
               {"projected":{"sources":[{"secret":{"name":"p"}},{"configMap":{"name":"q"}},{"downwardAPI":{}}]}}],
    "initContainers":[{"envFrom":[{"secretRef":{"name":"env"}},{"configMapRef":{"name":"conf"}}]}],
    "containers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":"one","key":"k","optional":true}}},{"value":"x"}]}]})";
  const std::string of_pod =
      "configmaps shop/conf\nconfigmaps shop/q\nnamespaces shop\npersistentvolumeclaims shop/data\n"
      "priorityclasses.scheduling.k8s.io high\nruntimeclasses.node.k8s.io gvisor\nsecrets shop/env\nsecrets shop/one?\n"
      "secrets shop/p\nsecrets shop/pull?\nsecrets shop/tls\nserviceaccounts shop/bot\n";
  const auto in = [&](const char* before, const char* after) { return std::string(before) + kPod + after; };
  struct Row {
    const char* id;
    std::string rest, names;
  };
  const Row rows[] = {
      {"pods shop/x", in(R"({"spec":)", "}"), of_pod},
      {"deployments.apps shop/x", in(R"({"spec":{"template":{"spec":)", "}}}"), of_pod},
      {"cronjobs.batch shop/x", in(R"({"spec":{"jobTemplate":{"spec":{"template":{"spec":)", "}}}}}"), of_pod},
      {"podtemplates shop/x", in(R"({"template":{"spec":)", "}}"), of_pod},
      {"widgets.shop.example.com shop/x", in(R"({"spec":)", "}"), "namespaces shop\n"},
      {"configmaps shop/x", "{}", "namespaces shop\n"},
      {"secrets shop/x",
       R"({"type":"kubernetes.io/service-account-token","metadata":{"annotations":{"kubernetes.io/service-account.name":"bot"}}})",
       "namespaces shop\nserviceaccounts shop/bot\n"},
      {"secrets shop/x", R"({"metadata":{"annotations":{"kubernetes.io/service-account.name":"bot"}}})",
       "namespaces shop\n"},
      {"namespaces shop", "{}", ""},
      {"persistentvolumeclaims shop/x", R"({"spec":{"storageClassName":"fast","volumeName":"pv-1"}})",
       "namespaces shop\npersistentvolumes pv-1\nstorageclasses.storage.k8s.io fast\n"},
      {"persistentvolumeclaims shop/x", R"({"spec":{"storageClassName":""}})", "namespaces shop\n"},
      {"rolebindings.rbac.authorization.k8s.io shop/x",
       R"({"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"ServiceAccount","namespace":"other","name":"bot"},
           {"kind":"User","name":"u"}]})",
       "namespaces shop\nroles.rbac.authorization.k8s.io shop/r\nserviceaccounts other/bot?\n"},
      {"clusterrolebindings.rbac.authorization.k8s.io x", R"({"roleRef":{"kind":"ClusterRole","name":"r"}})",
       "clusterroles.rbac.authorization.k8s.io r\n"},
      {"ingresses.networking.k8s.io shop/x",
       R"({"spec":{"ingressClassName":"nginx","tls":[{"secretName":"tls"}],"defaultBackend":{"service":{"name":"d"}},
           "rules":[{"http":{"paths":[{"backend":{"service":{"name":"web"}}},{"backend":{"resource":{}}}]}},{}]}})",
       "ingressclasses.networking.k8s.io nginx\nnamespaces shop\nsecrets shop/tls?\nservices shop/d\nservices "
       "shop/web\n"},
      {"statefulsets.apps shop/x",
       R"({"spec":{"serviceName":"web","volumeClaimTemplates":[{"spec":{"storageClassName":"fast"}}]}})",
       "namespaces shop\nservices shop/web\nstorageclasses.storage.k8s.io fast\n"},
      {"validatingwebhookconfigurations.admissionregistration.k8s.io x",
       R"({"webhooks":[{"clientConfig":{"service":{"namespace":"shop","name":"hook"}}},{"clientConfig":{"url":"x"}}]})",
       "services shop/hook\n"},
      {"apiservices.apiregistration.k8s.io x", R"({"spec":{"service":{"namespace":"shop","name":"api"}}})",
       "services shop/api\n"},
      {"apiservices.apiregistration.k8s.io x", R"({"spec":{"service":null}})", ""},
      {"serviceaccounts shop/x", R"({"imagePullSecrets":[{"name":"pull"}]})", "namespaces shop\nsecrets shop/pull?\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(named_by(row.id, row.rest.c_str()), row.names) << row.id << row.rest;
}

}  // namespace
}  // namespace tidemark::live
