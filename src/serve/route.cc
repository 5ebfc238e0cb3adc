#include "serve/route.h"

namespace tidemark::serve {
namespace {

using Parts = std::span<const std::string>;

bool is_health(const std::string& word) { return word == "healthz" || word == "livez" || word == "readyz"; }

// What is behind /api/v1 or /apis/G/V.
Route behind_version(Route route, Parts rest) {
  if (rest.empty()) {
    route.to = Route::To::resources;
    return route;
  }
  if (rest.front() == "watch") {
    route.watch = true;
    rest = rest.subspan(1);
    if (rest.empty()) return route;
  }
  // A namespace's own subresources stand where the resources in it do.
  const bool of_namespace = route.group.empty() && rest.size() == 3 && (rest[2] == "status" || rest[2] == "finalize");
  if (rest.size() >= 3 && rest.front() == "namespaces" && !of_namespace) {
    route.ns = rest[1];
    rest = rest.subspan(2);
  }
  route.resource = rest[0];
  route.to = Route::To::objects;
  if (rest.size() > 1) {
    route.name = rest[1];
    route.to = Route::To::object;
  }
  // What is behind a proxy's name is the path of somebody else.
  if (rest.size() > 2) route.subresource = rest[2];
  return route;
}

Route openapi(Parts rest) {
  Route route;
  if (rest.size() == 1 && rest[0] == "v2") route.to = Route::To::openapi_v2;
  if (rest.empty() || rest[0] != "v3") return route;
  rest = rest.subspan(1);
  if (rest.empty()) route.to = Route::To::openapi_v3;
  if (rest.size() == 2 && rest[0] == "api") {
    route.to = Route::To::openapi_v3;
    route.version = rest[1];
  }
  if (rest.size() == 3 && rest[0] == "apis") {
    route.to = Route::To::openapi_v3;
    route.group = rest[1];
    route.version = rest[2];
  }
  return route;
}

}  // namespace

Route route_of(Parts path) {
  Route route;
  if (path.empty()) {
    route.to = Route::To::root;
  } else if (is_health(path[0])) {
    route.to = Route::To::health;
  } else if (path[0] == "version" && path.size() == 1) {
    route.to = Route::To::version;
  } else if (path[0] == "openapi") {
    return openapi(path.subspan(1));
  } else if (path[0] == "api") {
    if (path.size() == 1) {
      route.to = Route::To::core;
    } else {
      route.version = path[1];
      return behind_version(std::move(route), path.subspan(2));
    }
  } else if (path[0] == "apis") {
    route.to = path.size() == 1 ? Route::To::groups : Route::To::group;
    if (path.size() > 1) route.group = path[1];
    if (path.size() > 2) {
      route.to = Route::To::nothing;
      route.version = path[2];
      return behind_version(std::move(route), path.subspan(3));
    }
  }
  return route;
}

}  // namespace tidemark::serve
