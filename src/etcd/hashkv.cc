#include "etcd/hashkv.h"

#include <vector>

#include "etcd/crc32c.h"
#include "etcd/database.h"
#include "etcd/key_set.h"
#include "etcd/row.h"

namespace tidemark::etcd {

namespace {

using bolt::Element;

// Ends a walk early; never leaves this file.
std::unexpected<Error> enough() { return fail(Errc::cancelled, "enough"); }

Status ended(Status walk) {
  if (!walk && walk.error().code != Errc::cancelled) return walk;
  return {};
}

// One bit a row, the newest first: does it belong to what a store keeps?
struct Kept {
  std::vector<bool> newest_first;  // only rows up to the compaction
  std::uint64_t live = 0;          // keys alive at the revision asked for
};

// Of the rows up to `compact`, those that are their key's newest up to `at` and puts. Walks backwards, so that one set
// of hashes is enough.
Result<Kept> rows_to_keep(const bolt::Reader& database, const bolt::Bucket& rows, Revision at, Revision compact) {
  Kept kept;
  KeySet seen;
  const KeyHasher hasher = KeyHasher::random();
  TM_CHECK(database.for_each_backwards(rows, [&](const Element& element) -> Status {
    TM_LET(const RowId id, decode_row_key(element.key));
    if (id.main > at) return {};
    TM_LET(const KeyValue kv, decode_key_value(element.value));
    const bool keep = seen.insert(hasher(kv.key)) && !id.tombstone;
    if (keep) kept.live++;
    if (id.main <= compact) kept.newest_first.push_back(keep);
    return {};
  }));
  return kept;
}

}  // namespace

RowHash::RowHash() : crc_(crc32c(0, as_bytes("key"))) {}

void RowHash::add(Bytes row_key, Bytes value) {
  crc_ = crc32c(crc32c(crc_, row_key), value);
  rows_++;
}

Result<HashKvAnswer> hash_kv(const bolt::Reader& database, Revision at, std::optional<Revision> compact) {
  TM_LET(const Compaction compaction, read_compaction(database));
  if (at == Revision{}) at = compaction.revision;
  const Revision floor = compact.value_or(compaction.finished);
  if (at > compaction.revision)
    return fail(Errc::invalid, "{}: revision {} is in the future, the newest is {}", database.name(), at,
                compaction.revision);
  if (at < floor)
    return fail(Errc::compacted, "{}: revision {} is compacted, the oldest is {}", database.name(), at, floor);

  TM_LET(const bolt::Bucket rows, database.bucket("key"));
  Kept kept;
  if (floor > Revision{}) {
    TM_LET(kept, rows_to_keep(database, rows, at, floor));
    // Nothing alive: etcd's filter is off, and it hashes what its compaction has left. That is each key's newest put
    // up to the compaction.
    if (kept.live == 0) {
      TM_LET(kept, rows_to_keep(database, rows, floor, floor));
    }
  }

  RowHash hash;
  std::size_t row = kept.newest_first.size();
  TM_CHECK(ended(database.for_each(rows, [&](const Element& element) -> Status {
    TM_LET(const RowId id, decode_row_key(element.key));
    if (id.main > at) return enough();
    if (id.main <= floor && !kept.newest_first[--row]) return {};
    hash.add(element.key, element.value);
    return {};
  })));
  return HashKvAnswer{hash.value(), at, floor, hash.rows()};
}

}  // namespace tidemark::etcd
