// Objects that resist being put back: bound volumes, Jobs, tokens, addresses that others have taken, webhooks that
// nobody answers, finalizers that nobody serves; each against the real API server and its controllers.
#include <algorithm>

#include "kit/restore_objects_drill.h"
#include "kit/step_program.h"

namespace tidemark::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kDefinitions = "customresourcedefinitions.apiextensions.k8s.io";
constexpr const char* kWebhooks = "validatingwebhookconfigurations.admissionregistration.k8s.io";
constexpr const char* kRoles = "clusterroles.rbac.authorization.k8s.io";
constexpr const char* kFinalizer = "hard.example.com/wait";

json named_object(const std::string& name, json more = json::object()) {
  more["metadata"]["name"] = name;
  return more;
}
json map_of(const std::string& name, const std::string& text) {
  return named_object(name, {{"data", {{"text", text}}}});
}
json pod_template(const std::string& app) {
  return {{"metadata", {{"labels", {{"app", app}}}}},
          {"spec", {{"containers", {{{"name", "c"}, {"image", "localhost/worker:1"}}}}}}};
}
json value_in(const json& object, const std::string& path) {
  return object.is_object() ? object.value(json::json_pointer(path), json()) : json();
}

class RestoreHard : public RestoreObjectsDrill {
 protected:
  static void expect_code(const ProgramResult& ran, int code) { EXPECT_EQ(ran.exit_code, code) << ran.out << ran.err; }
  static ProgramResult resume(const std::string& number, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"restore", "--resume", number, "--yes"});
    return tidemark(more);
  }
  static std::string uid(const std::string& kind_name, const std::string& ns, const std::string& name) {
    return value_in(get(kind_name, ns, name), "/metadata/uid").dump();
  }
  static void change(const std::string& kind_name, const std::string& ns, const std::string& name, const json& patch) {
    const auto done = admin_->patch(kind(kind_name), {.name_space = ns, .name = name}, link::KubePatch::merge, patch);
    EXPECT_TRUE(done) << done.error().what;
  }
  // Returns when it has gone.
  static void lose(const std::string& kind_name, const std::string& ns, const std::string& name) {
    remove(kind_name, ns, name);
    EXPECT_TRUE(eventually([&] { return get(kind_name, ns, name).is_null(); })) << kind_name << ' ' << name;
  }
  static void release(const std::string& ns, const std::string& name) {
    change("configmaps", ns, name, {{"metadata", {{"finalizers", nullptr}}}});
  }

  // A volume that nobody has made, and that nothing but its record is asked for.
  static void make_volume(const std::string& name) {
    make("persistentvolumes", "",
         named_object(name, {{"spec",
                              {{"capacity", {{"storage", "1Gi"}}},
                               {"accessModes", {"ReadWriteOnce"}},
                               {"persistentVolumeReclaimPolicy", "Retain"},
                               {"storageClassName", "by-hand"},
                               {"hostPath", {{"path", "/nowhere/" + name}}}}}}));
  }
  static json claim_spec() {
    return {{"accessModes", {"ReadWriteOnce"}},
            {"storageClassName", "by-hand"},
            {"resources", {{"requests", {{"storage", "1Gi"}}}}}};
  }
  static std::string volume_of(const std::string& ns, const std::string& claim) {
    const json is = get("persistentvolumeclaims", ns, claim);
    return value_in(is, "/status/phase") == "Bound" ? is.at("spec").value("volumeName", "") : "";
  }
  static void expect_bound(const std::string& ns, const std::string& claim, const std::string& volume) {
    EXPECT_TRUE(eventually([&] { return volume_of(ns, claim) == volume; }))
        << get("persistentvolumeclaims", ns, claim) << get("persistentvolumes", "", volume);
    const json holder = get("persistentvolumes", "", volume);
    EXPECT_EQ(value_in(holder, "/spec/claimRef/uid").dump(), uid("persistentvolumeclaims", ns, claim));
  }
};

// ---- volumes

