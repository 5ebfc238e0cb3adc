// Names of snapshot objects in Gardener's bucket layout (etcd-backup-restore): v2, and v1 for reading.
//
//   <prefix>/v2/Full-00000000-00000308-1795246362.gz         <prefix>/v2/Incr-00000309-00000434-1795246365.gz
//   <prefix>/v1/Backup-<unix>/<name>
// Numbers are decimal, padded to at least 8 digits: the order of names is not the order of revisions.
// Byte table: doc/format/gardener-bucket.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace tidemark::bucket {

enum class Kind { full, delta };
enum class Compression { none, gzip, lzw, zlib };  // suffixes "", ".gz", ".Z", ".zlib"

struct SnapshotName {
  Kind kind = Kind::full;
  RevisionSpan span;        // a full's first is 0. A full that etcd-backup-restore wrote may hold MORE than `last`.
  std::int64_t unix_s = 0;  // created; for a delta: not before its last event
  Compression compression = Compression::gzip;
  bool final_mark = false;  // ".final": a control plane moved away after this full

  friend bool operator==(const SnapshotName&, const SnapshotName&) = default;
};

std::string print_name(const SnapshotName& name);
// The last part of a key. Errc::invalid: not a snapshot's name. Errc::unsupported: one with an unknown suffix.
Result<SnapshotName> parse_name(std::string_view text);

// A key relative to the store prefix: "v2/Full-…" or "v1/Backup-…/Full-…". nullopt: not a snapshot object (a chunk of a
// multi-part upload, a side file, a foreign object, a key of another prefix).
std::optional<SnapshotName> parse_key(std::string_view key);
std::string v2_key(const SnapshotName& name);

// Errc::invalid when etcd-backup-restore would misread keys under this prefix: a component ending in "v1", or "v2"
// inside the prefix in a place that its parser takes for the version folder.
Status check_prefix(std::string_view prefix);

}  // namespace tidemark::bucket
