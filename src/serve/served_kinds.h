// Which kinds the API of a moment has, each in the version in which its objects can be shown.
//
// A kind of Kubernetes' own is served in one version: that of its newest stored object, for nothing here converts; one
// of which nothing is stored in its newest stable version, if there is one. A custom resource is served in every
// version that its definition serves when those differ in nothing but their name, else in the one that is stored.
// Threads: any, once made.
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "kube/resource.h"

namespace tidemark::serve {

struct ServedKind {
  kube::Resource resource;  // of a custom one: `version` and `columns` are of this version
  std::string version;
  std::string list_kind;
  bool has_status = false, has_scale = false;
  std::vector<std::string> selectable;  // fields that a definition lets be selected by: "spec.color"
  nlohmann::json schema;                // openAPIV3Schema of a definition; null: none

  std::string api_version() const { return resource.group.empty() ? version : resource.group + "/" + version; }
};

class ServedKinds {
 public:
  struct Group {
    std::string name;                   // empty: the core group
    std::vector<std::string> versions;  // the preferred one first
  };

  // `stored_as`: apiVersion of its newest stored object; empty: there is none.
  void add_built_in(const kube::Resource& resource, std::string_view stored_as);
  // Errc::corrupt as kube::read_definition(). `value`: a stored CustomResourceDefinition, opened.
  Status add_definition(Bytes value);
  // After the last one: puts groups and versions in order.
  void settle();

  const ServedKind* find(std::string_view group, std::string_view version, std::string_view plural) const;
  std::vector<const ServedKind*> of(std::string_view group, std::string_view version) const;
  const std::vector<Group>& groups() const { return groups_; }  // the core group first
  const Group* group(std::string_view name) const;
  const std::deque<ServedKind>& all() const { return kinds_; }

 private:
  std::deque<ServedKind> kinds_;  // pointers stay good
  std::vector<Group> groups_;
};

// What discovery answers. Source: k8s.io/apimachinery pkg/apis/meta/v1 (types.go), k8s.io/api apidiscovery/v2.
nlohmann::json core_versions();
nlohmann::json group_list(const ServedKinds& kinds);
nlohmann::json group_document(const ServedKinds::Group& group, bool with_kind = true);
nlohmann::json resource_list(const ServedKinds& kinds, std::string_view group, std::string_view version);
nlohmann::json aggregated_discovery(const ServedKinds& kinds, bool core);

}  // namespace tidemark::serve
