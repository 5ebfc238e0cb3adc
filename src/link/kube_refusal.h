// What an API server says when it does not do what it was asked: metav1.Status, as an Error.
// Threads: any.
// Source: k8s.io/apimachinery pkg/apis/meta/v1 (types.go), pkg/api/errors.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tidemark::link {

struct KubeRefusal {
  struct Cause {
    std::string reason, message, field;
  };
  int code = 0;
  std::string reason, message;  // message: the body's first words when it is no Status (a proxy's)
  std::vector<Cause> causes;
  std::optional<std::chrono::seconds> after;  // details.retryAfterSeconds
};

KubeRefusal read_refusal(int http_status, std::string_view body);

// "<doing>: 409 Conflict: <the server's words>", with a code for what the caller may do:
//   401 and 403 denied; 404 not_found; 409 conflict, or already_exists; 410 compacted: the resource version or the
//   place in a list is too old; 400 and 422 invalid, with each field; 405, 406 and 415 unsupported; 504 timeout; 429
//   and other 5xx unavailable, but a stored object that the server cannot read is corrupt.
Error error_of(const KubeRefusal& refusal, std::string_view doing);

}  // namespace tidemark::link
