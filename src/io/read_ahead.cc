#include "io/read_ahead.h"

#include <algorithm>

namespace tidemark::io {

static constexpr std::size_t kPiece = 256UL * 1024;

ReadAhead::~ReadAhead() {
  full_.abort();  // the thread's push() fails and it ends; joined by thread_'s destructor
}

void ReadAhead::run() {
  for (;;) {
    Piece piece;
    if (auto used = empty_.pop_for(std::chrono::seconds(0))) piece.bytes = std::move(*used);
    piece.bytes.resize(kPiece);
    auto got = read_full(from_, piece.bytes);
    const bool last = !got || *got == 0;
    if (got) {
      piece.size = *got;
    } else {
      piece.status = std::unexpected(std::move(got).error());
    }
    if (!full_.push(std::move(piece), kPiece) || last) break;
  }
  full_.close();
}

Result<Bytes> ReadAhead::next(std::size_t most) {
  if (!thread_.joinable()) thread_ = std::jthread([this] { run(); });
  if (used_ == piece_.size && !ended_) {
    if (!piece_.bytes.empty()) empty_.push(std::move(piece_.bytes), 0);
    auto got = full_.pop();
    piece_ = got ? std::move(*got) : Piece{};
    used_ = 0;
    ended_ = piece_.size == 0;
  }
  if (ended_) {
    TM_CHECK(piece_.status);
    return Bytes{};
  }
  const std::size_t n = std::min(most, piece_.size - used_);
  used_ += n;
  return Bytes(piece_.bytes).subspan(used_ - n, n);
}

Result<std::size_t> ReadAhead::read(MutableBytes into) {
  if (into.empty()) return 0UL;
  TM_LET(const Bytes piece, next(into.size()));
  std::copy(piece.begin(), piece.end(), into.begin());
  return piece.size();
}

}  // namespace tidemark::io
