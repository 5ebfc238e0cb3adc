// Objects of one namespace in another: every place where an object names a namespace.
// Only for src/live. Threads: any.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "link/kube_client.h"

namespace tidemark::live {

using NamespaceMap = std::map<std::string, std::string>;  // then -> now

// Also of a Namespace its own name. What custom resources and annotations say of namespaces stays: nobody knows which
// words are names.
void move_namespaces(const link::KubeKind& kind, const NamespaceMap& to, nlohmann::json& object);

}  // namespace tidemark::live
