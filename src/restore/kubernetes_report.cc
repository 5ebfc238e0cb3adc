#include "restore/kubernetes_report.h"

#include <iterator>
#include <nlohmann/json.hpp>

namespace tidemark::restore {
namespace {

constexpr std::size_t kShownInText = 20;

struct Advice {
  std::string_view kind, created, deleted;
};

// What a created or deleted object of a kind means after the objects went back and the world did not.
constexpr Advice kAdvice[] = {
    {"persistentvolumes", "their disks exist but no object names them: they cost money until somebody removes them",
     "the objects are back; the disks may be gone, and pods that mount them will hang"},
    {"persistentvolumeclaims", "the claims are gone; volumes bound to them are released or unknown",
     "the claims are back and bound; check that the volumes behind them still exist"},
    {"volumesnapshotcontents", "their snapshots exist in the storage but no object names them",
     "the objects are back; the snapshots behind them may be gone"},
    {"services", "those of type LoadBalancer left load balancers running that nothing manages",
     "those of type LoadBalancer will get new load balancers, perhaps with other addresses"},
    {"nodes", "they are unknown now; their kubelets register again, or must be restarted",
     "they are back as NotReady; delete them if the machines are gone"},
    {"pods", "kubelets stop their containers as soon as they see that the pods are unknown",
     "they are back and bound to their nodes; kubelets start them again: make sure that a database does not run twice"},
};

void print_names(std::string& text, std::string_view title, const std::vector<std::string>& names,
                 std::string_view advice) {
  if (names.empty()) return;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "  {} {}: {}\n", names.size(), title, advice);
  for (std::size_t i = 0; i < names.size() && i < kShownInText; ++i) fmt::format_to(out, "    {}\n", names[i]);
  if (names.size() > kShownInText)
    fmt::format_to(out, "    … and {} more (see the .json)\n", names.size() - kShownInText);
}

void print_world(std::string& text, const OutsideWorld& world) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "\nBetween revision {} and {}, the newest known\n", world.from, world.to);
  if (world.kinds.empty()) {
    fmt::format_to(out, "  no volume, claim, snapshot, service, node or pod was created or deleted\n");
  }
  for (const Advice& advice : kAdvice) {
    const auto at = world.kinds.find(std::string(advice.kind));
    if (at == world.kinds.end()) continue;
    fmt::format_to(out, "{}\n", advice.kind);
    print_names(text, "created after the target", at->second.created, advice.created);
    print_names(text, "deleted after the target", at->second.deleted, advice.deleted);
    print_names(text, "deleted and created again", at->second.replaced, "the older object is back, with its older UID");
    if (at->second.not_listed > 0) fmt::format_to(out, "  and changes of {} more\n", at->second.not_listed);
  }
  for (const std::string& unread : world.unread) fmt::format_to(out, "not looked at: {}\n", unread);
}

std::vector<std::string> runbook(const EtcdRestore& wish, const Restored& done) {
  std::vector<std::string> steps;
  steps.emplace_back(
      "Fence: stop every kube-apiserver (move its manifest away on all control-plane nodes) and make sure that nothing "
      "is connected to port 2379. Clients that live through the change keep newer objects than etcd holds.");
  steps.emplace_back(
      "Restore every member from the same store and moment, with the same --initial-cluster and a new "
      "--initial-cluster-token, each with its own --name; never start a surviving old member beside them.");
  if (!done.former.empty()) {
    steps.push_back(fmt::format("Keep the former member '{}' until everything below is done.", done.former.string()));
  }
  steps.push_back(fmt::format(
      "Start etcd on '{}'. It comes up at revision {}. On all members compare `etcdctl endpoint hashkv --cluster`.",
      wish.data_dir.string(), done.header));
  steps.emplace_back("Start the kube-apiservers.");
  if (wish.bump.kind == RevisionBump::Kind::none) {
    steps.emplace_back(
        "The revision was not bumped: watches of clients that saw newer revisions stay silent. Restart every "
        "controller, operator and kubelet.");
  }
  steps.emplace_back(
      "Restart kube-controller-manager, kube-scheduler and the cloud controller, then CSI controllers, CNI and "
      "kube-proxy, then kubelets node by node, then operators that keep state outside the cluster.");
  steps.emplace_back(
      "Check: `kubectl get nodes`; tokens of service accounts that were created again; certificates, signing keys and "
      "the encryption configuration are files, not in etcd, and must be those of the restored moment.");
  steps.emplace_back(
      "Volumes were not touched: their data is newer than the objects. Go through the list below before anything "
      "deletes or provisions.");
  return steps;
}

