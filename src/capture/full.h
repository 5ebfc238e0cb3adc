// One full: a snapshot of the database, checked before it is published under its true revision.
//
// The stream goes to a file in the spool directory first, because the name needs the revision and nothing may be
// trusted before it was checked: digest on the way, then the tree's structure, then every row, then the revision that
// the database comes up at. Only then is it put into the store; it was compressed while it came. Runs beside the watch;
// it shares nothing with it.
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/steps.h"
#include "capture/secrecy.h"
#include "capture/witness.h"
#include "catalog/sidecar.h"
#include "etcd/member.h"
#include "io/file.h"
#include "store/object_store.h"

namespace tidemark::capture {

struct FullOptions {
  io::Path spool_dir;                  // needs room for one database, and for the same compressed
  std::int64_t not_before_unix_s = 0;  // the name's time is never before this (the previous object's)
  unsigned gzip_threads = 1;
  Steps* steps = &unwatched_steps();  // never null
  std::stop_token stop;               // Errc::cancelled, and nothing is published
  NewWitness witness{};               // empty: none
};

struct FullTaken {
  std::string key;
  Revision revision;  // the true one
  std::int64_t unix_s = 0;
  std::uint64_t raw_bytes = 0, stored_bytes = 0;
  Secrecy secrecy;
  Watched::Outcome index;
};

// Errc::no_space: the spool. Errc::corrupt: what the member sent is not a sound database: nothing was published.
// Errors of the member and of the store as they come.
Result<FullTaken> take_full(etcd::Member& member, store::ObjectStore& store, const Clock& clock,
                            const FullOptions& options);

// What a process that was killed while it took one has left in its spool directory.
void remove_unfinished_full(const io::Path& spool_dir);

// What the member says about itself now: leases with their TTL, members, versions. Parts that cannot be asked (auth)
// are left out; so is HashKV, which only a full has.
catalog::State sample_state(etcd::Member& member, std::string object);

// Puts the state beside an object; an older one of the same object stays.
Status put_state(store::ObjectStore& store, const catalog::State& state);

}  // namespace tidemark::capture
