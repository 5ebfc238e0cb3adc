// The file under a BulkWriter: hands out page numbers and writes page runs to their places; past the page cache, behind
// the caller's back, where the file system allows it.
//
// Threads: any for allocate(), write() and give_back(); finish() alone.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bolt/page.h"
#include "io/file.h"
#include "io/write_behind.h"

namespace tidemark::bolt {

inline constexpr std::size_t kPageSize = 4096;

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
  // The first `pages` pages of the chunk, for this place; the memory is gone. A failure may show up later: in some call
  // after this one, at the latest in finish(). After a failure every later call fails too.
  Status write(PageId first, io::AlignedBuffer chunk, std::size_t pages);
  // The run is not used after all: the freelist will name it.
  void give_back(PageRun run);
  // The run is part of a tree. finish() fails unless every page handed out is part of one, or free.
  void keep(PageRun run) { kept_ += run.pages; }

  // The freelist, fsync, the meta pages, fsync. Returns the size of the file. Errc::corrupt: pages are not accounted
  // for.
  Result<std::uint64_t> finish(PageId root);

  // What finish() made is no good: the file goes with this object.
  void disown() { finished_ = false; }

  // kChunkPages of memory with anything in it; what comes back is used again.
  io::AlignedBuffer take_chunk();
  void return_chunk(io::AlignedBuffer chunk);

  const io::Path& path() const { return path_; }

 private:
  PageFile(io::Path path, io::Fd file, std::unique_ptr<io::WriteBehind> behind);
  Status write_metas(const Meta& meta);

  const io::Path path_;
  const io::Fd file_;
  const std::unique_ptr<io::WriteBehind> behind_;  // null: through the page cache, at once
  std::atomic<bool> failed_ = false;
  std::atomic<PageId> next_ = kFirstDataPage;
  std::atomic<std::uint64_t> kept_ = 0;
  bool finished_ = false;
  std::mutex mutex_;  // guards the two below
  std::vector<PageRun> free_;
  std::vector<io::AlignedBuffer> chunks_;
};

inline constexpr std::size_t kChunkPages = 256;  // 1 MiB

}  // namespace tidemark::bolt