TEST_F(RestoreHard, AClaimGetsTheVolumeItHad) {
  make_namespace("vols");
  for (const char* name : {"vol-a", "vol-b", "vol-c"}) make_volume(name);
  for (const char* name : {"data", "logs"}) {
    make("persistentvolumeclaims", "vols", named_object(name, {{"spec", claim_spec()}}));
    ASSERT_TRUE(eventually([&] { return !volume_of("vols", name).empty(); })) << name;
  }
  const std::string of_data = volume_of("vols", "data"), of_logs = volume_of("vols", "logs");
  const std::string at = moment();
  lose("persistentvolumeclaims", "vols", "data");
  lose("persistentvolumeclaims", "vols", "logs");
  lose("persistentvolumes", "", of_logs);
  EXPECT_EQ(value_in(get("persistentvolumes", "", of_data), "/spec/claimRef/name"), "data")
      << "it waits for nobody else";

  // Alone the second claim would get a volume of somebody else's, or none; that is said before.
  const ProgramResult alone = tidemark({"restore", "pvc", "-n", "vols", "--at", at, "--dry-run"});
  expect_code(alone, 0);
  EXPECT_THAT(alone.out + alone.err, HasSubstr("it gets a new and empty one"));
  EXPECT_THAT(alone.out + alone.err, HasSubstr("pv/" + of_logs));
  expect_code(tidemark({"restore", "pv/" + of_logs, "pvc/data", "pvc/logs", "-n", "vols", "--at", at, "--yes"}), 0);
  expect_bound("vols", "data", of_data);
  expect_bound("vols", "logs", of_logs);
}

TEST_F(RestoreHard, AStatefulSetFindsItsData) {
  make_namespace("sets");
  for (const char* name : {"disk-a", "disk-b", "disk-c"}) make_volume(name);
  make("statefulsets.apps", "sets",
       named_object("db", {{"spec",
                            {{"replicas", 2},
                             {"podManagementPolicy", "Parallel"},
                             {"serviceName", "db"},
                             {"persistentVolumeClaimRetentionPolicy", {{"whenDeleted", "Delete"}}},
                             {"selector", {{"matchLabels", {{"app", "db"}}}}},
                             {"template", pod_template("db")},
                             {"volumeClaimTemplates", {named_object("d", {{"spec", claim_spec()}})}}}}}));
  const char* const claims[] = {"d-db-0", "d-db-1"};
  std::map<std::string, std::string> volumes;
  for (const char* claim : claims) {
    ASSERT_TRUE(eventually([&] { return !(volumes[claim] = volume_of("sets", claim)).empty(); })) << claim;
    const auto is_owned = [&] {
      return !value_in(get("persistentvolumeclaims", "sets", claim), "/metadata/ownerReferences/0").is_null();
    };
    ASSERT_TRUE(eventually(is_owned)) << claim;
  }
  const std::string at = moment();
  remove_namespace("sets");
  expect_code(tidemark({"restore", "-n", "sets", "--at", at, "--yes"}), 0);
  for (const char* claim : claims) {
    expect_bound("sets", claim, volumes[claim]);
    const std::string set = uid("statefulsets.apps", "sets", "db");
    EXPECT_TRUE(eventually([&] {
      return value_in(get("persistentvolumeclaims", "sets", claim), "/metadata/ownerReferences/0/uid").dump() == set;
    })) << claim;
  }
  EXPECT_TRUE(eventually([] { return !get("pods", "sets", "db-1").is_null(); }));
}

// ---- Jobs

