// Is this place fit to keep backups? The guarantees of ObjectStore, tried out on the real thing, and what its settings
// will do to backups over time. The same rows run in the contract of every store and in `tidemark store check`.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/object_store.h"

namespace tidemark::store {

struct Finding {
  enum class Verdict {
    good,
    advice,  // works, but somebody should look
    unfit,   // a guarantee does not hold: backups here may be lost or mixed up
  };
  std::string name;  // "conditional create"
  Verdict verdict = Verdict::good;
  std::string detail;  // what was seen
  std::string hint{};  // what to do
};
std::string_view verdict_word(Finding::Verdict verdict);

struct CheckOptions {
  std::string nonce;                      // the objects of this run are below tidemark/check/<nonce>/
  std::size_t large_bytes = 20UL << 20U;  // of the object that takes more than one part
  int writers = 8;                        // of one key at the same time
  const Clock* clock = &system_clock();
  std::stop_token stop{};
};

// One finding a row at least, in the order of the rows. A failure: the store could not be asked (denied, unavailable,
// no such bucket, cancelled). What it wrote is removed again, unless the store does not let it: then a finding says so.
// Requires: not read-only.
Result<std::vector<Finding>> check_store(ObjectStore& store, const CheckOptions& options);

// True when none is unfit.
bool fit(const std::vector<Finding>& findings);

}  // namespace tidemark::store
