// Which part of the API a path is.
// Threads: any.
#pragma once

#include <span>
#include <string>

namespace tidemark::serve {

struct Route {
  enum class To {
    nothing,     // no path of the API
    root,        // /
    health,      // /healthz, /livez, /readyz
    version,     // /version
    core,        // /api
    groups,      // /apis
    group,       // /apis/apps
    resources,   // /api/v1, /apis/apps/v1
    objects,     // all of a kind, perhaps of one namespace
    object,      // one, or a subresource of it
    openapi_v2,  // /openapi/v2
    openapi_v3,  // /openapi/v3: the index; with a group and a version: theirs
  };
  To to = To::nothing;
  std::string group, version;
  std::string resource, ns, name;  // ns: empty: of the cluster, or of all namespaces
  std::string subresource;         // "status", "scale", "log"
  bool watch = false;              // the old form of watches: /api/v1/watch/pods
};
Route route_of(std::span<const std::string> path);

}  // namespace tidemark::serve
