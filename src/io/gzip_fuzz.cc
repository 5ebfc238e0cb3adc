// Law: no input crashes or over-reads the gzip and zlib decoders, and the size of the caller's buffer changes nothing.
#include <cstdlib>

#include "io/compress.h"

using namespace tidemark;

static std::pair<Buffer, int> decode(io::Codec codec, Bytes from, std::size_t step) {
  auto text = io::decompressing(codec, std::make_unique<io::BytesSource>(from));
  Buffer all, chunk(step);
  for (;;) {
    const auto n = (*text)->read(chunk);
    if (!n) return {std::move(all), static_cast<int>(n.error().code)};
    if (*n == 0 || all.size() > (4U << 20U)) return {std::move(all), -1};
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*n));
  }
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  for (const io::Codec codec : {io::Codec::gzip, io::Codec::zlib}) {
    const auto small = decode(codec, bytes, 1000), large = decode(codec, bytes, 100'000);
    if (small.second != large.second) std::abort();
    if (small.second == -1 && small.first.size() <= (4U << 20U) && small.first != large.first) std::abort();
  }
  return 0;
}
