// Gzip for streams whose readers stop at the first member's end, as those of HTTP do.
#pragma once

#include <memory>

#include "io/stream.h"

namespace tidemark::io {

// Writes one gzip member, and passes on what is ready as it goes. Memory: some 400 KiB.
class GzipStreamSink final : public Sink {
 public:
  // Requires: `to` outlives it.
  explicit GzipStreamSink(Sink& to);
  ~GzipStreamSink() override;
  Status write(Bytes bytes) override;
  Status finish() override;  // no text at all is an empty member

 private:
  class Work;
  Sink& to_;
  std::unique_ptr<Work> work_;
};

}  // namespace tidemark::io
