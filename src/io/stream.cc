#include "io/stream.h"

#include <algorithm>

namespace tidemark::io {

static constexpr std::size_t kChunk = 256UL * 1024;

Result<std::uint64_t> pump(Source& from, Sink& to) {
  Buffer chunk(kChunk);
  std::uint64_t moved = 0;
  for (;;) {
    TM_LET(const std::size_t n, from.read(chunk));
    if (n == 0) break;
    TM_CHECK(to.write(Bytes(chunk).first(n)));
    moved += n;
  }
  TM_CHECK(to.finish());
  return moved;
}

Result<std::size_t> read_full(Source& from, MutableBytes into) {
  std::size_t have = 0;
  while (have < into.size()) {
    TM_LET(const std::size_t n, from.read(into.subspan(have)));
    if (n == 0) break;
    have += n;
  }
  return have;
}

Result<Buffer> read_all(Source& from, std::uint64_t limit) {
  Buffer all, chunk(kChunk);
  for (;;) {
    TM_LET(const std::size_t n, from.read(chunk));
    if (n == 0) return all;
    if (all.size() + n > limit) return fail(Errc::corrupt, "larger than the {} bytes allowed here", limit);
    all.insert(all.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
  }
}

Result<std::size_t> BytesSource::read(MutableBytes into) {
  const std::size_t n = std::min(into.size(), left_.size());
  std::copy_n(left_.begin(), n, into.begin());
  left_ = left_.subspan(n);
  return n;
}

Status BufferSink::write(Bytes bytes) {
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return {};
}

}  // namespace tidemark::io
