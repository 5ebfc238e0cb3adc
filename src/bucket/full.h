// The body of a full: the bytes of a bbolt file and the 32 bytes of their SHA-256, as etcd's Snapshot call streams
// them.
//
// Whether the digest is there is read off the size: a bbolt file is a whole number of 512-byte blocks, so the rest of
// size / 512 is 32 with a digest and 0 without. Byte table: doc/format/gardener-bucket.md.
#pragma once

#include <optional>

#include "base/result.h"
#include "crypto/sha256.h"
#include "io/file.h"
#include "io/stream.h"

namespace tidemark::bucket {

struct FullBody {
  std::uint64_t db_bytes = 0;  // without the digest
  bool has_digest = false;     // false: nothing proves these bytes; only an explicit wish of the user may accept them
  crypto::Sha256Digest digest{};  // of the db bytes, computed; when has_digest, the body said the same
};

// Reads a decompressed body to its end and writes the db bytes to `to` (not finish()ed). Reading goes on in a thread of
// io's while the digest is computed here. Memory: a few MiB.
// Errc::torn: the body is empty, or its size is that of neither kind. Errc::corrupt: the digest is wrong.
// After a failure what `to` received is worth nothing.
Result<FullBody> split_full(io::Source& body, io::Sink& to);

// The same into a new file (0600, not fsynced: a spool, not a copy to keep). On failure there is no file.
// Errc::already_exists: the path is taken.
Result<FullBody> spool_full(io::Source& body, const io::Path& to);

}  // namespace tidemark::bucket
