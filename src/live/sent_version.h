// In which version of its kind an object goes to a server: the one that it was kept in, or one with the same fields.
//
// Etcd keeps some kinds in a version that no server offers any more, or that this one has switched off. Nothing here
// converts: a version is exchanged only for one that has every field of it under the same name and with the same
// meaning, which is known of Kubernetes' own kinds alone. Threads: any.
// Source: the versions of k8s.io/api; sent_version_test.cc holds the fields against the table of types.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "link/kube_client.h"

namespace tidemark::live {

// `kind`: as it is served now; `object`: as it was kept. The version that clients get when that one will do, for in it
// the living object is compared; else the one that it was kept in. nullopt: neither will do, see why_not_sent().
std::optional<std::string> version_to_send(const link::KubeKind& kind, const nlohmann::json& object);

// "it was kept as policy/v1beta1, and this cluster serves its kind as v1 only".
std::string why_not_sent(const link::KubeKind& kind, const nlohmann::json& object);

// Kinds and their versions that are told to have the same fields: for a test.
struct AlikeVersions {
  std::string kind;  // KubeKind::full_name()
  std::vector<std::string> versions;
};
std::vector<AlikeVersions> alike_versions();

}  // namespace tidemark::live
