// Compression as filters. Gzip is written as many members (one per `member_bytes` of input) by several cores and read
// with the members in order; every gzip reader sees one stream. Deflate and inflate are ISA-L's, checksums included.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "io/stream.h"

namespace tidemark::io {

// Where a member begins, in the compressed object and in the text.
struct GzipMember {
  std::uint64_t compressed_offset = 0;
  std::uint64_t text_offset = 0;
};

// Writes gzip members into `to`. Members are compressed by `threads` workers (0: by the caller) and written in order by
// the caller's thread. Memory: about 3 * threads * member_bytes. The first failure is given again by every later call.
// The same text is not promised to become the same bytes twice.
class GzipSink final : public Sink {
 public:
  explicit GzipSink(Sink& to, std::size_t member_bytes = 1UL << 20U, unsigned threads = 1);
  ~GzipSink() override;
  Status write(Bytes bytes) override;
  // All of `from`, read to where it is compressed: one copy less than by write(). How many bytes that was.
  Result<std::uint64_t> take(Source& from);
  Status cut();              // ends the member here, so that a reader can begin here; nothing when one has just ended
  Status finish() override;  // writes what is left; then to.finish(). No text at all is one empty member
  // After finish(): the seek table, one entry a member, the first at 0/0.
  const std::vector<GzipMember>& members() const;
  std::uint64_t compressed_bytes() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

enum class Codec { none, gzip, lzw, zlib };  // lzw: Go's compress/lzw, LSB, 8 bits, no header

// The text of a compressed source. Errc::torn: the stream ends inside itself. Errc::corrupt: a checksum or code is
// wrong, or bytes that are no gzip member follow the last one. Messages name the compressed offset.
Result<std::unique_ptr<Source>> decompressing(Codec codec, std::unique_ptr<Source> from);

}  // namespace tidemark::io
