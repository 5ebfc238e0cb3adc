// What it takes to bring objects of a running cluster back to what they were: wanted against live, a list of steps.
//
//   Plan plan = make_plan({.wanted = ..., .live = ..., .served = discovery}, {.existing = Existing::replace});
//   for (const Step& step : plan.steps) ...   // in the order in which they are to be done
//
// Pure: the same input gives the same plan; no cluster, no clock, no store. Nothing is changed by making one.
// Rules: doc/operate/restore-rules.md. Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "link/kube_client.h"

namespace tidemark::live {

// What is done about an object that is there and differs from the wanted one.
enum class Existing {
  skip,     // stays as it is; the plan shows the difference
  merge,    // server-side apply: what was wanted is set, what came since stays
  replace,  // exactly what was wanted, apart from the fields that a controller owns now
  recreate  // as replace; an immutable difference is met by deleting (dependants are orphaned) and creating
};

struct PlanOptions {
  Existing existing = Existing::skip;
  bool prune = false;              // removes what was not there then. Never a definition of custom resources
  bool remove_namespaces = false;  // prune may remove a namespace that was not there then, and so all that is in it
  int max_share = 20;              // percent of the live objects in scope that prune may remove; more: no plan
  bool status = false;             // also puts back .status where the kind has it as a subresource
  bool same_cluster = true;        // addresses, node ports and volume names are kept; false: a migration
  std::map<std::string, std::string> namespaces{};  // then -> now; a namespace that is not named stays
  // Where what is wanted is read again: a revision of the store, or what the restore of this number kept. 0: nowhere.
  std::int64_t revision = 0;
  std::uint32_t undo = 0;
};

// One object with what its server says of its kind.
struct Found {
  link::KubeKind kind{};
  nlohmann::json object{};  // live: as the server gave it, managedFields included
  std::string kept_as{};    // wanted: the version that it was kept in, when it is sent in another one. See Step
};

// A wanted object that cannot be sent.
struct Unserved {
  std::string id{};  // Step::id()
  std::string reason{};
  bool is_loss = true;  // false: it would not be put back in any case
};

struct PlanInput {
  std::vector<Found> wanted{};
  std::vector<Found> live{};  // everything in scope: what prune may remove
  // What is live out of scope, and wanted objects refer to: owners, and what references_of() (references.h) names. Only
  // looked at. One exception: a volume whose claim was deleted and comes back is made free for it.
  std::vector<Found> beside{};
  // Step::id() of what was asked for and is not there. What is in none of the lists is unknown: nothing is said of it.
  std::vector<std::string> missing{};
  // Nobody serves their kind now and no wanted CRD brings it back; or not in a version that would do.
  std::vector<Unserved> unserved{};
};

enum class Action {
  create,    // not there
  change,    // there, and different
  recreate,  // there, and only deleting and creating gets it there; or before has a deletionTimestamp: it is going by
             // itself, so nothing is deleted and its end is awaited
  remove,    // there, was not then; only with prune
  keep,      // there, and stays: equal, or different and Existing::skip, or not there then and no prune
  leave_out  // is not put back, reason says why: a controller makes it, it was being deleted, it cannot be put back
};

// Step::reason of what is kept because it is equal.
inline constexpr const char* kAsItWas = "as it was";

struct Step {
  Action action = Action::keep;
  int wave = 0;  // from 1; steps of a wave do not need each other. 0: nothing is done
  link::KubeKind kind{};
  std::string name_space{}, name{};  // as now, after a mapping of namespaces
  bool merge = false;                // change: server-side apply of body; else body is all that stays (PUT)
  nlohmann::json body{};    // create, change, recreate: what is sent. No uid, no resourceVersion, no managedFields
  nlohmann::json status{};  // null: none is written
  nlohmann::json before{};  // the live object; null: there was none
  std::string reason{};     // for keep and leave_out, why recreate, and what is special about a create
  std::vector<std::string>
      warnings{};  // "managed by helm, which may put it back", "finalizer x: nobody here serves it"
  // Step::id() of owners that this plan makes, so that their uid is not known yet. Their waves are earlier. In body
  // their references stand without uid, in this order; other references have the uid of the live owner.
  std::vector<std::string> owners{};
  // Forced apply takes fields over from these; or they own what differs.
  std::vector<std::string> field_owners{};
  // The version that it was kept in, when it is sent in another one with the same fields ("v1beta1"; kind.version is
  // what is sent). The server is told to refuse a field that it does not know. Empty: as it was kept.
  std::string kept_as{};
  std::string verb_denied{};  // "create deployments.apps in namespace shop": asked of the server, not by make_plan

  // "deployments.apps shop/web"
  std::string id() const;
  bool changes() const { return action != Action::keep && action != Action::leave_out; }
};

struct Plan {
  std::vector<Step> steps{};  // by wave, then kind, then name: the same order each time. Each id once
  std::vector<std::string> warnings{};
  std::size_t count(Action action) const;
  // Of everything that was decided, and of the live states it was decided on: uid and resourceVersion of each. Not of
  // what Secrets hold, for it is printed.
  std::string digest() const;
};

// Errc::invalid: prune would remove more than its share (the message has both numbers), two wanted objects come to the
// same place by a mapping.
Result<Plan> make_plan(const PlanInput& input, const PlanOptions& options);

// The document of `restore --dry-run -o yaml`, which `apply` reads again. What Secrets hold is not in it: fill_body()
// (plan_secrets.h) puts it back.
nlohmann::ordered_json plan_document(const Plan& plan, const PlanOptions& options);
// Errc::corrupt: no such document, digest does not fit. Errc::unsupported: a newer version.
Result<Plan> read_plan(const nlohmann::json& document, PlanOptions& options);

}  // namespace tidemark::live
