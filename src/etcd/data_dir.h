// Where things are in an etcd data directory, and whether a living etcd holds it.
#pragma once

#include "base/result.h"
#include "io/file.h"

namespace tidemark::etcd {

struct DataDir {
  io::Path root;
  io::Path member() const { return root / "member"; }
  io::Path snap() const { return member() / "snap"; }
  io::Path wal() const { return member() / "wal"; }
  io::Path database() const { return snap() / "db"; }
};

// Directories member/, member/snap/ and member/wal/, mode 0700, durable. Errc::already_exists when `root` exists and
// is not empty: files of another life next to ours would be picked up.
Status make_data_dir(const DataDir& dir);

// Does a process hold the locks that a running etcd holds on the database or a WAL segment? A directory without them is
// not held. No lock outlives the call.
Result<bool> held_by_etcd(const DataDir& dir);

}  // namespace tidemark::etcd
