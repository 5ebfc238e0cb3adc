// Which objects a restore reads, and what it can reach with them. Pure: no store, no clock; a table in, a plan out.
//
// A timeline knows names only. What opening an object teaches (its true revisions, that it is bad) comes in as Facts;
// the engine plans, opens, learns, plans again. So one function answers every "what if" of a broken bucket.
//
// Rules
// * Base: the newest good full at or below R. Older ones never reach further, they only need more deltas. When there is
//   none: a full above R whose own history still holds R (it was compacted at or below R).
// * Deltas are stitched by revision: each plan step takes exactly the revisions after the step before it, whatever
//   else (overlap, duplicate) its object holds. Strays are used only where nothing else joins.
// * `latest` means the newest revision any object claims to hold. When the chain ends earlier the plan says so:
//   lost = what is missing. For an explicit revision that is a refusal, with the nearest moments on both sides.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "catalog/timeline.h"

namespace tidemark::restore {

// What opening an object taught, by key. An absent entry: not opened yet, its name is believed.
struct Facts {
  struct Full {
    Revision revision;       // the true one: max(last row, scheduled, finished compaction)
    Revision readable_from;  // states before this are compacted away; 0: never compacted
  };
  std::map<std::string, Full> fulls;
  std::map<std::string, RevisionSpan> deltas;  // revisions really inside
  std::map<std::string, std::string> bad;      // key -> why it cannot be used
};

struct Step {
  catalog::Point point;
  RevisionSpan take;  // revisions to apply from this delta; dense
};

struct Hole {
  RevisionSpan span;
  std::string reason;
};

struct Plan {
  catalog::Point base;
  Revision base_revision;  // true if it was opened, else by name
  Revision reach;          // what the restored store will hold: the target, unless something is lost
  Revision wanted;         // for latest: the newest revision any object claims
  Revision newest;         // the newest revision any object claims, for the revision bump
  std::vector<Step> steps;
  std::vector<Hole> holes;         // between reach and wanted; non-empty exactly when reach < wanted
  std::vector<std::string> notes;  // strays used, fulls passed over and why
  bool complete() const { return reach >= wanted; }
};

struct Wish {
  std::optional<Revision> revision;  // nullopt: the newest
  bool or_less = false;              // when it cannot be reached: the newest provable one, instead of a refusal
};

// Errc::not_found: nothing restorable, or not at this revision; the message names the earliest, the latest and the
// nearest restorable revisions. Errc::corrupt: there are fulls, all of them unusable.
Result<Plan> make_plan(const catalog::Timeline& timeline, const Wish& wish, const Facts& facts);

// The refusal where there is no full snapshot at all.
std::unexpected<Error> no_full(const catalog::Timeline& timeline);

// The newest revision that any object claims to hold, also one that cannot be used any more: it existed.
Revision newest_claimed(const catalog::Timeline& timeline, const Facts& facts);

// The stretch that each usable full and what continues it can bring back, in the order of the fulls; they may overlap.
std::vector<RevisionSpan> reachable(const catalog::Timeline& timeline, const Facts& facts);

// What is known of the revisions after `from`, with or without holes: for reports of what a restore goes back behind.
std::vector<Step> steps_after(const catalog::Timeline& timeline, const Facts& facts, Revision from);

// What a person reads before anything is written.
std::string print_plan_table(const Plan& plan);
// {"kind":"RestorePlan","formatVersion":1,…}
std::string print_plan_json(const Plan& plan);

}  // namespace tidemark::restore