TEST_F(RestoreHard, AJobThatHadEndedStaysAwayAndOthersBeginAnew) {
  make_namespace("jobs");
  const auto job = [](const std::string& name, json spec) {
    spec["template"]["spec"]["restartPolicy"] = "Never";
    spec["template"]["spec"]["containers"] = {{{"name", "c"}, {"image", "localhost/worker:1"}}};
    return named_object(name, {{"spec", std::move(spec)}});
  };
  make("jobs.batch", "jobs", job("complete", {{"completions", 0}}));
  make("jobs.batch", "jobs", job("failed", {{"activeDeadlineSeconds", 1}}));
  make("jobs.batch", "jobs", job("waiting", {{"suspend", true}}));
  make("jobs.batch", "jobs",
       job("chosen", {{"suspend", true},
                      {"manualSelector", true},
                      {"selector", {{"matchLabels", {{"mine", "yes"}}}}},
                      {"template", {{"metadata", {{"labels", {{"mine", "yes"}}}}}}}}));
  const auto has = [](const char* name, const std::string& condition) {
    const json conditions = value_in(get("jobs.batch", "jobs", name), "/status/conditions");
    return std::ranges::any_of(
        conditions, [&](const json& one) { return one.at("type") == condition && one.at("status") == "True"; });
  };
  ASSERT_TRUE(eventually([&] { return has("complete", "Complete") && has("failed", "Failed"); }));
  const std::string at = moment();
  const std::string before = uid("jobs.batch", "jobs", "waiting");
  for (const char* name : {"complete", "failed", "waiting", "chosen"}) lose("jobs.batch", "jobs", name);

  const ProgramResult ran = tidemark({"restore", "jobs", "-n", "jobs", "--at", at, "--yes"});
  expect_code(ran, 0);
  EXPECT_THAT(ran.out, HasSubstr("it was complete: it would run again"));
  EXPECT_THAT(ran.out, HasSubstr("it had failed: it would run again"));
  for (const char* name : {"complete", "failed"}) EXPECT_TRUE(get("jobs.batch", "jobs", name).is_null()) << name;
  EXPECT_EQ(value_in(get("jobs.batch", "jobs", "chosen"), "/spec/selector/matchLabels"), (json{{"mine", "yes"}}));

  // Its pods are its own, and not those of the one that was.
  const auto selects = [] {
    return value_in(get("jobs.batch", "jobs", "waiting"),
                    "/spec/selector/matchLabels/batch.kubernetes.io~1controller-uid")
        .dump();
  };
  EXPECT_EQ(selects(), uid("jobs.batch", "jobs", "waiting"));
  EXPECT_NE(selects(), before);
  const auto runs = [] { return value_in(get("jobs.batch", "jobs", "waiting"), "/status/active") == 1; };
  change("jobs.batch", "jobs", "waiting", {{"spec", {{"suspend", false}}}});
  EXPECT_TRUE(eventually(runs)) << get("jobs.batch", "jobs", "waiting");

  // It runs now, and only a new one could be suspended from its beginning, with another image.
  lose("jobs.batch", "jobs", "waiting");
  json other = job("waiting", {{"suspend", true}});
  other["spec"]["template"]["spec"]["containers"][0]["image"] = "localhost/worker:2";
  make("jobs.batch", "jobs", other);
  const auto image = [] {
    return value_in(get("jobs.batch", "jobs", "waiting"), "/spec/template/spec/containers/0/image");
  };
  expect_code(tidemark({"restore", "job/waiting", "-n", "jobs", "--at", at, "--existing", "recreate", "--yes"}), 0);
  EXPECT_EQ(image(), "localhost/worker:1");
  EXPECT_EQ(selects(), uid("jobs.batch", "jobs", "waiting"));
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  EXPECT_EQ(image(), "localhost/worker:2");
  EXPECT_EQ(selects(), uid("jobs.batch", "jobs", "waiting"));
}

// ---- Secrets

