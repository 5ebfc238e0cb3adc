// Where a restore's objects come from: a store in Gardener's layout, one snapshot file, or a stopped etcd's directory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "catalog/sidecar.h"
#include "catalog/timeline.h"
#include "io/file.h"
#include "io/stream.h"
#include "store/object_store.h"

namespace tidemark::restore {

class Origin {
 public:
  virtual ~Origin() = default;
  virtual Result<catalog::Timeline> timeline() = 0;
  // The decompressed body. Threads: any.
  virtual Result<std::unique_ptr<io::Source>> body(const catalog::Point& point) = 0;
  // The object as a file that can be mapped, when it is one.
  virtual std::optional<io::Path> plain_file(const catalog::Point& point) {
    (void)point;
    return std::nullopt;
  }
  // Revisions are not in the name: open the base before planning.
  virtual bool nameless() const { return false; }
  // What was sampled beside an object (leases, HashKV); nullopt: nothing, or nothing that can be read.
  virtual std::optional<catalog::State> sampled(const std::string& key) {
    (void)key;
    return std::nullopt;
  }
  // Nothing proves its fulls but the check of their trees.
  virtual bool without_digest() const { return false; }
  // What is there and is not part of the timeline, for the user: a sentence each.
  virtual std::vector<std::string> left_out() const { return {}; }
  virtual std::string url() const = 0;
};

// Requires: the store outlives it.
std::unique_ptr<Origin> store_origin(store::ObjectStore& store);

// A snapshot (or raw member/snap/db), plain or gzip (told by its first bytes). Errc::not_found.
Result<std::unique_ptr<Origin>> file_origin(const io::Path& file);

// The database of a stopped or broken etcd, as one point at its true revision; nothing is written. What only the log
// holds is left out, and said (left_out()). Errc::conflict: an etcd runs on it. Errc::corrupt, Errc::torn: the database
// cannot be opened.
Result<std::unique_ptr<Origin>> data_dir_origin(const io::Path& root);

}  // namespace tidemark::restore
