// `tidemark serve`, asked by the real kubectl: the past of a real cluster beside what its own API server answered then;
// and a chain of moments with what cannot be read in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "bucket/delta.h"
#include "io/compress.h"
#include "kit/bed_process.h"
#include "kit/record_drill.h"
#include "kube/yaml_text.h"
#include "link/kube_client.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kPatience = 600s;

std::string text_of(const io::Path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string id_of(const json& object) {
  const json& meta = object.at("metadata");
  return fmt::format("{} {} {}/{}", object.at("apiVersion").get<std::string>(), object.at("kind").get<std::string>(),
                     meta.value("namespace", ""), meta.at("name").get<std::string>());
}
using Objects = std::map<std::string, json>;

// Lines with single blanks, without what depends on when one looks.
std::string without_ages(const std::string& text) {
  static const std::regex kAge(R"((^|[ (])(\d+[smhdy]){1,2}( ago)?(?=[ )]|$))");
  std::istringstream lines(text);
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    line = std::regex_replace(line, std::regex("[ \t]+"), " ");
    line = std::regex_replace(line, kAge, "$1AGE");
    while (line.ends_with(' ')) line.pop_back();
    all += line + "\n";
  }
  return all;
}

// Kinds that are stored in an older version than the one in which a server prefers to show them: they are served as
// stored. Kubernetes keeps the older one for a release, so that the release before can read it.
struct StoredOlder {
  const char* kind;
  const char* stored;
  const char* preferred;
};
constexpr StoredOlder kStoredOlder[] = {
    {"MutatingAdmissionPolicy", "admissionregistration.k8s.io/v1beta1", "admissionregistration.k8s.io/v1"},
    {"MutatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1beta1", "admissionregistration.k8s.io/v1"},
};
// As the living server names it.
json in_preferred_version(json object) {
  for (const StoredOlder& row : kStoredOlder) {
    if (object.at("kind") == row.kind && object.at("apiVersion") == row.stored) object["apiVersion"] = row.preferred;
  }
  return object;
}

// The server under test, in a process of its own, and kubectl with its kubeconfig.
class Serving {
 public:
  static Result<std::unique_ptr<Serving>> start(const std::string& store, const std::string& at,
                                                std::vector<std::string> more = {}) {
    auto serving = std::make_unique<Serving>();
    TM_LET(serving->kubectl_, kubectl_program());
    const io::Path& dir = serving->temp_.path();
    std::vector<std::string> argv{tidemark_program(),
                                  "serve",
                                  "--store",
                                  store,
                                  "--at",
                                  at,
                                  "--listen",
                                  "127.0.0.1:0",
                                  "--kubeconfig-out",
                                  serving->kubeconfig().string(),
                                  "--scratch",
                                  dir.string(),
                                  "--progress",
                                  "none"};
    argv.insert(argv.end(), more.begin(), more.end());
    TM_LET(Child child, Child::start(argv, dir / "serve.log", {.environment = {"XDG_RUNTIME_DIR=" + dir.string()}}));
    serving->child_.emplace(std::move(child));
    const auto told = [&] { return serving->log().find("export KUBECONFIG=") != std::string::npos; };
    if (!wait_until([&] { return told() || !serving->child_->running(); }, kPatience) || !told()) {
      return fail(Errc::invalid, "serve: {}", serving->log());
    }
    TM_LET(const Buffer text, io::read_file(serving->kubeconfig(), 1U << 20U));
    TM_LET(serving->config_, kube::parse_yaml(text));
    return serving;
  }

  // Ends by a signal, as it should.
  int stop() {
    child_->signal(SIGTERM);
    const auto code = child_->wait(kPatience);
    return code ? *code : -1;
  }