TEST_F(RestoreHard, SecretsOfEachTypeAndATokenThatIsNew) {
  make_namespace("keys");
  make("serviceaccounts", "keys", named_object("robot"));
  const auto secret = [](const std::string& name, const std::string& type, json texts, json more = json::object()) {
    more["type"] = type;
    more["stringData"] = std::move(texts);
    make("secrets", "keys", named_object(name, std::move(more)));
  };
  secret("tls", "kubernetes.io/tls", {{"tls.crt", "a"}, {"tls.key", "b"}});
  secret("pull", "kubernetes.io/dockerconfigjson", {{".dockerconfigjson", R"({"auths":{}})"}});
  secret("login", "kubernetes.io/basic-auth", {{"username", "ann"}, {"password", "x"}});
  secret("ssh", "kubernetes.io/ssh-auth", {{"ssh-privatekey", "k"}});
  secret("bootstrap-token-abcdef", "bootstrap.kubernetes.io/token",
         {{"token-id", "abcdef"}, {"token-secret", "0123456789abcdef"}});
  secret("fixed", "Opaque", {{"k", "v"}}, {{"immutable", true}});
  secret("robot-key", "kubernetes.io/service-account-token", json::object(),
         {{"metadata", {{"annotations", {{"kubernetes.io/service-account.name", "robot"}}}}}});
  const auto token = [] { return value_in(get("secrets", "keys", "robot-key"), "/data/token"); };
  ASSERT_TRUE(eventually([&] { return token().is_string(); }));
  const std::string at = moment();
  const auto without_token = [] {
    Dump all = dump("keys");
    for (const char* part : {"data", "metadata"}) all["secrets keys/robot-key"].erase(part);
    return all;
  };
  const Dump before = without_token();
  const json old = token();

  // What makes it valid is the account, which is another one now.
  remove_namespace("keys");
  expect_code(tidemark({"restore", "-n", "keys", "--at", at, "--yes"}), 0);
  EXPECT_TRUE(eventually([&] { return token().is_string(); })) << get("secrets", "keys", "robot-key");
  EXPECT_NE(token(), old);
  EXPECT_EQ(without_token(), before);
  const auto account = [] {
    return value_in(get("secrets", "keys", "robot-key"), "/metadata/annotations/kubernetes.io~1service-account.uid")
        .dump();
  };
  EXPECT_EQ(account(), uid("serviceaccounts", "keys", "robot"));

  // The same with the account that is there, and when only the Secret was changed: its token stays.
  lose("secrets", "keys", "robot-key");
  expect_code(tidemark({"restore", "secret/robot-key", "-n", "keys", "--at", at, "--yes"}), 0);
  EXPECT_TRUE(eventually([&] { return token().is_string(); }));
  EXPECT_EQ(account(), uid("serviceaccounts", "keys", "robot"));
  const json its = token();
  change("secrets", "keys", "robot-key", {{"metadata", {{"labels", {{"a", "b"}}}}}});
  expect_code(tidemark({"restore", "secret/robot-key", "-n", "keys", "--at", at, "--existing", "replace", "--yes"}), 0);
  EXPECT_EQ(value_in(get("secrets", "keys", "robot-key"), "/metadata/labels/a"), json());
  EXPECT_EQ(token(), its);

  // Another type.
  lose("secrets", "keys", "login");
  secret("login", "Opaque", {{"username", "ann"}, {"password", "x"}});
  const auto restore = [&](const char* how) {
    return tidemark({"restore", "secret/login", "-n", "keys", "--at", at, "--existing", how, "--yes"});
  };
  const ProgramResult kept = restore("replace");
  expect_code(kept, 0);
  EXPECT_THAT(kept.out, HasSubstr(".type cannot be changed in place; --existing recreate"));
  expect_code(restore("recreate"), 0);
  EXPECT_EQ(without_token(), before);
}

// ---- Services

