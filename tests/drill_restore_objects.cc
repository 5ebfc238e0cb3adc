// Objects put back into a running cluster, and taken back again: the real API server and controllers, recorded from
// their etcd.
#include <signal.h>

#include <fstream>
#include <random>

#include "capture/testing/kill_at.h"
#include "kit/restore_objects_drill.h"
#include "kit/step_program.h"

namespace tidemark::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

json named_object(const std::string& name, json more = json::object()) {
  more["metadata"]["name"] = name;
  return more;
}

json pod_template(const std::string& app) {
  return {{"metadata", {{"labels", {{"app", app}}}}},
          {"spec", {{"containers", {{{"name", "c"}, {"image", "localhost/worker:1"}}}}}}};
}

// A round of `kinds` of an application, `round` in their names.
void fill(const std::function<json(const std::string&, json)>& make, int round) {
  const std::string n = std::to_string(round), app = "app-" + n;
  const json selector{{"matchLabels", {{"app", app}}}};
  make("serviceaccounts", named_object("account-" + n));
  make("configmaps", named_object("map-" + n, {{"data", {{"text", "round " + n}}}}));
  make("secrets", named_object("secret-" + n, {{"stringData", {{"password", "p" + n}}}}));
  make("services",
       named_object("service-" + n, {{"spec", {{"selector", {{"app", app}}}, {"ports", {{{"port", 80}}}}}}}));
  make(
      "deployments.apps",
      named_object("web-" + n, {{"spec", {{"replicas", 0}, {"selector", selector}, {"template", pod_template(app)}}}}));
  make("statefulsets.apps", named_object("db-" + n, {{"spec",
                                                      {{"replicas", 0},
                                                       {"serviceName", "service-" + n},
                                                       {"selector", selector},
                                                       {"template", pod_template(app)}}}}));
  json job = pod_template(app);
  job["spec"]["restartPolicy"] = "Never";
  make("cronjobs.batch",
       named_object(
           "nightly-" + n,
           {{"spec",
             {{"schedule", "0 3 * * *"}, {"suspend", true}, {"jobTemplate", {{"spec", {{"template", job}}}}}}}}));
  make("roles.rbac.authorization.k8s.io",
       named_object("role-" + n,
                    {{"rules", {{{"apiGroups", {""}}, {"resources", {"configmaps"}}, {"verbs", {"get"}}}}}}));
  make("rolebindings.rbac.authorization.k8s.io",
       named_object("binding-" + n,
                    {{"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "role-" + n}}},
                     {"subjects", {{{"kind", "ServiceAccount"}, {"name", "account-" + n}}}}}));
  make("networkpolicies.networking.k8s.io", named_object("fence-" + n, {{"spec", {{"podSelector", selector}}}}));
  make("poddisruptionbudgets.policy",
       named_object("budget-" + n, {{"spec", {{"minAvailable", 1}, {"selector", selector}}}}));
}

class RestoreObjects : public RestoreObjectsDrill {
 protected:
  // A namespace with some of everything, and its controllers done with it.
  static void make_full_namespace(const std::string& ns, int rounds) {
    make_namespace(ns);
    for (int round = 0; round < rounds; round++) {
      fill([&](const std::string& kind_name, json object) { return make(kind_name, ns, std::move(object)); }, round);
    }
    const json::json_pointer revision("/metadata/annotations/deployment.kubernetes.io~1revision");
    for (int round = 0; round < rounds; round++) {
      EXPECT_TRUE(
          eventually([&] { return get("deployments.apps", ns, "web-" + std::to_string(round)).contains(revision); }));
    }
  }
  static void expect_code(const ProgramResult& ran, int code) { EXPECT_EQ(ran.exit_code, code) << ran.out << ran.err; }
  static json data_of(const std::string& ns, const std::string& name) {
    const json map = get("configmaps", ns, name);
    return map.is_null() ? json() : map.value("data", json::object());
  }
};

TEST_F(RestoreObjects, ADeletedNamespaceComesBackAndGoesAgain) {
  make_full_namespace("shop", scaled(4));
  const Dump before = dump("shop");
  ASSERT_GT(before.size(), 40U);
  const std::string at = moment();
  remove_namespace("shop");

  const ProgramResult plan = tidemark({"restore", "-n", "shop", "--at", at, "--dry-run"});
  expect_code(plan, 0);
  EXPECT_THAT(plan.out, HasSubstr("create  "));
  EXPECT_TRUE(get("namespaces", "", "shop").is_null());
  const ProgramResult unanswered = tidemark({"restore", "-n", "shop", "--at", at});
  expect_code(unanswered, 2);
  EXPECT_THAT(unanswered.err, HasSubstr("hint: add --yes"));
  EXPECT_TRUE(get("namespaces", "", "shop").is_null());

  expect_code(tidemark({"restore", "-n", "shop", "--at", at, "--yes"}), 0);
  expect_dump("shop", before);
  const std::string number = last_restore();
  const ProgramResult again = tidemark({"restore", "-n", "shop", "--at", at, "--yes"});
  expect_code(again, 0);
  EXPECT_THAT(again.out, HasSubstr("nothing to do"));

  // Taken back, and that taken back, too.
  expect_code(tidemark({"undo", number, "--yes"}), 0);
  EXPECT_TRUE(get("namespaces", "", "shop").is_null());
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  expect_dump("shop", before);
  for (const auto& [id, object] : dump("shop")) {
    EXPECT_THAT(object.at("metadata").value("labels", json::object()).dump(), Not(HasSubstr("tidemark"))) << id;
    EXPECT_THAT(object.at("metadata").value("annotations", json::object()).dump(), Not(HasSubstr("tidemark"))) << id;
  }
  remove_namespace("shop");
}

TEST_F(RestoreObjects, WhatSomebodyEditedGoesBack) {
  make_full_namespace("edits", 2);
  std::mt19937_64 dice(seed());
  for (int round = 0; round < scaled(2); round++) {
    const Dump before = dump("edits");
    const std::string at = moment();
    std::vector<std::string> ids;
    for (const auto& [id, object] : before) {
      if (id.starts_with("configmaps ") || id.starts_with("secrets ") || id.starts_with("networkpolicies."))
        ids.push_back(id);
    }
    std::shuffle(ids.begin(), ids.end(), dice);
    for (std::size_t i = 0; i < ids.size(); i++) {
      const std::string kind_name = ids[i].substr(0, ids[i].find(' ')), name = ids[i].substr(ids[i].find('/') + 1);
      if (i % 3 == 0) {
        remove(kind_name, "edits", name);
      } else {
        const json patch{{"metadata", {{"labels", {{"edited", std::to_string(dice() % 1000)}}}}}};
        ASSERT_TRUE(
            admin_->patch(kind(kind_name), {.name_space = "edits", .name = name}, link::KubePatch::merge, patch));
      }
    }
    make("configmaps", "edits", named_object(fmt::format("fresh-{}", round), {{"data", {{"a", "b"}}}}));
    const Dump edited = dump("edits");
    ASSERT_NE(edited, before);
    expect_code(tidemark({"undo", "-n", "edits", "--since", at, "--max-share", "90", "--yes"}), 0);
    expect_dump("edits", before);
    expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
    expect_dump("edits", edited);
    expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
    expect_dump("edits", before);
    if (HasFailure()) break;
  }
}

TEST_F(RestoreObjects, ADefinitionComesBackWithItsObjects) {
  make_namespace("works");
  make("customresourcedefinitions.apiextensions.k8s.io", "",
       named_object(
           "gears.drill.example.com",
           {{"spec",
             {{"group", "drill.example.com"},
              {"scope", "Namespaced"},
              {"names", {{"plural", "gears"}, {"singular", "gear"}, {"kind", "Gear"}, {"listKind", "GearList"}}},
              {"versions",
               {{{"name", "v1"},
                 {"served", true},
                 {"storage", true},
                 {"schema",
                  {{"openAPIV3Schema", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}}}}}}}));
  ASSERT_TRUE(eventually([&] { return admin_->discover().value().find("gears.drill.example.com") != nullptr; }));
  for (int i = 0; i < scaled(20); i++) {
    make("gears.drill.example.com", "works",
         named_object(fmt::format("gear-{}", i),
                      {{"apiVersion", "drill.example.com/v1"}, {"kind", "Gear"}, {"spec", {{"teeth", i}}}}));
  }
  const Dump before = dump("works");
  const std::string at = moment();
  remove("customresourcedefinitions.apiextensions.k8s.io", "", "gears.drill.example.com");
  ASSERT_TRUE(eventually([&] { return admin_->discover().value().find("gears.drill.example.com") == nullptr; }));
  const ProgramResult without = tidemark({"restore", "gears", "-n", "works", "--at", at, "--yes"});
  expect_code(without, 3);
  EXPECT_THAT(without.err, HasSubstr("this cluster does not serve its kind"));
  expect_code(tidemark({"restore", "crd,gears", "-n", "works", "--at", at, "--yes"}), 0);
  expect_dump("works", before);
}

TEST_F(RestoreObjects, WhatCannotBeChangedIsMadeAgain) {
  make_namespace("stone");
  make("configmaps", "stone", named_object("fixed", {{"data", {{"a", "1"}}}, {"immutable", true}}));
  make("configmaps", "stone", named_object("soft", {{"data", {{"a", "1"}}}}));
  const json service = make("services", "stone", named_object("front", {{"spec", {{"ports", {{{"port", 80}}}}}}}));
  const std::string at = moment();
  remove("configmaps", "stone", "fixed");
  make("configmaps", "stone", named_object("fixed", {{"data", {{"a", "2"}}}, {"immutable", true}}));
  ASSERT_TRUE(admin_->patch(kind("configmaps"), {.name_space = "stone", .name = "soft"}, link::KubePatch::merge,
                            {{"data", {{"a", "2"}, {"b", "3"}}}}));
  remove("services", "stone", "front");

  const auto restore = [&](const std::string& how) {
    std::vector<std::string> args{"restore", "cm/soft", "svc/front",  "-n", "stone",
                                  "--at",    at,        "--existing", how,  "--yes"};
    if (how != "merge") args.insert(args.begin() + 1, "cm/fixed");
    expect_code(tidemark(args), 0);
  };
  restore("skip");
  EXPECT_EQ(data_of("stone", "soft"), (json{{"a", "2"}, {"b", "3"}}));
  EXPECT_EQ(get("services", "stone", "front").at("spec").at("clusterIP"), service.at("spec").at("clusterIP"));
  restore("merge");
  EXPECT_EQ(data_of("stone", "soft"), (json{{"a", "1"}, {"b", "3"}}));
  restore("recreate");
  EXPECT_EQ(data_of("stone", "fixed"), (json{{"a", "1"}}));
  EXPECT_EQ(data_of("stone", "soft"), (json{{"a", "1"}}));
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  EXPECT_EQ(data_of("stone", "fixed"), (json{{"a", "2"}}));
  EXPECT_EQ(data_of("stone", "soft"), (json{{"a", "1"}, {"b", "3"}}));
}

TEST_F(RestoreObjects, APlanIsPrintedReadAndRefusedWhenTheClusterMoved) {
  make_namespace("papers");
  make("configmaps", "papers", named_object("a", {{"data", {{"text", "then: \"yes\" 1"}}}}));
  const std::string at = moment();
  const auto edit = [&](const std::string& text) {
    ASSERT_TRUE(admin_->patch(kind("configmaps"), {.name_space = "papers", .name = "a"}, link::KubePatch::merge,
                              {{"data", {{"text", text}}}}));
  };
  const std::vector<std::string> diff{"diff", "cm", "-n", "papers", "--at", at, "--live"};
  expect_code(tidemark(diff), 0);
  edit("now");
  const ProgramResult differs = tidemark(diff);
  expect_code(differs, 10);
  EXPECT_THAT(differs.out, HasSubstr("diff configmap/a -n papers"));
  EXPECT_THAT(differs.out, HasSubstr("+  text: now"));

  const ProgramResult plan =
      tidemark({"restore", "cm/a", "-n", "papers", "--at", at, "--existing", "replace", "--dry-run", "-o", "yaml"});
  expect_code(plan, 0);
  const io::Path file = temp_->path() / "plan.yaml";
  ASSERT_TRUE(io::write_file_durably(file, as_bytes(plan.out)));
  edit("later");
  const ProgramResult moved = tidemark({"apply", file.string(), "--yes"});
  expect_code(moved, 1);
  EXPECT_THAT(moved.err, HasSubstr("moved: configmaps papers/a: it was written"));
  EXPECT_EQ(data_of("papers", "a"), (json{{"text", "later"}}));

  const ProgramResult fresh =
      tidemark({"restore", "cm/a", "-n", "papers", "--at", at, "--existing", "replace", "--dry-run", "-o", "yaml"});
  ASSERT_TRUE(io::remove_tree(file));
  ASSERT_TRUE(io::write_file_durably(file, as_bytes(fresh.out)));
  expect_code(tidemark({"apply", file.string(), "--yes"}), 0);
  EXPECT_EQ(data_of("papers", "a"), (json{{"text", "then: \"yes\" 1"}}));
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  EXPECT_EQ(data_of("papers", "a"), (json{{"text", "later"}}));
  expect_code(tidemark({"undo", "cm/a", "-n", "papers", "--since", at, "--yes"}), 0);
  EXPECT_EQ(data_of("papers", "a"), (json{{"text", "then: \"yes\" 1"}}));
}

TEST_F(RestoreObjects, OfTwoAtOnceOneRuns) {
  make_namespace("both");
  for (int i = 0; i < 5; i++) make("configmaps", "both", named_object(fmt::format("m{}", i), {{"data", {{"a", "1"}}}}));
  const std::string at = moment();
  for (int i = 0; i < 5; i++) remove("configmaps", "both", fmt::format("m{}", i));
  const std::vector<std::string> args{"restore", "cm", "-n", "both", "--at", at, "--yes"};
  MUST(Child first, stopped_before("live: create an object", args));
  const std::string number = last_restore();
  const ProgramResult second = tidemark(args);
  expect_code(second, 1);
  EXPECT_THAT(second.err, HasSubstr("restore " + number + " in dir:"));
  EXPECT_THAT(second.err, HasSubstr("restore --resume " + number));
  for (const std::vector<std::string>& way : {std::vector<std::string>{"restore", "--resume", number, "--yes"},
                                              std::vector<std::string>{"undo", number, "--yes"}}) {
    const ProgramResult refused = tidemark(way);
    expect_code(refused, 1);
    EXPECT_THAT(refused.err, HasSubstr("still runs"));
  }
  first.signal(SIGCONT);
  MUST(const int code, first.wait(kPatience));
  EXPECT_EQ(code, 0) << first.log_tail();
  EXPECT_EQ(data_of("both", "m4"), (json{{"a", "1"}}));
  expect_code(tidemark(args), 0);
}

// Two are changed, one is made again, one comes back, one goes.
TEST_F(RestoreObjects, KilledAtAStepItIsFinishedOrTakenBack) {
  make_namespace("cuts");
  const auto map = [](const std::string& name, const std::string& text) {
    return named_object(name, {{"data", {{"text", text}}}, {"immutable", name == "fixed"}});
  };
  for (const char* name : {"one", "two", "fixed", "lost"}) make("configmaps", "cuts", map(name, "then"));
  const std::string at = moment();
  const Dump wanted = dump("cuts");
  const auto damage = [&] {
    for (const auto& [id, object] : dump("cuts")) {
      if (id.starts_with("configmaps")) remove("configmaps", "cuts", id.substr(id.find('/') + 1));
    }
    for (const char* name : {"one", "two", "fixed", "fresh"}) make("configmaps", "cuts", map(name, "now"));
  };
  const std::vector<std::string> args{"restore",  "-n",      "cuts",        "--at", at,     "--existing",
                                      "recreate", "--prune", "--max-share", "90",   "--yes"};
  damage();
  const Dump damaged = dump("cuts");
  ASSERT_TRUE(io::remove_tree(temp_->path() / "journal"));
  expect_code(tidemark(args), 0);
  expect_dump("cuts", wanted);
  std::vector<capture::testing::Cut> cuts;
  for (const auto& [step, times] : capture::testing::read_journal(temp_->path() / "journal")) {
    if (!step.starts_with("live: ")) continue;
    for (int nth = 1; nth <= times; nth++) cuts.push_back({step, nth});
  }
  EXPECT_GE(cuts.size(), 7U);
  std::mt19937_64 dice(seed());
  std::shuffle(cuts.begin(), cuts.end(), dice);
  if (scale() == 1) cuts.resize(std::min<std::size_t>(cuts.size(), 4));
  bool finish = dice() % 2 == 0;
  for (const auto& cut : cuts) {
    SCOPED_TRACE(
        fmt::format("killed in front of '{}', time {}, then {}", cut.step, cut.nth, finish ? "resume" : "undo"));
    damage();
    const std::string before = last_restore();
    expect_code(tidemark(args, {"TM_STEP=" + cut.step, "TM_STEP_NTH=" + std::to_string(cut.nth)}), 128 + SIGKILL);
    const std::string number = last_restore();
    if (number == before) {  // it was cut before it began
      expect_dump("cuts", damaged);
      continue;
    }
    const ProgramResult refused =
        tidemark({"restore", "cm", "-n", "cuts", "--at", at, "--existing", "replace", "--yes"});
    if (refused.out.find("nothing to do") == std::string::npos) expect_code(refused, 1);
    if (finish) {
      expect_code(tidemark({"restore", "--resume", number, "--yes"}), 0);
      expect_dump("cuts", wanted);
    } else {
      expect_code(tidemark({"undo", number, "--yes"}), 0);
      expect_dump("cuts", damaged);
    }
    finish = !finish;
    if (HasFailure()) return;
  }
}

TEST_F(RestoreObjects, WhoMayWorkInOneNamespaceRestoresThatOne) {
  make_namespace("elsewhere");
  for (const char* ns : {"restricted", "elsewhere"})
    make("configmaps", ns, named_object("mine", {{"data", {{"a", "1"}}}}));
  const std::string at = moment();
  for (const char* ns : {"restricted", "elsewhere"}) remove("configmaps", ns, "mine");
  const auto restore = [&](const std::string& ns) {
    return tidemark({"restore", "-n", ns, "--at", at, "--yes"}, {}, "restricted");
  };
  expect_code(restore("restricted"), 0);
  EXPECT_EQ(data_of("restricted", "mine"), (json{{"a", "1"}}));
  const ProgramResult denied = restore("elsewhere");
  expect_code(denied, 6);
  EXPECT_THAT(denied.err, HasSubstr("cannot list resource \"configmaps\""));
  EXPECT_THAT(denied.err, HasSubstr("in the namespace \"elsewhere\""));
  EXPECT_TRUE(get("configmaps", "elsewhere", "mine").is_null());
  // May be read, and not written: asked before the first step.
  make("roles.rbac.authorization.k8s.io", "elsewhere",
       named_object("reader", {{"rules", {{{"apiGroups", {"*"}}, {"resources", {"*"}}, {"verbs", {"get", "list"}}}}}}));
  make("rolebindings.rbac.authorization.k8s.io", "elsewhere",
       named_object(
           "reader",
           {{"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "reader"}}},
            {"subjects", {{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "User"}, {"name", "restricted"}}}}}));
  ProgramResult unwritable;
  ASSERT_TRUE(eventually([&] {
    unwritable = restore("elsewhere");
    return unwritable.err.find("cannot list") == std::string::npos;
  }));
  expect_code(unwritable, 6);
  EXPECT_THAT(unwritable.err, HasSubstr("we may not create configmaps in namespace elsewhere"));
  EXPECT_TRUE(get("configmaps", "elsewhere", "mine").is_null());
}

}  // namespace
}  // namespace tidemark::testing

int main(int argc, char** argv) {
  if (tidemark::testing::is_step_program()) return tidemark::testing::step_program(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
