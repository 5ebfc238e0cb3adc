// Everything of a cluster that is gone into an empty one that is another: its own addresses, other versions served,
// other defaults; and back out of it again.
#include "kit/moved_cluster.h"
#include "kit/restore_objects_drill.h"
#include "kit/step_program.h"

namespace tidemark::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kDefinitions = "customresourcedefinitions.apiextensions.k8s.io";
constexpr const char* kWebhooks = "validatingwebhookconfigurations.admissionregistration.k8s.io";

json named_object(const std::string& name, json more = json::object()) {
  more["metadata"]["name"] = name;
  return more;
}

json definition(const std::string& plural, const std::string& kind, const std::string& version = "v1") {
  const json schema{{"openAPIV3Schema", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}};
  return named_object(
      plural + ".moved.example.com",
      {{"spec",
        {{"group", "moved.example.com"},
         {"scope", "Namespaced"},
         {"names", {{"plural", plural}, {"singular", plural.substr(0, plural.size() - 1)}, {"kind", kind}}},
         {"versions", {{{"name", version}, {"served", true}, {"storage", true}, {"schema", schema}}}}}}});
}

json custom(const std::string& name, const std::string& kind_name, json more) {
  more["apiVersion"] = "moved.example.com/v1";
  more["kind"] = kind_name;
  return named_object(name, std::move(more));
}

class RestoreMoved : public RestoreObjectsDrill {
 protected:
  static void expect_code(const ProgramResult& ran, int code) { EXPECT_EQ(ran.exit_code, code) << ran.out << ran.err; }
  static void define(link::KubeClient& in, const json& definition) {
    const std::string full = definition.at("metadata").at("name");
    const auto made = in.create(kind(kDefinitions), {.name_space = "", .name = full}, definition);
    ASSERT_TRUE(made) << made.error().what;
    ASSERT_TRUE(eventually([&] {
      const auto served = in.discover();
      return served && served->find(full) != nullptr;
    })) << full;
  }
  // A moment at which nothing moves: all of it, as it was before and after.
  static void record_at_rest(Dump& all) {
    ASSERT_TRUE(eventually([&] {
      const auto before = dump_movable(*admin_);
      moment();
      auto after = dump_movable(*admin_);
      if (!before || !after || !differences(*before, *after).empty()) return false;
      all = *std::move(after);
      return true;
    }));
  }

  void SetUp() override {
    RestoreObjectsDrill::SetUp();
    if (HasFatalFailure()) return;
    auto second = BedProcess::start({.scheduler = false});
    ASSERT_TRUE(second) << second.error().what;
    second_ = std::make_unique<BedProcess>(*std::move(second));
    auto access = link::read_kube_config({.file = second_->kubeconfig().string()}, [](std::string_view) { return ""; });
    ASSERT_TRUE(access) << access.error().what;
    other_ = std::make_unique<link::KubeClient>(*std::move(access));
  }
  ProgramResult into_second(std::vector<std::string> args) {
    args.insert(args.begin(), tidemark_program());
    args.insert(args.end(),
                {"--store", store(), "--kubeconfig", second_->kubeconfig().string(), "--progress", "none", "--yes"});
    const auto ran = run_program(args, {.timeout = kPatience});
    EXPECT_TRUE(ran) << ran.error().what;
    return ran ? *ran : ProgramResult();
  }
  // Until `rest` says nothing of what there is in the second cluster.
  void expect_nothing_of(const std::function<std::string(const Dump&)>& rest) {
    std::string left;
    EXPECT_TRUE(eventually([&] {
      const auto is = dump_movable(*other_);
      left = is ? rest(*is) : is.error().what;
      return left.empty();
    })) << left;
  }

  std::unique_ptr<BedProcess> second_;
  std::unique_ptr<link::KubeClient> other_;
};

TEST_F(RestoreMoved, EverythingIntoAnEmptyClusterAndBack) {
  const auto filled =
      bed_->bed({"fill", "--objects", std::to_string(scaled(100)), "--seed", std::to_string(seed() % 100'000)});
  ASSERT_TRUE(filled) << filled.error().what;
  define(*admin_, definition("wheels", "Wheel"));
  make_hard_to_move(
      [](const char* kind_name, const char* ns, json object) { return make(kind_name, ns, std::move(object)); });
  for (int i = 0; i < 3; i++)
    make("wheels.moved.example.com", "move", custom(fmt::format("w{}", i), "Wheel", {{"spec", {{"size", i}}}}));
  ASSERT_TRUE(eventually([&] { return is_settled(*admin_, served_); }));
  make(kWebhooks, "", wall());
  Dump was;
  ASSERT_NO_FATAL_FAILURE(record_at_rest(was));
  ASSERT_GT(was.size(), 200U);
  // The first cluster is of no use any more; its store is.
  remove(kWebhooks, "", "wall");

  const auto empty = dump_movable(*other_);
  ASSERT_TRUE(empty) << empty.error().what;
  const std::vector<std::string> everything{"restore", "-A", "--cluster-scoped", "--at", "latest"};
  const ProgramResult moved = into_second(everything);
  expect_code(moved, 0);
  EXPECT_EQ(moved.err, "");
  EXPECT_THAT(moved.out, HasSubstr("kept as v1beta1, made as v1"));  // MutatingAdmissionPolicies
  expect_nothing_of([&](const Dump& is) { return differences(was, is); });
  ASSERT_TRUE(eventually([&] { return is_settled(*other_, served_); }));
  // Once more changes nothing.
  const ProgramResult again = into_second(everything);
  expect_code(again, 0);
  EXPECT_THAT(again.out, HasSubstr("nothing to do"));
  EXPECT_THAT(again.out, Not(HasSubstr("differs")));

  // And all of it goes again, but what data or all objects of a kind would go with.
  expect_code(into_second({"undo", last_restore()}), 0);
  expect_nothing_of([&](const Dump& is) { return more_than(*empty, is); });
  EXPECT_TRUE(other_->get(kind("persistentvolumeclaims"), {.name_space = "move", .name = "data"}));
}

TEST_F(RestoreMoved, WhatWasKeptInAVersionThatIsNotServedIsNamed) {
  define(*admin_, definition("levers", "Lever"));
  make_namespace("levers");
  make("levers.moved.example.com", "levers", custom("long", "Lever", {{"spec", {{"size", 1}}}}));
  moment();
  define(*other_, definition("levers", "Lever", "v2"));
  const ProgramResult older = into_second({"restore", "levers", "-n", "levers", "--at", "latest"});
  expect_code(older, 3);
  EXPECT_THAT(older.err, HasSubstr("levers.moved.example.com levers/long: it was kept as moved.example.com/v1, and "
                                   "this cluster serves its kind as v2 only"));
}

}  // namespace
}  // namespace tidemark::testing

int main(int argc, char** argv) {
  if (tidemark::testing::is_step_program()) return tidemark::testing::step_program(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
