// What an API server does, by its definition's schema, to a custom resource that it reads from etcd: fields that the
// schema does not have are left out, and its defaults are filled in. So an object that was stored before a default was
// added to the schema has it in every answer from then on.
//
// Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema (defaulting, pruning) and customresource_handler.go
// (unstructuredSchemaCoercer, unstructuredDefaulter); the versions of doc/format/kubernetes-objects.md. Threads: any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tidemark::kube {

// The schema of one version.
class StructuralSchema {
 public:
  // `schema`: an openAPIV3Schema, as a definition has it. Whatever in it is none of what is asked for is passed over.
  explicit StructuralSchema(const nlohmann::json& schema);

  // Leaves out what the schema does not have, and nulls where it has neither null nor a default.
  void prune(nlohmann::json& object) const;
  // Fills in what the schema has a default for. Requires: it was pruned, where the definition prunes.
  void add_defaults(nlohmann::json& object) const;

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> properties;
    std::unique_ptr<Node> items;
    std::unique_ptr<Node> additional;  // additionalProperties that are a schema
    bool any_additional = false;       // additionalProperties, whatever they are
    bool preserve = false;             // x-kubernetes-preserve-unknown-fields
    bool embedded = false;             // x-kubernetes-embedded-resource
    bool nullable = false;
    nlohmann::json fallback;  // the default; null: there is none
  };
  static std::unique_ptr<Node> read(const nlohmann::json& schema);
  static const Node* below(const Node& node, const std::string& field);
  static void prune(nlohmann::json& value, const Node* node);
  static void prune_known(nlohmann::json& value, const Node* node);
  static void drop_nulls(nlohmann::json& value, const Node* node);
  static void add_defaults(nlohmann::json& value, const Node* node);
  std::unique_ptr<Node> root_;
};

// Those of all versions of a definition. They are read when the first object is.
class StructuralSchemas {
 public:
  // `definition`: a CustomResourceDefinition, v1 or v1beta1, as JSON or CBOR.
  explicit StructuralSchemas(std::string definition) : definition_(std::move(definition)) {}

  // As a server reads an object that is stored in `version`.
  void read(nlohmann::json& object, std::string_view version) const;
  // As it answers in `version`, which is another one than the object was stored in.
  void convert(nlohmann::json& object, std::string_view version) const;

 private:
  const StructuralSchema* of(std::string_view version) const;
  void load() const;
  mutable std::once_flag once_;
  mutable std::string definition_;
  mutable bool prunes_ = true;
  mutable std::map<std::string, StructuralSchema, std::less<>> versions_;
};

}  // namespace tidemark::kube
