// What an API server keeps under a key: an object as protocol buffers in an envelope, as JSON or as CBOR; any of them
// perhaps encrypted at rest. Recognised by the first bytes alone, as the server does it.
// Source: k8s.io/apimachinery pkg/runtime/serializer (protobuf.go, cbor.go), pkg/runtime/generated.proto (Unknown).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::kube {

enum class Encoding : std::uint8_t {
  encrypted,  // k8s:enc:…
  protobuf,   // k8s\0 and an envelope
  json,       // '{', after white space
  cbor,       // the tag of self-described CBOR
  other,      // no object
};
Encoding encoding_of(Bytes value);

// Views into the value.
struct Envelope {
  std::string_view api_version, kind;
  Bytes message;  // without the kind: that is only here
};
// Errc::corrupt: torn or not an envelope; Errc::unsupported: its message is in something other than protocol buffers.
// Requires: encoding_of(value) is protobuf.
Result<Envelope> read_envelope(Bytes value);

}  // namespace tidemark::kube
