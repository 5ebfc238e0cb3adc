#include "bolt/page_proof.h"

#include "bolt/page_file.h"

namespace tidemark::bolt {

namespace {

// First and last key of a page whose elements are all sound; none of an empty page.
struct Ends {
  Bytes first, last;
};

Result<Ends> check_elements(const Page& page) {
  Ends ends;
  const std::byte* edge = nullptr;
  for (std::size_t i = 0; i < page.count(); i++) {
    Bytes key, value;
    if (page.is_leaf()) {
      const auto element = page.element(i);
      if (!element) return page.bad_element(i);
      key = element->key;
      value = element->value;
    } else {
      const auto child = page.child(i);
      if (!child) return page.bad_element(i);
      key = child->key;
    }
    if (edge != nullptr && key.data() < edge)
      return fail(Errc::corrupt, "{}: element {} overlaps another", page.title(), i);
    edge = key.data() + key.size() + value.size();
    if (i == 0) {
      ends.first = key;
    } else if (compare(ends.last, key) >= 0) {
      return fail(Errc::corrupt, "{}: key {} is not above the key before it", page.title(), i);
    }
    ends.last = key;
  }
  return ends;
}

class BranchWalk {
 public:
  BranchWalk(const Reader& reader, std::size_t levels) : reader_(reader), levels_(levels) {}

  Status walk(PageId id, std::size_t level, Bytes low) {
    TM_LET(const Page page, reader_.page(id));
    if (page.is_leaf() != (level == levels_))
      return fail(Errc::corrupt, "{}: {} on level {} of {}", page.title(), page.is_leaf() ? "a leaf" : "a branch",
                  level, levels_);
    TM_LET(const Ends ends, check_elements(page));
    if (level > 0 && compare(low, ends.first) != 0)
      return fail(Errc::corrupt, "{}: its first key is not its key in the page above", page.title());
    if (page.count() == 0) return fail(Errc::corrupt, "{}: empty", page.title());
    if (page.is_leaf()) {  // the whole tree is this page
      leaves_.add(ends.first, id);
      return {};
    }
    if (page.count() < 2) return fail(Errc::corrupt, "{}: branch with one child", page.title());
    for (std::size_t i = 0; i < page.count(); i++) {
      const auto child = page.child(i);
      if (!child) return page.bad_element(i);
      if (level + 1 == levels_) {
        leaves_.add(child->key, child->page);
      } else {
        TM_CHECK(walk(child->page, level + 1, child->key));
      }
    }
    return {};
  }
  const LeafSum& leaves() const { return leaves_; }

 private:
  const Reader& reader_;
  const std::size_t levels_;
  LeafSum leaves_;
};

}  // namespace

Status PageProof::check(Bytes chunk, PageId first, std::size_t count, std::uint16_t kind, bool descending) {
  const PageId end = first + chunk.size() / kPageSize;
  for (PageId id = first; id < end; count--) {
    if (count == 0) return fail(Errc::corrupt, "page {}: more pages than were laid out", id);
    TM_LET(id, check_page(chunk.subspan((id - first) * kPageSize), id, kind, descending));
  }
  if (count != 0) return fail(Errc::corrupt, "page {}: {} pages less than were laid out", first, count);
  return {};
}

// Returns the number of the page behind it.
Result<PageId> PageProof::check_page(Bytes rest, PageId id, std::uint16_t kind, bool descending) {
  const PageHeader header = load_header(rest);
  const std::uint64_t pages = std::uint64_t{header.overflow} + 1;
  if (header.id != id || header.flags != kind || pages > rest.size() / kPageSize)
    return fail(Errc::corrupt, "page {}: its header says page {}, type {:#x}, {} pages", id, header.id, header.flags,
                pages);
  TM_LET(const Page page, Page::over(rest.first(pages * kPageSize), id, pages));
  TM_LET(const Ends ends, check_elements(page));
  if (page.count() == 0) return id + pages;  // the root of a file without buckets
  if (!edge_.empty() && (descending ? compare(ends.last, edge_) >= 0 : compare(edge_, ends.first) >= 0))
    return fail(Errc::corrupt, "page {}: its keys overlap those of the page before", id);
  const Bytes edge = descending ? ends.first : ends.last;
  edge_.assign(edge.begin(), edge.end());
  if (witness_ != nullptr && page.is_leaf()) TM_CHECK(witness_->saw(page, descending));
  return id + pages;
}

void LeafSum::add(Bytes first_key, PageId page) {
  leaves_++;
  std::byte number[sizeof page];
  store_le(number, page);
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // order counts
  sum_ = (sum_ ^ fnv1a_64(first_key)) * kOdd;
  sum_ = (sum_ ^ fnv1a_64(number)) * kOdd;
}

Status check_branches(const Reader& reader, PageId root, std::size_t levels, const LeafSum& leaves) {
  BranchWalk all(reader, levels);
  TM_CHECK(all.walk(root, 0, {}));
  if (all.leaves() != leaves) return fail(Errc::corrupt, "page {}: the tree has other leaves than were written", root);
  return {};
}

}  // namespace tidemark::bolt
