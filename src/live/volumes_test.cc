#include "live/volumes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using testing::actions;
using testing::object;
using testing::planned;
using testing::step_of;

const Found kClaim = object("persistentvolumeclaims shop/data", R"({"spec":{"volumeName":"pv-1"}})");

Found volume(const char* holder) {
  return object("persistentvolumes pv-1",
                fmt::format(R"({{"spec":{{"claimRef":{}}},"status":{{"phase":"Released"}}}})", holder));
}
constexpr const char* kOwn = R"({"namespace":"shop","name":"data","uid":"old","resourceVersion":"7"})";
constexpr const char* kForeign = R"({"namespace":"shop","name":"other","uid":"x"})";

TEST(Volumes, AClaimThatComesBackAsksForWhatIsThere) {
  struct Row {
    PlanInput others;
    PlanOptions options;
    const char* steps;
    const char* volume;   // empty: a new one
    const char* warning;  // of the claim; nullptr: none
  };
  constexpr const char* kOnlyClaim = "create persistentvolumeclaims shop/data\n";
  constexpr const char* kFreed = "change persistentvolumes pv-1\ncreate persistentvolumeclaims shop/data\n";
  const Row rows[] = {
      {{}, {}, kOnlyClaim, "pv-1", nullptr},
      {{.missing = {"persistentvolumes pv-1"}},
       {},
       kOnlyClaim,
       "",
       "its volume pv-1 is gone, and pv/pv-1 is not put back with it: it gets a new and empty one"},
      {{.beside = {volume(kOwn)}}, {}, kFreed, "pv-1", nullptr},
      {{.beside = {volume(kOwn)}}, {.existing = Existing::merge}, kFreed, "pv-1", nullptr},
      {{.live = {volume(kOwn)}}, {}, kFreed, "pv-1", nullptr},
      {{.wanted = {volume(kOwn)}, .live = {volume(kOwn)}}, {}, kFreed, "pv-1", nullptr},
      {{.wanted = {volume(kOwn)}, .live = {volume(kOwn)}}, {.existing = Existing::merge}, kFreed, "pv-1", nullptr},
      {{.beside = {volume("null")}}, {}, kOnlyClaim, "pv-1", nullptr},
      {{.beside = {volume(R"({"namespace":"shop","name":"data"})")}}, {}, kOnlyClaim, "pv-1", nullptr},
      {{.beside = {volume(kForeign)}},
       {},
       kOnlyClaim,
       "pv-1",
       "its volume pv-1 is claimed by shop/other now: it waits until that is free"},
      {{.wanted = {volume(kOwn)}},
       {},
       "create persistentvolumes pv-1\ncreate persistentvolumeclaims shop/data\n",
       "pv-1",
       nullptr},
      {{},
       {.same_cluster = false},
       kOnlyClaim,
       "",
       "its volume pv-1 is not put back with it: it gets a new and empty one"},
      {{.beside = {volume(kOwn)}},
       {.same_cluster = false},
       kOnlyClaim,
       "",
       "its volume pv-1 is not put back with it: it gets a new and empty one"},
      {{.wanted = {volume(kOwn)}},
       {.same_cluster = false},
       "create persistentvolumes pv-1\ncreate persistentvolumeclaims shop/data\n",
       "pv-1",
       nullptr},
  };
  for (const Row& row : rows) {
    PlanInput input = row.others;
    input.wanted.push_back(kClaim);
    const Plan plan = planned(input, row.options);
    EXPECT_EQ(actions(plan), row.steps);
    const Step& claim = step_of(plan, "persistentvolumeclaims shop/data");
    EXPECT_EQ(text_at(claim.body, "/spec/volumeName"), row.volume);
    EXPECT_EQ(claim.warnings,
              row.warning == nullptr ? std::vector<std::string>() : std::vector<std::string>({row.warning}));
    if (std::string_view(row.steps) != kFreed) continue;
    const Step& freed = step_of(plan, "persistentvolumes pv-1");
    EXPECT_EQ(freed.body["spec"]["claimRef"], nlohmann::json::parse(R"({"namespace":"shop","name":"data"})"));
    EXPECT_EQ(freed.reason, "so that persistentvolumeclaims shop/data gets it back");
    EXPECT_FALSE(freed.merge);
    EXPECT_LT(freed.wave, claim.wave);
  }
}

TEST(Volumes, AClaimThatIsThereFreesNothing) {
  const Found bound = object("persistentvolumeclaims shop/data", R"({"spec":{"volumeName":"pv-1"}})");
  const Plan plan =
      planned({.wanted = {kClaim, volume(kOwn)}, .live = {bound, volume(kOwn)}}, {.existing = Existing::replace});
  EXPECT_EQ(actions(plan), "keep persistentvolumeclaims shop/data\nkeep persistentvolumes pv-1\n");
}

