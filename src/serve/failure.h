// Failures as clients of the Kubernetes API know them: metav1.Status.
// Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace tidemark::serve {

struct Failure {
  int code = 500;           // of HTTP
  std::string reason;       // "NotFound": what programs look at
  std::string message;      // what people read
  std::string group, kind;  // details: of what
  std::string name;
};

// The reason that goes with a code: 404 -> "NotFound". Source: k8s.io/apimachinery pkg/apis/meta/v1 (types.go).
Failure failure(int code, std::string message);
// What reading the past failed with: not found 404, invalid 400, denied 403, gone 410, unreachable 503, corrupt 500.
Failure failure_of(const Error& error);

nlohmann::json status_of(const Failure& failure);

// Compact, as the API server prints it; what is not UTF-8 is replaced.
std::string json_text(const nlohmann::json& value);

}  // namespace tidemark::serve
