// The parts of a bbolt page: constants, header, meta pages, elements. Byte tables: doc/format/bolt.md.
//
// Everything here takes bytes that may be hostile: a Page exists only if its header and element array lie inside its
// run, and each element is checked when it is asked for. Messages begin with "page N: ". Threads: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::bolt {

using PageId = std::uint64_t;

inline constexpr std::size_t kPageHeaderSize = 16;
inline constexpr std::size_t kElementSize = 16;  // of leaf and branch elements alike
inline constexpr std::size_t kBucketHeaderSize = 16;

inline constexpr std::uint16_t kBranchPage = 0x01;
inline constexpr std::uint16_t kLeafPage = 0x02;
inline constexpr std::uint16_t kMetaPage = 0x04;
inline constexpr std::uint16_t kFreelistPage = 0x10;
inline constexpr std::uint32_t kBucketElement = 0x01;

inline constexpr PageId kNoFreelist = ~std::uint64_t{0};
inline constexpr PageId kFirstDataPage = 2;  // 0 and 1 are the meta pages
inline constexpr std::size_t kMostKey = 32768;
inline constexpr std::size_t kMostValue = (std::size_t{1} << 31U) - 2;
inline constexpr std::size_t kMostElements = 0xFFFE;  // 0xFFFF: "the count is elsewhere", on freelist pages
inline constexpr std::size_t kMostDepth = 64;         // a tree with 2 children a page and 2^64 leaves

struct PageHeader {
  PageId id = 0;
  std::uint16_t flags = 0;
  std::uint16_t count = 0;
  std::uint32_t overflow = 0;  // further pages of the same run, without headers
};
// Requires: 16 bytes.
PageHeader load_header(Bytes page);
void store_header(std::byte* page, const PageHeader& header);

struct Meta {
  std::uint32_t page_size = 0;
  PageId root = 0;
  PageId freelist = 0;    // all ones: not written
  PageId high_water = 0;  // the first page never allocated
  std::uint64_t txid = 0;
};
inline constexpr std::size_t kMetaEnd = 80;  // header and meta in a meta page
// nullopt: magic, version or checksum is wrong, or less than 80 bytes.
std::optional<Meta> load_meta(Bytes page);
// Requires: kMetaEnd bytes of room.
void store_meta(std::byte* page, PageId id, const Meta& meta);

std::uint64_t fnv1a_64(Bytes bytes);

struct Element {
  Bytes key, value;        // views into the page
  bool is_bucket = false;  // the value is a bucket below this one
};
struct Child {
  Bytes key;  // the first key of the child
  PageId page = 0;
};

// A branch or leaf page and all its overflow: a view.
class Page {
 public:
  // `run`: the page and its overflow, `pages` in all. The id is for messages only; 0 is an inline page.
  static Result<Page> over(Bytes run, PageId id, std::uint64_t pages);

  PageId id() const { return id_; }
  std::uint64_t pages() const { return pages_; }
  bool is_leaf() const { return leaf_; }
  std::size_t count() const { return count_; }

  // Requires: i < count(), and the right kind of page. nullopt: it has no key, or does not lie inside the page.
  std::optional<Element> element(std::size_t i) const;
  std::optional<Child> child(std::size_t i) const;
  // The failure for a nullopt of these.
  std::unexpected<Error> bad_element(std::size_t i) const;
  // "page 7" or "inline page"
  std::string title() const;

 private:
  Page(Bytes run, PageId id, std::uint64_t pages, bool leaf, std::size_t count)
      : run_(run), id_(id), pages_(pages), count_(count), leaf_(leaf) {}
  Bytes run_;
  PageId id_;
  std::uint64_t pages_;
  std::size_t count_;
  bool leaf_;
};

// The page numbers that a freelist page holds. Errc::corrupt: they do not fit into the run.
Result<std::vector<PageId>> load_freelist(Bytes run, PageId id);
// A whole number of pages that holds `free` (ascending). The id in its header is left to be filled in.
Buffer make_freelist(const std::vector<PageId>& free, std::size_t page_size);

// Which pages were met: one bit each.
class PageSet {
 public:
  explicit PageSet(PageId pages) : bits_(pages, false) {}
  bool has(PageId page) const { return page < bits_.size() && bits_[page]; }
  // False when one of the pages was there already. Requires: all are below the number given at first.
  bool add(PageId first, std::uint64_t pages = 1) {
    bool fresh = true;
    for (PageId page = first; page < first + pages; page++) {
      fresh = fresh && !bits_[page];
      bits_[page] = true;
    }
    return fresh;
  }

 private:
  std::vector<bool> bits_;
};

}  // namespace tidemark::bolt
