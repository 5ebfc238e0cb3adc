#include "live/order.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "live/json_reach.h"
#include "live/owners.h"
#include "live/taken_addresses.h"

namespace tidemark::live {
namespace {

struct Rank {
  std::string_view kind;
  int rank;
};

// Anything else, all custom resources among it, comes when what it may ask for is there.
constexpr int kCustom = 18;
constexpr int kRemovals = 1000;

constexpr Rank kRanks[] = {
    {"customresourcedefinitions.apiextensions.k8s.io", 1},
    {"namespaces", 2},
    {"csidrivers.storage.k8s.io", 3},
    {"deviceclasses.resource.k8s.io", 3},
    {"flowschemas.flowcontrol.apiserver.k8s.io", 3},
    {"gatewayclasses.gateway.networking.k8s.io", 3},
    {"ingressclasses.networking.k8s.io", 3},
    {"priorityclasses.scheduling.k8s.io", 3},
    {"prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", 3},
    {"runtimeclasses.node.k8s.io", 3},
    {"servicecidrs.networking.k8s.io", 3},
    {"storageclasses.storage.k8s.io", 3},
    {"volumeattributesclasses.storage.k8s.io", 3},
    {"volumegroupsnapshotclasses.groupsnapshot.storage.k8s.io", 3},
    {"volumesnapshotclasses.snapshot.storage.k8s.io", 3},
    {"volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io", 4},
    {"volumesnapshotcontents.snapshot.storage.k8s.io", 4},
    {"volumegroupsnapshots.groupsnapshot.storage.k8s.io", 5},
    {"volumesnapshots.snapshot.storage.k8s.io", 5},
    {"persistentvolumes", 6},
    {"persistentvolumeclaims", 7},
    {"serviceaccounts", 8},
    {"clusterroles.rbac.authorization.k8s.io", 9},
    {"roles.rbac.authorization.k8s.io", 9},
    {"clusterrolebindings.rbac.authorization.k8s.io", 10},
    {"rolebindings.rbac.authorization.k8s.io", 10},
    {"configmaps", 11},
    {"limitranges", 11},
    {"secrets", 11},
    {"networkpolicies.networking.k8s.io", 12},
    {"services", 12},
    {"endpoints", 13},
    {"endpointslices.discovery.k8s.io", 13},
    {"controllerrevisions.apps", 14},
    {"pods", 14},
    {"podtemplates", 14},
    {"resourceclaims.resource.k8s.io", 14},
    {"resourceclaimtemplates.resource.k8s.io", 14},
    {"replicasets.apps", 15},
    {"replicationcontrollers", 15},
    {"cronjobs.batch", 16},
    {"daemonsets.apps", 16},
    {"deployments.apps", 16},
    {"jobs.batch", 16},
    {"statefulsets.apps", 16},
    {"gateways.gateway.networking.k8s.io", 17},
    {"grpcroutes.gateway.networking.k8s.io", 17},
    {"horizontalpodautoscalers.autoscaling", 17},
    {"httproutes.gateway.networking.k8s.io", 17},
    {"ingresses.networking.k8s.io", 17},
    {"poddisruptionbudgets.policy", 17},
    // After the workloads: a server that has not counted yet refuses them.
    {"resourcequotas", 17},
    // Those with a Service behind them answer when it does.
    {"apiservices.apiregistration.k8s.io", 19},
    // These may refuse all others, and nothing refuses them.
    {"mutatingadmissionpolicies.admissionregistration.k8s.io", 20},
    {"validatingadmissionpolicies.admissionregistration.k8s.io", 20},
    {"mutatingadmissionpolicybindings.admissionregistration.k8s.io", 21},
    {"mutatingwebhookconfigurations.admissionregistration.k8s.io", 21},
    {"validatingadmissionpolicybindings.admissionregistration.k8s.io", 21},
    {"validatingwebhookconfigurations.admissionregistration.k8s.io", 21},
};

struct Place {
  int rank = 0, depth = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

using ById = std::map<std::string, Step*>;

bool is_made_service(const Step& step) {
  return step.kind.full_name() == "services" && (step.action == Action::create || step.action == Action::recreate);
}

// The addresses and ports that Services are to have again.
std::set<std::string> claimed_addresses(const std::vector<Step>& steps) {
  std::set<std::string> claimed;
  for (const Step& step : steps) {
    if (is_made_service(step)) claimed.merge(addresses_of(step.body));
  }
  return claimed;
}

// It takes any address and any port, so it lets those go first who want one of their own.
bool gives_way(const Step& step) { return is_made_service(step) && addresses_of(step.body).empty(); }

bool holds_claimed(const Step& step, const std::set<std::string>& claimed) {
  return std::ranges::any_of(addresses_of(step.before),
                             [&](const std::string& address) { return claimed.contains(address); });
}

// It could refuse what is put back, or has what is needed for it.
bool stands_in_the_way(const Step& step, const std::set<std::string>& claimed) {
  const std::string kind = step.kind.full_name();
  return step.kind.group == "admissionregistration.k8s.io" || kind == "resourcequotas" || kind == "limitranges" ||
         (kind == "services" && holds_claimed(step, claimed));
}

// Which owners of `id` lead back to it?
bool leads_to(const ById& by_id, const std::string& from, const std::string& id, std::set<std::string>& seen) {
  if (from == id) return true;
  if (!seen.insert(from).second) return false;
  const auto found = by_id.find(from);
  if (found == by_id.end()) return false;
  return std::ranges::any_of(found->second->owners,
                             [&](const std::string& owner) { return leads_to(by_id, owner, id, seen); });
}

void break_circles(const World& world, std::vector<Step>& steps, const ById& by_id) {
  for (Step& step : steps) {
    const std::string id = step.id();
    std::set<std::string> circular;
    for (const std::string& owner : step.owners) {
      std::set<std::string> seen;
      if (leads_to(by_id, owner, id, seen)) circular.insert(owner);
    }
    if (circular.empty()) continue;
    drop_owners(world, step.name_space, circular, step.body);
    std::erase_if(step.owners, [&](const std::string& owner) { return circular.contains(owner); });
    for (const std::string& owner : circular) {
      step.warnings.push_back(fmt::format("it and its owner {} own each other: it is put back without", owner));
    }
  }
}

Place place_of(const Step& step, const ById& by_id, std::map<std::string, Place>& known) {
  const std::string id = step.id();
  if (const auto found = known.find(id); found != known.end()) return found->second;
  Place place{.rank = rank_of(step.kind), .depth = gives_way(step) ? 1 : 0};
  for (const std::string& owner : step.owners) {
    const auto found = by_id.find(owner);
    if (found == by_id.end()) continue;
    Place after = place_of(*found->second, by_id, known);
    after.depth++;
    place = std::max(place, after);
  }
  known.emplace(id, place);
  return place;
}

}  // namespace

int rank_of(const link::KubeKind& kind) {
  const auto* const found = std::ranges::find(kRanks, kind.full_name(), &Rank::kind);
  return found == std::end(kRanks) ? kCustom : found->rank;
}

void put_in_order(const World& world, std::vector<Step>& steps) {
  ById by_id;
  for (Step& step : steps) by_id.emplace(step.id(), &step);
  break_circles(world, steps, by_id);
  const std::set<std::string> claimed = claimed_addresses(steps);
  std::map<std::string, Place> known;
  std::map<const Step*, Place> places;
  std::set<Place> all;
  for (const Step& step : steps) {
    if (!step.changes()) continue;
    Place place = place_of(step, by_id, known);
    if (step.action == Action::remove) {
      place = stands_in_the_way(step, claimed) ? Place{} : Place{.rank = kRemovals - place.rank, .depth = 0};
    }
    places.emplace(&step, place);
    all.insert(place);
  }
  std::map<Place, int> waves;
  for (const Place& place : all) waves.emplace(place, static_cast<int>(waves.size()) + 1);
  for (Step& step : steps) {
    const auto found = places.find(&step);
    step.wave = found == places.end() ? 0 : waves.at(found->second);
  }
  std::ranges::sort(steps, [](const Step& a, const Step& b) {
    return std::tie(a.wave, a.kind.group, a.kind.resource, a.name_space, a.name) <
           std::tie(b.wave, b.kind.group, b.kind.resource, b.name_space, b.name);
  });
}

}  // namespace tidemark::live
