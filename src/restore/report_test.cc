#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "restore/kubernetes_report.h"
#include "restore/leases.h"

namespace tidemark::restore {
namespace {

TEST(Report, KindsByKey) {
  for (const auto& [key, kind, name] : {
           std::tuple("/registry/pods/default/web-0", "pods", "default/web-0"),
           std::tuple("/registry/persistentvolumes/pvc-1", "persistentvolumes", "pvc-1"),
           std::tuple("/registry/persistentvolumeclaims/db/data-0", "persistentvolumeclaims", "db/data-0"),
           std::tuple("/registry/services/specs/default/web", "services", "default/web"),
           std::tuple("/registry/minions/node-1", "nodes", "node-1"),
           std::tuple("/registry/snapshot.storage.k8s.io/volumesnapshotcontents/snap-1", "volumesnapshotcontents",
                      "snap-1"),
           std::tuple("/kubernetes.io/pods/default/web-0", "pods", "default/web-0"),
       }) {
    const auto what = kind_of_key(key);
    ASSERT_TRUE(what) << key;
    EXPECT_EQ(what->first, kind);
    EXPECT_EQ(what->second, name);
  }
  for (const char* other :
       {"", "/", "pods/default/web-0", "/registry", "/registry/", "/registry/pods", "/registry/pods/",
        "/registry/pods/default", "/registry/pods/default/", "/registry/pods/a/b/c", "/registry/podsecurity/a/b",
        "/registry/services/endpoints/default/web", "/registry/persistentvolumes/", "/registry/minions/a/b",
        "/registry/configmaps/a/pods"}) {
    EXPECT_FALSE(kind_of_key(other)) << other;
  }
}

void put(ChangeTally& tally, std::string_view key, std::int64_t create, std::int64_t mod) {
  tally.add(
      {.key = as_bytes(key), .value = {}, .create = Revision(create), .mod = Revision(mod), .version = 1, .lease = {}},
      false, Revision(100));
}
void del(ChangeTally& tally, std::string_view key) {
  tally.add({.key = as_bytes(key), .value = {}, .create = {}, .mod = {}, .version = 0, .lease = {}}, true,
            Revision(100));
}

TEST(Report, FatesOfObjects) {
  ChangeTally tally;
  put(tally, "/registry/pods/a/changed", 50, 101);  // was there, is there: nothing to tell
  put(tally, "/registry/pods/a/created", 102, 102);
  put(tally, "/registry/pods/a/created", 102, 103);
  del(tally, "/registry/pods/a/deleted");
  put(tally, "/registry/pods/a/passing", 104, 104);  // came and went
  del(tally, "/registry/pods/a/passing");
  del(tally, "/registry/pods/a/replaced");
  put(tally, "/registry/pods/a/replaced", 106, 106);
  put(tally, "/registry/pods/a/replaced-later", 60, 107);
  del(tally, "/registry/pods/a/replaced-later");
  put(tally, "/registry/pods/a/replaced-later", 108, 108);
  put(tally, "/registry/configmaps/a/x", 109, 109);  // not of a kind that reaches outside
  OutsideWorld world;
  tally.into(world);
  ASSERT_EQ(world.kinds.size(), 1U);
  const auto& pods = world.kinds.at("pods");
  EXPECT_EQ(pods.created, std::vector<std::string>{"a/created"});
  EXPECT_EQ(pods.deleted, std::vector<std::string>{"a/deleted"});
  EXPECT_EQ(pods.replaced, (std::vector<std::string>{"a/replaced", "a/replaced-later"}));
}

TEST(Report, TellsTheStepsAndTheWorld) {
  OutsideWorld world;
  world.from = Revision(100);
  world.to = Revision(200);
  world.kinds["persistentvolumes"].created = {"pvc-1"};
  EtcdRestore wish;
  wish.data_dir = "/var/lib/etcd";
  Restored done;
  done.plan.reach = Revision(100);
  done.plan.wanted = Revision(100);
  done.header = Revision(1'000'000'200);
  const std::string text = print_report_text(wish, done, world, "dir:/backups");
  std::size_t at = 0;
  for (const char* in_order : {"Fence", "Restore every member", "revision 1000000200", "Start the kube-apiservers",
                               "kube-controller-manager", "Volumes were not touched", "persistentvolumes", "pvc-1"}) {
    const std::size_t found = text.find(in_order, at);
    ASSERT_NE(found, std::string::npos) << in_order << " in\n" << text;
    at = found;
  }
  const auto json = nlohmann::json::parse(print_report_json(wish, done, world, "dir:/backups"));
  EXPECT_EQ(json["kind"], "RestoreReport");
  EXPECT_EQ(json["formatVersion"], 1);
  EXPECT_EQ(json["changesAfter"]["kinds"]["persistentvolumes"]["created"][0], "pvc-1");
}

TEST(Leases, BaseThenSamplesThenDefault) {
  const std::vector<etcd::LeaseState> base = {{LeaseId(1), 60, 30}, {LeaseId(2), 70, 0}};
  const std::vector<LeaseSample> samples = {{Revision(10), {{LeaseId(3), 15, 0}, {LeaseId(4), 0, 0}}},
                                            {Revision(9), {{LeaseId(3), 99, 0}, {LeaseId(4), 40, 0}}}};
  const auto plan = plan_leases(base, {2, 3, 4, 5}, samples);
  ASSERT_EQ(plan.leases.size(), 5U);
  EXPECT_EQ(plan.leases[0].remaining_ttl_s, 30);
  EXPECT_EQ(plan.leases[2].granted_ttl_s, 15);  // the nearest sample
  EXPECT_EQ(plan.leases[3].granted_ttl_s, 40);  // one without a TTL says nothing
  EXPECT_EQ(plan.leases[4].granted_ttl_s, kDefaultLeaseTtlS);
  EXPECT_EQ(plan.from_base, 2U);
  EXPECT_EQ(plan.from_samples, 2U);
  EXPECT_EQ(plan.by_default, 1U);
}

}  // namespace
}  // namespace tidemark::restore
