// A database written anew without its free pages, and, if wished, without what a compaction would remove: what
// `etcdutl defrag` does, offline and with everything checked on the way.
#pragma once

#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "bolt/bulk_writer.h"
#include "bolt/reader.h"

namespace tidemark::etcd {

struct Rebuilt {
  std::uint64_t rows = 0;     // of the `key` bucket
  std::uint64_t dropped = 0;  // rows that the compaction removed
  std::uint64_t bytes = 0;    // of the new file
};

// Writes every bucket of `from` into the new file `to` (must not exist; the caller makes its name durable). With
// `compact` the rows are those that a store compacted there keeps, and the new file says it was compacted there.
// Memory: with `compact` 18 to 37 bytes for each key, otherwise a few MiB.
// Errc::invalid: `compact` is in the future. Errc::compacted: the database was compacted above it. Errc::corrupt: the
// tree or a row is damaged. Errc::unsupported: a bucket inside a bucket, which etcd does not have.
Result<Rebuilt> rebuild(const bolt::Reader& from, const io::Path& to, std::optional<Revision> compact = {});

}  // namespace tidemark::etcd
