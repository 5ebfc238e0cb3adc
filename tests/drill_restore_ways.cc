// The other ways of putting objects back: into another namespace, with what they refer to, with their status, from an
// encrypted store, by a plan that shows no Secret; over what many have written, and over what cannot be changed; and
// what diff --live says.
#include <set>

#include "kit/immutable_samples.h"
#include "kit/restore_objects_drill.h"
#include "kit/step_program.h"
#include "live/immutables.h"
#include "live/object_facts.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

json named_object(const std::string& name, json more = json::object()) {
  more["metadata"]["name"] = name;
  return more;
}
json map_of(const std::string& name, const std::string& text) {
  return named_object(name, {{"data", {{"text", text}}}});
}

json definition(const std::string& plural, const std::string& kind) {
  const json schema{{"openAPIV3Schema", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}};
  return named_object(
      plural + ".ways.example.com",
      {{"spec",
        {{"group", "ways.example.com"},
         {"scope", "Namespaced"},
         {"names", {{"plural", plural}, {"singular", plural.substr(0, plural.size() - 1)}, {"kind", kind}}},
         {"versions",
          {{{"name", "v1"},
            {"served", true},
            {"storage", true},
            {"schema", schema},
            {"subresources", {{"status", json::object()}}}}}}}}});
}

json pod_template(const std::string& app) {
  return {{"metadata", {{"labels", {{"app", app}}}}},
          {"spec", {{"containers", {{{"name", "c"}, {"image", "localhost/worker:1"}}}}}}};
}
json value_in(const json& object, const std::string& path) {
  return object.is_object() ? object.value(json::json_pointer(path), json()) : json();
}

// ---- fields that cannot be changed

json::json_pointer pointer_of(const std::string& field) {
  std::string path = field;
  std::ranges::replace(path, '.', '/');
  return json::json_pointer(path);
}

// Of a sample those that differ: ".spec.selector".
std::vector<std::string> fixed_fields(const ImmutableSample& sample) {
  std::vector<std::string> fields;
  if (sample.kind == "pods") fields.emplace_back(".spec.containers");  // of a pod only few can be changed
  for (const std::string& one : live::immutable_fields()) {
    if (!one.starts_with(sample.kind + " ")) continue;
    const std::string field = one.substr(sample.kind.size() + 1);
    if (sample.then.value(pointer_of(field), json()) != sample.now.value(pointer_of(field), json())) {
      fields.push_back(field);
    }
  }
  return fields;
}

class RestoreWays : public RestoreObjectsDrill {
 protected:
  static void expect_code(const ProgramResult& ran, int code) { EXPECT_EQ(ran.exit_code, code) << ran.out << ran.err; }
  static void define(const std::string& plural, const std::string& kind_name) {
    make("customresourcedefinitions.apiextensions.k8s.io", "", definition(plural, kind_name));
    const std::string full = plural + ".ways.example.com";
    ASSERT_TRUE(wait_until([&] { return admin_->discover().value().find(full) != nullptr; }));
  }
  static json custom(const std::string& name, const std::string& kind_name, json more) {
    more["apiVersion"] = "ways.example.com/v1";
    more["kind"] = kind_name;
    return named_object(name, std::move(more));
  }
  static json rule_for(const std::string& resource) {
    return {{{"apiGroups", {""}}, {"resources", {resource}}, {"verbs", {"get"}}}};
  }

