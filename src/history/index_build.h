// Makes the index block of an object of the store, by reading the object to its end with the reader that a restore
// uses.
//
// Nothing comes into being unless the object is whole: digest, order and density are proven as a restore proves them.
// Threads: one at a time.
#pragma once

#include <functional>
#include <stop_token>

#include "catalog/timeline.h"
#include "history/index_cache.h"
#include "restore/origin.h"
#include "store/object_store.h"

namespace tidemark::history {

struct BuildOptions {
  io::Path scratch;  // where fulls are unpacked; must exist
  std::stop_token stop;
  // Text read so far. Never empty.
  std::function<void(std::uint64_t text_bytes)> progress = [](std::uint64_t) {};
  // May copies of values stand in the cache? Without them an object whose text cannot be begun in the middle has no
  // block, and definitions of custom resources are read from the store each time.
  bool copies = true;
  // A member with more text than this is too large to be read for one object: the text is copied.
  std::uint64_t most_member_text = 16UL << 20U;
};

// Publishes the block of a delta or a full (and a copy of its text, where it needs one). Errc::corrupt, Errc::torn: the
// object is bad. Errc::denied: it would need a copy. Errc::no_space, Errc::io: of the cache or the scratch.
// Errc::conflict: it is not the object any more that was listed.
Status build_block(store::ObjectStore& store, restore::Origin& from, const catalog::Point& point,
                   const store::ObjectInfo& listed, IndexCache& cache, const BuildOptions& options);

}  // namespace tidemark::history
