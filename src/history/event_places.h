// Where the events of a delta stand in its text, found while the text passes by on its way to its reader.
//
// Only brackets and strings are looked at: what the events say, and whether the text is sound, is the reader's to tell.
// Threads: one.
#pragma once

#include <deque>
#include <memory>

#include "history/index_block.h"
#include "io/stream.h"

namespace tidemark::history {

class EventPlaces final : public io::Source {
 public:
  // Requires: `from` outlives it.
  explicit EventPlaces(io::Source& from) : from_(from) {}
  Result<std::size_t> read(MutableBytes into) override;

  // The place of the next event, in the order of the text. Requires: the reader has seen its end. Errc::corrupt: there
  // is none.
  Result<Place> next();
  std::uint64_t text_bytes() const { return at_; }

 private:
  void pass(Bytes bytes);
  io::Source& from_;
  std::deque<Place> ended_;
  std::uint64_t at_ = 0, begin_ = 0;
  std::uint32_t crc_ = 0;
  int depth_ = 0;  // of brackets; an event is what stands in the first one
  bool in_string_ = false, escaped_ = false, over_ = false;
};

}  // namespace tidemark::history
