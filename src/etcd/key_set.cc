#include "etcd/key_set.h"

#include <sys/random.h>

#include <bit>
#include <cstdlib>

namespace tidemark::etcd {

namespace {

constexpr std::size_t kFewestSlots = 64;

// SipHash's round over its four words.
struct SipState {
  std::uint64_t v0, v1, v2, v3;
  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
  std::uint64_t squeeze() {
    round();
    round();
    round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

KeyHasher KeyHasher::random() {
  std::uint64_t keys[2];
  // At most 256 bytes: never short and never interrupted once the pool is up. Without it no hash can be trusted.
  if (::getrandom(keys, sizeof keys, 0) != static_cast<ssize_t>(sizeof keys)) std::abort();
  return {keys[0], keys[1]};
}

KeyHash KeyHasher::operator()(Bytes key) const {
  SipState s{0x736f6d6570736575ULL ^ k0_, 0x646f72616e646f6dULL ^ k1_ ^ 0xee, 0x6c7967656e657261ULL ^ k0_,
             0x7465646279746573ULL ^ k1_};
  const std::uint64_t size = key.size();
  for (; key.size() >= 8; key = key.subspan(8)) s.absorb(load_le<std::uint64_t>(key));
  std::uint64_t last = size << 56;
  for (std::size_t i = 0; i < key.size(); i++) last |= static_cast<std::uint64_t>(key[i]) << (8 * i);
  s.absorb(last);
  s.v2 ^= 0xee;
  KeyHash hash;
  hash.high = s.squeeze();
  s.v1 ^= 0xdd;
  hash.low = s.squeeze();
  // All zero marks a free slot.
  if (hash == KeyHash{}) hash.low = 1;
  return hash;
}

KeySet::KeySet(std::size_t expected_keys) {
  slots_.resize(std::bit_ceil(std::max(kFewestSlots, expected_keys + expected_keys / 7 + 1)));
}

std::size_t KeySet::slot_of(KeyHash hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash.low & mask;
  while (slots_[at] != KeyHash{} && slots_[at] != hash) at = (at + 1) & mask;
  return at;
}

bool KeySet::contains(KeyHash hash) const { return slots_[slot_of(hash)] == hash; }

bool KeySet::insert(KeyHash hash) {
  const std::size_t at = slot_of(hash);
  if (slots_[at] == hash) return false;
  slots_[at] = hash;
  if (++size_ > slots_.size() / 8 * 7) grow();
  return true;
}

void KeySet::grow() {
  std::vector<KeyHash> old(slots_.size() * 2);
  old.swap(slots_);
  for (const KeyHash& hash : old)
    if (hash != KeyHash{}) slots_[slot_of(hash)] = hash;
}

}  // namespace tidemark::etcd
