#include "io/stream.h"

#include <algorithm>
#include <memory>

namespace tidemark::io {

static constexpr std::size_t kChunk = 256UL * 1024;
static constexpr std::size_t kSmallBody = 4096;  // most of what is read whole: claims, sidecars, answers
static constexpr std::size_t kMostGrowth = 16UL << 20U;

Result<std::uint64_t> pump(Source& from, Sink& to) {
  // Not filled with zeros first: most bodies are much smaller, and the rest of the pages is never touched.
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(kChunk);
  const MutableBytes chunk(memory.get(), kChunk);
  std::uint64_t moved = 0;
  for (;;) {
    TM_LET(const std::size_t n, from.read(chunk));
    if (n == 0) break;
    TM_CHECK(to.write(chunk.first(n)));
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
  Buffer all(limit < kSmallBody ? limit + 1 : kSmallBody);
  std::size_t have = 0;
  for (;;) {
    if (have == all.size()) all.resize(all.size() + std::min(all.size(), kMostGrowth));
    TM_LET(const std::size_t n, from.read(MutableBytes(all).subspan(have)));
    have += n;
    if (have > limit) return fail(Errc::corrupt, "larger than the {} bytes allowed here", limit);
    if (n == 0) break;
  }
  all.resize(have);
  return all;
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