  static std::string place(const ImmutableSample& sample) { return kind(sample.kind).namespaced ? "stone" : ""; }
  // The field alone put back in what there is now: the server does not take it.
  static void expect_refused(const ImmutableSample& sample, const std::string& field) {
    json wish = get(sample.kind, place(sample), sample.name);
    const json then = sample.then.value(pointer_of(field), json());
    if (then.is_null()) {
      wish.at(pointer_of(field).parent_pointer()).erase(pointer_of(field).back());
    } else {
      wish[pointer_of(field)] = then;
    }
    const auto answer =
        admin_->put(kind(sample.kind), {.name_space = place(sample), .name = sample.name}, wish, {.dry_run = true});
    ASSERT_FALSE(answer) << sample.kind << field << " can be changed";
    EXPECT_THAT(answer.error().what, AnyOf(HasSubstr("immutable"), HasSubstr("orbidden"), HasSubstr("may not change"),
                                           HasSubstr("cannot change"), HasSubstr("can only be modified in tandem")))
        << sample.kind << field;
  }
  static void expect_all(const std::vector<ImmutableSample>& samples, json ImmutableSample::* state) {
    for (const ImmutableSample& sample : samples) {
      if (!sample.made_twice) continue;
      const json is = get(sample.kind, place(sample), sample.name);
      for (const std::string& field : fixed_fields(sample)) {
        const json expected = (sample.*state).value(pointer_of(field), json());
        EXPECT_FALSE(live::uncovered(is.value(pointer_of(field), json()), expected)) << sample.kind << field << is;
      }
    }
  }
};

// ---- into another namespace

TEST_F(RestoreWays, IntoAnotherNamespaceWithAllThatNamesIt) {
  make_namespace("from");
  make("serviceaccounts", "from", named_object("robot"));
  make("roles.rbac.authorization.k8s.io", "from", named_object("reader", {{"rules", rule_for("configmaps")}}));
  make("rolebindings.rbac.authorization.k8s.io", "from",
       named_object("reads",
                    {{"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "reader"}}},
                     {"subjects",
                      {{{"kind", "ServiceAccount"}, {"name", "robot"}, {"namespace", "from"}},
                       {{"kind", "ServiceAccount"}, {"name", "robot"}, {"namespace", "elsewhere"}}}}}));
  make("networkpolicies.networking.k8s.io", "from",
       named_object(
           "fence",
           {{"spec",
             {{"podSelector", json::object()},
              {"ingress",
               {{{"from",
                  {{{"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", "from"}}}}}}}}}}}}}}));
  const json service =
      make("services", "from",
           named_object("front", {{"spec", {{"type", "NodePort"}, {"ports", {{{"port", 80}, {"nodePort", 30123}}}}}}}));
  make("configmaps", "from", map_of("a", "then"));
  const std::string at = moment();
  const Dump before = dump("from");
  const std::vector<std::string> args{"restore", "-n", "from", "--at", at, "--map-namespace", "from=to", "--yes"};
  expect_code(tidemark(args), 0);
  EXPECT_EQ(dump("from"), before) << "what is mapped is not touched";
  EXPECT_EQ(get("namespaces", "", "to").at("metadata").at("labels").at("kubernetes.io/metadata.name"), "to");
  EXPECT_EQ(get("configmaps", "to", "a").at("data").at("text"), "then");
  const json subjects = get("rolebindings.rbac.authorization.k8s.io", "to", "reads").at("subjects");
  EXPECT_EQ(subjects.at(0).at("namespace"), "to");
  EXPECT_EQ(subjects.at(1).at("namespace"), "elsewhere");
  EXPECT_THAT(get("networkpolicies.networking.k8s.io", "to", "fence").dump(),
              HasSubstr(R"("kubernetes.io/metadata.name":"to")"));
  const json moved = get("services", "to", "front");
  EXPECT_NE(moved.at("spec").at("clusterIP"), service.at("spec").at("clusterIP"));
  EXPECT_NE(moved.at("spec").at("ports").at(0).at("nodePort"), 30123);
  const Dump after = dump("to");
  EXPECT_EQ(after.size(), before.size());

  // The account of there may do there what it might do here.
  const auto may = [&](const std::string& ns) {
    const auto asked =
        bed_->kubectl({"auth", "can-i", "get", "configmaps", "-n", ns, "--as", "system:serviceaccount:to:robot"});
    return asked && asked->starts_with("yes");
  };
  EXPECT_TRUE(wait_until([&] { return may("to"); }));
  EXPECT_FALSE(may("from"));
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  EXPECT_TRUE(get("namespaces", "", "to").is_null());
  EXPECT_EQ(dump("from"), before);
}

// ---- with what they refer to, with their status

