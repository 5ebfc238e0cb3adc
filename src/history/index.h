// The history index of a store: which versions of a key there are, and their rows, without reading whole objects.
//
// It is made of blocks, one an object (index_block.h), kept in a directory (index_cache.h). When they are first wanted
// they are taken from the store (index_published.h), or made (index_build.h). Nothing of it is trusted that a checksum
// does not vouch for, and a block that turns out wrong is made again, once: a store whose objects changed, a damaged
// disk and a deleted directory cost time only. Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "history/index_build.h"
#include "history/index_published.h"
#include "history/listed_store.h"
#include "history/row.h"

namespace tidemark::history {

struct IndexOptions {
  IndexCache::Options cache;
  io::Path scratch;  // where fulls are unpacked when their block is made; must exist
  std::stop_token stop;
  // A block is being made: bytes of text read; or brought from the store: bytes of blocks so far. And 0 for how many
  // there will be.
  std::function<void(std::string_view step, std::uint64_t done, std::uint64_t all)> progress;
  bool copies = true;                            // see BuildOptions
  std::uint64_t most_member_text = 16UL << 20U;  // see BuildOptions
};

class Index {
 public:
  // Requires: the store outlives it. Errc::denied, Errc::io: the cache cannot be used.
  static Result<std::unique_ptr<Index>> open(store::ObjectStore& store, IndexOptions options);
  // Leaves no more than IndexCache::Options::most_bytes behind.
  ~Index();

  // What is in that store: timelines are to be read here, for so the index learns what it needs to know its blocks by.
  restore::Origin& origin() { return *origin_; }

  // Calls `look` with the block of an object. When that fails because the block is damaged, it is made anew and `look`
  // is called a second time: so it begins afresh. Errc::corrupt, Errc::torn: the object is bad. Errc::no_space,
  // Errc::io, Errc::denied: there can be no block of it here.
  Status with(const catalog::Point& point, const std::function<Status(const Block&)>& look);

  // The rows of places that blocks gave, in any order; objects are asked for as few ranges as is sensible.
  struct Wish {
    const catalog::Point* point = nullptr;
    std::string_view key;
    StoredVersion version;  // a put
  };
  // Errc::conflict: a place does not hold what it held when it was indexed. The block is forgotten: look again. An
  // object whose block this process has made is bad: Errc::corrupt, and `bad` names it.
  Status read(std::span<const Wish> wishes, const std::function<Status(const Wish&, Row)>& each, std::string& bad);

  struct Tally {
    std::uint64_t made = 0, brought = 0;  // blocks: from their objects, from the store
    std::uint64_t brought_bytes = 0;
    std::uint64_t ranges = 0;  // that were read of objects
  };
  const Tally& tally() const { return tally_; }

 private:
  Index(store::ObjectStore& store, IndexOptions options, IndexCache cache)
      : store_(store), origin_(restore::store_origin(store_)), options_(std::move(options)), cache_(std::move(cache)) {}
  struct Opened {
    std::string identity;
    Block block;
  };
  Result<const Opened*> block_of(const catalog::Point& point);
  Result<bool> bring(const catalog::Point& point, const store::ObjectInfo& listed, const std::string& identity);
  Status make(const catalog::Point& point, const store::ObjectInfo& listed, const std::string& identity);
  void forget(const catalog::Point& point, std::string_view why);
  Status read_of(const catalog::Point& point, std::span<const Wish> wishes,
                 const std::function<Status(const Wish&, Row)>& each);

  ListedStore store_;
  std::unique_ptr<restore::Origin> origin_;
  IndexOptions options_;
  IndexCache cache_;
  PublishedBlocks published_{store_};
  std::map<std::string, Opened> blocks_;  // by key of the object
  std::map<std::string, int> made_;       // how often a block has been made, by key of the object
  std::set<std::string> made_now_;        // identities
  Tally tally_;
};

}  // namespace tidemark::history
