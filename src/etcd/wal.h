// etcd's write-ahead log: segments of framed records with a running CRC-32C. Byte tables: doc/format/wal.md.
//
// The reader takes anything: a live member's preallocated segments, a crash, a hostile file. End, torn and corrupt are
// three results. Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "io/file.h"

namespace tidemark::etcd {

enum class WalRecordType : std::int64_t { metadata = 1, entry = 2, state = 3, crc = 4, snapshot = 5 };

struct WalRecord {
  WalRecordType type;
  Bytes payload;             // a view into the segment
  std::uint64_t offset = 0;  // of its frame, in the segment
};

struct RaftEntry {
  enum class Kind : std::int64_t { normal = 0, conf_change = 1, conf_change_v2 = 2 };
  Kind kind = Kind::normal;
  std::uint64_t term = 0, index = 0;
  Bytes payload;
};

struct HardState {
  std::uint64_t term = 0;
  MemberId vote;
  std::uint64_t commit = 0;
};

struct WalSnapshot {
  std::uint64_t index = 0, term = 0;
  std::vector<MemberId> voters;  // empty in records of 3.4
  friend bool operator==(const WalSnapshot&, const WalSnapshot&) = default;
};

// "0000000000000000-0000000000000000.wal"
std::string wal_file_name(std::uint64_t sequence, std::uint64_t first_index);
struct WalFileName {
  std::uint64_t sequence = 0, first_index = 0;
};
std::optional<WalFileName> parse_wal_file_name(std::string_view name);

// One segment, in memory; logs that we write hold a handful of records.
class WalSegment {
 public:
  explicit WalSegment(std::uint32_t crc_of_the_segment_before = 0);  // writes the crc record
  void metadata(MemberId node, ClusterId cluster);
  void entry(const RaftEntry& entry);
  void state(const HardState& state);
  // conf_state is written when index > 0, as 3.5 and later demand; 3.4 skips it.
  void snapshot(const WalSnapshot& snapshot);
  void raw(WalRecordType type, Bytes payload);

  Bytes bytes() const { return bytes_; }
  std::uint32_t crc() const { return crc_; }

 private:
  void frame(WalRecordType type, const Bytes* payload);
  Buffer bytes_;
  std::uint32_t crc_;
};

// The records of one segment in order.
class WalSegmentReader {
 public:
  // `crc_before`: the last segment's final checksum, or nullopt to start a chain in the middle of a log.
  // Requires: the bytes outlive the reader.
  WalSegmentReader(Bytes segment, std::string name_in_errors, std::optional<std::uint32_t> crc_before = {});
  // nullopt: the end (of the bytes, or the zeros of preallocation).
  // Errc::torn: the bytes end inside a record, or a sector of a damaged record was never written; everything before
  // offset() is good. Errc::corrupt: anything else. After a failure or the end, the same answer again.
  Result<std::optional<WalRecord>> next();
  std::uint64_t offset() const { return offset_; }  // behind the last good record
  std::uint32_t crc() const { return crc_; }
  // After a failure: it is in bytes that etcd does not look at (decoder.go of its server/storage/wal), so an etcd may
  // well start on them. The upper bits of a length, its padding, unknown fields, what a checksum record holds.
  bool stricter_than_etcd() const { return stricter_; }

 private:
  Result<std::optional<WalRecord>> read_one();
  Bytes segment_;
  std::string name_;
  std::optional<std::uint32_t> expected_;
  std::uint32_t crc_ = 0;
  std::uint64_t offset_ = 0;
  bool first_ = true;
  bool stricter_ = false;
  std::optional<Error> failed_;
};

// Payloads. Errc::corrupt.
struct WalMetadata {
  MemberId node;
  ClusterId cluster;
  friend bool operator==(const WalMetadata&, const WalMetadata&) = default;
};
Result<WalMetadata> decode_wal_metadata(Bytes payload);
Result<RaftEntry> decode_raft_entry(Bytes payload);
Result<HardState> decode_hard_state(Bytes payload);
Result<WalSnapshot> decode_wal_snapshot(Bytes payload);

struct WalContents {
  WalMetadata metadata;
  HardState state;
  std::vector<WalSnapshot> snapshots;  // as recorded, valid or not (see valid_snapshots())
  std::uint64_t first_index = 0;       // of the entries; 0: there are none
  std::uint64_t last_index = 0;        // of the entries, or of the newest snapshot record
  std::uint64_t last_term = 0;
  std::uint64_t entries = 0;  // after later ones replaced earlier ones
  std::size_t segments = 0;
  std::string torn;  // empty: clean. Otherwise where the last segment breaks off; all before it was read

  // Those that etcd would consider: up to the commit index.
  std::vector<WalSnapshot> valid_snapshots() const;
};

// Every segment of a wal directory, in sequence. `each_entry` hears entries as recorded (one with an index again
// replaces it and all after it). Errc::not_found: no segment. Errc::corrupt: see doc/format/wal.md. A torn end of the
// last segment is a success with `torn` set; of an earlier one, corrupt. Nothing is locked or written.
Result<WalContents> read_wal(const io::Path& wal_dir, const std::function<Status(const RaftEntry&)>& each_entry = {});

}  // namespace tidemark::etcd