TEST_F(RestoreWays, AWorkloadComesBackWithWhatItNeeds) {
  make_namespace("parts");
  for (const char* name : {"settings", "unrelated"}) make("configmaps", "parts", map_of(name, "then"));
  make("secrets", "parts", named_object("password", {{"stringData", {{"p", "x"}}}}));
  make("serviceaccounts", "parts", named_object("worker"));
  make("priorityclasses.scheduling.k8s.io", "", named_object("parts-first", {{"value", 7}}));
  const json spec{
      {"serviceAccountName", "worker"},
      {"priorityClassName", "parts-first"},
      {"volumes", {{{"name", "s"}, {"configMap", {{"name", "settings"}}}}}},
      {"containers",
       {{{"name", "c"}, {"image", "localhost/worker:1"}, {"envFrom", {{{"secretRef", {{"name", "password"}}}}}}}}}};
  make("deployments.apps", "parts",
       named_object("web", {{"spec",
                             {{"replicas", 0},
                              {"selector", {{"matchLabels", {{"app", "web"}}}}},
                              {"template", {{"metadata", {{"labels", {{"app", "web"}}}}}, {"spec", spec}}}}}}));
  define("bolts", "Bolt");
  make("bolts.ways.example.com", "parts", custom("m8", "Bolt", {{"spec", {{"size", 8}}}}));
  const std::string at = moment();
  const auto lose = [&] {
    remove_namespace("parts");
    remove("priorityclasses.scheduling.k8s.io", "", "parts-first");
    remove("customresourcedefinitions.apiextensions.k8s.io", "", "bolts.ways.example.com");
    ASSERT_TRUE(wait_until([&] { return admin_->discover().value().find("bolts.ways.example.com") == nullptr; }));
  };
  lose();
  expect_code(tidemark({"restore", "deploy/web", "bolt/m8", "-n", "parts", "--at", at, "--with-deps", "--yes"}), 0);
  EXPECT_FALSE(get("deployments.apps", "parts", "web").is_null());
  EXPECT_EQ(get("configmaps", "parts", "settings").at("data").at("text"), "then");
  EXPECT_FALSE(get("secrets", "parts", "password").is_null());
  EXPECT_FALSE(get("serviceaccounts", "parts", "worker").is_null());
  EXPECT_EQ(get("priorityclasses.scheduling.k8s.io", "", "parts-first").at("value"), 7);
  EXPECT_EQ(get("bolts.ways.example.com", "parts", "m8").at("spec").at("size"), 8);
  EXPECT_TRUE(get("configmaps", "parts", "unrelated").is_null()) << "nothing refers to it";

  // What is there stays, as the chosen ones do; what is in no namespace is not even looked at.
  ASSERT_TRUE(admin_->patch(kind("configmaps"), {.name_space = "parts", .name = "settings"}, link::KubePatch::merge,
                            {{"data", {{"text", "now"}}}}));
  const std::vector<std::string> again{"restore", "deploy/web", "-n", "parts", "--at", at, "--with-deps", "--yes"};
  const ProgramResult nothing = tidemark(again);
  expect_code(nothing, 0);
  EXPECT_THAT(nothing.out, HasSubstr("nothing to do"));
  EXPECT_THAT(nothing.out, Not(HasSubstr("priorityclasses")));
  std::vector<std::string> replace = again;
  replace.insert(replace.end(), {"--existing", "replace"});
  expect_code(tidemark(replace), 0);
  EXPECT_EQ(get("configmaps", "parts", "settings").at("data").at("text"), "then");
}