  Result<ProgramResult> try_kubectl(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.begin(), {kubectl_.string(), "--kubeconfig", kubeconfig().string(), "--cache-dir",
                                         (temp_.path() / "cache").string()});
    return run_program(arguments,
                       {.environment = {"HOME=" + temp_.path().string()}, .timeout = kPatience, .input = input});
  }
  // The standard output; what is on the other one too, when there is somebody to take it.
  std::string kubectl(const std::vector<std::string>& arguments, std::string* warnings = nullptr) const {
    const auto ran = try_kubectl(arguments);
    EXPECT_TRUE(ran && ran->exit_code == 0)
        << arguments.front() << ": " << (ran ? ran->err : ran.error().what) << log();
    if (!ran) return {};
    if (warnings != nullptr) *warnings = ran->err;
    return ran->out;
  }
  json got(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"-o", "json"});
    return json::parse(kubectl(arguments), nullptr, false);
  }
  // What it is refused with.
  std::string refused(const std::vector<std::string>& arguments, const std::string& input = {}) const {
    const auto ran = try_kubectl(arguments, input);
    EXPECT_TRUE(ran && ran->exit_code != 0) << arguments.front() << " was not refused";
    return ran ? ran->err : ran.error().what;
  }

  io::Path kubeconfig() const { return temp_.path() / "kubeconfig"; }
  const json& config() const { return config_; }
  std::string url() const { return config_.at("clusters").front().at("cluster").at("server"); }
  std::string token() const { return config_.at("users").front().at("user").at("token"); }
  std::string log() const { return text_of(temp_.path() / "serve.log"); }
  pid_t pid() const { return child_->pid(); }
  const io::Path& dir() const { return temp_.path(); }

 private:
  io::TempDir temp_ = io::TempDir::create().value();
  io::Path kubectl_;
  json config_;
  std::optional<Child> child_;
};

// ---- a real cluster, at two moments

class ServeDrill : public Recording {
 protected:
  struct Moment {
    Revision at;
    Objects objects;
    std::map<std::string, std::string> printed;  // what kubectl printed of the living cluster then
  };

