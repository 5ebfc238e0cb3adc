// Reads a source in a thread of its own, so that two expensive stages (inflate, then hash and write) overlap.
#pragma once

#include <memory>
#include <thread>

#include "base/queue.h"
#include "io/stream.h"

namespace tidemark::io {

// Gives the same bytes, end and failure as `from`. Memory: `ahead` bytes and two pieces of 256 KiB.
// Threads: `from` is used only by the thread inside, from the first read() on and until destruction.
class ReadAhead final : public Source {
 public:
  explicit ReadAhead(Source& from, std::size_t ahead = 4UL << 20U) : from_(from), full_(ahead), empty_(SIZE_MAX) {}
  ~ReadAhead() override;
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  Result<std::size_t> read(MutableBytes into) override;

  // The next piece without a copy, at most `most` bytes; empty at the end. Valid until the next call.
  Result<Bytes> next(std::size_t most = SIZE_MAX);

 private:
  struct Piece {
    Buffer bytes;
    std::size_t size = 0;
    Status status;
  };
  void run();

  Source& from_;
  BoundedQueue<Piece> full_;
  BoundedQueue<Buffer> empty_;  // buffers on their way back
  Piece piece_;
  std::size_t used_ = 0;
  bool ended_ = false;
  std::jthread thread_;
};

}  // namespace tidemark::io