TEST_F(RestoreHard, AServiceGetsItsAddressBackOrItIsSaidWhoHasIt) {
  make_namespace("net");
  const auto service = [](const std::string& name, json spec = json::object()) {
    spec["selector"] = {{"app", name}};
    if (!spec.contains("ports")) spec["ports"] = {{{"port", 80}, {"protocol", "TCP"}}};
    return make("services", "net", named_object(name, {{"spec", std::move(spec)}}));
  };
  const std::string kept = value_in(service("kept"), "/spec/clusterIP");
  const std::string taken = value_in(service("taken"), "/spec/clusterIP");
  service("headless", {{"clusterIP", "None"}});
  service("port", {{"type", "NodePort"}, {"ports", {{{"port", 80}, {"nodePort", 30777}}}}});
  service("taken-port", {{"type", "NodePort"}, {"ports", {{{"port", 80}, {"nodePort", 30778}}}}});
  const std::string at = moment();
  const Dump before = dump("net");
  for (const char* name : {"kept", "taken", "headless", "port", "taken-port"}) lose("services", "net", name);
  make_namespace("net-thief");
  make("services", "net-thief", named_object("thief", {{"spec", {{"clusterIP", taken}, {"ports", {{{"port", 1}}}}}}}));
  make("services", "net-thief",
       named_object("porter", {{"spec", {{"type", "NodePort"}, {"ports", {{{"port", 1}, {"nodePort", 30778}}}}}}}));

  const ProgramResult ran = tidemark({"restore", "svc", "-n", "net", "--at", at, "--timeout", "1s", "--yes"});
  expect_code(ran, 3);
  EXPECT_EQ(value_in(get("services", "net", "kept"), "/spec/clusterIP"), kept);
  EXPECT_EQ(value_in(get("services", "net", "headless"), "/spec/clusterIP"), "None");
  EXPECT_EQ(value_in(get("services", "net", "port"), "/spec/ports/0/nodePort"), 30777);
  for (const char* name : {"taken", "taken-port"}) {
    EXPECT_THAT(ran.err, HasSubstr(fmt::format("tidemark: not done: services net/{}: ", name)));
    EXPECT_TRUE(get("services", "net", name).is_null()) << name;
  }
  EXPECT_THAT(ran.err, HasSubstr(fmt::format("hint: services net-thief/thief has {}", taken)));
  EXPECT_THAT(ran.err, HasSubstr("hint: services net-thief/porter has node port 30778"));
  lose("services", "net-thief", "thief");
  lose("services", "net-thief", "porter");
  expect_code(resume(last_restore()), 0);
  expect_dump("net", before);

  // One of the same namespace, which was not there then, goes first.
  lose("services", "net", "taken");
  service("thief", {{"clusterIP", taken}});
  expect_code(tidemark({"restore", "svc", "-n", "net", "--at", at, "--prune", "--max-share", "50", "--yes"}), 0);
  expect_dump("net", before);
}

// ---- what refuses

TEST_F(RestoreHard, AWebhookThatNobodyAnswersIsNamedAndLaterItIsDone) {
  make_namespace("hooked");
  for (int i = 0; i < 5; i++) make("configmaps", "hooked", map_of(fmt::format("map-{}", i), "then"));
  make("secrets", "hooked", named_object("key", {{"stringData", {{"k", "v"}}}}));
  const std::string at = moment();
  const Dump before = dump("hooked");
  for (int i = 0; i < 5; i++) remove("configmaps", "hooked", fmt::format("map-{}", i));
  remove("secrets", "hooked", "key");
  make(kWebhooks, "",
       named_object("gate", {{"webhooks",
                              {{{"name", "gate.hard.example.com"},
                                {"admissionReviewVersions", {"v1"}},
                                {"sideEffects", "None"},
                                {"failurePolicy", "Fail"},
                                {"timeoutSeconds", 1},
                                {"clientConfig", {{"service", {{"namespace", "hooked"}, {"name", "nobody"}}}}},
                                {"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", "hooked"}}}}},
                                {"rules",
                                 {{{"apiGroups", {""}},
                                   {"apiVersions", {"v1"}},
                                   {"resources", {"configmaps"}},
                                   {"operations", {"CREATE"}}}}}}}}}));
  const auto may_create = [] {
    return admin_->create(kind("configmaps"), {.name_space = "hooked", .name = "try"}, map_of("try", ""),
                          {.dry_run = true});
  };
  ASSERT_TRUE(eventually([&] { return !may_create(); }));

  const ProgramResult ran = tidemark({"restore", "-n", "hooked", "--at", at, "--timeout", "1s", "--yes"});
  expect_code(ran, 3);
  EXPECT_THAT(ran.err, HasSubstr("may be refused: configmaps hooked/map-0: "));
  EXPECT_THAT(ran.err, HasSubstr("not done: configmaps hooked/map-4: "));
  EXPECT_THAT(ran.err, HasSubstr("webhook gate.hard.example.com of validatingwebhookconfigurations/gate stands in the "
                                 "way of 5 objects and nobody answers it: bring back services hooked/nobody, or set "
                                 "its failurePolicy to Ignore"));
  const std::string number = last_restore();
  EXPECT_THAT(ran.out, HasSubstr("tidemark restore --resume " + number));
  EXPECT_FALSE(get("secrets", "hooked", "key").is_null()) << "what it does not ask for is done";
  EXPECT_TRUE(get("configmaps", "hooked", "map-0").is_null());

  remove(kWebhooks, "", "gate");
  ASSERT_TRUE(eventually([&] { return may_create().has_value(); }));
  expect_code(resume(number), 0);
  expect_dump("hooked", before);
}

