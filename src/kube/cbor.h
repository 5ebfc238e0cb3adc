// CBOR as the Kubernetes API server stores and reads it (feature CBORServingAndStorage): RFC 8949 with these rules.
//
// Strings are byte strings; text strings are read too and must be UTF-8. Tags 21, 22 and 23 around byte strings make
// them base64url, base64 and hexadecimal text; 0 and 1 are times and become RFC 3339 text; 2 and 3 are refused, as are
// integers beyond 64 signed bits, NaN and infinities, undefined and other simple values, keys that are no strings and
// keys that stand twice. Other tags say nothing. Threads: any.
// Source: k8s.io/apimachinery pkg/runtime/serializer/cbor/internal/modes (decode.go), tried with its serializer.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::kube {

// Errc::corrupt names the byte. The tag of self-described CBOR may stand in front.
Result<nlohmann::json> parse_cbor(Bytes bytes);

}  // namespace tidemark::kube
