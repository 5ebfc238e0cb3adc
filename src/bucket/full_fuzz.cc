// Laws: whatever the bytes and the compression, splitting a full ends; what passes is a whole number of blocks, and its
// digest is that of what was handed on. The first byte chooses the compression; the digest is put right as well, or
// nothing would get past it.
#include <cstdlib>

#include "bucket/full.h"
#include "io/compress.h"

using namespace tidemark;

namespace {

void split(std::unique_ptr<io::Source> body) {
  io::BufferSink to;
  const auto full = bucket::split_full(*body, to);
  if (!full) return;
  if (full->db_bytes != to.buffer().size() || full->db_bytes % 512 != 0) std::abort();
  if (full->digest != crypto::sha256(to.buffer())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes object(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  auto plain = std::make_unique<io::BytesSource>(object);
  constexpr io::Codec kCodecs[] = {io::Codec::gzip, io::Codec::zlib, io::Codec::lzw};
  if (data[0] % 4 < 3) {
    if (auto body = io::decompressing(kCodecs[data[0] % 4], std::move(plain))) split(*std::move(body));
    return 0;
  }
  split(std::move(plain));
  Buffer right(object.begin(), object.end());
  right.resize(right.size() / 512 * 512);
  const auto digest = crypto::sha256(right);
  right.insert(right.end(), digest.begin(), digest.end());
  split(std::make_unique<io::BytesSource>(right));
  return 0;
}
