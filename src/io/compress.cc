#include "io/compress.h"

#include "io/decoders_internal.h"

namespace tidemark::io {

Result<std::unique_ptr<Source>> decompressing(Codec codec, std::unique_ptr<Source> from) {
  switch (codec) {
    case Codec::none: return from;
    case Codec::gzip: return gzip_decoder(std::move(from));
    case Codec::zlib: return zlib_decoder(std::move(from));
    case Codec::lzw: return lzw_decoder(std::move(from));
  }
  return fail(Errc::unsupported, "compression {} is not known", static_cast<int>(codec));
}

}  // namespace tidemark::io
