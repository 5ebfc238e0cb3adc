#include "bolt/page.h"

#include <algorithm>

namespace tidemark::bolt {

namespace {

constexpr std::uint32_t kMagic = 0xED0CDAED;
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kChecksumAt = 72;
constexpr std::uint16_t kCountElsewhere = 0xFFFF;

// [start, start + length) of `run`, or nullopt. `pos` counts from the element itself, and data follow all elements.
std::optional<std::size_t> data_offset(std::size_t i, std::uint32_t pos, std::size_t count, std::uint64_t length,
                                       std::size_t run_size) {
  const std::uint64_t start = kPageHeaderSize + kElementSize * i + std::uint64_t{pos};
  if (start < kPageHeaderSize + kElementSize * count || start + length > run_size) return std::nullopt;
  return static_cast<std::size_t>(start);
}

}  // namespace

PageHeader load_header(Bytes page) {
  return {load_le<std::uint64_t>(page), load_le<std::uint16_t>(page.subspan(8)),
          load_le<std::uint16_t>(page.subspan(10)), load_le<std::uint32_t>(page.subspan(12))};
}

void store_header(std::byte* page, const PageHeader& header) {
  store_le(page, header.id);
  store_le(page + 8, header.flags);
  store_le(page + 10, header.count);
  store_le(page + 12, header.overflow);
}

std::uint64_t fnv1a_64(Bytes bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte b : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3;
  return hash;
}

std::optional<Meta> load_meta(Bytes page) {
  if (page.size() < kMetaEnd) return std::nullopt;
  const Bytes meta = page.subspan(kPageHeaderSize);
  if (load_le<std::uint32_t>(meta) != kMagic || load_le<std::uint32_t>(meta.subspan(4)) != kVersion)
    return std::nullopt;
  if (load_le<std::uint64_t>(page.subspan(kChecksumAt)) != fnv1a_64(meta.first(kChecksumAt - kPageHeaderSize)))
    return std::nullopt;
  return Meta{.page_size = load_le<std::uint32_t>(meta.subspan(8)),
              .root = load_le<std::uint64_t>(meta.subspan(16)),
              .freelist = load_le<std::uint64_t>(meta.subspan(32)),
              .high_water = load_le<std::uint64_t>(meta.subspan(40)),
              .txid = load_le<std::uint64_t>(meta.subspan(48))};
}

void store_meta(std::byte* page, PageId id, const Meta& meta) {
  store_header(page, {.id = id, .flags = kMetaPage});
  std::byte* const to = page + kPageHeaderSize;
  store_le(to, kMagic);
  store_le(to + 4, kVersion);
  store_le(to + 8, meta.page_size);
  store_le(to + 12, std::uint32_t{0});
  store_le(to + 16, meta.root);
  store_le(to + 24, std::uint64_t{0});  // sequence of the root bucket
  store_le(to + 32, meta.freelist);
  store_le(to + 40, meta.high_water);
  store_le(to + 48, meta.txid);
  store_le(page + kChecksumAt, fnv1a_64({to, kChecksumAt - kPageHeaderSize}));
}

Result<Page> Page::over(Bytes run, PageId id, std::uint64_t pages) {
  const auto title = [id] { return id == 0 ? std::string("inline page") : fmt::format("page {}", id); };
  if (run.size() < kPageHeaderSize) return fail(Errc::corrupt, "{}: cut inside its header", title());
  const PageHeader header = load_header(run);
  if (header.flags != kLeafPage && header.flags != kBranchPage)
    return fail(Errc::corrupt, "{}: invalid type {:#x}", title(), header.flags);
  if (kPageHeaderSize + kElementSize * header.count > run.size())
    return fail(Errc::corrupt, "{}: {} elements do not fit into {} bytes", title(), header.count, run.size());
  return Page(run, id, pages, header.flags == kLeafPage, header.count);
}

std::optional<Element> Page::element(std::size_t i) const {
  const Bytes at = run_.subspan(kPageHeaderSize + kElementSize * i);
  const auto key_size = load_le<std::uint32_t>(at.subspan(8));
  const auto value_size = load_le<std::uint32_t>(at.subspan(12));
  const auto start =
      data_offset(i, load_le<std::uint32_t>(at.subspan(4)), count_, std::uint64_t{key_size} + value_size, run_.size());
  if (!start || key_size == 0) return std::nullopt;
  return Element{run_.subspan(*start, key_size), run_.subspan(*start + key_size, value_size),
                 (load_le<std::uint32_t>(at) & kBucketElement) != 0};
}

std::optional<Child> Page::child(std::size_t i) const {
  const Bytes at = run_.subspan(kPageHeaderSize + kElementSize * i);
  const auto key_size = load_le<std::uint32_t>(at.subspan(4));
  const auto start = data_offset(i, load_le<std::uint32_t>(at), count_, key_size, run_.size());
  if (!start || key_size == 0) return std::nullopt;
  return Child{run_.subspan(*start, key_size), load_le<std::uint64_t>(at.subspan(8))};
}

std::unexpected<Error> Page::bad_element(std::size_t i) const {
  return fail(Errc::corrupt, "{}: element {} of {} has no key or does not lie inside the page", title(), i, count_);
}

std::string Page::title() const { return id_ == 0 ? "inline page" : fmt::format("page {}", id_); }

Result<std::vector<PageId>> load_freelist(Bytes run, PageId id) {
  if (run.size() < kPageHeaderSize + 8) return fail(Errc::corrupt, "page {}: cut inside the freelist", id);
  const PageHeader header = load_header(run);
  if (header.flags != kFreelistPage)
    return fail(Errc::corrupt, "page {}: invalid type {:#x} where the freelist should be", id, header.flags);
  Bytes ids = run.subspan(kPageHeaderSize);
  std::uint64_t count = header.count;
  if (header.count == kCountElsewhere) {
    count = load_le<std::uint64_t>(ids);
    ids = ids.subspan(8);
  }
  if (count > ids.size() / 8)
    return fail(Errc::corrupt, "page {}: {} free pages do not fit into {} bytes", id, count, run.size());
  std::vector<PageId> free(count);
  for (std::size_t i = 0; i < count; i++) free[i] = load_le<std::uint64_t>(ids.subspan(8 * i));
  return free;
}

Buffer make_freelist(const std::vector<PageId>& free, std::size_t page_size) {
  const bool elsewhere = free.size() >= kCountElsewhere;
  const std::size_t bytes = kPageHeaderSize + 8 * (free.size() + (elsewhere ? 1 : 0));
  const std::size_t pages = (bytes + page_size - 1) / page_size;
  Buffer run(pages * page_size);
  store_header(run.data(), {.flags = kFreelistPage,
                            .count = elsewhere ? kCountElsewhere : static_cast<std::uint16_t>(free.size()),
                            .overflow = static_cast<std::uint32_t>(pages - 1)});
  std::byte* to = run.data() + kPageHeaderSize;
  if (elsewhere) {
    store_le(to, std::uint64_t{free.size()});
    to += 8;
  }
  for (const PageId id : free) {
    store_le(to, id);
    to += 8;
  }
  return run;
}

}  // namespace tidemark::bolt
