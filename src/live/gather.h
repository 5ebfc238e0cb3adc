// What there is now of the objects that somebody means, read from the running cluster.
//
//   TM_LET(Gathered now, gather(client, {.kinds = {{deployments, {"web"}}}, .name_space = "shop"}));
//
// Each kind is listed as of one moment, page by page; an object that was asked for by name is read alone. Memory: what
// was asked for. Threads: one at a time.
#pragma once

#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "kube/selector.h"
#include "live/plan.h"
#include "live/served_kinds.h"

namespace tidemark::live {

struct GatherWish {
  struct Kind {
    link::KubeKind kind{};
    std::vector<std::string> names{};  // empty: all
    bool needed = true;                // false: may not be readable for us; that is noted
  };
  std::vector<Kind> kinds{};
  std::string name_space{};  // empty: all
  kube::LabelSelector labels{};
  kube::FieldSelector fields{};
  // Places (object_id()) that count whatever their labels are now: of what is wanted.
  std::set<std::string> always{};
};

struct Gathered {
  std::vector<Found> objects{};
  std::vector<std::string> notes{};
};

// Errc::denied: we may not list or get a kind that is needed; the message names verb, resource and namespace.
Result<Gathered> gather(link::KubeClient& client, const GatherWish& wish, const std::stop_token& stop = {});

// One object; null: there is none. Errors as gather()'s.
Result<nlohmann::json> look_up(link::KubeClient& client, const link::KubeKind& kind, const std::string& name_space,
                               const std::string& name, const std::stop_token& stop = {});

// What wanted objects refer to and is in none of the lists yet.
struct Beside {
  std::vector<Found> objects{};
  std::vector<std::string> missing{};  // Step::id() of what is not there
};
// The owners of `wanted` objects and whatever else they need (references_of()), where they will be. What is of no
// served kind, or what we may not see, is passed over: nothing is known of it.
Result<Beside> gather_beside(link::KubeClient& client, const ServedKinds& served, std::span<const Found> wanted,
                             std::span<const Found> live, const std::map<std::string, std::string>& namespaces,
                             const std::stop_token& stop = {});

}  // namespace tidemark::live