// Else the set would make one of its own, an empty one.
TEST(Volumes, AClaimComesBeforeTheSetThatWantsIt) {
  const Found claim = object("persistentvolumeclaims shop/data-db-0", R"({"spec":{"volumeName":"pv-1"},
    "metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"db","uid":"old","controller":true},
                                   {"apiVersion":"v1","kind":"ConfigMap","name":"other","uid":"u"}]}})");
  const Found set = object("statefulsets.apps shop/db"), other = object("configmaps shop/other");
  const Plan both = planned({.wanted = {claim, set}, .beside = {other}});
  EXPECT_EQ(actions(both), "create persistentvolumeclaims shop/data-db-0\ncreate statefulsets.apps shop/db\n");
  EXPECT_EQ(list_at(both.steps[0].body, "/metadata/ownerReferences").size(), 1U);
  EXPECT_TRUE(both.steps[0].owners.empty());
  EXPECT_TRUE(both.steps[0].warnings.empty()) << both.steps[0].warnings[0];
  // A set that is there is referred to.
  const Plan claim_only = planned({.wanted = {claim}, .beside = {set, other}});
  EXPECT_EQ(list_at(claim_only.steps[0].body, "/metadata/ownerReferences").size(), 2U);
}

TEST(Volumes, ACopyInAnotherNamespaceGetsItsOwn) {
  const Plan plan = planned({.wanted = {kClaim}, .beside = {volume(kOwn)}}, {.namespaces = {{"shop", "copy"}}});
  EXPECT_EQ(actions(plan), "create persistentvolumeclaims copy/data\n");
  EXPECT_EQ(text_at(plan.steps[0].body, "/spec/volumeName"), "");
  EXPECT_EQ(plan.steps[0].warnings[0], "its volume pv-1 stays with shop/data: it gets a new and empty one");
}

TEST(Volumes, WhatAVolumeStoodForMayBeGone) {
  const Found deleted = object("persistentvolumes pv-1", R"({"spec":{"persistentVolumeReclaimPolicy":"Delete"}})");
  const Found retained = object("persistentvolumes pv-1", R"({"spec":{"persistentVolumeReclaimPolicy":"Retain"}})");
  EXPECT_EQ(planned({.wanted = {deleted}}).steps[0].warnings[0],
            "its reclaim policy was Delete: the storage it stands for may be gone");
  EXPECT_TRUE(planned({.wanted = {retained}}).steps[0].warnings.empty());
  EXPECT_EQ(planned({.wanted = {retained}}, {.same_cluster = false}).steps[0].warnings[0],
            "it stands for storage of another place: only one cluster may use it at a time");
}

TEST(Volumes, ASnapshotIsOfThenOrNotMade) {
  constexpr const char* kSnapshot = "volumesnapshots.snapshot.storage.k8s.io shop/s";
  constexpr const char* kContent = "volumesnapshotcontents.snapshot.storage.k8s.io c";
  const Found snapshot = object(kSnapshot, R"({"spec":{"source":{"persistentVolumeClaimName":"data"}},
    "status":{"boundVolumeSnapshotContentName":"c"}})");
  const Found content = object(kContent, R"({"spec":{"source":{"volumeHandle":"v"},
    "volumeSnapshotRef":{"namespace":"shop","name":"s","uid":"old"}},"status":{"snapshotHandle":"h"}})");
  const Found untaken = testing::with(content, R"({"status":{"snapshotHandle":null}})");
  const Found unbound = testing::with(snapshot, R"({"status":null})");
  const Plan both = planned({.wanted = {snapshot, content}});
  EXPECT_EQ(both.count(Action::create), 2U);
  EXPECT_EQ(step_of(both, kSnapshot).body["spec"]["source"]["volumeSnapshotContentName"], "c");
  EXPECT_EQ(step_of(both, kContent).body["spec"]["source"], nlohmann::json::parse(R"({"snapshotHandle":"h"})"));
  EXPECT_FALSE(step_of(both, kContent).body["spec"]["volumeSnapshotRef"].contains("uid"));

  const Plan kept = planned({.wanted = {snapshot}, .beside = {content}});
  EXPECT_EQ(actions(kept), fmt::format("change {}\ncreate {}\n", kContent, kSnapshot));
  EXPECT_FALSE(step_of(kept, kContent).body["spec"]["volumeSnapshotRef"].contains("uid"));

  EXPECT_EQ(planned({.wanted = {snapshot}}).steps[0].reason,
            "its content c is not here and not put back: it would be a snapshot of now");
  EXPECT_EQ(planned({.wanted = {unbound}}).steps[0].reason, "the snapshot had not been taken: it would be one of now");
  EXPECT_EQ(planned({.wanted = {untaken}}).steps[0].reason, "the snapshot had not been taken: it would be one of now");
  const Plan neither = planned({.wanted = {snapshot, untaken}});
  EXPECT_EQ(neither.count(Action::leave_out), 2U) << actions(neither);
}

}  // namespace
}  // namespace tidemark::live
