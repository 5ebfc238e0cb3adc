// Writes a file past the page cache (O_DIRECT) from a thread of its own: whoever makes the bytes never waits for the
// disk, and gigabytes of output neither fill the cache nor cost a second copy.
//
// Memory: what was queued, at most `most_queued` bytes and one piece. Threads: any for write(); drain() alone.
#pragma once

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/queue.h"
#include "io/file.h"

namespace tidemark::io {

inline constexpr std::size_t kDirectBlock = 4096;  // places, sizes and addresses are multiples of it

// Memory at a multiple of kDirectBlock, so that the kernel can take it without a copy.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t capacity);
  std::byte* data() const { return memory_.get(); }
  std::size_t capacity() const { return memory_ ? capacity_ : 0; }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte[], Free> memory_;
  std::size_t capacity_ = 0;
};

class WriteBehind {
 public:
  // `path` exists. Errc::unsupported: its file system has no O_DIRECT (tmpfs, some network file systems).
  static Result<std::unique_ptr<WriteBehind>> open(const Path& path, std::size_t most_queued = 8UL << 20U);
  ~WriteBehind();  // without drain(): what is queued may or may not be written
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  // Queues the first `size` bytes of `memory` for `offset`; waits while the queue is full. Fails when an earlier piece
  // could not be written; its failure is the answer of every later call.
  Status write(std::uint64_t offset, AlignedBuffer memory, std::size_t size);
  // Memory of that capacity that was written and can be used again; empty: there is none.
  AlignedBuffer recycled(std::size_t capacity);
  // Waits until everything is written (not fsynced). No write() may follow.
  Status drain();

 private:
  struct Piece {
    std::uint64_t offset = 0;
    AlignedBuffer memory;
    std::size_t size = 0;
  };
  WriteBehind(Path path, Fd direct, Fd cached, std::size_t most_queued);
  void run();
  Status write_now(const Piece& piece);
  Status status() const;

  const Path path_;
  const Fd direct_, cached_;
  std::atomic<bool> failed_ = false;
  mutable std::mutex mutex_;  // guards the two below
  Status status_;
  std::vector<AlignedBuffer> spare_;  // all of one capacity
  BoundedQueue<Piece> queue_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace tidemark::io
