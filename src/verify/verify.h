// `verify`: reads back what a store keeps, proves it, and keeps the proofs beside it.
//
// One point means its whole chain: the full and every delta that leads to it. What is wrong is a finding and not a
// failure; the work goes on after it, and the answer says what can still be restored.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/proof.h"
#include "catalog/timeline.h"
#include "verify/replay.h"

namespace tidemark::verify {

struct Wish {
  std::optional<catalog::Point> point;  // nullopt: everything in the store
  catalog::ProofLevel level = catalog::ProofLevel::structure;
  io::Path scratch;  // an existing directory: spooled fulls (structure), a restored database (replay)
  unsigned threads = 2;
};

struct ObjectVerdict {
  catalog::Point point;
  catalog::ProofLevel level = catalog::ProofLevel::digest;  // what was really checked; replay: it was rebuilt through
  bool sound = true;
  Revision reach;             // level replay: how far the rebuild went
  std::uint64_t samples = 0;  // level replay: witnesses at or behind its end that the rebuild met
};

struct Verification {
  catalog::ProofLevel asked = catalog::ProofLevel::structure;
  std::vector<ObjectVerdict> objects;  // fulls and deltas by revision
  std::vector<Replay> replays;
  std::vector<Finding> findings;
  std::vector<std::string> notes;        // what could not be checked, or is known and harmless
  std::vector<RevisionSpan> restorable;  // as far as names and everything found tell; ascending, disjoint
};

// Level replay of everything: from each full through its deltas to the next full, whose rows are a witness too.
// Fails for what is no object's fault: Errc::unavailable, denied, cancelled; no_space, io: the scratch directory, which
// is named; Errc::not_found: the store holds nothing at all.
Result<Verification> verify(store::ObjectStore& store, const Wish& wish, const Clock& clock, const Progress& progress,
                            const std::stop_token& stop);

// A proof, good or bad, for every object. Returns how many were kept. `program`: what goes into the proofs.
Result<std::size_t> keep_proofs(store::ObjectStore& store, const Verification& done, Time now,
                                std::string_view program);

}  // namespace tidemark::verify
