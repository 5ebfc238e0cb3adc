// `restore etcd`: a store and a moment -> a data directory that etcd starts on.
//
// Order of work, and nothing of D/member is touched before the last step:
//   repair what an earlier crash left; refuse a living etcd or an existing member; timeline, target, plan; the plan
//   is shown and must be approved; space; base spooled, deltas replayed (planning again when an object is bad);
//   small buckets, log, .snap; base and result proven (see build.h); swap; report.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "restore/leases.h"
#include "restore/origin.h"
#include "restore/plan.h"
#include "restore/replay.h"
#include "restore/steps.h"
#include "restore/target.h"

namespace tidemark::restore {

// How far the restored store's revision is put above the restored one, with everything below marked as compacted: so
// revisions never go backwards for clients, and old watches are told to start again.
struct RevisionBump {
  enum class Kind { automatic, none, by };
  Kind kind = Kind::automatic;  // max(0, newest known revision - restored one) + 1,000,000,000
  std::int64_t by = 0;
};
Result<RevisionBump> parse_bump(std::string_view text);  // "auto", "none", "1000"

struct EtcdRestore {
  Target target;
  io::Path data_dir;
  std::string name = "default";
  std::string initial_cluster;      // empty: this one member, with its advertised URLs or http://localhost:2380
  std::string advertise_peer_urls;  // empty: those of initial_cluster
  std::string token = "etcd-cluster";
  RevisionBump bump;
  bool keep_history = false;
  bool replace = false;        // an existing member is swapped out, one former copy is kept
  bool skip_digest = false;    // take fulls without (or with a wrong) SHA-256
  std::string target_version;  // "", "3.4" … "3.7": the etcd that will be started
  bool dry_run = false;
  unsigned threads = 2;
  std::size_t arena_bytes = 64UL << 20U;  // see ReplayOptions
  std::size_t index_keys = 150'000;
};

// Who watches: the terminal, a test.
class Audience {
 public:
  virtual ~Audience() = default;
  // Called before the first write, and again when an object turned out bad and the plan changed.
  virtual Result<bool> approve(const Plan& plan, bool changed) = 0;
  virtual void say(std::string_view line) { (void)line; }
  // A step began; `done` of `all` units of it (bytes; all 0: unknown). Called from one thread, often.
  virtual void progress(std::string_view step, std::uint64_t done, std::uint64_t all) {
    (void)step, (void)done, (void)all;
  }
};

struct Restored {
  Plan plan;
  bool written = false;  // false: dry run, or not approved
  Revision header;       // what the started etcd will say its revision is
  std::uint64_t rows = 0;
  std::uint64_t database_bytes = 0;
  LeasePlan leases;
  io::Path former;                // the member directory that was there before; empty: none
  std::vector<io::Path> reports;  // tidemark-restore-report.txt and .json
  std::string report;             // the text of the first
};

Result<Restored> restore_etcd(const EtcdRestore& wish, Origin& from, Audience& audience, const Clock& clock,
                              Steps& steps, const std::stop_token& stop);

}  // namespace tidemark::restore
