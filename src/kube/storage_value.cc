#include "kube/storage_value.h"

#include "base/proto.h"

namespace tidemark::kube {

namespace {

using proto::Fields;
using proto::Wire;

constexpr std::string_view kEncrypted = "k8s:enc:";
constexpr std::string_view kProtobuf{"k8s\0", 4};
constexpr std::string_view kCbor = "\xd9\xd9\xf7";

bool read_kind(Bytes type_meta, Envelope& into) {
  Fields fields(type_meta);
  while (fields.next()) {
    if (fields.expect(1, Wire::bytes)) into.api_version = as_text(fields.bytes());
    if (fields.expect(2, Wire::bytes)) into.kind = as_text(fields.bytes());
  }
  return !fields.bad();
}

}  // namespace

Encoding encoding_of(Bytes value) {
  const std::string_view text = as_text(value);
  if (text.starts_with(kEncrypted)) return Encoding::encrypted;
  if (text.starts_with(kProtobuf)) return Encoding::protobuf;
  if (text.starts_with(kCbor)) return Encoding::cbor;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' ? Encoding::json : Encoding::other;
}

Result<Envelope> read_envelope(Bytes value) {
  Envelope envelope;
  std::string_view media_type;
  bool sound = true;
  Fields fields(value.subspan(kProtobuf.size()));
  while (fields.next()) {
    if (fields.expect(1, Wire::bytes)) sound = read_kind(fields.bytes(), envelope) && sound;
    if (fields.expect(2, Wire::bytes)) envelope.message = fields.bytes();
    if (fields.expect(4, Wire::bytes)) media_type = as_text(fields.bytes());
  }
  if (fields.bad() || !sound) return fail(Errc::corrupt, "the envelope of a stored object is damaged");
  if (envelope.kind.empty()) return fail(Errc::corrupt, "the envelope of a stored object names no kind");
  // Field 3 names an encoding of the message; nobody ever wrote one, and the server does not look.
  if (!media_type.empty() && media_type != "application/vnd.kubernetes.protobuf") {
    return fail(Errc::unsupported, "{} {} is stored as '{}'", envelope.api_version, envelope.kind, media_type);
  }
  return envelope;
}

}  // namespace tidemark::kube
