// The raft log and .snap of a restored member: what makes etcd accept a database that nobody's log led to.
//
// The log holds one membership change per member and nothing else; it is committed up to there, and so is the
// database (consistent_index). The golden bytes are in doc/format/wal.md; etcd's own restore writes the same.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "bolt/reader.h"
#include "etcd/cluster.h"
#include "io/file.h"

namespace tidemark::etcd {

// The bytes of the one segment. Requires: `self` is a member.
Buffer first_segment(const NewCluster& cluster, MemberId self);

// Writes member_dir/wal/ and member_dir/snap/<term>-<index>.snap (directories are made if missing: 0700, files 0600),
// durably: files, then directories. Errc::already_exists: there is a log or a .snap already.
Status write_log(const io::Path& member_dir, const NewCluster& cluster, MemberId self);

// Reads member_dir back as etcd will at its start, and compares it with `database` (the one in snap/db).
// Errc::corrupt names what etcd would choke on: a torn or damaged log; commit outside of the log; a consistent_index
// that is before the snapshot, or behind the log; the snapshot record of the start or of the .snap missing (a member
// added later would come up empty); membership that differs between database, log and .snap.
Status check_log(const io::Path& member_dir, const bolt::Reader& database);

}  // namespace tidemark::etcd
