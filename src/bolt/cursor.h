// Walks one bucket in key order or backwards, one element at a time, without recursion or allocation per element.
//
// Guarantees: keys strictly ascend (or descend), no page is entered twice and no two elements share a byte, so a walk
// of a hostile file ends and shows at most as many bytes as the file has. Threads: one.
#pragma once

#include <vector>

#include "bolt/reader.h"

namespace tidemark::bolt {

class Cursor {
 public:
  enum class Direction { forwards, backwards };
  // Requires: the reader outlives the cursor.
  Cursor(const Reader& reader, const Bucket& in, Direction direction);

  // The next element, valid until the next call; nullptr at the end. Errc::corrupt begins with "page N: ".
  // After a failure or the end, requires: no further call.
  Result<const Element*> next();

 private:
  struct Frame {
    Page page;
    std::size_t done;  // children or elements already taken, in the direction of the walk
  };
  std::size_t index(const Frame& frame) const {
    return direction_ == Direction::forwards ? frame.done : frame.page.count() - 1 - frame.done;
  }
  Status start();
  Status descend(Frame& from);
  Status enter(Result<Page> page);
  Status check_place(const Frame& leaf);

  const Reader& reader_;
  const Bucket in_;
  const Direction direction_;
  PageSet seen_;
  std::vector<Frame> stack_;
  Element current_;
  Bytes previous_key_;
  const std::byte* edge_ = nullptr;  // where the data of the previous element of this page end (backwards: begin)
  std::uint64_t walked_ = 0;         // bytes of pages since memory was given back
  bool started_ = false;
};

}  // namespace tidemark::bolt