TEST_F(RestoreWays, AStatusComesBackWhenAskedFor) {
  make_namespace("states");
  define("pumps", "Pump");
  const json made = make("pumps.ways.example.com", "states", custom("p", "Pump", {{"spec", {{"size", 1}}}}));
  json with_status = made;
  with_status["status"] = {{"running", true}, {"hours", 7}};
  const auto put = admin_->put(kind("pumps.ways.example.com"),
                               {.name_space = "states", .name = "p", .subresource = "status"}, with_status);
  ASSERT_TRUE(put) << put.error().what;
  const std::string at = moment();
  const auto status = [] { return get("pumps.ways.example.com", "states", "p").value("status", json()); };
  remove("pumps.ways.example.com", "states", "p");
  expect_code(tidemark({"restore", "pump/p", "-n", "states", "--at", at, "--yes"}), 0);
  EXPECT_TRUE(status().is_null()) << status();
  expect_code(tidemark({"restore", "pump/p", "-n", "states", "--at", at, "--existing", "replace", "--status", "--yes"}),
              0);
  EXPECT_EQ(status(), with_status["status"]);
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  remove("pumps.ways.example.com", "states", "p");
  expect_code(tidemark({"restore", "pump/p", "-n", "states", "--at", at, "--status", "--yes"}), 0);
  EXPECT_EQ(status(), with_status["status"]);
}

// ---- what is printed

TEST_F(RestoreWays, APlanShowsNoSecretAndHasItAllTheSame) {
  make_namespace("vault");
  // In base64: Y3Jvd24= and amV3ZWxz.
  make("secrets", "vault", named_object("key", {{"stringData", {{"one", "crown"}, {"two", "jewels"}}}}));
  make("secrets", "vault", named_object("lost", {{"stringData", {{"one", "crown"}}}}));
  const std::string at = moment();
  const Dump then = dump("vault");
  ASSERT_TRUE(admin_->patch(kind("secrets"), {.name_space = "vault", .name = "key"}, link::KubePatch::merge,
                            {{"stringData", {{"two", "paste"}}}}));
  remove("secrets", "vault", "lost");
  const Dump now = dump("vault");
  const io::Path file = temp_->path() / "vault.yaml";
  const auto print = [&](std::vector<std::string> args) {
    args.insert(args.end(), {"--dry-run", "-o", "yaml"});
    const ProgramResult plan = tidemark(args);
    expect_code(plan, 0);
    for (const char* value : {"Y3Jvd24", "amV3ZWxz", "cGFzdGU", "crown", "jewels", "paste"}) {
      EXPECT_THAT(plan.out + plan.err, Not(HasSubstr(value)));
    }
    EXPECT_THAT(plan.out, HasSubstr("(as it was)"));
    EXPECT_TRUE(io::remove_tree(file));
    EXPECT_TRUE(io::write_file_durably(file, as_bytes(plan.out)));
  };
  print({"restore", "secrets", "-n", "vault", "--at", at, "--existing", "replace"});
  expect_code(tidemark({"apply", file.string(), "--yes"}), 0);
  expect_dump("vault", then);
  print({"undo", last_restore()});
  expect_code(tidemark({"apply", file.string(), "--yes"}), 0);
  expect_dump("vault", now);
  print({"restore", "secrets", "-n", "vault", "--at", at, "--map-namespace", "vault=copy"});
  expect_code(tidemark({"apply", file.string(), "--yes"}), 0);
  EXPECT_EQ(get("secrets", "copy", "key").at("data"), then.at("secrets vault/key").at("data"));
}