nlohmann::ordered_json names_json(const OutsideWorld::Kind& kind) {
  nlohmann::ordered_json text;
  text["created"] = kind.created;
  text["deleted"] = kind.deleted;
  text["replaced"] = kind.replaced;
  text["notListed"] = kind.not_listed;
  return text;
}

}  // namespace

std::string print_report_text(const EtcdRestore& wish, const Restored& done, const OutsideWorld& world,
                              std::string_view origin) {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "Restored from {} at {}: revision {}, {} rows, {}\n", origin, print_target(wish.target),
                 done.plan.reach, done.rows, human_size(done.database_bytes));
  for (const Hole& hole : done.plan.holes) {
    fmt::format_to(out, "LOST: revisions {}..{}: {}\n", hole.span.first, hole.span.last, hole.reason);
  }
  if (done.leases.by_default > 0) {
    fmt::format_to(out, "{} leases had no known time to live and got {} s\n", done.leases.by_default,
                   kDefaultLeaseTtlS);
  }
  fmt::format_to(out, "\nIf a Kubernetes cluster lives on this etcd, in this order\n");
  int number = 0;
  for (const std::string& step : runbook(wish, done)) fmt::format_to(out, "{:2}. {}\n", ++number, step);
  print_world(text, world);
  return text;
}

std::string print_report_json(const EtcdRestore& wish, const Restored& done, const OutsideWorld& world,
                              std::string_view origin) {
  nlohmann::ordered_json text;
  text["kind"] = "RestoreReport";
  text["formatVersion"] = 1;
  text["store"] = std::string(origin);
  text["target"] = print_target(wish.target);
  text["revision"] = done.plan.reach.raw();
  text["headerRevision"] = done.header.raw();
  text["complete"] = done.plan.complete();
  text["rows"] = done.rows;
  text["databaseBytes"] = done.database_bytes;
  text["formerMember"] = done.former.string();
  text["leases"] = {{"fromBase", done.leases.from_base},
                    {"fromSamples", done.leases.from_samples},
                    {"byDefault", done.leases.by_default}};
  text["plan"] = nlohmann::ordered_json::parse(print_plan_json(done.plan));
  text["steps"] = runbook(wish, done);
  text["changesAfter"] = {{"first", world.from.next().raw()}, {"last", world.to.raw()}};
  for (const auto& [kind, names] : world.kinds) text["changesAfter"]["kinds"][kind] = names_json(names);
  text["changesAfter"]["unread"] = world.unread;
  return text.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Status write_reports(const EtcdRestore& wish, Restored& done, const catalog::Timeline& timeline, const Facts& facts,
                     Origin& from, const std::stop_token& stop) {
  // The restore is done: what cannot be looked up any more must not make it fail.
  auto looked = look_outside(timeline, facts, done.plan.reach, from, stop);
  OutsideWorld world;
  if (looked) {
    world = *std::move(looked);
  } else {
    world.from = done.plan.reach;
    world.to = newest_claimed(timeline, facts);
    world.unread.push_back(looked.error().what);
  }
  done.report = print_report_text(wish, done, world, from.url());
  const io::Path text = wish.data_dir / "tidemark-restore-report.txt",
                 json = wish.data_dir / "tidemark-restore-report.json";
  TM_CHECK(io::write_file_durably(text, as_bytes(done.report)));
  TM_CHECK(io::write_file_durably(json, as_bytes(print_report_json(wish, done, world, from.url()))));
  done.reports = {text, json};
  return {};
}

}  // namespace tidemark::restore
