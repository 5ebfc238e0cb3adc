// Where an etcd's history is recorded: the store's prefix of its lineage, and the spool directory that belongs to it.
//
// One prefix holds one lineage, because other readers take the highest revision for the newest. When etcd is another
// cluster than before, or its revision went back behind what was published or spilled, a new lineage begins in a prefix
// of its own beside the first (catalog/lineage.h), and nothing is ever interleaved.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "capture/spill.h"
#include "catalog/lineage.h"
#include "etcd/member.h"
#include "store/object_store.h"

namespace tidemark::capture {

// Opens the store of another lineage by its URL.
using OpenStore = std::function<Result<std::unique_ptr<store::ObjectStore>>(const std::string& url)>;

struct Place {
  catalog::Lineage lineage;
  store::ObjectStore* store = nullptr;
  std::unique_ptr<store::ObjectStore> owned;  // the same, when it is not lineage 1's
  std::unique_ptr<Spill> spill;
};

struct Places {
  Place now;                  // to record into
  std::vector<Place> former;  // earlier lineages with something left in their spools
  bool turned = false;        // `now` was begun by this call because etcd is not what it was; `reason` says why
  std::string reason;
};

struct PlaceOptions {
  io::Path spool_dir;
  std::uint64_t spool_limit = 0;
  OpenStore open_store;
  Steps* steps = &unwatched_steps();  // never null
  std::string replaced;  // not empty: a new lineage begins even when ids and revisions would fit, for this reason
};

// Errc::conflict: the prefix holds snapshots that nobody recorded here (another program's bucket), or another recorder
// on this machine has the spool. Errc::invalid: the store has no room beside it for a new lineage.
Result<Places> find_places(etcd::Member& member, store::ObjectStore& store, const Clock& clock,
                           const PlaceOptions& options);

// What a store holds of its lineage, by names alone.
struct ChainEnd {
  Revision reached;      // the end of the deltas and recorded gaps; lineage.first - 1 when there are none
  Revision newest;       // of anything, fulls included; 0: nothing
  Revision newest_full;  // 0: none
  Revision newest_gap;   // the end of the last recorded gap; 0: none
  std::int64_t newest_full_unix_s = 0, newest_unix_s = 0;
};
Result<ChainEnd> read_chain_end(store::ObjectStore& store, Revision first);

// The end of the run of deltas that holds `first` and what follows it; first - 1 when none holds it.
Result<Revision> published_from(store::ObjectStore& store, Revision first);

}  // namespace tidemark::capture