TEST_F(RestoreWays, ADifferenceIsWhatSomebodyDidAndNoNoise) {
  make_namespace("looks");
  make("configmaps", "looks", map_of("a", "then"));
  const std::string at = moment();
  const auto diff = [&](const std::string& what, const std::string& form) {
    return tidemark({"diff", what, "-n", "looks", "--at", at, "--live", "-o", form});
  };
  // Made again by a restore it is the same to everybody but the server.
  remove("configmaps", "looks", "a");
  const ProgramResult gone = diff("cm/a", "table");
  expect_code(gone, 10);
  EXPECT_THAT(gone.out, HasSubstr("deleted"));
  expect_code(tidemark({"restore", "cm/a", "-n", "looks", "--at", at, "--yes"}), 0);
  const ProgramResult same = diff("cm/a", "diff");
  expect_code(same, 0);
  EXPECT_EQ(same.out, "");
  // What has come since is a difference, by its name, too.
  make("configmaps", "looks", map_of("b", "now"));
  for (const char* what : {"cm/b", "cm"}) {
    const ProgramResult added = diff(what, "table");
    expect_code(added, 10);
    EXPECT_THAT(added.out, HasSubstr("created"));
    EXPECT_THAT(added.out, HasSubstr("configmap/b"));
    EXPECT_THAT(added.err, Not(HasSubstr("missing")));
  }
  const ProgramResult hunks = diff("cm/b", "diff");
  expect_code(hunks, 10);
  EXPECT_THAT(hunks.out, HasSubstr("--- /dev/null"));
  EXPECT_THAT(hunks.out, HasSubstr("+  text: now"));
  const ProgramResult never = diff("cm/never", "diff");
  expect_code(never, 4);
  EXPECT_THAT(never.err, HasSubstr("configmaps 'never'"));
  // A change and an identity of its own: both are told.
  remove("configmaps", "looks", "a");
  make("configmaps", "looks", map_of("a", "later"));
  const ProgramResult again = diff("cm/a", "table");
  expect_code(again, 10);
  EXPECT_THAT(again.out, HasSubstr("recreated"));
  EXPECT_THAT(again.out, HasSubstr(".data.text"));
  EXPECT_THAT(again.out, Not(HasSubstr("uid")));
}

// ---- a store that is encrypted

TEST_F(RestoreWays, FromAnEncryptedStoreAndTheUndoPointIsNotReadableEither) {
  make_namespace("sealed");
  make("secrets", "sealed", named_object("key", {{"stringData", {{"k", "crown-jewels"}}}}));
  const io::Path identity = temp_->path() / "ann.txt", sealed = temp_->path() / "sealed";
  ASSERT_TRUE(run_program({"age-keygen", "-o", identity.string()})) << "Debian's age is needed (package age)";
  MUST(std::string recipient, output_of({"age-keygen", "-y", identity.string()}));
  recipient.resize(recipient.find('\n'));
  const auto recorded = run_program(
      {tidemark_program(), "record", "--endpoints", bed_->etcd_url(), "--store", sealed.string(), "--spool-dir",
       (temp_->path() / "sealed-spool").string(), "--once", "full", "--age-recipients", recipient},
      {.timeout = kPatience});
  ASSERT_TRUE(recorded && recorded->exit_code == 0) << recorded->err;
  const Dump before = dump("sealed");
  ASSERT_TRUE(admin_->patch(kind("secrets"), {.name_space = "sealed", .name = "key"}, link::KubePatch::merge,
                            {{"stringData", {{"k", "glass-beads"}}}}));
  const Dump after = dump("sealed");
  const auto run = [&](std::vector<std::string> args, std::vector<std::string> keys) {
    args.insert(args.begin(), tidemark_program());
    args.insert(args.end(), {"--store", sealed.string(), "--kubeconfig", bed_->kubeconfig().string(), "--progress",
                             "none", "--yes"});
    args.insert(args.end(), keys.begin(), keys.end());
    const auto ran = run_program(args, {.timeout = kPatience});
    EXPECT_TRUE(ran) << ran.error().what;
    return ran ? *ran : ProgramResult();
  };
  const std::vector<std::string> reads{"--age-identity", identity.string()};
  std::vector<std::string> writes = reads;
  writes.insert(writes.end(), {"--age-recipients", recipient});
  const std::vector<std::string> restore{"restore", "secret/key", "-n", "sealed", "--existing", "replace"};
  // Neither without a key to read it, nor when the undo point could be written in the clear only.
  const ProgramResult unread = run(restore, {"--age-recipients", recipient});
  expect_code(unread, 6);
  EXPECT_THAT(unread.err, HasSubstr("--age-identity"));
  const ProgramResult unwritten = run(restore, reads);
  expect_code(unwritten, 2);
  EXPECT_THAT(unwritten.err, HasSubstr("--age-recipients"));
  expect_dump("sealed", after);

  expect_code(run(restore, writes), 0);
  expect_dump("sealed", before);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(sealed)) {
    if (!entry.is_regular_file()) continue;
    const auto body = io::read_file(entry.path(), 1UL << 30U);
    ASSERT_TRUE(body);
    for (const char* value : {"crown-jewels", "glass-beads", "Z2xhc3MtYmVhZHM", "Y3Jvd24tamV3ZWxz"}) {
      EXPECT_EQ(as_text(*body).find(value), std::string_view::npos) << entry.path();
    }
  }
  expect_code(run({"undo", "1"}, writes), 0);
  expect_dump("sealed", after);
}

