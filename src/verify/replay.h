// A chain of objects restored into scratch by the restore's own code, and its rows compared with what etcd said of
// them.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "restore/samples.h"
#include "verify/object.h"

namespace tidemark::verify {

// `done` of `all` bytes of a step; all 0: not known.
using Progress = std::function<void(std::string_view step, std::uint64_t done, std::uint64_t all)>;

// What is known of the rows at a revision from elsewhere than the objects replayed: a recorded answer of etcd, or the
// rows of the next full.
struct Witness {
  std::string object;  // the key beside which it was recorded, or of that full
  catalog::HashSample sample;
};

struct MetWitness {
  Witness witness;
  restore::SampleAnswer answer;
};

struct Replay {
  std::vector<catalog::Point> chain;  // the full, then the deltas
  Revision reach;                     // what was rebuilt
  std::uint64_t rows = 0;
  std::vector<MetWitness> witnesses;  // by revision
  std::vector<Finding> findings;
  std::vector<std::string> suspects;  // objects that may be to blame for the findings
  bool sound() const { return findings.empty(); }
  std::uint64_t met() const;  // how many witnesses agree
};

struct ReplayWish {
  std::vector<catalog::Point> chain;  // not empty; a full first
  Revision reach;                     // at most what the chain holds
  std::vector<Witness> witnesses;     // none of them computed from the chain itself
  io::Path scratch;                   // an existing directory
  unsigned threads = 2;
};

// The whole history is kept, so every witness between the full's compaction and `reach` is compared, wherever it lies.
// Fails only for what is not the objects' fault: Errc::unavailable, Errc::cancelled and the like; what the scratch
// directory refuses is a failure that names it (scratch_failure()).
Result<Replay> replay_chain(store::ObjectStore& store, const ReplayWish& wish, const Clock& clock,
                            const Progress& progress, const std::stop_token& stop);

}  // namespace tidemark::verify
