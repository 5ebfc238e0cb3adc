// The decoders behind decompressing(), and the input buffer that they share. Only for src/io.
#pragma once

#include <memory>

#include "io/stream.h"

namespace tidemark::io {

std::unique_ptr<Source> gzip_decoder(std::unique_ptr<Source> from);
std::unique_ptr<Source> zlib_decoder(std::unique_ptr<Source> from);
std::unique_ptr<Source> lzw_decoder(std::unique_ptr<Source> from);

// Compressed bytes in large pieces, with the offset that messages name.
class PieceReader {
 public:
  explicit PieceReader(std::unique_ptr<Source> from) : from_(std::move(from)), piece_(kPiece) {}

  // Makes left() not empty, unless the source is at its end: false.
  Result<bool> fill() {
    if (begin_ < end_) return true;
    if (ended_) return false;
    base_ += end_;
    begin_ = end_ = 0;
    TM_LET(end_, from_->read(piece_));
    ended_ = end_ == 0;
    return !ended_;
  }
  Bytes left() const { return Bytes(piece_).subspan(begin_, end_ - begin_); }
  void drop(std::size_t n) { begin_ += n; }
  std::uint64_t offset() const { return base_ + begin_; }

  // One byte; Errc::torn at the end.
  Result<std::uint8_t> byte(const char* inside_what) {
    TM_LET(const bool more, fill());
    if (!more) return fail(Errc::torn, "the compressed bytes end at {} inside {}", offset(), inside_what);
    return std::to_integer<std::uint8_t>(piece_[begin_++]);
  }

 private:
  static constexpr std::size_t kPiece = 256UL * 1024;
  std::unique_ptr<Source> from_;
  Buffer piece_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t base_ = 0;
  bool ended_ = false;
};

}  // namespace tidemark::io
