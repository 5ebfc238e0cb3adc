// What one delta leaves of its keys, gathered in one pass: the last event of each, its row in an arena.
//
// Bounded: when more keys were met than fit, what was gathered becomes a sheaf in an unnamed file and gathering begins
// anew. Sheaves hold events of different times, so they are taken newest first, as deltas are: a key that is in two is
// settled by the newer. Threads: one at a time.
#pragma once

#include <unordered_map>
#include <vector>

#include "etcd/key_set.h"
#include "etcd/row.h"
#include "restore/row_arena.h"
#include "restore/seen_set.h"

namespace tidemark::restore {

class Harvest {
 public:
  // The last event of a key in one sheaf.
  struct Last {
    etcd::KeyHash hash;
    etcd::RowId id;
    RowArena::Place place;  // of a put
    std::int64_t lease = 0;
  };

  // Memory: `arena_bytes`, and about 130 bytes for each of `most_keys`. Files go to `spill_dir`.
  Harvest(const io::Path& spill_dir, std::size_t arena_bytes, std::size_t most_keys)
      : dir_(spill_dir), most_keys_(most_keys), arena_(spill_dir, arena_bytes) {}

  // Requires: ids ascend. Keys in `seen` are passed over.
  Status add(const etcd::RowId& id, const etcd::KeyValue& kv, const etcd::KeyHasher& hasher, const SeenSet& seen);

  // Sheaves that were not taken yet; 0 too when nothing was gathered.
  std::size_t sheaves() const { return set_aside_.size() + (last_.empty() ? 0 : 1); }
  // The newest of them, in no order. No add() may follow. Requires: sheaves() > 0.
  Result<std::vector<Last>> take();
  // The row of a put; good until the next call of any kind.
  Result<Bytes> row(const Last& last) { return arena_.read(last.place); }

 private:
  struct HashOfHash {
    std::size_t operator()(const etcd::KeyHash& hash) const { return hash.low; }
  };
  struct Sheaf {
    std::uint64_t offset = 0;
    std::size_t keys = 0;
  };
  std::vector<Last> gathered();
  Status set_aside();

  io::Path dir_;
  std::size_t most_keys_;
  RowArena arena_;
  std::unordered_map<etcd::KeyHash, Last, HashOfHash> last_;
  io::Fd file_;  // the sheaves set aside
  std::uint64_t file_end_ = 0;
  std::vector<Sheaf> set_aside_;
};

}  // namespace tidemark::restore
