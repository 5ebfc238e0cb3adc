// The kinds that a running cluster serves, found by what the past calls them.
// Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "kube/resource.h"
#include "link/kube_client.h"

namespace tidemark::live {

class ServedKinds {
 public:
  explicit ServedKinds(link::KubeDiscovery all) : all_(std::move(all)) {}

  // By the name of the resource and the group; nullptr: nobody serves it now.
  const link::KubeKind* find(const kube::Resource& resource) const { return find(resource.plural, resource.group); }
  const link::KubeKind* find(std::string_view resource, std::string_view group) const;
  // By an object's own words: "apps/v1", "Deployment". The version may be another one of the group.
  const link::KubeKind* of_object(std::string_view api_version, std::string_view kind) const;
  const link::KubeDiscovery& all() const { return all_; }

 private:
  link::KubeDiscovery all_;
};

// Lists of it say what was asked for: it can be listed and made again.
bool is_restorable(const link::KubeKind& kind);
// Every cluster writes them all the time by itself: no wish for everything means them.
bool is_always_moving(std::string_view resource);

// What a CustomResourceDefinition (v1) will be served as. nullopt: it defines nothing that could be read.
std::optional<link::KubeKind> kind_of_definition(const nlohmann::json& definition);

}  // namespace tidemark::live
