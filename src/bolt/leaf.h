// The rows of the leaf page that is being filled, from either end.
#pragma once

#include <vector>

#include "bolt/page_writer.h"

namespace tidemark::bolt {

class Leaf {
 public:
  bool empty() const { return rows_.empty(); }
  std::size_t bytes() const { return bytes_; }  // of the page so far

  // Whether one more row of that size belongs on this page. Pages are filled to 90 % (room for the next owner of the
  // file to change a row without splitting the page); fuller when otherwise more than a quarter of the space already
  // taken would stay empty; and they have two rows at least, unless those are large.
  bool takes(std::size_t key_and_value) const;
  void add(Bytes key, Bytes value);
  // In the order of add(), or the reverse. Valid until the next add() or clear().
  std::span<const Row> rows(bool reversed);
  void clear();

 private:
  struct Place {
    std::size_t at;
    std::uint32_t key_size, value_size;
  };
  std::vector<Place> rows_;
  Buffer data_;
  std::vector<Row> views_;
  std::size_t bytes_ = kPageHeaderSize;
};

inline constexpr std::size_t kFill = kPageSize * 9 / 10;

}  // namespace tidemark::bolt
