#include "bolt/reader.h"

#include <bit>
#include <utility>

#include "bolt/cursor.h"

namespace tidemark::bolt {

namespace {

constexpr std::uint32_t kLeastPageSize = 1024, kMostPageSize = 16U << 20U;

// The meta pages of a file whose pages have `page_size` bytes: the valid one that was written last.
std::optional<Meta> newest_meta(Bytes file, std::uint32_t page_size) {
  std::optional<Meta> best;
  for (const std::size_t offset : {std::size_t{0}, std::size_t{page_size}}) {
    if (offset >= file.size()) continue;
    const auto meta = load_meta(file.subspan(offset));
    if (meta && meta->page_size == page_size && (!best || meta->txid > best->txid)) best = meta;
  }
  return best;
}

bool is_page_size(std::uint32_t size) {
  return size >= kLeastPageSize && size <= kMostPageSize && std::has_single_bit(size);
}

// The page size is in the meta pages. When the first is damaged, the second is one page into the file: try every size.
std::optional<Meta> find_meta(Bytes file) {
  if (const auto first = load_meta(file); first && is_page_size(first->page_size))
    return newest_meta(file, first->page_size);
  for (std::uint32_t size = kLeastPageSize; size <= kMostPageSize; size *= 2) {
    if (auto meta = newest_meta(file, size)) return meta;
  }
  return std::nullopt;
}

Status walk(const Reader& reader, const Bucket& in, Cursor::Direction direction,
            const std::function<Status(const Element&)>& each) {
  Cursor cursor(reader, in, direction);
  for (;;) {
    auto element = cursor.next();
    if (!element) return named(reader.name(), Status(std::unexpected(std::move(element).error())));
    if (*element == nullptr) return {};
    TM_CHECK(each(**element));
  }
}

// The child that may hold `key`: the last one that does not begin behind it, else the first.
Result<PageId> child_for(const Page& branch, Bytes key) {
  if (branch.count() == 0) return fail(Errc::corrupt, "{}: branch without children", branch.title());
  std::size_t low = 0, high = branch.count();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    const auto child = branch.child(middle);
    if (!child) return branch.bad_element(middle);
    (compare(child->key, key) <= 0 ? low : high) = middle;
  }
  const auto child = branch.child(low);
  if (!child) return branch.bad_element(low);
  return child->page;
}

Result<std::optional<Element>> find_on_leaf(const Page& leaf, Bytes key) {
  std::size_t low = 0, high = leaf.count();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const auto element = leaf.element(middle);
    if (!element) return leaf.bad_element(middle);
    const int order = compare(element->key, key);
    if (order == 0) return element;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::optional<Element>();
}

Result<std::optional<Element>> find_in_tree(const Reader& reader, const Bucket& in, Bytes key) {
  TM_LET(Page page, reader.top_page(in));
  for (std::size_t depth = 1; !page.is_leaf(); depth++) {
    if (depth == kMostDepth) return fail(Errc::corrupt, "{}: deeper than {} pages", page.title(), kMostDepth);
    TM_LET(const PageId below, child_for(page, key));
    TM_LET(page, reader.page(below));
  }
  return find_on_leaf(page, key);
}

}  // namespace

Result<Reader> Reader::open(const io::Path& path, std::uint64_t length) {
  TM_LET(io::MappedFile file, io::MappedFile::open(path));
  return over(std::make_shared<io::MappedFile>(std::move(file)), length);
}

Result<Reader> Reader::over(std::shared_ptr<io::MappedFile> file, std::uint64_t length) {
  Reader reader;
  reader.name_ = fmt::format("'{}'", file->path().native());
  reader.file_ = std::move(file);
  reader.bytes_ = reader.file_->bytes();
  if (length > reader.bytes_.size())
    return fail(Errc::torn, "{} has {} bytes where {} were announced", reader.name_, reader.bytes_.size(), length);
  if (length != 0) reader.bytes_ = reader.bytes_.first(length);
  TM_CHECK(reader.choose_meta());
  return reader;
}

Result<Reader> Reader::over(Bytes database, std::string name_in_errors) {
  Reader reader;
  reader.name_ = std::move(name_in_errors);
  reader.bytes_ = database;
  TM_CHECK(reader.choose_meta());
  return reader;
}

