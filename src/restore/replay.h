// Base and deltas -> the `key` bucket of a new database. No etcd, no transactions, bounded memory.
//
// Two modes. History kept: the base's rows, then every delta's, each delta a segment of its own, all at the same time.
// Compacted at R: per key the newest row at or below R, if it is a put. Deltas are read newest first by all workers;
// what a newer delta has settled is skipped, so nothing is written twice and no second pass is needed; the base is
// walked backwards last.
//
// A row's sub-revision is the ordinal of its event inside the revision; the row's bytes are those etcd itself writes.
// Memory: per worker one arena (arena_bytes), an index of the keys of its delta (about 130 bytes for each, at most
// index_keys of them; beyond that they go to a file) and one window of text; 18 to 37 bytes for each key of the store.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <stop_token>

#include "bolt/bulk_writer.h"
#include "bolt/reader.h"
#include "etcd/database.h"
#include "etcd/row_run.h"
#include "io/stream.h"
#include "restore/plan.h"

namespace tidemark::restore {

struct ReplayOptions {
  bool keep_history = false;
  unsigned threads = 2;
  std::size_t arena_bytes = 64UL << 20U;  // per worker; what does not fit is spilled
  std::size_t index_keys = 150'000;       // per worker; a delta of more is settled in several steps
  io::Path spill_dir;
};

// Opens the decompressed body of a delta. Threads: any.
using OpenBody = std::function<Result<std::unique_ptr<io::Source>>(const catalog::Point&)>;

struct Replayed {
  // False: an object was not what its name said; facts were learned, nothing written may be used, plan again.
  bool whole = false;
  std::uint64_t rows = 0;
  etcd::RowRun run;               // what the file has of them, checked as it was written; nothing when they are few
  std::set<std::int64_t> leases;  // ids that rows written here refer to (see leases.h for what that means)
};

// Counters for a progress line; written by the workers.
struct ReplayProgress {
  std::atomic<std::uint64_t> deltas_done{0};
  std::atomic<std::uint64_t> bytes_done{0};  // of delta objects, compressed
  std::atomic<std::uint64_t> events{0};
};

// Writes and adds the bucket `key`. What opening the objects taught goes into `facts` in any case.
// Fails for reasons that another choice of objects cannot mend (disk, store unreachable, cancelled).
Result<Replayed> replay(const Plan& plan, const bolt::Reader& base, const OpenBody& open_body, bolt::BulkWriter& to,
                        const ReplayOptions& options, Facts& facts, ReplayProgress& progress,
                        const std::stop_token& stop);

// Is this failure the object's own (so that another chain may do), or the world's?
bool is_objects_fault(Errc code);

}  // namespace tidemark::restore
