// Proves a file while it is written: each page is read back by the reader's code from the very bytes that go to the
// file, and the tree above the leaves from the file itself once it is there. So a gigabyte need not be read again.
//
// What is proven: every element lies inside its page and shares no byte, keys ascend within and across the pages of a
// segment, a page is what and where its header says. What is not: that the disk gives back what it was given.
#pragma once

#include "bolt/bulk_writer.h"
#include "bolt/reader.h"

namespace tidemark::bolt {

// Of the pages of one PageWriter. Threads: one at a time.
class PageProof {
 public:
  explicit PageProof(LeafWitness* witness = nullptr) : witness_(witness) {}
  // Chunks in the order they are written, each of `count` pages with their overflow. `descending`: each page's keys are
  // below those of the page before. Errc::corrupt: the writer, or memory, is broken. What the witness says is returned
  // as it is.
  Status check(Bytes chunk, PageId first, std::size_t count, std::uint16_t kind, bool descending);

 private:
  Result<PageId> check_page(Bytes rest, PageId id, std::uint16_t kind, bool descending);
  LeafWitness* const witness_;
  Buffer edge_;  // the outermost key so far, in the direction of writing
};

// Which leaves there are, in key order: first keys and numbers, folded into one number.
class LeafSum {
 public:
  void add(Bytes first_key, PageId page);
  friend bool operator==(const LeafSum&, const LeafSum&) = default;

 private:
  std::uint64_t leaves_ = 0, sum_ = 0;
};

// Reads the branch pages of a tree of `levels` levels of them, and expects these leaves below. Errc::corrupt.
Status check_branches(const Reader& reader, PageId root, std::size_t levels, const LeafSum& leaves);

}  // namespace tidemark::bolt
