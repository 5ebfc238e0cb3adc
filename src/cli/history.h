// Where a verb reads history from: a store, one snapshot file (file:), or the directory of a stopped etcd (etcd:).
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "restore/origin.h"
#include "store/metered_store.h"

namespace tidemark::cli {

class Program;

struct History {
  std::unique_ptr<store::ObjectStore> store;  // null: a file or a data directory
  std::unique_ptr<restore::Origin> origin;
};

// Reading only. Errc::not_found, and what opening the place fails with.
Result<History> open_history(Program& program, const std::string& url);
// A store's waits end when `stop` is asked for instead of the program's; `tally` counts what it is asked, and outlives
// it.
Result<History> open_history(Program& program, const std::string& url, const std::stop_token& stop,
                             store::StoreTally* tally);

// The timeline with the true revision of a snapshot file, whose name does not say it; a compressed one is unpacked into
// a temporary directory for that.
Result<catalog::Timeline> timeline_of(const History& history);

}  // namespace tidemark::cli
