// One block of the history index: which keys an object of the store holds, in which versions, and where the bytes of
// each stand in the object's text. Byte table: doc/format/index.md.
//
// A block is a cache: whoever writes it has read the object to its end and proven it; whoever reads it trusts no byte
// that a checksum does not vouch for. Everything is checked when it is touched: the tables when a block is opened, a
// chunk of keys when it is searched. Threads: a Block is immutable; a BlockWriter belongs to one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "bucket/name.h"
#include "etcd/row.h"
#include "io/compress.h"
#include "io/file.h"

namespace tidemark::history {

// A run of bytes: an event of a delta (its JSON), a row of a full (the value of its element in the database).
struct Place {
  std::uint64_t offset = 0;  // in the text; of one that is kept: in what the block keeps
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;  // CRC-32C of them
  bool kept = false;      // a copy stands in the block itself
};

struct StoredVersion {
  etcd::RowId id;
  // Of a put:
  Revision create = {};
  std::int64_t version = 0;
  LeaseId lease = {};
  Place place = {};
};

// Events from `first` on (there from the one with this sub-revision) were received at `time`, until the next one says
// otherwise.
struct Receipt {
  Revision first;
  Time time;
  std::int64_t sub = 0;
};

// Where the text is to be had.
enum class TextIn : std::uint32_t {
  plain_object = 0,  // the object is its text
  gzip_object = 1,   // in the members of the object
  gzip_copy = 2,     // in the members of a copy beside the block: the object's own are none, or too large to begin at
};

struct BlockAbout {
  std::string identity;  // of the object, see index_cache.h
  bucket::Kind kind = bucket::Kind::full;
  // A delta: the revisions it really holds, up to its first hole. A full: up to where it is compacted, and its
  // revision.
  RevisionSpan span;
  bool holed = false;  // a delta that goes on behind a hole
  TextIn text_in = TextIn::plain_object;
  std::uint64_t text_bytes = 0;
  std::uint64_t stored_bytes = 0;       // of the object, or of the copy
  std::vector<io::GzipMember> members;  // empty: plain
  std::vector<Receipt> receipts;        // of a delta, in the order of its events
};

class BlockWriter {
 public:
  explicit BlockWriter(io::Sink& to) : to_(to) {}
  // Requires: keys ascend, and the versions of one by their ids.
  Status add(std::string_view key, std::span<const StoredVersion> versions);
  // `kept`: what places with `kept` are offsets into. Does not call to.finish().
  Status finish(const BlockAbout& about, Bytes kept);

 private:
  Status write(Bytes bytes);
  Status end_chunk();
  io::Sink& to_;
  Buffer chunk_, directory_;
  std::string first_key_, last_key_;
  std::uint64_t written_ = 0, keys_ = 0, versions_ = 0;
};

class Block {
 public:
  // Mapped. Errc::torn, Errc::corrupt: damaged. Errc::unsupported: of another version of the format.
  static Result<Block> open(const io::Path& file);
  // Requires: the bytes outlive the block.
  static Result<Block> over(Bytes bytes);

  const BlockAbout& about() const { return about_; }
  std::uint64_t keys() const { return keys_; }
  std::uint64_t versions() const { return versions_; }
  std::uint64_t kept_bytes() const { return kept_.size(); }
  Bytes bytes() const { return bytes_; }  // the whole file

  // Versions of a key, oldest first; empty: there are none. Errc::corrupt: the block is damaged.
  Result<std::vector<StoredVersion>> find(std::string_view key) const;
  // Every key below a prefix with its versions, in order; views die with the call. Stops when `each` fails.
  using Each = std::function<Status(std::string_view key, std::span<const StoredVersion> versions)>;
  Status for_each_below(std::string_view prefix, const Each& each) const;
  // What the block keeps of a place, unchecked. Requires: place.kept, and a place that this block gave.
  Bytes kept(const Place& place) const { return kept_.subspan(place.offset, place.bytes); }

  // When an event of a delta was received; nullopt: before the first. Without a sub-revision: the last of a revision's.
  std::optional<Time> received(Revision revision, std::int64_t sub = INT64_MAX) const;
  // The first revision that was received after `time`; 0: none.
  Revision first_after(Time time) const;

  // Reads all of it. Errc::corrupt: what and where.
  Status check() const;

 private:
  struct Chunk {
    std::string_view first_key;
    std::uint64_t offset = 0, bytes = 0;
    std::uint32_t crc = 0;
  };
  Status read_tables();
  Status read_directory(Bytes table, std::uint64_t end);
  Result<Bytes> proven(const Chunk& chunk) const;
  // The chunk that holds `key`, if any does; chunks_.size(): none.
  std::size_t chunk_of(std::string_view key) const;
  // Every key of a chunk; `wanted` false: the versions are passed over. Returns false when `each` has had enough.
  Result<bool> walk(const Chunk& chunk, const std::function<bool(std::string_view)>& wanted,
                    const std::function<Result<bool>(std::string_view, std::span<const StoredVersion>)>& each) const;

  std::optional<io::MappedFile> file_;
  Bytes bytes_, kept_;
  BlockAbout about_;
  std::uint64_t keys_ = 0, versions_ = 0;
  std::vector<Chunk> chunks_;
};

// The same block under another identity.
Status write_as(const Block& block, std::string_view identity, io::Sink& to);

}  // namespace tidemark::history
