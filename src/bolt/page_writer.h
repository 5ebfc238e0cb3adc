// Lays pages one behind the other and writes them a chunk at a time; remembers each page's first key for the level of
// the tree above. A page gets its number when its chunk is written, so no number is ever wasted.
//
// Memory: one chunk of 1 MiB while there is something to write (more for a single larger page), and per page 16 bytes
// and its first key. Threads: one at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "bolt/page_file.h"
#include "bolt/page_proof.h"

namespace tidemark::bolt {

// Pages of one level of a tree, in order: first key and number of each.
class PageList {
 public:
  struct Entry {
    std::uint64_t key_at;
    std::uint32_t page;
    std::uint32_t key_size;
  };

  void add(Bytes first_key, std::uint32_t page);
  std::size_t size() const { return entries_.size(); }
  Bytes key(std::size_t i) const { return Bytes(keys_).subspan(entries_[i].key_at, entries_[i].key_size); }
  PageId page(std::size_t i) const { return entries_[i].page; }
  // Adds `by` to the numbers from `from` on.
  void shift(std::size_t from, std::uint32_t by);
  void reverse();
  void append(PageList&& behind);

 private:
  std::vector<Entry> entries_;
  Buffer keys_;
};

// An element of a page to be written: a row of a leaf, or a child of a branch (with an empty value).
struct Row {
  Bytes key, value;
  std::uint32_t flags = 0;  // of a leaf element
  PageId child = 0;         // of a branch element
};

// The bytes of a page with these elements, without what fills up its last page.
std::size_t page_bytes(std::span<const Row> rows);
// Writes that image, except for the number in its header. Requires: page_bytes(rows) bytes of room.
void store_page(std::byte* to, std::uint16_t kind, std::span<const Row> rows, std::uint32_t overflow);

constexpr std::size_t pages_for(std::size_t bytes) { return (bytes + kPageSize - 1) / kPageSize; }

// Pages of one kind, one behind the other.
class PageWriter {
 public:
  explicit PageWriter(std::shared_ptr<PageFile> file, std::uint16_t kind, LeafWitness* witness = nullptr)
      : file_(std::move(file)), kind_(kind), proof_(witness) {}
  ~PageWriter();  // gives its pages back, unless take() was called
  PageWriter(const PageWriter&) = delete;
  PageWriter& operator=(const PageWriter&) = delete;

  // One page, with overflow as needed. Requires: rows in key order, their sizes within the limits. `descending`: below
  // all pages before; the same in every call.
  Status add(std::span<const Row> rows, bool descending = false);
  // Writes what is left. add() may follow.
  Status close();
  // All pages in the order of add(). Requires: close() returned ok, nothing was added since.
  PageList take();

 private:
  Status make_room(std::size_t pages);
  Status flush();

  const std::shared_ptr<PageFile> file_;
  const std::uint16_t kind_;
  PageProof proof_;
  bool descending_ = false;
  io::AlignedBuffer chunk_;
  std::size_t used_ = 0;      // pages of the chunk
  std::size_t numbered_ = 0;  // pages of the list that have their final number
  PageList list_;
  std::vector<PageRun> written_;
};

}  // namespace tidemark::bolt
