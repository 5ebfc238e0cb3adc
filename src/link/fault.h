// What a failed call to etcd means: for the caller (Errc) and for the client (try elsewhere, fetch a token).
//
// Etcd's own words are in the message of a gRPC status and are stable from 3.4 to 3.7; the codes alone are too coarse.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemark::link {

// grpc::StatusCode, without its header.
enum class WireCode {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

struct Fault {
  Error error;                   // "<endpoint>: <doing>: <the server's words>"; a hint where nobody was reached
  bool try_elsewhere = false;    // this member cannot, another might
  bool needs_token = false;      // authenticate and ask again
  bool auth_is_off = false;      // answer to Authenticate: no token is needed
  bool lost_connection = false;  // the transport failed: the next connection is a new one
};

// Requires: code is not ok.
Fault judge(WireCode code, std::string_view message, std::string_view endpoint, std::string_view doing);

// The same for the reason of a cancelled watch, which comes as text only.
Fault judge_cancelled_watch(std::string_view reason, std::string_view endpoint);

}  // namespace tidemark::link
