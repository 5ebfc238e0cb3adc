// Writes a new bbolt file in one pass, in bounded memory, without transactions: leaf pages go out as they fill, branch
// pages and the two meta pages come last. Until finish() returned ok the file cannot be opened by anybody.
//
// A bucket's tree is made of segments: runs of ascending rows whose ranges do not overlap. Segments may be filled by
// different threads at the same time and in any order; add_tree() puts them in order. So rows can be produced newest
// first and in parallel while the file is still written roughly sequentially (page numbers need not follow key order).
//
// Rules that the pages keep (breaking either kills etcd at its next compaction): a branch element's key is exactly the
// first key of its child, and no branch page has fewer than two children. Leaves are filled to 90 %
// (fuller when a row that still fits would otherwise leave a quarter of the page empty).
// What is written is proven on the way (see page_proof.h): finish() says ok only for a file whose every page was read
// back from the bytes that were handed to the kernel, and whose trees were read from the file.
// Memory: per open segment one chunk buffer (1 MiB); per leaf page about 32 bytes until its tree is finished; with
// Cache::bypass what waits to be written, at most 9 MiB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file.h"

namespace tidemark::bolt {

class Page;

// Sees every leaf page as the file will have it, each once, one segment's pages in order and by one thread.
class LeafWitness {
 public:
  virtual ~LeafWitness() = default;
  // `below`: its keys are below those of the pages seen before, otherwise above. A failure is the segment's failure.
  virtual Status saw(const Page& leaf, bool below) = 0;
};

class BulkWriter {
 public:
  class Segment;

  static constexpr std::size_t kPageSize = 4096;

  // Whether the kernel's page cache keeps what is written. bypass: O_DIRECT, where the file system has it.
  enum class Cache { keep, bypass };

  // Creates `path` (must not exist), mode 0600. The caller makes its name durable (fsync of the directory).
  static Result<std::unique_ptr<BulkWriter>> create(const io::Path& path, Cache cache = Cache::keep);
  ~BulkWriter();  // without a successful finish(): removes the file

  // A new, empty segment. Rows that end up in an inline bucket are not shown to the witness, which must outlive the
  // segment. Threads: any.
  std::unique_ptr<Segment> segment(LeafWitness* witness = nullptr);

  // A top-level bucket from its segments, in any order; empty segments are fine. Small buckets are stored inline.
  // Errc::invalid when ranges overlap, a segment is not closed or the name is taken; the segments are gone then, their
  // pages are free. Buckets may be added in any order. One thread.
  Status add_tree(std::string_view bucket_name, std::vector<std::unique_ptr<Segment>> segments);

  // Root, freelist, fsync, meta pages, fsync; then branches, root and meta are read from the file. Returns the size of
  // the file in bytes: exactly its high-water mark. Errc::corrupt: what was read is not what was written.
  // Requires: every segment was given to add_tree() or destroyed.
  Result<std::uint64_t> finish();

 private:
  class Work;
  explicit BulkWriter(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

// Rows in ascending key order, or in descending order from start to end. Threads: one at a time.
class BulkWriter::Segment {
 public:
  virtual ~Segment() = default;
  // Requires: all calls of one segment use the same direction. Errc::invalid when a key is out of order, empty or
  // longer than 32768 bytes; the row was not taken then, and the segment is as it was before.
  virtual Status append(Bytes key, Bytes value) = 0;   // ascending
  virtual Status prepend(Bytes key, Bytes value) = 0;  // descending
  // Writes what is buffered. Required before add_tree().
  virtual Status close() = 0;
  virtual std::uint64_t rows() const = 0;
};

}  // namespace tidemark::bolt
