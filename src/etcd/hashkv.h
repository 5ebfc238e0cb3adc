// HashKV: etcd's checksum of the key space at a revision, computed from a database file.
//
// It is CRC-32C over "key" and then over bucket key and value of every row that a store compacted at `compact` shows
// at `at`. Equal numbers here and at the source mean: the rows are the same, byte for byte. The rule and its edges are
// in doc/format/etcd.md. A member that is asked for a revision it compacted recently may answer from a cache, with the
// compaction before that one; then the rows it hashed may be gone from its database.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "bolt/reader.h"

namespace tidemark::etcd {

struct HashKvAnswer {
  std::uint32_t hash = 0;
  Revision at;
  Revision compact;        // -1: never compacted
  std::uint64_t rows = 0;  // how many were hashed
};

inline constexpr Revision kNeverCompacted{-1};

// `at`: 0 asks for the current revision (max of the last row, finished and scheduled compaction).
// `compact`: answer as a store compacted there would (the compact_revision of the answer to compare with); without it,
// the database's own finished compaction. Right also when the database was not compacted at `compact`.
// Errc::compacted: at < compact. Errc::invalid: at is in the future. Errc::corrupt: a row or the tree is damaged.
// Memory: 18 to 37 bytes for each key that has a row, and a bit for each row; nothing if never compacted.
Result<HashKvAnswer> hash_kv(const bolt::Reader& database, Revision at = Revision{},
                             std::optional<Revision> compact = {});

// The checksum of rows given one after the other, in bucket order, by a caller who has left out what does not count.
class RowHash {
 public:
  RowHash();
  void add(Bytes row_key, Bytes value);
  std::uint32_t value() const { return crc_; }
  std::uint64_t rows() const { return rows_; }

 private:
  std::uint32_t crc_;
  std::uint64_t rows_ = 0;
};

}  // namespace tidemark::etcd