// ---- custom objects

TEST_F(RestoreHard, ADefinitionWithManyObjectsThatNeedAStatusAndOwnEachOther) {
  make_namespace("shopfloor");
  const json schema =
      json::parse(R"({"openAPIV3Schema": {"type": "object", "required": ["spec", "status"], "properties": {
    "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
    "status": {"type": "object", "required": ["phase"], "properties": {"phase": {"type": "string"}}}}}})");
  make(kDefinitions, "",
       named_object("orders.hard.example.com",
                    {{"spec",
                      {{"group", "hard.example.com"},
                       {"scope", "Namespaced"},
                       {"names", {{"plural", "orders"}, {"singular", "order"}, {"kind", "Order"}}},
                       {"versions", {{{"name", "v1"}, {"served", true}, {"storage", true}, {"schema", schema}}}}}}}));
  ASSERT_TRUE(eventually([&] { return admin_->discover().value().find("orders.hard.example.com") != nullptr; }));
  std::string first;
  const int all = scaled(100);
  for (int i = 0; i < all; i++) {
    json order = named_object(fmt::format("order-{}", i), {{"apiVersion", "hard.example.com/v1"},
                                                           {"kind", "Order"},
                                                           {"spec", {{"size", i}}},
                                                           {"status", {{"phase", "Paid"}}}});
    if (i % 3 == 1) {
      order["metadata"]["ownerReferences"] = {
          {{"apiVersion", "hard.example.com/v1"}, {"kind", "Order"}, {"name", "order-0"}, {"uid", first}}};
    }
    const json made = make("orders.hard.example.com", "shopfloor", std::move(order));
    if (i == 0) first = made.at("metadata").at("uid");
  }
  const auto orders = [] {
    std::map<std::string, json> found;
    const auto listed =
        admin_->list(kind("orders.hard.example.com"), {.name_space = "shopfloor"}, [&](json& order) -> Status {
          found[order.at("metadata").at("name")] = order;
          return {};
        });
    EXPECT_TRUE(listed) << listed.error().what;
    return found;
  };
  const std::string at = moment();
  const auto then = orders();
  ASSERT_EQ(static_cast<int>(then.size()), all);
  lose(kDefinitions, "", "orders.hard.example.com");
  ASSERT_TRUE(eventually([&] { return admin_->discover().value().find("orders.hard.example.com") == nullptr; }));
  expect_code(tidemark({"restore", "crd,orders", "-n", "shopfloor", "--at", at, "--yes"}), 0);
  const auto now = orders();
  ASSERT_EQ(now.size(), then.size());
  const json owner = now.at("order-0").at("metadata").at("uid");
  EXPECT_NE(owner, json(first));
  for (const auto& [name, order] : then) {
    EXPECT_EQ(now.at(name).at("spec"), order.at("spec")) << name;
    EXPECT_EQ(now.at(name).at("status"), order.at("status")) << name;
    const json owned = value_in(now.at(name), "/metadata/ownerReferences/0/uid");
    EXPECT_EQ(owned, order.at("metadata").contains("ownerReferences") ? owner : json()) << name;
  }
}

// ---- finalizers

