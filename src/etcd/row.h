// A row of etcd's `key` bucket: the revision that wrote it, and the key-value it wrote.
//
// Source: etcd's revision.go and mvccpb; byte tables in doc/format/etcd.md.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace tidemark::etcd {

// Which write: the store-wide revision and the ordinal of the change inside that revision's transaction (0, 1, …).
struct RowId {
  Revision main;
  std::int64_t sub = 0;
  bool tombstone = false;
  friend constexpr bool operator==(const RowId&, const RowId&) = default;
  // Order in the bucket. A revision never holds both forms of one (main, sub).
  friend constexpr auto operator<=>(const RowId& a, const RowId& b) {
    if (const auto c = a.main <=> b.main; c != 0) return c;
    return a.sub <=> b.sub;
  }
};

inline constexpr std::size_t kRowKeySize = 17;        // big-endian main, '_', big-endian sub
inline constexpr std::size_t kTombstoneKeySize = 18;  // and 't'

// The bucket key of a row, by value.
struct RowKey {
  std::array<std::byte, kTombstoneKeySize> bytes;
  std::size_t size;
  Bytes view() const { return Bytes(bytes).first(size); }
};
RowKey encode_row_key(const RowId& id);
// Errc::corrupt: length, separator, mark or a negative number.
Result<RowId> decode_row_key(Bytes key);

// mvccpb.KeyValue. `key` and `value` are views into whatever it was decoded from.
struct KeyValue {
  Bytes key;
  Bytes value;
  Revision create;
  Revision mod;
  std::int64_t version = 0;
  LeaseId lease;  // 0: none
};

// One change as a watch delivers it. For a deletion only kv.key and kv.mod are set.
struct Event {
  bool deletion = false;
  KeyValue kv;
};

// The canonical proto3 bytes that etcd itself writes: ascending fields, zeros left out. A tombstone's row value is
// the encoding of a KeyValue with only the key.
std::size_t encoded_size(const KeyValue& kv);
void append_key_value(const KeyValue& kv, Buffer& to);
std::byte* write_key_value(const KeyValue& kv,
                           std::byte* to);  // Requires: encoded_size() bytes of room. Returns the end.
// Unknown fields are skipped. Errc::corrupt on anything that is not a well-formed message.
Result<KeyValue> decode_key_value(Bytes message);

}  // namespace tidemark::etcd