  static void SetUpTestSuite() {
    auto bed = BedProcess::start({.controllers = false, .scheduler = false});
    ASSERT_TRUE(bed) << bed.error().what;
    bed_ = std::make_unique<BedProcess>(*std::move(bed));
    const auto filled =
        bed_->bed({"fill", "--objects", std::to_string(scaled(200)), "--seed", std::to_string(seed() % 100'000)});
    ASSERT_TRUE(filled) << filled.error().what;
    filled_ = true;
  }
  static void TearDownTestSuite() { bed_.reset(); }
  void SetUp() override {
    ASSERT_TRUE(filled_) << "there is no bed";
    Recording::SetUp();
  }

  static Result<Moment> now(const io::Path& dir) {
    TM_LET(const std::string said, bed_->bed({"dump", "--out", (dir / "dump").string()}));
    Moment moment;
    moment.at = Revision(std::stoll(json::parse(said).at("resource_version").get<std::string>()));
    std::ifstream lines(dir / "dump");
    for (std::string line; std::getline(lines, line);) {
      json object = json::parse(line);
      std::string id = id_of(object);
      moment.objects.emplace(std::move(id), std::move(object));
    }
    for (const char* kinds : {"deploy", "pods", "svc", "nodes", "cm", "secrets", "pvc", "cronjobs"}) {
      TM_LET(moment.printed[kinds], bed_->kubectl({"get", kinds, "-A"}));
    }
    return moment;
  }
  void record(const std::string& kind) const {
    const auto ran = run_program(record_args(bed_->etcd_url(), {"--once", kind}), {.timeout = kPatience});
    ASSERT_TRUE(ran && ran->exit_code == 0) << (ran ? ran->err : ran.error().what);
  }
  std::string store_url() const { return "dir:" + store_dir().native(); }

  // By kubectl's own dynamic client: every kind that our discovery names, all namespaces.
  static void expect_everything(const Serving& past, const Moment& moment) {
    std::istringstream words(past.kubectl({"api-resources", "--verbs=list", "-o", "name"}));
    std::string kinds;
    for (std::string word; words >> word;) kinds += (kinds.empty() ? "" : ",") + word;
    const json list = past.got({"get", kinds, "-A", "--show-managed-fields"});
    ASSERT_TRUE(list.is_object());
    std::size_t found = 0;
    int shown = 0;
    std::size_t older = 0;
    for (const json& item : list.at("items")) {
      const json object = in_preferred_version(item);
      older += object == item ? 0 : 1;
      const auto live = moment.objects.find(id_of(object));
      if (live == moment.objects.end()) {
        ADD_FAILURE() << id_of(object) << " was not in the living cluster";
        continue;
      }
      found++;
      if (live->second != object && ++shown <= 5) {
        ADD_FAILURE() << id_of(object) << ": " << json::diff(live->second, object).dump(1);
      }
    }
    EXPECT_EQ(found, moment.objects.size());
    EXPECT_EQ(shown, 0);
    EXPECT_GT(older, 0U) << "kStoredOlder has rows that are not needed";
  }

  static inline std::unique_ptr<BedProcess> bed_;
  static inline bool filled_ = false;
};

TEST_F(ServeDrill, IsTheClusterAsItWas) {
  MUST(const Moment before, now(dir_.path()));
  record("full");
  MUST(const std::string made, bed_->kubectl({"create", "configmap", "later", "-n", "default", "--from-literal=a=b"}));
  MUST(const std::string labelled, bed_->kubectl({"label", "namespace", "default", "seen=twice"}));
  MUST(const std::string gone, bed_->kubectl({"delete", "configmap", "-n", "kube-public", "--all"}));
  MUST(const Moment after, now(dir_.path()));
  record("delta");

  MUST(const auto past, Serving::start(store_url(), fmt::format("rev:{}", after.at)));
  struct stat file{};
  ASSERT_EQ(::stat(past->kubeconfig().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);

  // Every object, in lists of two sizes, and the tables.
  expect_everything(*past, after);
  for (const auto& [kinds, printed] : after.printed) {
    EXPECT_EQ(without_ages(past->kubectl({"get", kinds, "-A"})), without_ages(printed)) << kinds;
    EXPECT_EQ(past->kubectl({"get", kinds, "-A", "--chunk-size=5"}), past->kubectl({"get", kinds, "-A"})) << kinds;
  }
  EXPECT_THAT(past->kubectl({"get", "cm", "later", "-n", "default", "-o", "jsonpath={.data.a}"}), "b");

  // The moment before, by its path; whoever asks there sees nothing of what came later.
  const std::string at = fmt::format("{}/at/rev:{}", past->url(), before.at);
  EXPECT_THAT(past->refused({"--server", at, "get", "cm", "later", "-n", "default"}), HasSubstr("NotFound"));
  const json names = past->got({"--server", at, "get", "ns", "default"});
  EXPECT_FALSE(names.at("metadata").at("labels").contains("seen"));
  EXPECT_EQ(past->got({"get", "ns", "default"}).at("metadata").at("labels").at("seen"), "twice");
  for (const char* kinds : {"cm", "pods"}) {
    EXPECT_EQ(without_ages(past->kubectl({"--server", at, "get", kinds, "-A"})), without_ages(before.printed.at(kinds)))
        << kinds;
  }
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

TEST_F(ServeDrill, KubectlWorks) {
  record("full");
  MUST(const auto past, Serving::start(store_url(), "latest"));

  // It finds its way.
  const std::string resources = past->kubectl({"api-resources"});
  MUST(const std::string live, bed_->kubectl({"api-resources", "--verbs=list", "-o", "name"}));
  std::istringstream words(live);
  for (std::string word; words >> word;) {
    if (word == "componentstatuses" || word == "events.events.k8s.io") continue;  // in no key of their own
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
  const auto watched = past->try_kubectl({"get", "ns", "--watch", "--request-timeout=2s"});
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

// ---- a chain, with what nobody can read in it

class ServeChain : public ::testing::Test {
 protected:
  void SetUp() override {
    const io::Path v2 = temp_.path() / "store/v2";
    ASSERT_TRUE(io::make_dirs(v2));
    std::filesystem::copy_file(io::Path(source_dir()) / "testdata/kubernetes-1.36/snapshot.db.gz",
                               v2 / "Full-00000000-00001940-1795246000.gz");
    auto file =
        io::PendingFile::create(v2 / "Incr-00001941-00001943-1795246300.gz", io::PendingFile::Existing::refuse).value();
    io::GzipSink packed(file);
    bucket::DeltaWriter writer(packed);
    add(writer, "secrets/shop/sealed", "k8s:enc:aescbc:v1:key1:0123456789abcdef0123456789abcdef", 1941);
    add(writer, "secrets/shop/sh.helm.release.v1.web.v1", helm().dump(), 1942);
    add(writer, "configmaps/shop/broken", "no object", 1943);
    ASSERT_TRUE(writer.finish());
    ASSERT_TRUE(packed.finish());
    ASSERT_TRUE(file.commit());
  }
  static void add(bucket::DeltaWriter& to, const std::string& key, const std::string& value, std::int64_t mod) {
    const std::string whole = "/registry/" + key;
    ASSERT_TRUE(to.add({.deletion = false,
                        .key = as_bytes(whole),
                        .value = as_bytes(value),
                        .create = mod,
                        .mod = mod,
                        .version = 1,
                        .lease = 0,
                        .time = Time(std::chrono::seconds(1795246300))}));
  }
  static json helm() {
    return {{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"metadata",
             {{"name", "sh.helm.release.v1.web.v1"},
              {"namespace", "shop"},
              {"labels", {{"owner", "helm"}, {"name", "web"}, {"status", "deployed"}, {"version", "1"}}}}},
            {"type", "helm.sh/release.v1"},
            {"data", {{"release", "SDRzSUFBQUFBQUFBLw=="}}}};
  }
  std::string store() const { return "dir:" + (temp_.path() / "store").string(); }
  io::TempDir temp_ = io::TempDir::create().value();
};

TEST_F(ServeChain, WhatCannotBeReadIsNamed) {
  MUST(const auto past, Serving::start(store(), "rev:1943"));
  std::string warnings;
  const std::string table = past->kubectl({"get", "secrets", "-n", "shop"}, &warnings);
  EXPECT_THAT(table, Not(HasSubstr("sealed")));
  EXPECT_THAT(warnings, HasSubstr("Warning: left out: /registry/secrets/shop/sealed"));
  EXPECT_THAT(past->log(), HasSubstr("/registry/secrets/shop/sealed"));
  EXPECT_THAT(past->refused({"get", "secret", "sealed", "-n", "shop"}),
              AllOf(HasSubstr("Forbidden"), HasSubstr("key1")));
  EXPECT_THAT(past->refused({"get", "cm", "broken", "-n", "shop"}), HasSubstr("/registry/configmaps/shop/broken"));
  past->kubectl({"get", "secrets", "-n", "bank"}, &warnings);
  EXPECT_THAT(warnings, Not(HasSubstr("left out")));
  past->kubectl({"get", "cm", "-A", "-o", "name"}, &warnings);
  EXPECT_THAT(warnings, HasSubstr("left out: /registry/configmaps/shop/broken"));

  // What `helm list` asks for.
  const json releases = past->got({"get", "secrets", "-A", "-l", "owner=helm,status in (deployed)"});
  ASSERT_EQ(releases.at("items").size(), 1U);
  EXPECT_EQ(releases.at("items").front().at("data"), helm().at("data"));
  EXPECT_EQ(past->got({"get", "secrets", "-A", "--field-selector", "type=helm.sh/release.v1"}).at("items").size(), 1U);
  EXPECT_THAT(past->kubectl({"get", "wd", "-A"}), HasSubstr("NAMESPACE"));  // custom resources, by a short name
  EXPECT_EQ(past->stop(), 0) << past->log();
}

TEST_F(ServeChain, OnlyWhoSaysSoIsOpen) {
  struct Row {
    std::vector<std::string> more;
    int code;
    const char* says;
  };
  const Row rows[] = {
      {{"--listen", "0.0.0.0:0"}, 2, "--allow-remote"},
      {{"--listen", "0.0.0.0:0", "--allow-remote"}, 2, "--host NAME"},
      {{"--listen", "0.0.0.0:0", "--allow-remote", "--host", "past", "--insecure-http"}, 2, "only on a loopback"},
      {{"--listen", "127.0.0.1:0", "--host", "a,DNS:b"}, 2, "no host name"},
      {{"--listen", "127.0.0.1"}, 2, "ADDRESS:PORT"},
      {{"--listen", "127.0.0.1:"}, 2, "ADDRESS:PORT"},
      {{"--listen", "127.0.0.1:65536"}, 2, "ADDRESS:PORT"},
      {{"--listen", "127.0.0.1:8o"}, 2, "ADDRESS:PORT"},
      {{"--listen", ":8001"}, 2, "ADDRESS:PORT"},
      {{"--listen", "192.0.2.1:0", "--allow-remote"}, 1, "cannot listen"},
      {{"--at", "rev:99999"}, 4, "99999"},
      {{"--at", "yesterday"}, 2, "--at"},
      {{"--listen", "127.0.0.1:0", "--kubeconfig-out", "/nowhere/at/all"}, 4, "/nowhere"},
  };
  for (const Row& row : rows) {
    std::vector<std::string> argv{tidemark_program(), "serve", "--store", store(), "--progress", "none"};
    argv.insert(argv.end(), row.more.begin(), row.more.end());
    const auto ran = run_program(argv, {.timeout = kPatience});
    ASSERT_TRUE(ran) << ran.error().what;
    EXPECT_EQ(ran->exit_code, row.code) << row.says << ": " << ran->err;
    EXPECT_THAT(ran->err, HasSubstr(row.says));
  }
  MUST(const auto open, Serving::start(store(), "rev:1940", {"--insecure-http"}));
  EXPECT_THAT(open->url(), StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(open->log(), HasSubstr("every user of this machine can read every Secret"));
  EXPECT_THAT(open->kubectl({"get", "ns"}), HasSubstr("kube-system"));
  EXPECT_EQ(open->stop(), 0) << open->log();
}

}  // namespace
}  // namespace tidemark::testing
