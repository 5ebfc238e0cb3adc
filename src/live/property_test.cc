// Over random edits of a real cluster: what a plan has done once, it does not want to do again.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/testing/scale.h"
#include "live/json_reach.h"
#include "live/testing/cluster.h"
#include "live/testing/objects.h"
#include "live/testing/real_cluster.h"

namespace tidemark::live {
namespace {

using nlohmann::json;
using testing::Cluster;
using ::testing::EndsWith;

class Editor {
 public:
  explicit Editor(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  // Deletes, changes, and adds; returns what was done.
  void edit(Cluster& cluster, int times) {
    for (int i = 0; i < times; i++) {
      const std::vector<std::string> ids = cluster.ids();
      const std::string& id = ids[below(ids.size())];
      const Found one = cluster.at(id);
      switch (below(4)) {
        case 0: cluster.erase(id); break;
        case 1: add_like(cluster, one); break;
        default: cluster.at(id).object = changed(one.object);
      }
    }
    cluster.collect_garbage();
  }

 private:
  void add_like(Cluster& cluster, Found found) {
    found.object["metadata"]["name"] = text_at(found.object, "/metadata/name") + "-new";
    for (const std::string_view path : {"/metadata/uid", "/metadata/resourceVersion", "/metadata/managedFields"}) {
      erase_at(found.object, path);
    }
    (void)cluster.create(found);  // its namespace may have gone
  }

  json changed(json object) {
    switch (below(4)) {
      case 0: set_at(object, "/metadata/labels/edited", std::to_string(below(9))); break;
      case 1: set_at(object, "/metadata/annotations/edited", std::to_string(below(9))); break;
      case 2: erase_at(object, "/metadata/labels"); break;
      default:
        for (const char* part : {"/spec", "/data", "/rules", "/subjects", "/roleRef"}) {
          if (json* value = reach(object, part)) change_leaf(*value);
        }
    }
    object["metadata"]["resourceVersion"] = std::to_string(100000 + below(100000));
    return object;
  }

  void change_leaf(json& value) {
    json* at = &value;
    while (at->is_structured() && !at->empty()) at = &*std::next(at->begin(), static_cast<long>(below(at->size())));
    if (at->is_string()) *at = at->get<std::string>() + "x";
    if (at->is_number_integer()) *at = at->get<std::int64_t>() + 1;
    if (at->is_boolean()) *at = !at->get<bool>();
  }

  std::mt19937_64 random_;
};

std::string changing(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) {
    if (step.changes()) text += fmt::format("{} {}: {}\n", testing::word(step.action), step.id(), step.reason);
  }
  return text;
}

std::string reason_of(const Plan& plan, const std::string& id) {
  const auto step = std::ranges::find(plan.steps, id, &Step::id);
  return step == plan.steps.end() ? "" : step->reason;
}

TEST(PlanOfARealCluster, AgainstItselfDoesNothing) {
  const std::vector<Found>& all = testing::real_objects();
  ASSERT_GT(all.size(), 500U);
  for (const Existing existing : {Existing::skip, Existing::merge, Existing::replace, Existing::recreate}) {
    const Plan plan = testing::planned({.wanted = all, .live = all}, {.existing = existing, .prune = true});
    EXPECT_EQ(changing(plan), "");
    EXPECT_EQ(plan.steps.size(), all.size());
    for (const Step& step : plan.steps) {
      if (step.action == Action::keep) {
        EXPECT_EQ(step.reason, "as it was") << step.id();
      }
    }
    EXPECT_TRUE(plan.warnings.empty()) << plan.warnings.front();
  }
}

TEST(PlanOfARealCluster, IntoAnEmptyOneMakesAllAndThenNothing) {
  const std::vector<Found>& all = testing::real_objects();
  for (const bool same_cluster : {true, false}) {
    const PlanOptions options{.existing = Existing::replace, .same_cluster = same_cluster};
    Cluster cluster;
    const Plan plan = testing::planned({.wanted = all, .live = {}}, options);
    EXPECT_EQ(plan.count(Action::create) + plan.count(Action::leave_out), all.size());
    EXPECT_GT(plan.count(Action::create), 300U);
    EXPECT_EQ(cluster.apply(plan), std::vector<std::string>());
    const std::size_t made = cluster.all().size();
    cluster.collect_garbage();
    EXPECT_EQ(cluster.all().size(), made) << "an owner's uid was wrong";
    if (!same_cluster) continue;  // there the addresses are others, which is as it should be
    EXPECT_EQ(changing(testing::planned({.wanted = all, .live = cluster.all()}, options)), "");
  }
}

TEST(PlanOfARealCluster, DoneOnceIsDone) {
  const std::vector<Found>& all = testing::real_objects();
  Editor editor(tidemark::testing::seed());
  const int rounds = tidemark::testing::scaled(12);
  for (int round = 0; round < rounds; round++) {
    const PlanOptions options{.existing = static_cast<Existing>(round % 4),
                              .prune = round % 3 != 0,
                              .remove_namespaces = round % 2 == 0,
                              .max_share = 100};
    Cluster cluster(all);
    editor.edit(cluster, 20);
    const Plan plan = testing::planned({.wanted = all, .live = cluster.all()}, options);
    EXPECT_EQ(cluster.apply(plan), std::vector<std::string>()) << "round " << round;
    const std::vector<std::string> there = cluster.ids();
    cluster.collect_garbage();
    for (const std::string& id : there) {
      // What a controller makes goes with the owner that had to be made again, and comes again by itself.
      if (cluster.has(id)) continue;
      EXPECT_THAT(reason_of(plan, id), EndsWith(" makes it")) << id << " in round " << round;
    }
    const Plan again = testing::planned({.wanted = all, .live = cluster.all()}, options);
    EXPECT_EQ(changing(again), "") << "round " << round << " of mode " << round % 4;
    if (options.existing != Existing::recreate) continue;
    // All that may be made again is as it was.
    for (const Step& step : again.steps) {
      if (step.action != Action::keep || step.reason.starts_with("was not there")) continue;
      EXPECT_TRUE(step.reason == "as it was" || step.reason.find("never deleted") != std::string::npos)
          << step.id() << ": " << step.reason;
    }
  }
}

TEST(PlanOfARealCluster, IsTheSameEachTimeAndKnowsEachState) {
  std::vector<Found> all = testing::real_objects();
  const PlanOptions options{.existing = Existing::replace};
  const Plan plan = testing::planned({.wanted = all, .live = all}, options);
  std::vector<Found> shuffled = all;
  std::ranges::shuffle(shuffled, std::mt19937_64(tidemark::testing::seed()));
  EXPECT_EQ(testing::planned({.wanted = shuffled, .live = shuffled}, options).digest(), plan.digest());

  std::set<std::string> left_out;
  for (const Step& step : plan.steps) {
    if (step.action == Action::leave_out) left_out.insert(step.id());
  }
  Editor editor(tidemark::testing::seed());
  for (int i = 0; i < 6; i++) {
    std::vector<Found> moved = all;
    Found& one = moved[editor.below(moved.size())];
    one.object["metadata"]["resourceVersion"] = "99999999";
    const bool counts = !left_out.contains(object_id(one.kind, one.object));
    const std::string digest = testing::planned({.wanted = all, .live = moved}, options).digest();
    EXPECT_EQ(digest != plan.digest(), counts) << object_id(one.kind, one.object);
  }
}

}  // namespace
}  // namespace tidemark::live