TEST_F(RestoreHard, WhatHangsInItsDeletionIsNamedAndLaterItIsDone) {
  for (const char* ns : {"hung", "stuck"}) {
    make_namespace(ns);
    json held = map_of("held", "then");
    held["metadata"]["finalizers"] = {kFinalizer};
    make("configmaps", ns, held);
    make("configmaps", ns, map_of("free", "then"));
  }
  const std::string at = moment();
  const Dump hung = dump("hung"), stuck = dump("stuck");
  remove("namespaces", "", "stuck");
  remove("configmaps", "hung", "held");
  remove("configmaps", "hung", "free");

  // One object: the rest is done.
  const std::vector<std::string> briefly{"--at", at, "--timeout", "1s", "--yes"};
  const auto restore = [&](std::vector<std::string> what) {
    what.insert(what.begin(), "restore");
    what.insert(what.end(), briefly.begin(), briefly.end());
    return tidemark(what);
  };
  const ProgramResult one = restore({"-n", "hung"});
  expect_code(one, 3);
  const std::string of_hung = last_restore();
  EXPECT_THAT(one.err, HasSubstr(fmt::format("not done: configmaps hung/held: was deleted and is "
                                             "still there: held by the finalizers {}",
                                             kFinalizer)));
  EXPECT_FALSE(get("configmaps", "hung", "free").is_null());
  expect_code(restore({"cm/held", "-n", "hung"}), 7);
  release("hung", "held");
  expect_code(resume(of_hung), 0);
  expect_dump("hung", hung);

  // A namespace: nothing is tried in it until it has gone, and then all of it is done.
  ASSERT_TRUE(eventually([] {
    return get("namespaces", "", "stuck").dump().find("NamespaceFinalizersRemaining\"") != std::string::npos &&
           get("configmaps", "stuck", "free").is_null();
  }));
  const ProgramResult space = restore({"-n", "stuck"});
  expect_code(space, 7);
  const std::string of_stuck = last_restore();
  EXPECT_THAT(space.err, HasSubstr("not done: namespaces stuck: was deleted and is still there: "));
  EXPECT_THAT(space.err, HasSubstr(std::string(kFinalizer) + " in 1 resource instances"));
  EXPECT_THAT(space.err, HasSubstr("not done: configmaps stuck/free: its namespace is not done"));
  expect_code(resume(of_stuck, {"--timeout", "1s"}), 7);
  EXPECT_EQ(value_in(get("namespaces", "", "stuck"), "/status/phase"), "Terminating");
  release("stuck", "held");
  expect_code(resume(of_stuck, {"--timeout", "10m"}), 0);
  expect_dump("stuck", stuck);
}

// ---- roles

TEST_F(RestoreHard, AnAggregatedRoleGetsItsRulesFromItsController) {
  const json rules{{{"apiGroups", {""}}, {"resources", {"configmaps"}}, {"verbs", {"get"}}}};
  make(kRoles, "", named_object("hard-part", {{"metadata", {{"labels", {{"hard", "yes"}}}}}, {"rules", rules}}));
  make(kRoles, "",
       named_object("hard-sum",
                    {{"aggregationRule", {{"clusterRoleSelectors", {{{"matchLabels", {{"hard", "yes"}}}}}}}}}));
  const auto sum = [] { return value_in(get(kRoles, "", "hard-sum"), "/rules"); };
  ASSERT_TRUE(eventually([&] { return sum() == rules; }));
  const std::string at = moment();
  for (const char* name : {"hard-part", "hard-sum"}) remove(kRoles, "", name);
  expect_code(tidemark({"restore", "clusterrole/hard-sum", "clusterrole/hard-part", "--at", at, "--yes"}), 0);
  EXPECT_TRUE(eventually([&] { return sum() == rules; }));

  // More has been gathered since: the part goes, and the controller takes its rules back.
  make(kRoles, "",
       named_object("hard-more", {{"metadata", {{"labels", {{"hard", "yes"}}}}},
                                  {"rules", {{{"apiGroups", {""}}, {"resources", {"pods"}}, {"verbs", {"get"}}}}}}));
  ASSERT_TRUE(eventually([&] { return sum().size() == 2; }));
  change(kRoles, "", "hard-sum", {{"metadata", {{"labels", {{"edited", "yes"}}}}}});
  expect_code(tidemark({"restore", "clusterrole/hard-sum", "--at", at, "--existing", "replace", "--yes"}), 0);
  EXPECT_EQ(value_in(get(kRoles, "", "hard-sum"), "/metadata/labels/edited"), json());
  EXPECT_EQ(sum().size(), 2U) << "who gathers them has them still";
}

}  // namespace
}  // namespace tidemark::testing

int main(int argc, char** argv) {
  if (tidemark::testing::is_step_program()) return tidemark::testing::step_program(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
