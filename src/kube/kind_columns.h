// The tables of Kubernetes' own kinds, as its server of 1.36 prints them. Private to kube/.
// Source: k8s.io/kubernetes pkg/printers/internalversion (printers.go), k8s.io/kube-aggregator
// pkg/registry/apiservice/etcd (etcd.go).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace tidemark::kube {

struct KindColumns {
  std::string_view kind, group;
  // Between blanks; '_' is a blank in a heading, and a bar in front of one says that it is only in wide tables.
  std::string_view headings;
  std::vector<std::string> (*cells)(const nlohmann::json& object, Time now);
};

std::span<const KindColumns> core_columns();     // of the core group, apps, batch
std::span<const KindColumns> network_columns();  // endpoints, ingresses, policies, addresses
std::span<const KindColumns> rule_columns();     // roles, admission, quotas, priorities, scaling
std::span<const KindColumns> storage_columns();  // storage, devices, leases, and what is left

}  // namespace tidemark::kube