Status Reader::choose_meta() {
  const auto meta = find_meta(bytes_);
  if (!meta && bytes_.size() < kMetaEnd)
    return fail(Errc::torn, "{}: {} bytes, which is less than a meta page", name_, bytes_.size());
  if (!meta) return fail(Errc::corrupt, "{}: no valid meta page", name_);
  meta_ = *meta;
  if (meta_.high_water > bytes_.size() / meta_.page_size)
    return fail(Errc::torn, "{}: {} bytes, but its {} pages need {} bytes each", name_, bytes_.size(), meta_.high_water,
                meta_.page_size);
  if (meta_.root < kFirstDataPage || meta_.root >= meta_.high_water)
    return fail(Errc::corrupt, "{}: root page {} is not below the high-water mark {}", name_, meta_.root,
                meta_.high_water);
  if (meta_.freelist != kNoFreelist && (meta_.freelist < kFirstDataPage || meta_.freelist >= meta_.high_water))
    return fail(Errc::corrupt, "{}: freelist page {} is not below the high-water mark {}", name_, meta_.freelist,
                meta_.high_water);
  return {};
}

Result<Bytes> Reader::page_run(PageId id) const {
  if (id < kFirstDataPage || id >= meta_.high_water)
    return fail(Errc::corrupt, "page {}: out of bounds: {} pages", id, meta_.high_water);
  const Bytes rest = bytes_.first(meta_.high_water * meta_.page_size).subspan(id * meta_.page_size);
  const PageHeader header = load_header(rest);
  if (header.id != id) return fail(Errc::corrupt, "page {}: calls itself page {}", id, header.id);
  if (header.overflow >= meta_.high_water - id)
    return fail(Errc::corrupt, "page {}: out of bounds: {} overflow pages of {} in all", id, header.overflow,
                meta_.high_water);
  return rest.first((std::size_t{header.overflow} + 1) * meta_.page_size);
}

Result<Page> Reader::page(PageId id) const {
  TM_LET(const Bytes run, page_run(id));
  return Page::over(run, id, run.size() / meta_.page_size);
}

Result<Page> Reader::top_page(const Bucket& in) const {
  if (in.root != 0) return page(in.root);
  TM_LET(const Page inlined, Page::over(in.inline_page, 0, 0));
  if (!inlined.is_leaf()) return fail(Errc::corrupt, "inline page: a branch, not a leaf");
  return inlined;
}

Result<Bucket> Reader::as_bucket(const Element& element) {
  const auto bad = [&](std::string_view why) {
    return fail(Errc::corrupt, "bucket '{}': {} ({} bytes)", as_text(element.key), why, element.value.size());
  };
  if (!element.is_bucket) return bad("not a bucket");
  if (element.value.size() < kBucketHeaderSize) return bad("cut inside its header");
  Bucket bucket{.root = load_le<std::uint64_t>(element.value),
                .inline_page = {},
                .sequence = load_le<std::uint64_t>(element.value.subspan(8))};
  if (bucket.root == 0) {
    bucket.inline_page = element.value.subspan(kBucketHeaderSize);
    if (bucket.inline_page.size() < kPageHeaderSize) return bad("inline page cut inside its header");
  } else if (element.value.size() != kBucketHeaderSize) {
    return bad("has a root page and bytes behind its header");
  }
  return bucket;
}

Result<Bucket> Reader::bucket(std::string_view name) const {
  TM_LET(const auto found, find(root(), as_bytes(name)));
  if (!found) return fail(Errc::not_found, "{}: no bucket '{}'", name_, name);
  return named(name_, as_bucket(*found));
}

Result<std::vector<std::string>> Reader::bucket_names() const {
  std::vector<std::string> names;
  TM_CHECK(for_each(root(), [&](const Element& element) -> Status {
    if (element.is_bucket) names.emplace_back(as_text(element.key));
    return {};
  }));
  return names;
}

Result<std::optional<Element>> Reader::find(const Bucket& in, Bytes key) const {
  return named(name_, find_in_tree(*this, in, key));
}

Status Reader::for_each(const Bucket& in, const std::function<Status(const Element&)>& each) const {
  return walk(*this, in, Cursor::Direction::forwards, each);
}

Status Reader::for_each_backwards(const Bucket& in, const std::function<Status(const Element&)>& each) const {
  return walk(*this, in, Cursor::Direction::backwards, each);
}

Result<std::optional<Element>> Reader::last(const Bucket& in) const {
  Cursor cursor(*this, in, Cursor::Direction::backwards);
  TM_LET(const Element* const element, named(name_, cursor.next()));
  return element == nullptr ? std::nullopt : std::optional<Element>(*element);
}

}  // namespace tidemark::bolt
