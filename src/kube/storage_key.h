// Keys of Kubernetes objects in etcd: <prefix>/<resource>/[<namespace>/]<name>, or with the group in front of the
// resource for what custom resource definitions define, and for those definitions themselves.
//
// A key tells where an object is; what it is (its kind and version) only its value tells.
// Source: k8s.io/apiserver pkg/registry/generic/registry/store.go, pkg/server/storage/storage_factory.go;
// k8s.io/kubernetes pkg/kubeapiserver/default_storage_factory_builder.go (services/specs, minions, …).
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace tidemark::kube {

inline constexpr std::string_view kDefaultPrefix = "/registry";

// Views into the key.
struct StorageKey {
  std::string_view group;     // "apiextensions.k8s.io"; empty for built-in resources, whatever their group
  std::string_view resource;  // the plural as clients say it: "services" for services/specs, "nodes" for minions
  std::string_view ns;        // empty: of the whole cluster
  std::string_view name;
};

// nullopt: not the key of an object: outside of the prefix, of another shape, or one of those that hold something else
// (ranges/…, masterleases/…, peerserverleases/…, health). Requires: prefix without a slash at its end.
std::optional<StorageKey> parse_storage_key(Bytes key, std::string_view prefix = kDefaultPrefix);

}  // namespace tidemark::kube
