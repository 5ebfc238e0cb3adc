// Copies a planned lineage from one store to another, so that it can be cut anywhere and begun again.
//
// An object is put under its own key by a create that refuses to overwrite, while its SHA-256 is taken, and then read
// back from the target and compared. What is there already is compared byte by byte, or by its size when asked for, and
// left alone, equal or not. Memory: two buffers of 256 KiB, whatever the sizes. Threads: one; several copies into one
// target may run at a time, in as many processes, and do each other no harm.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "catalog/timeline.h"
#include "copy/plan.h"
#include "store/object_store.h"

namespace tidemark::copy {

enum class Outcome {
  copied,   // put, and read back equal
  present,  // was there already, with equal bytes (or, when only sizes are compared, equal size)
  differs,  // was there already with other bytes; they stay
  missing,  // the source lost it meanwhile, or cannot read it: see `reason`
  pending,  // not come to
};

struct CopiedItem {
  Item item;
  Outcome outcome = Outcome::pending;
  std::string sha256;  // lower-case hex, of what was copied
  std::string reason;  // for differs and missing
};

struct Report {
  std::vector<CopiedItem> items;  // as in the plan
  std::optional<Error> stopped;   // what ended it early; everything after is pending
  std::uint64_t copied_bytes = 0;
  std::size_t count(Outcome outcome) const;
  bool complete() const;  // everything copied or present
};

class Audience {
 public:
  virtual ~Audience() = default;
  // `done` of `all` bytes of the step "compare" or "copy"; `key` is at work.
  virtual void progress(std::string_view step, std::string_view key, std::uint64_t done, std::uint64_t all) = 0;
};

// May this plan go into `target`? Errc::conflict, before anything is written, when the target holds another history:
// another lineage, or snapshots of which the source has none.
Status check_target(store::ObjectStore& source, const Plan& plan, store::ObjectStore& target);

// What is in the target already, judged by names and sizes alone: present, differs or pending, an entry for each item.
Result<std::vector<Outcome>> survey_target(const Plan& plan, store::ObjectStore& target);

enum class Compare { bytes, sizes };

// Requires: check_target() was ok. Fails only before the first step; later failures are in the report.
Result<Report> copy_plan(store::ObjectStore& source, const Plan& plan, store::ObjectStore& target, Compare compare,
                         Audience& audience, const std::stop_token& stop);

}  // namespace tidemark::copy
