// `tidemark serve`, asked by the real kubectl, helm and client-go: the past of a real cluster beside what its own API
// server answered then. What needs no cluster: tests/drill_serve_store.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/testing/run.h"
#include "kit/serve_drill.h"
#include "kube/testing/structural_rows.h"
#include "link/kube_client.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(ServeDrill, IsTheClusterAsItWas) {
  MUST(const Moment before, now(dir_.path()));
  record("full");
  MUST(const std::string made, bed_->kubectl({"create", "configmap", "later", "-n", "default", "--from-literal=a=b"}));
  MUST(const std::string labelled, bed_->kubectl({"label", "namespace", "default", "seen=twice"}));
  MUST(const std::string gone, bed_->kubectl({"delete", "configmap", "-n", "kube-public", "--all"}));
  const Status defined = define_dials(dir_.path());
  ASSERT_TRUE(defined) << defined.error().what;
  MUST(const Moment after, now(dir_.path()));
  record("delta");

  MUST(const auto past, Serving::start(store_url(), fmt::format("rev:{}", after.at)));
  struct stat file{};
  ASSERT_EQ(::stat(past->kubeconfig().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);

  // Every object, in lists of two sizes, and the tables.
  expect_everything(*past, after);
  MUST(const std::string kinds, every_kind());
  expect_tables(*past, kinds, {});
  expect_tables(*past, kinds, {"-o", "wide"});
  EXPECT_EQ(without_ages(past->kubectl({"get", "cm,pods", "-A"})), without_ages(after.printed.at("cm,pods")));
  EXPECT_EQ(past->kubectl({"get", "cm,secrets", "-A", "--chunk-size=5"}), past->kubectl({"get", "cm,secrets", "-A"}));
  EXPECT_THAT(past->kubectl({"get", "cm", "later", "-n", "default", "-o", "jsonpath={.data.a}"}), "b");

  // The moment before, by its path; whoever asks there sees nothing of what came later.
  const std::string at = fmt::format("{}/at/rev:{}", past->url(), before.at);
  EXPECT_THAT(past->refused({"--server", at, "get", "cm", "later", "-n", "default"}), HasSubstr("NotFound"));
  const json names = past->got({"--server", at, "get", "ns", "default"});
  EXPECT_FALSE(names.at("metadata").at("labels").contains("seen"));
  EXPECT_EQ(past->got({"get", "ns", "default"}).at("metadata").at("labels").at("seen"), "twice");
  EXPECT_EQ(without_ages(past->kubectl({"--server", at, "get", "cm,pods", "-A"})),
            without_ages(before.printed.at("cm,pods")));
  EXPECT_THAT(past->refused({"--server", past->url() + "/at/rev:99999999", "get", "--raw", "/api/v1/pods"}),
              HasSubstr("99999999"));

  // Our own client, in small pages, by both forms of discovery.
  const auto access =
      link::read_kube_config({.file = past->kubeconfig().string()}, [](std::string_view) { return ""; });
  ASSERT_TRUE(access) << access.error().what;
  link::KubeClient client(*access);
  MUST(const link::KubeDiscovery served, client.discover());
  MUST(const link::KubeDiscovery classic, client.discover({}, link::DiscoveryForm::classic));
  EXPECT_EQ(served.kinds.size(), classic.kinds.size());
  Objects listed;
  for (const link::KubeKind& kind : served.kinds) {
    MUST(const link::KubeListEnd end, client.list(kind, {.page = 7}, [&](json& object) -> Status {
      std::string id = id_of(object);
      listed.emplace(std::move(id), std::move(object));
      return {};
    }));
    EXPECT_EQ(end.resource_version, std::to_string(after.at.raw())) << kind.full_name();
  }
  EXPECT_EQ(listed.size(), after.objects.size());
  EXPECT_EQ(past->stop(), 0) << past->log();
}

// A definition whose versions say of `spec` what is given: stored in v1, shown in v2.
json definition_of_parts(const json& spec) {
  const json schema{{"openAPIV3Schema", {{"type", "object"}, {"properties", {{"spec", spec}}}}}};
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", {{"name", "parts.drill.example.com"}}},
          {"spec",
           {{"group", "drill.example.com"},
            {"scope", "Namespaced"},
            {"names", {{"plural", "parts"}, {"singular", "part"}, {"kind", "Part"}, {"listKind", "PartList"}}},
            {"versions",
             {{{"name", "v1"}, {"served", true}, {"storage", true}, {"schema", schema}},
              {{"name", "v2"}, {"served", true}, {"storage", false}, {"schema", schema}}}}}}};
}

