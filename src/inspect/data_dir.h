// The offline check of a stopped or broken etcd data directory. Reads everything, writes nothing, keeps no lock.
//
// Looked at: the raft log (every segment, checksums, order, a torn end), .snap files, the database (both meta pages,
// freelist, trees, rows with their history, small buckets), what these three say of each other (applied and committed
// index, terms, members), files that do not belong there, permissions. Rules: doc/format/etcd.md, doc/format/wal.md.
#pragma once

#include "base/result.h"
#include "inspect/report.h"
#include "io/file.h"

namespace tidemark::inspect {

// `root` is what etcd is given as --data-dir. Works on a read-only mount.
// Errc::conflict: an etcd runs on it. Errc::not_found: no such directory, or nothing of etcd in it. Errc::denied: it
// cannot be read. Everything else is in the report. Memory: a few dozen bytes for each key.
Result<DataDirReport> inspect_data_dir(const io::Path& root);

}  // namespace tidemark::inspect
