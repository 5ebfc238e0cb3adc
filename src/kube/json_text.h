// JSON or CBOR that somebody else wrote, printed as kubectl prints what it has parsed: keys sorted by their bytes, the
// last of two equal keys, integers as integers where 64 bits hold them, all other numbers as Go prints a float64.
// Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.h"
#include "base/result.h"
#include "kube/json_writer.h"

namespace tidemark::kube {

// Deeper nesting is refused (Errc::corrupt): objects of an API server are at most some tens deep.
inline constexpr int kMostDepth = 200;

// Errc::corrupt names the place.
Result<nlohmann::json> parse_json(Bytes text);
// By its first bytes: self-described CBOR, or a map of CBOR; else JSON.
Result<nlohmann::json> parse_json_or_cbor(Bytes bytes);

void print_json(const nlohmann::json& value, JsonWriter& to);

}  // namespace tidemark::kube