// ---- many hands

TEST_F(RestoreWays, WhatThreeManagersWroteIsExactlyAsItWas) {
  make_namespace("hands");
  const auto deployment = [](json metadata, json spec) {
    metadata["name"] = "web";
    return json{{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"metadata", metadata}, {"spec", spec}};
  };
  const auto person = [&](const std::string& image, json env) {
    json pod = pod_template("web");
    pod["spec"]["containers"][0]["image"] = image;
    pod["spec"]["containers"][0]["env"] = std::move(env);
    const io::Path file = temp_->path() / "hands.json";
    EXPECT_TRUE(io::remove_tree(file));
    const json whole =
        deployment({{"labels", {{"team", image}}}},
                   {{"replicas", 0}, {"selector", {{"matchLabels", {{"app", "web"}}}}}, {"template", std::move(pod)}});
    EXPECT_TRUE(io::write_file_durably(file, as_bytes(whole.dump())));
    const auto done = bed_->kubectl({"apply", "-n", "hands", "-f", file.string()});
    EXPECT_TRUE(done) << done.error().what;
  };
  // By no kubectl: that would take over all that its other way of applying owns.
  link::KubeClient injector(admin_->access(), {.field_manager = "injector"});
  const auto controller = [&](json annotations, json containers) {
    const auto done = injector.apply(kind("deployments.apps"), {.name_space = "hands", .name = "web"},
                                     deployment({{"annotations", std::move(annotations)}},
                                                {{"template", {{"spec", {{"containers", std::move(containers)}}}}}}));
    EXPECT_TRUE(done) << done.error().what;
  };
  const auto edit = [&](const json& patch) {
    const auto done = bed_->kubectl({"patch", "deployment", "web", "-n", "hands", "--field-manager=kubectl-edit",
                                     "--type=strategic", "-p", patch.dump()});
    EXPECT_TRUE(done) << done.error().what;
  };
  const json sidecar{{{"name", "sidecar"}, {"image", "localhost/worker:7"}}};
  person("worker-1", {{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "1"}}});
  controller({{"injected", "yes"}}, sidecar);
  edit({{"spec", {{"minReadySeconds", 7}, {"template", {{"metadata", {{"annotations", {{"by", "hand"}}}}}}}}}});
  const auto settled = [] {
    const json is = get("deployments.apps", "hands", "web");
    return value_in(is, "/status/observedGeneration") == is.at("metadata").at("generation");
  };
  ASSERT_TRUE(eventually(settled));
  const std::string at = moment();
  const auto state = [] {
    Dump all = dump("hands");
    all["deployments.apps hands/web"]["metadata"]["annotations"].erase("deployment.kubernetes.io/revision");
    return all;
  };
  const Dump then = state();

  person("worker-2", {{{"name", "A"}, {"value", "2"}}, {{"name", "C"}, {"value", "2"}}});
  controller({{"injected", "again"}, {"more", "yes"}}, {{{"name", "sidecar"}, {"image", "localhost/worker:8"}},
                                                        {{"name", "second"}, {"image", "localhost/worker:8"}}});
  edit({{"spec",
         {{"minReadySeconds", 8},
          {"paused", true},
          {"template", {{"metadata", {{"annotations", {{"by", nullptr}, {"also", "hand"}}}}}}}}}});
  const Dump since = state();
  ASSERT_NE(since, then);
  const std::vector<std::string> restore{"restore", "deploy/web", "-n", "hands", "--at", at, "--yes", "--existing"};
  const auto with = [&](const char* how) {
    std::vector<std::string> args = restore;
    args.emplace_back(how);
    return tidemark(args);
  };
  expect_code(with("merge"), 0);
  const json merged = get("deployments.apps", "hands", "web");
  EXPECT_EQ(value_in(merged, "/spec/minReadySeconds"), 7);
  EXPECT_EQ(value_in(merged, "/metadata/annotations/more"), "yes") << "what came since stays";
  EXPECT_EQ(merged.at("spec").at("template").at("spec").at("containers").size(), 3U);
  expect_code(with("replace"), 0);
  EXPECT_EQ(state(), then);
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  EXPECT_EQ(state(), then);
  // Each of them goes on with what it had as if nothing had been.
  person("worker-1", {{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "1"}}});
  controller({{"injected", "yes"}}, sidecar);
  EXPECT_EQ(state(), then);
  // Made again it counts its rollouts from one, and that is no failure.
  const std::string later = moment();
  remove("deployments.apps", "hands", "web");
  ASSERT_TRUE(eventually([] { return get("deployments.apps", "hands", "web").is_null(); }));
  expect_code(tidemark({"restore", "deploy/web", "-n", "hands", "--at", later, "--yes"}), 0);
  EXPECT_EQ(state(), then);
}

