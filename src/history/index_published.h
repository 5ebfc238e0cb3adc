// Blocks of the index that stand in the store, beside the objects they are of: tidemark/index/<object's name>.block.
//
// A recorder puts them there while it writes the objects, so nobody has to read these to index them. They are a cache
// like those on a disk: who finds none, or one that is damaged, of another format or older than its object, makes one.
// Bytes: doc/format/index.md.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "catalog/timeline.h"
#include "history/block_maker.h"
#include "history/index_cache.h"
#include "store/object_store.h"

namespace tidemark::history {

// What such a block tells of its object: key and size. When that was written only the store knows, later.
std::string published_identity(std::string_view key, std::uint64_t size);

// Of the object with this key and size, which stands in `store` as gzip members. How many bytes; 0: there is one.
// Threads: as the maker.
Result<std::uint64_t> publish_block(BlockMaker& maker, store::ObjectStore& store, std::string_view key,
                                    std::uint64_t size);

// Threads: one at a time.
class PublishedBlocks {
 public:
  // Requires: the store outlives it.
  explicit PublishedBlocks(store::ObjectStore& store) : store_(store) {}

  struct Wanted {
    const catalog::Point& point;
    const store::ObjectInfo& listed;
    const std::string& identity;  // in the cache
    bool values;                  // may it hold copies of values?
    const io::Path& scratch;
  };
  // Brings the block of an object into the cache: its bytes. Errc::not_found: there is none. Every other failure says
  // why the one there is cannot be had; it is not asked for again.
  Result<std::uint64_t> bring(const Wanted& wanted, IndexCache& cache);
  // It was no good: it is not asked for again.
  void refuse(const std::string& object) { refused_.insert(object); }

 private:
  Status check(const Block& block, const Wanted& wanted) const;
  store::ObjectStore& store_;
  std::optional<std::map<std::string, store::ObjectInfo, std::less<>>> listed_;  // by key; when first wanted
  std::set<std::string> refused_;                                                // keys of objects
};

}  // namespace tidemark::history
