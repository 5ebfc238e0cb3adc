// What the recorded etcd said of its rows (HashKV), compared with the rows of a rebuilt database.
#pragma once

#include "bolt/reader.h"
#include "catalog/sidecar.h"
#include "etcd/database.h"

namespace tidemark::restore {

enum class Likeness {
  same,          // byte for byte the rows that etcd had
  different,     // not those
  not_provable,  // the database cannot answer for that revision: it is newer, or compacted beyond what was hashed
};

struct SampleAnswer {
  Likeness likeness = Likeness::not_provable;
  std::uint32_t hash = 0;  // of the database; 0 when not provable
};

// A database that keeps its history from a base on answers for every revision above the base's compaction, and as a
// store compacted at the sample's compact_revision would: so one rebuilt database meets all samples of its chain.
// `database_compacted`: up to where the rows of the database were compacted (-1: never).
// Errc::corrupt: the database cannot be walked. Cost: two passes over its rows.
Result<SampleAnswer> compare_sample(const bolt::Reader& database, Revision database_compacted,
                                    const catalog::HashSample& sample);

}  // namespace tidemark::restore
