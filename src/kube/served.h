// What an API server adds to a stored object before anybody sees it, apart from what the types alone say
// (kube/object_json.h): the few defaults of reading, custom resources as their schemas have them (kube/structural.h)
// and in the version that clients get, definitions in v1. Threads: any. Source: k8s.io/kubernetes pkg/apis
// (zz_generated.defaults.go), apiextensions-apiserver pkg/apis/apiextensions/v1 (conversion.go, defaults.go) and
// pkg/apiserver/conversion (nop_converter.go).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "kube/resource.h"

namespace tidemark::kube {

// Changes `object`, which ObjectPrinter printed, into what a server would have answered. False: it is stored in a
// version that only the definition's webhook could convert, and left as stored.
bool as_served(nlohmann::json& object, const Resource& resource);

}  // namespace tidemark::kube
