// The file under a BulkWriter: hands out page numbers and writes page runs to their places, past the page cache where
// the file system allows it.
//
// Threads: any for allocate(), write() and give_back(); finish() alone.
#pragma once

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bolt/page.h"
#include "io/file.h"

namespace tidemark::bolt {

inline constexpr std::size_t kPageSize = 4096;

struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};
// Page-aligned, so that the kernel can take it without a copy.
using AlignedBuffer = std::unique_ptr<std::byte[], FreeMemory>;
AlignedBuffer make_aligned(std::size_t pages);

struct PageRun {
  PageId first = 0;
  std::uint64_t pages = 0;
};

class PageFile {
 public:
  // Creates `path` (must not exist), mode 0600. `direct`: try to go past the page cache.
  static Result<std::unique_ptr<PageFile>> create(const io::Path& path, bool direct);
  ~PageFile();  // removes the file, unless finish() returned ok

  // Page numbers for a run. Errc::invalid when the file would have more than 2^32 pages.
  Result<PageId> allocate(std::uint64_t pages);
  // Requires: whole pages. Direct when the memory is page-aligned. After a failure every later call fails too.
  Status write(PageId first, Bytes pages);
  // The run is not used after all: the freelist will name it.
  void give_back(PageRun run);

  // The freelist, fsync, the meta pages, fsync. Returns the size of the file.
  Result<std::uint64_t> finish(PageId root);

  // kChunkPages of memory with anything in it; what comes back is used again.
  AlignedBuffer take_chunk();
  void return_chunk(AlignedBuffer chunk);

  const io::Path& path() const { return path_; }

 private:
  PageFile(io::Path path, io::Fd file, io::Fd direct);
  Status write_bytes(PageId first, Bytes pages);
  Status write_metas(const Meta& meta);

  const io::Path path_;
  const io::Fd file_, direct_;
  std::atomic<bool> use_direct_;
  std::atomic<bool> failed_ = false;
  std::atomic<PageId> next_ = kFirstDataPage;
  bool finished_ = false;
  std::mutex mutex_;  // guards the two below
  std::vector<PageRun> free_;
  std::vector<AlignedBuffer> chunks_;
};

inline constexpr std::size_t kChunkPages = 256;  // 1 MiB

}  // namespace tidemark::bolt
