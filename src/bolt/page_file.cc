#include "bolt/page_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tidemark::bolt {

namespace {

constexpr PageId kMostPages = PageId{1} << 32U;  // 16 TiB
constexpr std::size_t kChunksKept = 16;

}  // namespace

PageFile::PageFile(io::Path path, io::Fd file, std::unique_ptr<io::WriteBehind> behind)
    : path_(std::move(path)), file_(std::move(file)), behind_(std::move(behind)) {}

PageFile::~PageFile() {
  if (!finished_) ::unlink(path_.c_str());
}

Result<std::unique_ptr<PageFile>> PageFile::create(const io::Path& path, bool direct) {
  TM_LET(io::Fd file, io::open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  std::unique_ptr<io::WriteBehind> behind;
  if (direct) {
    // tmpfs and some network file systems refuse the flag: the cache serves them as well.
    if (auto opened = io::WriteBehind::open(path)) behind = *std::move(opened);
  }
  return std::unique_ptr<PageFile>(new PageFile(path, std::move(file), std::move(behind)));
}

Result<PageId> PageFile::allocate(std::uint64_t pages) {
  const PageId first = next_.fetch_add(pages, std::memory_order_relaxed);
  if (first + pages > kMostPages) {
    failed_ = true;
    return fail(Errc::invalid, "'{}' would have more than {} pages", path_.native(), kMostPages);
  }
  return first;
}

Status PageFile::write(PageId first, io::AlignedBuffer chunk, std::size_t pages) {
  if (failed_) return fail(Errc::io, "'{}': an earlier write failed", path_.native());
  const std::uint64_t offset = first * kPageSize;
  if (behind_) return behind_->write(offset, std::move(chunk), pages * kPageSize);
  auto written = io::pwrite_all(file_.get(), Bytes(chunk.data(), pages * kPageSize), offset, path_);
  if (!written) failed_ = true;
  return_chunk(std::move(chunk));
  return written;
}

void PageFile::give_back(PageRun run) {
  const std::lock_guard lock(mutex_);
  free_.push_back(run);
}

Result<std::uint64_t> PageFile::finish(PageId root) {
  if (failed_) return fail(Errc::io, "'{}': an earlier write failed", path_.native());
  std::vector<PageId> free;
  for (const PageRun& run : free_)
    for (PageId page = run.first; page < run.first + run.pages; page++) free.push_back(page);
  std::sort(free.begin(), free.end());
  Buffer freelist = make_freelist(free, kPageSize);
  TM_LET(const PageId at, allocate(freelist.size() / kPageSize));
  store_le(freelist.data(), at);
  if (kFirstDataPage + kept_ + free.size() != at)
    return fail(Errc::corrupt, "'{}': {} pages were written, {} are in use and {} free", path_.native(), at, kept_,
                free.size());
  if (behind_) TM_CHECK(behind_->drain());
  TM_CHECK(io::pwrite_all(file_.get(), freelist, at * kPageSize, path_));

  // From here on everything but the meta pages is on disk: fsync covers all descriptors of the file.
  TM_CHECK(io::fsync_file(file_.get(), path_));
  const Meta meta{.page_size = kPageSize, .root = root, .freelist = at, .high_water = next_, .txid = 1};
  TM_CHECK(write_metas(meta));
  TM_CHECK(io::fsync_file(file_.get(), path_));
  finished_ = true;
  return meta.high_water * kPageSize;
}

Status PageFile::write_metas(const Meta& meta) {
  std::array<std::byte, 2 * kPageSize> pages{};
  for (const PageId id : {PageId{0}, PageId{1}}) {
    Meta copy = meta;
    copy.txid = meta.txid + 1 - id;  // page 0 is the newer one; they say the same
    store_meta(pages.data() + id * kPageSize, id, copy);
  }
  return io::pwrite_all(file_.get(), pages, 0, path_);
}

io::AlignedBuffer PageFile::take_chunk() {
  if (behind_) {
    io::AlignedBuffer chunk = behind_->recycled(kChunkPages * kPageSize);
    if (chunk.capacity() != 0) return chunk;
  }
  const std::lock_guard lock(mutex_);
  if (chunks_.empty()) return io::AlignedBuffer(kChunkPages * kPageSize);
  io::AlignedBuffer chunk = std::move(chunks_.back());
  chunks_.pop_back();
  return chunk;
}

void PageFile::return_chunk(io::AlignedBuffer chunk) {
  if (chunk.capacity() != kChunkPages * kPageSize) return;
  const std::lock_guard lock(mutex_);
  if (chunks_.size() < kChunksKept) chunks_.push_back(std::move(chunk));
}

}  // namespace tidemark::bolt
