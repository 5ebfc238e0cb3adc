// What a decoder makes of bytes, for tests.
#pragma once

#include "io/compress.h"

namespace tidemark::io::testing {

inline Result<Buffer> decode(Codec codec, Bytes from) {
  TM_LET(const auto text, decompressing(codec, std::make_unique<BytesSource>(from)));
  return read_all(*text, 1UL << 30U);
}

// How it refuses them; Errc::cancelled, which no decoder answers: it does not.
inline Errc code_of(Codec codec, Bytes bytes) {
  const auto got = decode(codec, bytes);
  return got ? Errc::cancelled : got.error().code;
}

}  // namespace tidemark::io::testing
