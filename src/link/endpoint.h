// Where an etcd listens, from the forms people write.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemark::link {

struct Endpoint {
  std::string text;    // as it was given, for messages
  std::string target;  // as gRPC wants it: "dns:///host:port" or "unix:path"
  bool tls = false;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// http:// and unix: are plain, https:// and unixs: are TLS, a bare host:port is TLS if `tls_given`.
// Errc::invalid: no port, a path behind the port, an unknown scheme, an empty path.
Result<Endpoint> parse_endpoint(std::string_view text, bool tls_given);

}  // namespace tidemark::link
