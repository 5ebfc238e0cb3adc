// The fields of a kubeconfig, read with their place in mind. Private to link/.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/file.h"

namespace tidemark::link {

// An object of a file, and where it stands. Missing fields and nulls are empty values; a field of another type is
// Errc::invalid and names the place. Requires: the document outlives it.
class KubeFields {
 public:
  KubeFields(const nlohmann::json& value, io::Path file, std::string where)
      : value_(&value), file_(std::move(file)), where_(std::move(where)) {}

  Result<std::string> text(const char* name) const;
  Result<std::string> need(const char* name) const;  // and not empty
  Result<bool> boolean(const char* name) const;
  Result<std::vector<std::string>> texts(const char* name) const;
  Result<std::string> base64(const char* name) const;  // decoded
  Result<std::string> path(const char* name) const;    // made absolute by the file's folder
  Result<KubeFields> object(const char* name) const;   // an empty one when it is missing
  Result<std::vector<KubeFields>> list(const char* name) const;

  bool has(const char* name) const { return find(name) != nullptr; }
  const nlohmann::json& value() const { return *value_; }
  std::string place(std::string_view name = {}) const;  // "FILE: where.name"
  KubeFields renamed(std::string where) const { return {*value_, file_, std::move(where)}; }
  std::unexpected<Error> wrong(std::string_view name, std::string_view what) const;

 private:
  const nlohmann::json* find(const char* name) const;
  const nlohmann::json* value_;
  io::Path file_;
  std::string where_;
};

}  // namespace tidemark::link
