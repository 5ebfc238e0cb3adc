// Law: no input crashes or over-reads the LZW decoder.
#include "io/compress.h"

using namespace tidemark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  auto text = io::decompressing(io::Codec::lzw, std::make_unique<io::BytesSource>(bytes));
  Buffer chunk(3000);
  for (;;) {
    const auto n = (*text)->read(chunk);
    if (!n || *n == 0) return 0;
  }
}