// What was stored before its definition had a schema is shown with the defaults of that and without what it lacks.
TEST_F(ServeDrill, CustomResourcesAreReadByTheirSchemas) {
  const auto write = [&](const std::string& verb, const json& object) {
    const io::Path file = dir_.path() / "object.json";
    std::ofstream(file) << object;
    const auto done = bed_->kubectl({verb, "-f", file.string()});
    EXPECT_TRUE(done) << done.error().what;
  };
  write("create", definition_of_parts({{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}));
  MUST(const std::string known,
       bed_->kubectl({"wait", "--for=condition=Established", "--timeout=10m", "crd", "parts.drill.example.com"}));
  json stored = json::object(), wanted = json::object(), schema{{"type", "object"}, {"properties", json::object()}};
  for (std::size_t i = 0; i < std::size(kube::testing::kStructuralRows); i++) {
    const auto& row = kube::testing::kStructuralRows[i];
    const std::string field = fmt::format("row{}", i);
    stored[field] = json::parse(row.stored);
    wanted[field] = json::parse(row.read);
    schema["properties"][field] = json::parse(row.schema);
  }
  schema["properties"]["late"] = {{"type", "string"}, {"default", "is here"}};
  wanted["late"] = "is here";
  write("create", {{"apiVersion", "drill.example.com/v1"},
                   {"kind", "Part"},
                   {"metadata", {{"name", "one"}, {"namespace", "default"}}},
                   {"spec", stored}});
  write("replace", definition_of_parts(schema));
  const auto part = [&] {
    const auto text = bed_->kubectl({"get", "parts", "one", "-n", "default", "-o", "json"});
    return text ? json::parse(*text) : json();
  };
  const auto give_up = std::chrono::steady_clock::now() + 10min;
  while (!part().at("spec").contains("late") && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(20ms);
  }
  const json living = part();
  for (const auto& [field, value] : wanted.items()) {
    const std::size_t row = field == "late" ? 0 : std::stoul(field.substr(3));
    EXPECT_EQ(living.at("spec").value(field, json()), value) << kube::testing::kStructuralRows[row].name;
  }
  record("full");
  const auto got = cli::testing::run({"get", "parts/one", "-n", "default", "-o", "json", "--store", store_url()});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(json::parse(got.out), living);
  MUST(const auto past, Serving::start(store_url(), "latest"));
  EXPECT_EQ(past->got({"get", "parts", "one", "-n", "default"}), living);
  EXPECT_EQ(past->got({"get", "parts.v1.drill.example.com", "one", "-n", "default"}).at("spec"), living.at("spec"));
  EXPECT_EQ(past->stop(), 0) << past->log();
  write("delete", definition_of_parts(schema));
}

TEST_F(ServeDrill, KubectlWorks) {
  record("full");
  MUST(const auto past, Serving::start(store_url(), "latest"));

  // It finds its way.
  const std::string resources = past->kubectl({"api-resources"});
  MUST(const std::string live, bed_->kubectl({"api-resources", "--verbs=list", "-o", "name"}));
  std::istringstream words(live);
  for (std::string word; words >> word;) {
    if (has_no_past(word)) continue;
    EXPECT_THAT(resources, HasSubstr(word.substr(0, word.find('.')))) << word;
  }
  EXPECT_THAT(past->kubectl({"version"}), HasSubstr("Server Version: v1."));
  EXPECT_THAT(past->kubectl({"get", "all", "-A"}), HasSubstr("service/kubernetes"));

  // It describes, selects and explains.
  MUST(const std::string described, bed_->kubectl({"describe", "svc", "kubernetes", "-n", "default"}));
  EXPECT_EQ(without_ages(past->kubectl({"describe", "svc", "kubernetes", "-n", "default"})), without_ages(described));
  for (const char* kind : {"deploy", "pods", "nodes", "pvc", "cm", "secrets"}) {
    const auto ran = past->try_kubectl({"describe", kind, "-A"});
    EXPECT_TRUE(ran && ran->exit_code == 0) << kind << ": " << (ran ? ran->err : "");
  }
  MUST(const std::string selected, bed_->kubectl({"get", "ns", "-l", "kubernetes.io/metadata.name in (default)"}));
  EXPECT_EQ(without_ages(past->kubectl({"get", "ns", "-l", "kubernetes.io/metadata.name in (default)"})),
            without_ages(selected));
  EXPECT_EQ(past->got({"get", "svc", "-A", "--field-selector", "metadata.name=kubernetes"}).at("items").size(), 1U);
  EXPECT_THAT(past->kubectl({"explain", "deployments.spec.replicas"}), HasSubstr("<integer>"));

  // It may read, and nothing else.
  EXPECT_EQ(past->kubectl({"auth", "can-i", "list", "secrets", "-A"}), "yes\n");
  EXPECT_THAT(past->refused({"auth", "can-i", "delete", "pods"}), Not(HasSubstr("error")));
  EXPECT_THAT(past->kubectl({"auth", "can-i", "--list"}), HasSubstr("[get list watch]"));
  EXPECT_THAT(past->kubectl({"auth", "whoami"}), HasSubstr("tidemark:reader"));
  EXPECT_THAT(past->refused({"delete", "svc", "kubernetes", "-n", "default"}),
              HasSubstr("read-only: this is the cluster as it was at "));
  const std::string manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: default}\n";
  EXPECT_THAT(past->refused({"apply", "-f", "-"}, manifest), HasSubstr("read-only"));
  EXPECT_THAT(past->refused({"diff", "-f", "-"}, manifest), HasSubstr("read-only"));
  const auto dry = past->try_kubectl({"apply", "--dry-run=client", "-f", "-"}, manifest);
  EXPECT_TRUE(dry && dry->exit_code == 0) << (dry ? dry->err : "");
  EXPECT_THAT(past->refused({"logs", "none", "-n", "default"}), HasSubstr("NotFound"));

  // A watch is quiet, and ends when it was to.
  const json page = json::parse(past->kubectl({"get", "--raw", "/api/v1/namespaces?limit=1"}), nullptr, false);
  const std::string list = page.at("metadata").at("resourceVersion");
  EXPECT_THAT(past->kubectl({"get", "--raw", "/api/v1/namespaces?watch=1&timeoutSeconds=1&resourceVersion=" + list}),
              IsEmpty());
  const auto watched = past->try_kubectl({"get", "ns", "--watch", "--request-timeout=5s"});
  ASSERT_TRUE(watched) << watched.error().what;
  EXPECT_EQ(without_ages(watched->out), without_ages(past->kubectl({"get", "ns"})));

  // Nobody else gets in.
  EXPECT_THAT(past->refused({"--token", "guessed", "get", "--raw", "/api/v1/secrets"}), HasSubstr("token"));
  const auto asked = [&](const std::vector<std::string>& more) {
    std::vector<std::string> argv{"curl", "-s", "-m",        "60", "--noproxy",   "*",
                                  "-k",   "-o", "/dev/null", "-w", "%{http_code}"};
    argv.insert(argv.end(), more.begin(), more.end());
    const auto ran = run_program(argv);
    return ran ? ran->out : ran.error().what;
  };
  const std::string bearer = "Authorization: Bearer " + past->token(), path = past->url() + "/api/v1/secrets";
  EXPECT_EQ(asked({"-H", bearer, path}), "200");
  EXPECT_EQ(asked({path}), "401");
  EXPECT_EQ(asked({"-H", bearer, "-H", "Host: rebound.example", path}), "421");
  EXPECT_EQ(past->log().find(past->token()), std::string::npos);
  EXPECT_EQ(past->stop(), 0) << past->log();
}

