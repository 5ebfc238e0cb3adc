#include "serve/route.h"

#include <gtest/gtest.h>

#include "serve/api_request.h"

namespace tidemark::serve {
namespace {

using To = Route::To;

TEST(Route, OfPaths) {
  struct Row {
    const char* path;
    To to;
    const char* group;
    const char* version;
    const char* resource;
    const char* ns;
    const char* name;
    const char* subresource;
  };
  const Row rows[] = {
      {"/", To::root, "", "", "", "", "", ""},
      {"/healthz", To::health, "", "", "", "", "", ""},
      {"/readyz/ping", To::health, "", "", "", "", "", ""},
      {"/version", To::version, "", "", "", "", "", ""},
      {"/api", To::core, "", "", "", "", "", ""},
      {"/apis", To::groups, "", "", "", "", "", ""},
      {"/apis/apps", To::group, "apps", "", "", "", "", ""},
      {"/api/v1", To::resources, "", "v1", "", "", "", ""},
      {"/apis/apps/v1", To::resources, "apps", "v1", "", "", "", ""},
      {"/api/v1/pods", To::objects, "", "v1", "pods", "", "", ""},
      {"/api/v1/namespaces", To::objects, "", "v1", "namespaces", "", "", ""},
      {"/api/v1/namespaces/shop", To::object, "", "v1", "namespaces", "", "shop", ""},
      {"/api/v1/namespaces/shop/status", To::object, "", "v1", "namespaces", "", "shop", "status"},
      {"/api/v1/namespaces/shop/finalize", To::object, "", "v1", "namespaces", "", "shop", "finalize"},
      {"/api/v1/namespaces/shop/pods", To::objects, "", "v1", "pods", "shop", "", ""},
      {"/api/v1/namespaces/shop/pods/web", To::object, "", "v1", "pods", "shop", "web", ""},
      {"/api/v1/namespaces/shop/pods/web/log", To::object, "", "v1", "pods", "shop", "web", "log"},
      {"/api/v1/namespaces/shop/services/web/proxy/a/b", To::object, "", "v1", "services", "shop", "web", "proxy"},
      {"/apis/apps/v1/namespaces/shop/deployments/web/scale", To::object, "apps", "v1", "deployments", "shop", "web",
       "scale"},
      {"/apis/apps/v1/namespaces/shop/status", To::objects, "apps", "v1", "status", "shop", "", ""},
      {"/apis/storage.k8s.io/v1/storageclasses/fast", To::object, "storage.k8s.io", "v1", "storageclasses", "", "fast",
       ""},
      {"/api/v1/watch/namespaces/shop/pods", To::objects, "", "v1", "pods", "shop", "", ""},
      {"/openapi/v2", To::openapi_v2, "", "", "", "", "", ""},
      {"/openapi/v3", To::openapi_v3, "", "", "", "", "", ""},
      {"/openapi/v3/api/v1", To::openapi_v3, "", "v1", "", "", "", ""},
      {"/openapi/v3/apis/apps/v1", To::openapi_v3, "apps", "v1", "", "", "", ""},
      {"/openapi/v4", To::nothing, "", "", "", "", "", ""},
      {"/openapi/v3/apis/apps", To::nothing, "", "", "", "", "", ""},
      {"/openapi", To::nothing, "", "", "", "", "", ""},
      {"/api/v1/watch", To::nothing, "", "v1", "", "", "", ""},
      {"/version/x", To::nothing, "", "", "", "", "", ""},
      {"/metrics", To::nothing, "", "", "", "", "", ""},
      {"/logs", To::nothing, "", "", "", "", "", ""},
      {"/API", To::nothing, "", "", "", "", "", ""},
  };
  for (const Row& row : rows) {
    const Route route = route_of(read_target(row.path)->path);
    EXPECT_EQ(route.to, row.to) << row.path;
    EXPECT_EQ(route.group, row.group) << row.path;
    EXPECT_EQ(route.version, row.version) << row.path;
    EXPECT_EQ(route.resource, row.resource) << row.path;
    EXPECT_EQ(route.ns, row.ns) << row.path;
    EXPECT_EQ(route.name, row.name) << row.path;
    EXPECT_EQ(route.subresource, row.subresource) << row.path;
    EXPECT_EQ(route.watch, std::string_view(row.path).find("/watch") != std::string_view::npos) << row.path;
  }
}

}  // namespace
}  // namespace tidemark::serve
