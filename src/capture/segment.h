// One file of the spill: the events of whole revisions as they arrived, framed and checksummed.
//
// A segment becomes one delta. It grows by commits: after append() returned ok, the revisions in it survive a crash.
// Byte table: doc/format/spill.md. End, torn and corrupt are three answers: a file that ends in a half-written frame is
// torn (what lies before it is good and was all that was acknowledged); a checksum that is wrong while the bytes are
// all there is corrupt. Threads: a SegmentWriter belongs to one thread; reading a committed part may happen meanwhile.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/steps.h"
#include "bucket/delta.h"
#include "etcd/row.h"
#include "io/file.h"

namespace tidemark::capture {

inline constexpr std::uint32_t kSegmentVersion = 1;

// What a segment holds, as far as it is committed.
struct SegmentFacts {
  RevisionSpan span;  // first: as in the file header; last < first: nothing committed
  ClusterId cluster;
  std::uint64_t events = 0;
  std::uint64_t json_bytes = 0;  // about the size of the delta's JSON text
  std::uint64_t file_bytes = 0;  // up to the end of the last commit (or of the seal)
  Time first_time{}, last_time{};
  std::optional<std::int64_t> sealed_unix_s;  // the time in the delta's name; nullopt: still growing
};

struct SegmentScan {
  SegmentFacts facts;  // of the good part
  Status tail;         // ok: the file ends there. Errc::torn or Errc::corrupt: why the rest does not count
};

// Reads a whole segment. Fails only when the file cannot be read, its header is torn (Errc::torn: nothing was ever
// committed), is not a segment's (Errc::corrupt) or is newer (Errc::unsupported).
Result<SegmentScan> scan_segment(const io::Path& path);

// Hands the events of the committed part to `each`, in watch order; only those inside `span`. Memory: one frame.
Status read_segment(const io::Path& path, const SegmentFacts& facts, RevisionSpan span,
                    const std::function<Status(const bucket::DeltaEvent&)>& each);

// About how many bytes of JSON a delta spends on the event.
std::uint64_t json_size(const etcd::Event& event);

class SegmentWriter {
 public:
  // A new file, which must not exist; nothing is written before the first append().
  static Result<SegmentWriter> create(const io::Path& path, ClusterId cluster, Revision first,
                                      Steps& steps = unwatched_steps());
  // Goes on after `facts`, and cuts off whatever lies behind. Requires: facts from scan_segment(), not sealed.
  static Result<SegmentWriter> resume(const io::Path& path, const SegmentFacts& facts,
                                      Steps& steps = unwatched_steps());

  // Writes and fsyncs. Errc::invalid: the first revision does not follow the last one, or revisions run backwards.
  // Errc::no_space: nothing was added, the call may be repeated. Any other failure: the file must not be written to
  // again by this object (a failed fsync is never retried); scan and resume.
  Status append(std::span<const etcd::Event> events, Time received);
  // Ends the segment; Errc::invalid when it is empty.
  Status seal(std::int64_t unix_s);

  const SegmentFacts& facts() const { return facts_; }

 private:
  SegmentWriter(io::Fd fd, io::Path path, SegmentFacts facts, Steps& steps)
      : fd_(std::move(fd)), path_(std::move(path)), facts_(facts), steps_(&steps) {}
  Status commit(const Buffer& frames);
  io::Fd fd_;
  io::Path path_;
  SegmentFacts facts_;
  Steps* steps_;
  bool broken_ = false;
};

}  // namespace tidemark::capture