// A line for each kind: what client-go lists in pages, and what its watches begin with.
TEST_F(ServeDrill, ClientGoReadsEveryKind) {
  MUST(const io::Path lister, lister_program());
  record("full");
  MUST(const auto past, Serving::start(store_url(), "latest"));
  const json page = json::parse(past->kubectl({"get", "--raw", "/api/v1/namespaces?limit=1"}), nullptr, false);
  const std::string revision = page.at("metadata").at("resourceVersion");
  const auto lines = [&](const io::Path& kubeconfig, std::vector<std::string> more) {
    std::vector<std::string> words{lister.string(), "-kubeconfig", kubeconfig.string(), "-revision", revision,
                                   "-page",         "20"};
    words.insert(words.end(), more.begin(), more.end());
    const auto ran = run_program(words, {.timeout = kPatience});
    EXPECT_TRUE(ran && ran->exit_code == 0) << (ran ? ran->err : ran.error().what);
    std::map<std::string, json> all;
    std::istringstream text(ran ? ran->out : "");
    for (std::string line; std::getline(text, line);) {
      json told = json::parse(line, nullptr, false);
      std::string resource = told.value("resource", line);
      all.emplace(std::move(resource), std::move(told));
    }
    return all;
  };
  const auto live = lines(bed_->kubeconfig("admin"), {}), then = lines(past->kubeconfig(), {"-watch"});
  std::size_t many = 0, same = 0;
  for (const auto& [resource, told] : live) {
    if (has_no_past(resource)) continue;
    const auto found = then.find(resource);
    if (found == then.end()) {
      EXPECT_EQ(told.at("objects"), 0) << resource << " is not served";
      continue;
    }
    const json& shown = found->second;
    EXPECT_EQ(shown.at("objects"), told.at("objects")) << resource;
    EXPECT_EQ(shown.at("revision"), revision) << resource;
    EXPECT_EQ(shown.at("watched"), shown.at("sha256")) << resource;
    many += shown.at("pages") > 1 ? 1 : 0;
    if (shown.at("apiVersion") != told.at("apiVersion")) continue;  // kStoredOlder
    EXPECT_EQ(shown.at("sha256"), told.at("sha256")) << resource;
    same++;
  }
  EXPECT_GT(many, 0U) << "no list had a second page";
  EXPECT_GE(same + std::size(kStoredOlder), then.size());
  EXPECT_GT(same, 40U);

  // Large answers are packed for whoever asks so, and are the same.
  const std::string bearer = "Authorization: Bearer " + past->token();
  const auto fetched = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"curl", "-s", "-m", "100", "--noproxy", "*", "-k", "-H", bearer};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(past->url() + "/api/v1/configmaps");
    const auto ran = run_program(words, {.timeout = kPatience});
    return ran ? ran->out : ran.error().what;
  };
  const std::string plain = fetched({});
  EXPECT_GT(plain.size(), 64U << 10U);
  EXPECT_EQ(fetched({"--compressed"}), plain);
  EXPECT_THAT(fetched({"--compressed", "-D", "-", "-o", "/dev/null"}), HasSubstr("Content-Encoding: gzip"));
  EXPECT_EQ(past->stop(), 0) << past->log();
}

