// A set of etcd keys that remembers 16 bytes a key instead of the key: for replays that need "was this key seen?" over
// millions of keys.
//
// Keys are told apart by a keyed 128-bit hash (SipHash-1-3). The hash key is drawn at random for each KeyHasher, so
// nobody who chooses key names can make two of them collide. Two honest keys do with probability n*n / 2^129.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace tidemark::etcd {

struct KeyHash {
  std::uint64_t high = 0, low = 0;
  friend constexpr bool operator==(const KeyHash&, const KeyHash&) = default;
};

// Hashes of two hashers cannot be compared. Threads: immutable; copies hash alike.
class KeyHasher {
 public:
  KeyHasher(std::uint64_t k0, std::uint64_t k1) : k0_(k0), k1_(k1) {}
  static KeyHasher random();
  KeyHash operator()(Bytes key) const;

 private:
  std::uint64_t k0_, k1_;
};

// Memory: 16 bytes a slot, at least 7/16 and at most 7/8 of the slots filled: 18 to 37 bytes a key; half as much again
// while it grows. Threads: one at a time.
class KeySet {
 public:
  explicit KeySet(std::size_t expected_keys = 0);
  bool insert(KeyHash hash);  // true: it was not there
  bool contains(KeyHash hash) const;
  std::size_t size() const { return size_; }
  std::size_t memory() const { return slots_.size() * sizeof(KeyHash); }

 private:
  std::size_t slot_of(KeyHash hash) const;  // where it is, or the free slot where it belongs
  void grow();
  std::vector<KeyHash> slots_;  // all zero: free
  std::size_t size_ = 0;
};

}  // namespace tidemark::etcd