// ---- what cannot be changed

TEST_F(RestoreWays, WhatTheServerRefusesToChangeIsKnownAndMadeAgain) {
  const std::vector<ImmutableSample> samples = immutable_samples();
  make_namespace("stone");
  for (const ImmutableSample& sample : samples) {
    if (sample.made_twice) make(sample.kind, place(sample), sample.then);
  }
  const std::string at = moment();
  for (const ImmutableSample& sample : samples) {
    if (sample.made_twice) remove(sample.kind, place(sample), sample.name);
  }
  for (const ImmutableSample& sample : samples) {
    ASSERT_TRUE(eventually([&] { return get(sample.kind, place(sample), sample.name).is_null(); })) << sample.kind;
    make(sample.kind, place(sample), sample.now);
  }
  ASSERT_TRUE(eventually([] {
    return get("customresourcedefinitions.apiextensions.k8s.io", "", "slabs.stone.example.com")
               .dump()
               .find(R"("type":"Established")") != std::string::npos;
  }));

  std::set<std::string> asked;
  for (const ImmutableSample& sample : samples) {
    const std::vector<std::string> fields = fixed_fields(sample);
    EXPECT_FALSE(fields.empty()) << sample.kind << ' ' << sample.name;
    for (const std::string& field : fields) {
      expect_refused(sample, field);
      asked.insert(sample.kind + " " + field);
    }
  }
  for (const std::string& known : live::immutable_fields()) {
    // Without snapshots in the cluster nobody can be asked.
    EXPECT_TRUE(known.starts_with("volumesnapshot") || asked.contains(known)) << known << " has no sample";
  }

  std::vector<std::string> restore{"restore"};
  for (const ImmutableSample& sample : samples) {
    if (sample.made_twice) restore.push_back(sample.kind + "/" + sample.name);
  }
  restore.insert(restore.end(), {"-n", "stone", "--at", at, "--yes", "--existing"});
  const auto with = [&](std::initializer_list<const char*> more) {
    std::vector<std::string> args = restore;
    args.insert(args.end(), more.begin(), more.end());
    return tidemark(args);
  };
  const ProgramResult kept = with({"replace", "--dry-run", "-o", "json"});
  expect_code(kept, 0);
  for (const json& step : json::parse(kept.out).at("steps")) {
    EXPECT_EQ(step.at("action"), "keep") << step;
    if (step.at("object") == "services stone/addressed")
      continue;  // it keeps the address it has, and the rest is equal
    EXPECT_THAT(step.at("reason").get<std::string>(), HasSubstr("cannot be changed in place")) << step;
  }
  expect_code(with({"recreate"}), 0);
  expect_all(samples, &ImmutableSample::then);
  expect_code(tidemark({"undo", last_restore(), "--yes"}), 0);
  expect_all(samples, &ImmutableSample::now);
}

}  // namespace
}  // namespace tidemark::testing

int main(int argc, char** argv) {
  if (tidemark::testing::is_step_program()) return tidemark::testing::step_program(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
