// Reads a bbolt file (a database, or a snapshot of one) that may be damaged or hostile.
//
// The file is mapped; nothing is trusted: every page number, length and offset is checked before it is followed, depth
// is bounded, cycles are found. No lock is taken and nothing is ever written. Format: doc/format/bolt.md. Threads: a
// Reader is immutable after open(); cursors belong to one thread each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bolt/page.h"
#include "io/file.h"

namespace tidemark::bolt {

struct Bucket {
  PageId root = 0;         // 0: inline
  Bytes inline_page = {};  // the page image when inline
  std::uint64_t sequence = 0;
};

class Reader {
 public:
  // The database is the first `length` bytes (0: whole file); a snapshot's 32-byte digest is not part of it.
  // Errc::torn: shorter than its own high-water mark says. Errc::corrupt: no valid meta page.
  static Result<Reader> open(const io::Path& path, std::uint64_t length = 0);
  // The same over a file that somebody else reads too: both see one inode, whatever becomes of its name.
  static Result<Reader> over(std::shared_ptr<io::MappedFile> file, std::uint64_t length = 0);
  // The same over bytes in memory. Requires: they outlive the reader.
  static Result<Reader> over(Bytes database, std::string name_in_errors);

  const Meta& meta() const { return meta_; }
  const std::string& name() const { return name_; }

  // A top-level bucket. Errc::not_found when there is none.
  Result<Bucket> bucket(std::string_view name) const;
  Result<std::vector<std::string>> bucket_names() const;
  // The key is present only if it is equal to the byte.
  Result<std::optional<Element>> find(const Bucket& in, Bytes key) const;

  // Every element in key order (or the reverse); stops at the first failure of `each`, which is returned as it is.
  // Keys that do not ascend are Errc::corrupt. No byte of the file is shown twice, however hostile it is.
  Status for_each(const Bucket& in, const std::function<Status(const Element&)>& each) const;
  Status for_each_backwards(const Bucket& in, const std::function<Status(const Element&)>& each) const;
  Result<std::optional<Element>> last(const Bucket& in) const;

  // The parts, for cursors and checks; failures begin with "page N: " and do not name the file.
  Bucket root() const { return {.root = meta_.root}; }
  Result<Page> page(PageId id) const;       // a branch or leaf page
  Result<Bytes> page_run(PageId id) const;  // any page with its overflow: in bounds, and its id is its position
  Result<Page> top_page(const Bucket& in) const;
  static Result<Bucket> as_bucket(const Element& element);
  // After so many bytes of pages a walk calls forget_pages(), so that a process's memory does not grow with the file.
  static constexpr std::uint64_t kForgetEvery = 16UL << 20U;
  void forget_pages() const {
    if (file_) file_->forget_pages();
  }

 private:
  Reader() = default;
  Status choose_meta();
  std::shared_ptr<io::MappedFile> file_;
  Bytes bytes_;
  std::string name_;
  Meta meta_;
};

// What `bbolt check` would say, and more (see doc/format/bolt.md); each finding names its page. Empty: sound.
// Memory: two bits a page.
std::vector<std::string> check_structure(const Reader& reader, std::size_t most_findings = 100);

// Rules that a file may break and still pass check_structure() and `bbolt check`, but that kill a writer later: branch
// keys equal to the first key of their child, two children a branch page, no empty page below another.
std::vector<std::string> check_writer_rules(const Reader& reader, std::size_t most_findings = 100);

}  // namespace tidemark::bolt
