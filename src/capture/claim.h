// Who may publish the delta that begins at revision N, when two recorders write to one prefix.
//
// A claim is a small object tidemark/claims/<N>-<epoch>.json that names the recorder and the one object it will put.
// It is created conditionally: of two recorders exactly one gets an epoch. For every N the claim of the highest epoch
// whose object exists decides which delta counts; readers follow it (catalog/timeline.h), so time plays no part in what
// is right. Time only decides how long a standby waits before it takes over.
//
// The rules (doc/operate/record.md tells them to operators; DeltaPublisher follows them):
//   1. claim(N, e) before the object is put; after the claim, look whether an object of a lower claim is there by now:
//      if so, a further claim adopts it and nothing is put.
//   2. put; then list the claims of N again: a higher claim of somebody else means that this object may not count.
//   3. never go on to the next start before the object that counts at N is there.
//   4. an object that does not count is removed by who put it, once others' objects that count cover its revisions.
// Steps 1 and 2 are each other's mirror: of a late publisher and the one who took over, at least one sees the other.
//
// A list may be behind (some stores promise no more); a conditional put and an object asked for by its name are not,
// and only on those do the rules stand.
//
// Threads: one at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/steps.h"
#include "catalog/sidecar.h"
#include "io/file.h"
#include "store/object_store.h"

namespace tidemark::capture {

class Claims {
 public:
  Claims(store::ObjectStore& store, const Clock& clock, std::string recorder, Steps& steps = unwatched_steps())
      : store_(store), clock_(clock), recorder_(std::move(recorder)), steps_(steps) {}

  // All claims of a start, by epoch, those too that the store's lists do not show yet.
  Result<std::vector<catalog::Claim>> of(Revision start);
  // False: somebody has this epoch already.
  Result<bool> take(Revision start, std::uint32_t epoch, const std::string& object);
  const std::string& recorder() const { return recorder_; }

 private:
  Result<std::optional<catalog::Claim>> at(Revision start, std::uint32_t epoch);

  store::ObjectStore& store_;
  const Clock& clock_;
  const std::string recorder_;
  Steps& steps_;
};

// The recorder's name in claims: a UUID kept in the spool directory, so that a restarted recorder knows its own.
Result<std::string> recorder_id(const io::Path& spool_dir, Steps& steps = unwatched_steps());

}  // namespace tidemark::capture