// Releases are Secrets: helm finds in the past what was installed then, and cannot change it.
TEST_F(ServeDrill, HelmListsWhatWasInstalled) {
  MUST(const std::string helm, testbed_tool("helm"));
  const io::Path chart = dir_.path() / "chart";
  ASSERT_TRUE(io::make_dirs(chart / "templates"));
  std::ofstream(chart / "Chart.yaml") << "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: \"7\"\n";
  std::ofstream(chart / "templates/settings.yaml")
      << "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: helm-settings}\ndata: {colour: {{ .Values.colour }}}\n";
  const auto by_helm = [&](const io::Path& kubeconfig, std::vector<std::string> words) {
    words.insert(words.begin(), helm);
    words.insert(words.end(), {"--kubeconfig", kubeconfig.string(), "-n", "default"});
    return run_program(words, {.environment = {"HOME=" + dir_.path().string()}, .timeout = kPatience});
  };
  const auto printed = [&](const io::Path& kubeconfig, const std::vector<std::string>& words) {
    const auto ran = by_helm(kubeconfig, words);
    EXPECT_TRUE(ran && ran->exit_code == 0) << words.front() << ": " << (ran ? ran->err : ran.error().what);
    return ran ? ran->out : std::string();
  };
  const io::Path live = bed_->kubeconfig("admin");
  record("full");
  printed(live, {"install", "web", chart.string(), "--set", "colour=green"});
  const std::string listed = printed(live, {"list", "-o", "json"});
  MUST(const std::string page, bed_->kubectl({"get", "--raw", "/api/v1/namespaces/default/secrets?limit=1"}));
  const std::string then = json::parse(page).at("metadata").at("resourceVersion");
  printed(live, {"upgrade", "web", chart.string(), "--set", "colour=red"});
  record("delta");
  ASSERT_NE(listed, printed(live, {"list", "-o", "json"}));

  MUST(const auto past, Serving::start(store_url(), "rev:" + then));
  EXPECT_EQ(printed(past->kubeconfig(), {"list", "-o", "json"}), listed);
  EXPECT_THAT(printed(past->kubeconfig(), {"get", "manifest", "web"}), HasSubstr("green"));
  const auto changed = by_helm(past->kubeconfig(), {"rollback", "web", "1"});
  ASSERT_TRUE(changed);
  EXPECT_NE(changed->exit_code, 0);
  EXPECT_THAT(changed->err, HasSubstr("read-only"));
  printed(live, {"uninstall", "web"});
}

}  // namespace
}  // namespace tidemark::testing
