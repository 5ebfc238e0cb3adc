// Reads a bbolt file (a database of etcd, or a snapshot of one) that may be damaged or hostile.
//
// The file is mapped; nothing is trusted: every page number, length and offset is checked before it is followed, depth
// is bounded, cycles are found. No lock is taken and nothing is ever written. Format: doc/format/bolt.md. Threads: a
// Reader is immutable after open(); cursors belong to one thread each.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file.h"

namespace tidemark::bolt {

using PageId = std::uint64_t;

struct Meta {
  std::uint32_t page_size = 0;
  PageId root = 0;
  PageId freelist = 0;    // all ones: not written
  PageId high_water = 0;  // the first page never allocated
  std::uint64_t txid = 0;
};

struct Bucket {
  PageId root = 0;    // 0: inline
  Bytes inline_page;  // the page image when inline
  std::uint64_t sequence = 0;
};

struct Element {
  Bytes key, value;  // views into the mapping
};

class Reader {
 public:
  // The database is the first `length` bytes (0: whole file); a snapshot's 32-byte digest is not part of it.
  // Errc::torn: shorter than its own high-water mark says. Errc::corrupt: no valid meta page.
  static Result<Reader> open(const io::Path& path, std::uint64_t length = 0);
  // The same over bytes in memory. Requires: they outlive the reader.
  static Result<Reader> over(Bytes database, std::string name_in_errors);

  const Meta& meta() const { return meta_; }
  const std::string& name() const { return name_; }

  // A top-level bucket. Errc::not_found when there is none.
  Result<Bucket> bucket(std::string_view name) const;
  Result<std::vector<std::string>> bucket_names() const;
  Result<std::optional<Element>> find(const Bucket& in, Bytes key) const;

  // Every element in key order (or the reverse); stops at the first failure of `each`.
  Status for_each(const Bucket& in, const std::function<Status(const Element&)>& each) const;
  Status for_each_backwards(const Bucket& in, const std::function<Status(const Element&)>& each) const;
  Result<std::optional<Element>> last(const Bucket& in) const;

 private:
  Reader() = default;
  std::shared_ptr<io::MappedFile> file_;
  Bytes bytes_;
  std::string name_;
  Meta meta_;
};

// What `bbolt check` would say, and more (see doc/format/bolt.md); each finding names its page. Empty: sound.
// Memory: one bit a page.
std::vector<std::string> check_structure(const Reader& reader, std::size_t most_findings = 100);

}  // namespace tidemark::bolt
