// The body of a delta object: gzip( J || sha256(J) ), J one JSON array of {"etcdEvent":{…},"time":"…"}.
//
// Byte rules and dialect: doc/format/gardener-bucket.md. Written here as etcd-backup-restore writes it; read in any
// JSON dialect (white space, unknown fields, any field order).
#pragma once

#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "io/stream.h"

namespace tidemark::bucket {

// One change. key and value are views, valid until the callback returns (reading) or the call returns (writing).
struct DeltaEvent {
  bool deletion = false;
  Bytes key;
  Bytes value;  // empty for a deletion
  std::int64_t create = 0;
  std::int64_t mod = 0;
  std::int64_t version = 0;
  std::int64_t lease = 0;
  Time time;  // when the recorder received it, not when etcd committed it
};

// Writes the JSON text and its digest into `to` (uncompressed; put a GzipSink behind it).
class DeltaWriter {
 public:
  // Sees the text of each event, from '{' to '}', and where it begins. A view, valid until it returns.
  using EachText = std::function<void(const DeltaEvent&, std::uint64_t at, Bytes text)>;
  explicit DeltaWriter(io::Sink& to, EachText each = {}) : to_(to), each_(std::move(each)) {}
  // Requires: events in watch order (mod non-decreasing).
  Status add(const DeltaEvent& event);
  // Closes the array, appends the digest, flushes. Does not call to.finish(). Errc::invalid when nothing was added:
  // empty deltas are never written.
  Status finish();
  // Of the text so far; the next event begins behind them, after one character.
  std::uint64_t json_bytes() const { return json_bytes_ + pending_.size(); }
  std::uint64_t events() const { return events_; }

 private:
  Status flush();
  io::Sink& to_;
  EachText each_;
  crypto::Sha256 digest_;
  Buffer pending_;
  std::uint64_t json_bytes_ = 0;  // that are written
  std::uint64_t events_ = 0;
  Time time_;  // of the last event, with its text: the events of one batch share it
  std::string time_text_;
};

// Reads a decompressed body to its end and hands every event to `each`, in file order; stops when it fails.
// Memory: one event plus a window (a few MiB), whatever the size of the body.
// The digest is known only at the end: until read_delta() returned ok nothing that `each` saw may be trusted.
// Errc::torn: the text ends inside the array or the digest is cut. Errc::corrupt: digest or JSON wrong (with the offset
// in the uncompressed text).
Status read_delta(io::Source& body, const std::function<Status(const DeltaEvent&)>& each);

}  // namespace tidemark::bucket
