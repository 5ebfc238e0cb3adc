// Records an etcd into a store: one watch into the spill, deltas out of the spill, fulls beside it.
//
// Three threads: the caller's follows the watch and cuts deltas; one publishes what was cut; one takes fulls. The store
// may fail for as long as the spool has room, the etcd for as long as it keeps its history, and the recorder may be
// killed at any point: it goes on where the spill ends. What cannot be had any more (compacted underneath) is recorded
// as a gap, and a full closes it. Everything that happens is logged; numbers are in Counters.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "base/result.h"
#include "base/steps.h"
#include "capture/counters.h"
#include "capture/place.h"
#include "capture/schedule.h"
#include "capture/witness.h"
#include "etcd/member.h"
#include "store/object_store.h"

namespace tidemark::capture {

struct RecorderOptions {
  io::Path spool_dir;
  std::uint64_t spool_limit = 10UL << 30U;
  std::chrono::nanoseconds delta_period = std::chrono::minutes(5);
  std::uint64_t delta_limit = 100UL << 20U;  // bytes of JSON text
  Schedule full_schedule;
  OpenStore open_store;          // for the store of a new lineage
  bool store_encrypted = false;  // what is put into it cannot be read without its keys
  NewWitness witness;            // of each full and delta; empty: none

  std::chrono::nanoseconds drain_within = std::chrono::seconds(25);  // at the end, for what is spilled
  std::chrono::nanoseconds claim_grace = std::chrono::minutes(1);
  std::chrono::nanoseconds retry_first = std::chrono::milliseconds(500), retry_most = std::chrono::seconds(30);
  std::chrono::nanoseconds look_around = std::chrono::seconds(30);  // how often member and leader are asked for
  std::chrono::milliseconds watch_wait{200};
  // So long an event waits for others that are made durable with it. What it has not yet is not acknowledged.
  std::chrono::milliseconds gather{20};
  unsigned gzip_threads = 2;
  Steps* steps = &unwatched_steps();  // never null
};

class Recorder {
 public:
  // Requires: all outlive the recorder.
  Recorder(etcd::Member& member, store::ObjectStore& store, const Clock& clock, RecorderOptions options,
           Counters& counters)
      : member_(member), store_(store), clock_(clock), options_(std::move(options)), counters_(counters) {}

  // Records until `stop`, then publishes what is spilled and returns. Ok: all of it is published. Errc::timeout: some
  // is still in the spool and the next start will publish it. Fails at once only when it cannot begin (find_places) or
  // when the spool's disk fails.
  Status run(const std::stop_token& stop);

  // One full now.
  Status once_full(const std::stop_token& stop);
  // Everything up to etcd's present revision as deltas, and a full before them when there is none. Errc::timeout as
  // run().
  Status once_delta(const std::stop_token& stop);

 private:
  Result<Places> begin(const std::stop_token& stop);
  Status drain_former(std::vector<Place>& former, const std::stop_token& stop);

  etcd::Member& member_;
  store::ObjectStore& store_;
  const Clock& clock_;
  const RecorderOptions options_;
  Counters& counters_;
  std::string replaced_;  // why etcd's history is known to be another one, when only we could see it
};

}  // namespace tidemark::capture
