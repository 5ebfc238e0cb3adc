// What an object needs beside it: its namespace, the Secrets of its pods, the class of its storage.
// Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "link/kube_client.h"

namespace tidemark::live {

struct Reference {
  std::string group{}, resource{};  // "storage.k8s.io", "storageclasses"
  std::string name_space{}, name{};
  bool optional = false;  // the object does without

  // As Step::id(): "secrets shop/tls"
  std::string id() const;
  friend bool operator==(const Reference&, const Reference&) = default;
};

// Each once, by id. Only what Kubernetes' own kinds name by kind: what a custom resource means by its fields is its
// own affair. Not the owners.
std::vector<Reference> references_of(const link::KubeKind& kind, const nlohmann::json& object);

}  // namespace tidemark::live
