// YAML as kubectl prints and reads it: block style, sequences not indented, keys in their natural order, strings quoted
// where YAML 1.1 would read them as something else.
// Threads: any.
// Source: sigs.k8s.io/yaml (go.yaml.in/yaml/v2: resolve.go, encode.go, sorter.go), held against `kubectl -o yaml`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::kube {

// Appends one document with a newline at its end.
void print_yaml(const nlohmann::json& value, std::string& to);

// Would an unquoted scalar of these letters be read as this very string (and not as a number, a boolean, a time, …)?
bool is_yaml_string(std::string_view text);

// One document; an empty text is null. Errc::corrupt: not YAML, a key twice, more than kMostDepth levels; the message
// names line and column. Errc::unsupported: an alias, a tag, a second document.
Result<nlohmann::json> parse_yaml(Bytes text);

}  // namespace tidemark::kube
