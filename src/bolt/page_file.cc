#include "bolt/page_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

namespace tidemark::bolt {

namespace {

constexpr PageId kMostPages = PageId{1} << 32U;  // 16 TiB
constexpr std::size_t kChunksKept = 16;

bool is_aligned(Bytes bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()) % kPageSize == 0; }

}  // namespace

AlignedBuffer make_aligned(std::size_t pages) {
  auto* const memory = static_cast<std::byte*>(std::aligned_alloc(kPageSize, pages * kPageSize));
  if (memory == nullptr) throw std::bad_alloc();
  return AlignedBuffer(memory);
}

PageFile::PageFile(io::Path path, io::Fd file, io::Fd direct)
    : path_(std::move(path)), file_(std::move(file)), direct_(std::move(direct)), use_direct_(direct_.open()) {}

PageFile::~PageFile() {
  if (!finished_) ::unlink(path_.c_str());
}

Result<std::unique_ptr<PageFile>> PageFile::create(const io::Path& path, bool direct) {
  TM_LET(io::Fd file, io::open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  io::Fd past_cache;
  if (direct) {
    // tmpfs and some network file systems refuse the flag: the cache serves them as well.
    if (auto opened = io::open_file(path, O_RDWR | O_DIRECT)) past_cache = *std::move(opened);
  }
  return std::unique_ptr<PageFile>(new PageFile(path, std::move(file), std::move(past_cache)));
}

Result<PageId> PageFile::allocate(std::uint64_t pages) {
  const PageId first = next_.fetch_add(pages, std::memory_order_relaxed);
  if (first + pages > kMostPages) {
    failed_ = true;
    return fail(Errc::invalid, "'{}' would have more than {} pages", path_.native(), kMostPages);
  }
  return first;
}

Status PageFile::write(PageId first, Bytes pages) {
  if (failed_) return fail(Errc::io, "'{}': an earlier write failed", path_.native());
  auto written = write_bytes(first, pages);
  if (!written) failed_ = true;
  return written;
}

Status PageFile::write_bytes(PageId first, Bytes pages) {
  std::uint64_t offset = first * kPageSize;
  while (!pages.empty() && use_direct_ && is_aligned(pages)) {
    const ssize_t n = ::pwrite(direct_.get(), pages.data(), pages.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EINVAL) return sys_fail("write", path_.native());
    if (n < 0) {  // the file system takes the flag and then refuses the write
      use_direct_ = false;
      break;
    }
    // A short write may end inside a page; that page is written again, whole.
    const std::size_t whole = static_cast<std::size_t>(n) / kPageSize * kPageSize;
    if (whole == 0) break;
    pages = pages.subspan(whole);
    offset += whole;
  }
  return io::pwrite_all(file_.get(), pages, offset, path_);
}

void PageFile::give_back(PageRun run) {
  const std::lock_guard lock(mutex_);
  free_.push_back(run);
}

Result<std::uint64_t> PageFile::finish(PageId root) {
  std::vector<PageId> free;
  for (const PageRun& run : free_)
    for (PageId page = run.first; page < run.first + run.pages; page++) free.push_back(page);
  std::sort(free.begin(), free.end());
  Buffer freelist = make_freelist(free, kPageSize);
  TM_LET(const PageId at, allocate(freelist.size() / kPageSize));
  store_le(freelist.data(), at);
  TM_CHECK(write(at, freelist));

  // From here on everything but the meta pages is on disk: fsync covers both descriptors, they are one file.
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

AlignedBuffer PageFile::take_chunk() {
  const std::lock_guard lock(mutex_);
  if (chunks_.empty()) return make_aligned(kChunkPages);
  AlignedBuffer chunk = std::move(chunks_.back());
  chunks_.pop_back();
  return chunk;
}

void PageFile::return_chunk(AlignedBuffer chunk) {
  const std::lock_guard lock(mutex_);
  if (chunks_.size() < kChunksKept) chunks_.push_back(std::move(chunk));
}

}  // namespace tidemark::bolt
