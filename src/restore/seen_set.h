// The keys that newer deltas have settled, shared by the workers of a replay.
//
// 16 bytes a key (see etcd/key_set.h), cut into shards with a lock each: lookups of several workers hardly ever meet.
// Threads: any.
#pragma once

#include <array>
#include <mutex>

#include "etcd/key_set.h"

namespace tidemark::restore {

class SeenSet {
 public:
  bool contains(etcd::KeyHash hash) const {
    const Shard& shard = shards_[index(hash)];
    const std::lock_guard lock(shard.mutex);
    return shard.keys.contains(hash);
  }
  // True: it was not there.
  bool insert(etcd::KeyHash hash) {
    Shard& shard = shards_[index(hash)];
    const std::lock_guard lock(shard.mutex);
    return shard.keys.insert(hash);
  }
  std::size_t size() const {
    std::size_t all = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      all += shard.keys.size();
    }
    return all;
  }
  std::size_t memory() const {
    std::size_t all = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      all += shard.keys.memory();
    }
    return all;
  }

 private:
  static constexpr std::size_t kShards = 64;
  struct Shard {
    mutable std::mutex mutex;
    etcd::KeySet keys;
  };
  // The top bits: the table inside a shard uses the low ones.
  static std::size_t index(etcd::KeyHash hash) { return hash.high >> 58U; }
  std::array<Shard, kShards> shards_;
};

}  // namespace tidemark::restore
