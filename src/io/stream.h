// Data moves as source -> filters -> sink, in bounded memory.
//
// A filter transforms or measures. The order in which filters are built is the order of the bytes. finish() flushes
// what a filter holds and carries the last error, because a destructor cannot; it is called exactly once, last.
// Threads: one object, one thread at a time, unless a class says otherwise.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::io {

class Source {
 public:
  virtual ~Source() = default;
  // Fills the front of `into`; 0 only at the end. May return less than asked for.
  virtual Result<std::size_t> read(MutableBytes into) = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status write(Bytes bytes) = 0;  // takes all of it or fails
  virtual Status finish() = 0;
};

// Reads to the end of `from` into `to`, then to.finish(). Returns the number of bytes moved.
Result<std::uint64_t> pump(Source& from, Sink& to);

// Fills `into` as far as the source goes; less than asked for only at the end.
Result<std::size_t> read_full(Source& from, MutableBytes into);

// Everything up to the end; Errc::corrupt when there is more than `limit` bytes.
Result<Buffer> read_all(Source& from, std::uint64_t limit);

// Bytes in memory as a source. Requires: the bytes outlive it.
class BytesSource final : public Source {
 public:
  explicit BytesSource(Bytes bytes) : left_(bytes) {}
  Result<std::size_t> read(MutableBytes into) override;

 private:
  Bytes left_;
};

// Collects bytes in memory.
class BufferSink final : public Sink {
 public:
  Status write(Bytes bytes) override;
  Status finish() override { return {}; }
  Buffer& buffer() { return buffer_; }

 private:
  Buffer buffer_;
};

// Measures; passes bytes on unchanged.
class CountingSink final : public Sink {
 public:
  explicit CountingSink(Sink& next) : next_(next) {}
  Status write(Bytes bytes) override {
    bytes_ += bytes.size();
    return next_.write(bytes);
  }
  Status finish() override { return next_.finish(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Sink& next_;
  std::uint64_t bytes_ = 0;
};

}  // namespace tidemark::io
