// One delta, read to its end: order and density checked, rows inside a span handed out with their sub-revision.
#pragma once

#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "bucket/delta.h"
#include "etcd/row.h"
#include "io/stream.h"

namespace tidemark::restore {

struct DeltaScan {
  RevisionSpan held;            // the revisions it really holds, up to its first hole
  Revision resumes_after_hole;  // 0: no hole. Otherwise the first revision behind it; such rows are not handed out
  std::uint64_t events = 0;
  Time taken_until;  // when the recorder received the last event that was handed out
};

// Hands every event of `take` to `each`. The views die with the call. Until this returned ok nothing of it may be
// trusted: the digest comes last. Errc::corrupt, Errc::torn: the object's fault, unless `each` said it.
// `each_failed` tells a failure of `each` (the caller's) from the object's own.
Result<DeltaScan> scan_delta(io::Source& body, RevisionSpan take,
                             const std::function<Status(const etcd::RowId&, const etcd::KeyValue&)>& each,
                             bool& each_failed, const std::stop_token& stop);

// The same, with the time at which the recorder received each event.
Result<DeltaScan> scan_delta(
    io::Source& body, RevisionSpan take,
    const std::function<Status(const etcd::RowId&, const etcd::KeyValue&, Time received)>& each, bool& each_failed,
    const std::stop_token& stop);

}  // namespace tidemark::restore
