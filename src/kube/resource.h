// Kinds of objects as people name them, and where their objects are: Kubernetes' own, and those that custom resource
// definitions define.
//
// The table has every kind that a kube-apiserver from 1.20 on has stored, by the facts of its discovery (`kubectl
// api-resources`) and of its storage (k8s.io/kubernetes pkg/kubeapiserver/default_storage_factory_builder.go).
// Threads: any.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::kube {

class StructuralSchemas;

// A column that a definition asks for in tables (additionalPrinterColumns).
struct PrinterColumn {
  std::string name, type, json_path;
  std::int64_t priority = 0;  // above 0: only in wide tables
};

struct Resource {
  std::string plural, singular, kind, group;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;  // "all"
  bool namespaced = true;
  std::string prefix;  // of the keys, below the etcd prefix, without slashes at the ends: "services/specs"

  // Only of a custom resource.
  bool custom = false;
  std::string version;                 // the one that clients get unless they ask for another
  bool other_versions = false;         // stored objects may be in other versions ...
  bool convertible = true;             // ... which differ in nothing but their name
  std::vector<PrinterColumn> columns;  // of `version`
  // What objects are read by; null: they are left as they are stored. Only where objects are read, for it is large.
  std::shared_ptr<const StructuralSchemas> schemas;

  // "configmaps", "deployments.apps": as errors name it.
  std::string full_name() const { return group.empty() ? plural : plural + "." + group; }
};

inline constexpr std::string_view kDefinitionPrefix = "apiextensions.k8s.io/customresourcedefinitions";

// What a CustomResourceDefinition (v1 or v1beta1) defines. Errc::corrupt: a part that every definition has is missing.
// `value`: the stored JSON or CBOR.
Result<Resource> read_definition(Bytes value);

class Resources {
 public:
  Resources();  // Kubernetes' own
  void add(Resource custom);
  // Of the custom resource with that full name, if there is one.
  void set_schemas(std::string_view full_name, const std::shared_ptr<const StructuralSchemas>& schemas);

  // As kubectl takes them: the plural, the singular, the kind or a short name, in any case, perhaps followed by a group
  // ("deployments.apps") or a version and a group ("deployments.v1.apps"). Of several the first: Kubernetes' own first.
  const Resource* find(std::string_view word) const;
  // All of a category: "all". Empty: no such category.
  std::vector<const Resource*> in_category(std::string_view word) const;
  // Kubernetes' own, and those that were added.
  std::vector<const Resource*> all() const;
  // The nearest name to a misspelt one; empty: none is near.
  std::string nearest(std::string_view word) const;

 private:
  std::deque<Resource> all_;  // pointers to them stay good
};

}  // namespace tidemark::kube
