// What a client of the Kubernetes API asks for: path, query and Accept, read and bounded.
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/url.h"

namespace tidemark::serve {

// "/at/2026-11-21T10:00:00Z/api/v1/pods?limit=5" -> its parts, decoded.
struct ApiTarget {
  std::string when;               // of /at/WHEN; empty: the server's own moment
  std::vector<std::string> path;  // {"api", "v1", "pods"}; none is empty, or a dot, or has a slash in it
  net::Query query;

  // The first of that name; empty: not there.
  std::string_view parameter(std::string_view name) const;
  bool has(std::string_view name) const;
  // As Go's strconv.ParseBool: "1", "t", "true"; everything else is false.
  bool flag(std::string_view name) const;
};
// Errc::invalid: not a path with a query.
Result<ApiTarget> read_target(std::string_view target);

// A whole number that is not negative; nullopt: another text, or too large.
std::optional<std::int64_t> read_count(std::string_view text);

// How the answer shall be shown.
enum class Form {
  object,     // as it is
  table,      // meta.k8s.io/v1 Table
  partial,    // meta.k8s.io/v1 PartialObjectMetadata, of a list or of one
  discovery,  // apidiscovery.k8s.io/v2 APIGroupDiscoveryList
};
// The first media range of an Accept header that can be answered, in the client's order; all answers are JSON.
// nullopt: none. No header at all means any.
std::optional<Form> read_accept(std::string_view accept);

}  // namespace tidemark::serve
