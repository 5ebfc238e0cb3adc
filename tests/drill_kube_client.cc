// The Kubernetes client against a real API server, and what happens to both on the wire between them.
//
// One bed serves the suite, without controllers: nothing moves in it but what a test does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/testing/scale.h"
#include "crypto/rsa.h"
#include "crypto/sign.h"
#include "kit/bed_process.h"
#include "kit/free_port.h"
#include "kit/record_drill.h"
#include "kit/tls_files.h"
#include "link/kube_client.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using link::DiscoveryForm;
using link::KubeAccess;
using link::KubeClient;
using link::KubeClientOptions;
using link::KubeDiscovery;
using link::KubeKind;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string nothing_set(std::string_view) { return {}; }

std::string id_of(const json& object) {
  const json& meta = object.at("metadata");
  return fmt::format("{} {} {}/{}", object.at("apiVersion").get<std::string>(), object.at("kind").get<std::string>(),
                     meta.value("namespace", ""), meta.at("name").get<std::string>());
}

using Objects = std::map<std::string, json>;

class KubeClientDrill : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto bed = BedProcess::start({.controllers = false,
                                  .scheduler = false,
                                  .more_flags = {"--flag", "kube-apiserver=--watch-cache-sizes=configmaps#0"}});
    ASSERT_TRUE(bed) << bed.error().what;
    bed_ = std::make_unique<BedProcess>(*std::move(bed));
    const auto filled = bed_->bed({"fill", "--objects", "200", "--seed", std::to_string(seed() % 100'000)});
    ASSERT_TRUE(filled) << filled.error().what;
    filled_ = true;
  }
  static void TearDownTestSuite() { bed_.reset(); }
  void SetUp() override { ASSERT_TRUE(filled_) << "there is no bed"; }

  static KubeAccess access(std::string_view user = "admin") {
    auto read = link::read_kube_config({.file = bed_->kubeconfig(user).string()}, nothing_set);
    EXPECT_TRUE(read) << read.error().what;
    return read.value_or(KubeAccess());
  }
  static KubeClient client(std::string_view user = "admin", const KubeClientOptions& options = {}) {
    return KubeClient(access(user), options);
  }
  static Result<Objects> list(KubeClient& client, const KubeKind& kind, const link::KubeListOptions& options) {
    Objects all;
    TM_LET(const link::KubeListEnd end, client.list(kind, options, [&](json& object) -> Status {
      std::string id = id_of(object);
      if (!all.emplace(std::move(id), std::move(object)).second) return fail(Errc::corrupt, "it came twice");
      return {};
    }));
    EXPECT_EQ(end.objects, all.size());
    return all;
  }

  static std::unique_ptr<BedProcess> bed_;
  static bool filled_;
};
std::unique_ptr<BedProcess> KubeClientDrill::bed_;
bool KubeClientDrill::filled_ = false;

// Everything as of one moment, object by object as another client sees it; in small pages.
TEST_F(KubeClientDrill, EveryKindIsListedAsItWas) {
  const io::TempDir temp = io::TempDir::create().value();
  const io::Path file = temp.path() / "dump";
  MUST(const std::string said, bed_->bed({"dump", "--out", file.string()}));
  const std::string moment = json::parse(said).at("resource_version");
  Objects dumped;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    json object = json::parse(line);
    std::string id = id_of(object);
    dumped.emplace(std::move(id), std::move(object));
  }
  ASSERT_GT(dumped.size(), 200U);

  KubeClient admin = client();
  MUST(const std::string version, admin.version());
  EXPECT_THAT(version, HasSubstr("v1."));
  MUST(const KubeDiscovery served, admin.discover());
  EXPECT_TRUE(served.stale.empty());
  Objects listed;
  for (const KubeKind& kind : served.kinds) {
    // The first has no moment, the second shows the objects of another kind once more.
    if (!kind.can("list") || kind.resource == "componentstatuses" || kind.full_name() == "events.events.k8s.io")
      continue;
    MUST(Objects some, list(admin, kind, {.resource_version = moment, .page = 7}));
    listed.merge(some);
  }
  for (const auto& [id, object] : dumped) {
    const auto found = listed.find(id);
    ASSERT_NE(found, listed.end()) << id;
    EXPECT_EQ(found->second, object) << id;
  }
  EXPECT_EQ(listed.size(), dumped.size());
}

// Objects of our own, each of some kilobytes, in a namespace of their own.
Result<Objects> make_maps(KubeClient& client, const std::string& name_space, int count) {
  TM_LET(const KubeDiscovery served, client.discover());
  const json space{{"metadata", {{"name", name_space}}}};
  TM_CHECK(client.create(*served.find("namespaces"), {}, space));
  Objects all;
  for (int i = 0; i < count; i++) {
    const json map{{"metadata", {{"name", fmt::format("map-{:04}", i)}}}, {"data", {{"text", std::string(2000, 'x')}}}};
    TM_LET(json made, client.create(*served.find("configmaps"), {.name_space = name_space}, map));
    std::string id = id_of(made);
    all.emplace(std::move(id), std::move(made));
  }
  return all;
}

int broken(const BedProcess& bed, const char* listener) {
  const auto status = bed.bed({"status"});
  return status ? json::parse(*status).at("listeners").at(listener).value("broken", 0) : 0;
}

// Ends when it goes.
class Break {
 public:
  Break(const BedProcess& bed, std::vector<std::string> how) : bed_(bed), listener_(how.front()) {
    how.insert(how.begin(), "break");
    const auto said = bed.bed(std::move(how));
    EXPECT_TRUE(said) << said.error().what;
  }
  Break(const Break&) = delete;
  Break& operator=(const Break&) = delete;
  ~Break() {
    const auto said = bed_.bed({"heal", listener_});
    EXPECT_TRUE(said) << said.error().what;
  }

 private:
  const BedProcess& bed_;
  std::string listener_;
};

TEST_F(KubeClientDrill, AListIsCutAndComesOnce) {
  KubeClient direct = client("direct");
  MUST(const Objects made, make_maps(direct, "cut", 60));
  MUST(const KubeDiscovery served, direct.discover());
  const int before = broken(*bed_, "apiserver");
  KubeClient admin = client();
  {
    const Break cut(*bed_, {"apiserver", "--cut-after", "30000"});
    MUST(const Objects listed, list(admin, *served.find("configmaps"), {.name_space = "cut", .page = 5}));
    EXPECT_EQ(listed, made);
  }
  EXPECT_GE(broken(*bed_, "apiserver") - before, 3);
  EXPECT_GE(admin.traffic().retries, 3U);
}

TEST_F(KubeClientDrill, AServerThatIsAskedTooMuchIsAskedLater) {
  KubeClient front = client("front");
  MUST(const KubeDiscovery served, front.discover());
  const KubeKind& maps = *served.find("configmaps");
  const auto began = std::chrono::steady_clock::now();
  {
    const Break busy(*bed_,
                     {"front", "--status", "429", "--retry-after", "1", "--times", "2", "--path", "/configmaps"});
    MUST(const Objects all, list(front, maps, {}));
    EXPECT_GT(all.size(), 0U);
  }
  EXPECT_EQ(front.traffic().throttled, 2U);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 2s);  // Retry-After twice

  struct Row {
    const char* status;
    Errc code;
    std::uint64_t retries;
    const char* told;
  };
  for (const Row& row :
       {Row{"429", Errc::unavailable, 3, "429 TooManyRequests"}, Row{"500", Errc::unavailable, 3, "500 InternalError"},
        Row{"504", Errc::timeout, 3, "504 Timeout"}, Row{"410", Errc::compacted, 0, "410 Expired"},
        Row{"403", Errc::denied, 0, "403 Forbidden"}, Row{"404", Errc::not_found, 0, "404 NotFound"}}) {
    KubeClientOptions options;
    options.retry.first_wait = 1ms;
    options.retry.most_tries = 4;
    KubeClient impatient = client("front", options);
    const Break broken(*bed_, {"front", "--status", row.status, "--path", "/configmaps"});
    const auto all = list(impatient, maps, {});
    ASSERT_FALSE(all) << row.status;
    EXPECT_EQ(all.error().code, row.code) << all.error().what;
    EXPECT_THAT(all.error().what, AllOf(HasSubstr("list configmaps"), HasSubstr(row.told)));
    EXPECT_EQ(impatient.traffic().retries, row.retries) << row.status;
  }
}

TEST_F(KubeClientDrill, NoWaitIsWithoutEnd) {
  KubeClientOptions options;
  options.call_within = 700ms;
  KubeClient hasty = client("admin", options);
  for (const char* how : {"--delay=1h", "--black-hole", "--slow=1"}) {
    const Break slow(*bed_, {"apiserver", how});
    const auto version = hasty.version();
    ASSERT_FALSE(version) << how;
    // A connection that is not made in its time is reported as unavailable.
    EXPECT_TRUE(is_no_answer(version.error().code)) << version.error().what;
    EXPECT_THAT(version.error().what, HasSubstr("ask the version"));
  }
  KubeClient patient = client();
  {
    const Break hole(*bed_, {"apiserver", "--black-hole"});
    std::stop_source stop;
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(100ms);
      stop.request_stop();
    });
    const auto version = patient.version(stop.get_token());
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().code, Errc::cancelled) << version.error().what;
  }
  EXPECT_TRUE(patient.version());
  {
    const Break refused(*bed_, {"apiserver", "--refuse", "--times", "2"});
    EXPECT_TRUE(client().version());  // tried again
  }
  KubeAccess nowhere = access();
  nowhere.server = fmt::format("https://127.0.0.1:{}", free_port().value());
  const auto version = KubeClient(nowhere, options).version();
  ASSERT_FALSE(version);
  EXPECT_TRUE(is_no_answer(version.error().code)) << version.error().what;
}

TEST_F(KubeClientDrill, TheServerIsCheckedByItsAuthorityAlone) {
  const io::TempDir temp = io::TempDir::create().value();
  MUST(const TlsFiles files, make_tls_files(temp.path()));
  struct Row {
    const char* name;
    std::function<void(KubeAccess&)> change;
    bool trusted;
  };
  const Row rows[] = {
      {"as it is", [](KubeAccess&) {}, true},
      {"another authority", [&](KubeAccess& a) { a.authority = {.text = "", .file = files.ca.string()}; }, false},
      {"the system's", [](KubeAccess& a) { a.authority = {}; }, false},
      {"another name", [](KubeAccess& a) { a.tls_server_name = "elsewhere.example"; }, false},
      {"a name of its own", [](KubeAccess& a) { a.tls_server_name = "kubernetes.default.svc"; }, true},
      {"unchecked", [](KubeAccess& a) { a.authority = {}, a.skip_server_check = true; }, true},
  };
  for (const Row& row : rows) {
    KubeAccess changed = access();
    row.change(changed);
    const auto version = KubeClient(changed).version();
    EXPECT_EQ(version.has_value(), row.trusted) << row.name << (version ? "" : ": " + version.error().what);
    if (version || row.trusted) continue;
    EXPECT_EQ(version.error().code, Errc::denied) << version.error().what;
    EXPECT_THAT(version.error().hint, HasSubstr("certificate-authority of the cluster"));
  }
}

std::string from_base64url(std::string text) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  const auto bytes = crypto::from_base64(text);
  return bytes ? std::string(as_text(*bytes)) : "";
}

// The same token, signed again, but it expired an hour ago.
Result<std::string> expired(const std::string& token, const io::Path& key_file) {
  const std::size_t one = token.find('.'), two = token.rfind('.');
  json claims = json::parse(from_base64url(token.substr(one + 1, two - one - 1)));
  for (const char* name : {"exp", "iat", "nbf"}) claims[name] = claims.at("iat").get<std::int64_t>() - 3600;
  const std::string signed_text = token.substr(0, one + 1) + crypto::to_base64url(as_bytes(claims.dump()));
  TM_LET(const Buffer key, io::read_file(key_file, 1U << 20U));
  TM_LET(const Buffer signature, crypto::sign_rs256(as_text(key), as_bytes(signed_text)));
  return signed_text + "." + crypto::to_base64url(signature);
}

TEST_F(KubeClientDrill, WhoWeAre) {
  KubeClient admin = client();
  MUST(const KubeDiscovery served, admin.discover());
  const KubeKind& secrets = *served.find("secrets");
  const json account{{"metadata", {{"name", "robot"}}}};
  ASSERT_TRUE(admin.create(*served.find("serviceaccounts"), {.name_space = "default"}, account));
  MUST(std::string token, bed_->kubectl({"create", "token", "robot"}));
  token.erase(token.find_last_not_of('\n') + 1);
  MUST(const std::string old, expired(token, bed_->dir() / "pki" / "service-accounts.key"));

  const auto with = [](const std::string& bearer) {
    KubeAccess robot = access();
    robot.certificate = robot.key = {};
    robot.token = bearer;
    return robot;
  };
  const auto error_of = [&](const KubeAccess& who) {
    KubeClient asking(who);
    const auto all = list(asking, secrets, {});
    EXPECT_FALSE(all);
    return all ? Error{Errc::io, "", ""} : all.error();
  };
  const Error forbidden = error_of(with(token));
  EXPECT_EQ(forbidden.code, Errc::denied);
  EXPECT_THAT(forbidden.what, HasSubstr("\"system:serviceaccount:default:robot\" cannot list resource \"secrets\""));
  EXPECT_THAT(forbidden.hint, HasSubstr("grant it"));
  for (const std::string& bad : {old, std::string("wrong"), token + "x"}) {
    const Error refused = error_of(with(bad));
    EXPECT_EQ(refused.code, Errc::denied) << refused.what;
    EXPECT_THAT(refused.what, HasSubstr("401 Unauthorized"));
    EXPECT_THAT(refused.hint, HasSubstr("expired"));
  }
  EXPECT_THAT(error_of(access("restricted")).what, HasSubstr("User \"restricted\" cannot list resource \"secrets\""));
  KubeAccess as = access();
  as.as = {.user = "eve", .uid = "", .groups = {"visitors"}, .extra = {}};
  EXPECT_THAT(error_of(as).what, HasSubstr("User \"eve\" cannot list"));

  // A plugin whose first token is refused is asked for another, and no more often than that.
  const io::TempDir temp = io::TempDir::create().value();
  KubeAccess plugin = with("");
  const std::string count = (temp.path() / "count").string();
  plugin.exec = link::ExecPlugin{
      .where = "exec",
      .api_version = "client.authentication.k8s.io/v1",
      .command = "sh",
      .args = {"-c", fmt::format(
                         R"(echo >> {0}; t={1}; [ $(wc -l < {0}) -gt 1 ] || t={2}; printf '{{"kind":"ExecCredential",)"
                         R"("apiVersion":"client.authentication.k8s.io/v1","status":{{"token":"%s"}}}}' $t)",
                         count, token, old)},
      .environment = {},
      .install_hint = "",
      .provide_cluster_info = false};
  KubeClient asking(plugin);
  for (int i = 0; i < 3; i++) {
    const auto all = list(asking, secrets, {});
    ASSERT_FALSE(all);
    EXPECT_THAT(all.error().what, HasSubstr("403 Forbidden"));
  }
  MUST(const std::uint64_t asked, io::size_of_file(count));
  EXPECT_EQ(asked, 2U);
}

TEST_F(KubeClientDrill, AMomentThatTheServerHasForgotten) {
  KubeClient admin = client();
  MUST(const Objects made, make_maps(admin, "forgotten", 30));
  MUST(const KubeDiscovery served, admin.discover());
  const KubeKind& maps = *served.find("configmaps");
  // Between the first page and the second.
  const auto forget = [&]() -> Status {
    const std::string url = bed_->etcd_url();
    TM_LET(EtcdWriter etcd, EtcdWriter::connect(url.substr(url.rfind('/') + 1)));
    TM_LET(const Revision head, etcd.put("/drill/key", "x"));
    return etcd.compact(head);
  };
  for (const bool again : {false, true}) {
    Objects seen;
    bool forgotten = false;
    int restarts = 0;
    link::KubeListOptions options{.name_space = "forgotten", .page = 10};
    if (again) {
      options.on_restart = [&] {
        restarts++;
        seen.clear();
      };
    }
    const auto end = admin.list(maps, options, [&](json& object) -> Status {
      if (!std::exchange(forgotten, true)) TM_CHECK(forget());
      std::string id = id_of(object);
      EXPECT_TRUE(seen.emplace(std::move(id), std::move(object)).second);
      return {};
    });
    ASSERT_EQ(end.has_value(), again) << (end ? "" : end.error().what);
    if (again) {
      EXPECT_EQ(seen, made);
      EXPECT_EQ(restarts, 1);
    } else {
      EXPECT_EQ(end.error().code, Errc::compacted) << end.error().what;
      EXPECT_THAT(end.error().hint, HasSubstr("list again"));
    }
  }
  const auto gone = list(admin, maps, {.resource_version = "2"});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::compacted) << gone.error().what;
  const Status watched =
      admin.watch(maps, {.resource_version = "2"}, [](const link::KubeEvent&, json&) -> Status { return {}; }, {});
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().code, Errc::compacted) << watched.error().what;
}

// Everything that a writer does, once and in order, though the connection is cut every few events.
TEST_F(KubeClientDrill, AWatchIsCutAndLosesNothing) {
  KubeClient direct = client("direct"), admin = client();
  MUST(const KubeDiscovery served, direct.discover());
  const KubeKind& secrets = *served.find("secrets");
  ASSERT_TRUE(direct.create(*served.find("namespaces"), {}, json{{"metadata", {{"name", "watched"}}}}));
  MUST(const link::KubeListEnd begin,
       direct.list(secrets, {.name_space = "watched"}, [](json&) -> Status { return {}; }));
  const int before = broken(*bed_, "apiserver");
  const Break cut(*bed_, {"apiserver", "--cut-after", "15000"});

  using Event = std::pair<std::string, std::string>;  // what happened to whom, and the resource version after it
  std::vector<Event> seen, done;
  std::stop_source enough;
  Status ended;
  {
    const std::jthread watching([&] {
      ended = admin.watch(
          secrets, {.name_space = "watched", .resource_version = begin.resource_version},
          [&](const link::KubeEvent& event, const json& object) -> Status {
            if (event.type == link::KubeEvent::Type::bookmark) return {};
            const std::string name = object.at("metadata").at("name");
            if (name == "end") return fail(Errc::cancelled, "the end");
            const char* what = event.type == link::KubeEvent::Type::added      ? "added "
                               : event.type == link::KubeEvent::Type::modified ? "modified "
                                                                               : "deleted ";
            seen.emplace_back(what + name, *what == 'd' ? "" : event.resource_version);
            return {};
          },
          enough.get_token());
    });
    const auto version = [](const json& object) -> std::string { return object.at("metadata").at("resourceVersion"); };
    const auto write = [&]() -> Status {
      for (int i = 0; i < 30; i++) {
        const std::string name = fmt::format("s{}", i);
        const link::KubePlace place{.name_space = "watched", .name = name};
        json secret{{"metadata", {{"name", name}}}, {"stringData", {{"text", std::string(1000, 'x')}}}};
        TM_LET(json made, direct.create(secrets, place, secret));
        done.emplace_back("added " + name, version(made));
        made["stringData"] = {{"more", "y"}};
        TM_LET(const json changed, direct.put(secrets, place, made));
        done.emplace_back("modified " + name, version(changed));
        if (i % 3 != 0) continue;
        TM_CHECK(direct.remove(secrets, place, {.uid = made.at("metadata").at("uid")}));
        done.emplace_back("deleted " + name, "");
      }
      TM_CHECK(direct.create(secrets, {.name_space = "watched"}, json{{"metadata", {{"name", "end"}}}}));
      return {};
    };
    const Status wrote = write();
    EXPECT_TRUE(wrote) << wrote.error().what;
    if (!wrote) enough.request_stop();
  }
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().what, "the end");
  EXPECT_EQ(seen, done);
  EXPECT_GE(broken(*bed_, "apiserver") - before, 3);
}

TEST_F(KubeClientDrill, Writes) {
  KubeClient admin = client();
  MUST(const KubeDiscovery served, admin.discover());
  const KubeKind& maps = *served.find("configmaps");
  const link::KubePlace place{.name_space = "default", .name = "written"};
  const auto refused = [](const Result<json>& answer, Errc code, const char* told) {
    ASSERT_FALSE(answer) << told;
    EXPECT_EQ(answer.error().code, code) << answer.error().what;
    EXPECT_THAT(answer.error().what, HasSubstr(told));
  };
  const json first{{"metadata", {{"name", "written"}}}, {"data", {{"a", "1"}}}};

  EXPECT_TRUE(admin.create(maps, place, first, {.dry_run = true}));
  refused(admin.get(maps, place), Errc::not_found, "configmaps \"written\" not found");
  MUST(json made, admin.create(maps, place, first));
  refused(admin.create(maps, place, first), Errc::already_exists, "already exists");
  MUST(const json patched, admin.patch(maps, place, link::KubePatch::merge, {{"data", {{"b", "2"}}}}));
  EXPECT_EQ(patched.at("data"), (json{{"a", "1"}, {"b", "2"}}));
  refused(admin.put(maps, place, made), Errc::conflict, "the object has been modified");
  MUST(const json added,
       admin.patch(maps, place, link::KubePatch::json, json::parse(R"([{"op":"add","path":"/data/c","value":"3"}])")));
  EXPECT_EQ(added.at("data").size(), 3U);
  refused(
      admin.patch(maps, place, link::KubePatch::json, json::parse(R"([{"op":"test","path":"/data/c","value":"4"}])")),
      Errc::invalid, "422");

  // Another manager owns "a".
  KubeClientOptions other_options;
  other_options.field_manager = "other";
  KubeClient other = client("admin", other_options);
  const json applied{
      {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "written"}}}, {"data", {{"a", "9"}}}};
  const auto conflict = other.apply(maps, place, applied);
  refused(conflict, Errc::conflict, ".data.a");
  EXPECT_THAT(conflict.error().hint, HasSubstr("others own"));
  MUST(const json forced, other.apply(maps, place, applied, {.force = true}));
  EXPECT_EQ(forced.at("data").at("a"), "9");
  json unknown_yet = applied;
  unknown_yet["metadata"]["name"] = "fresh";
  MUST(const json fresh, other.apply(maps, {.name_space = "default", .name = "fresh"}, unknown_yet));
  EXPECT_EQ(fresh.at("metadata").at("managedFields").at(0).at("manager"), "other");

  json bad = first;
  bad["metadata"]["name"] = "No_Name";
  refused(admin.create(maps, place, bad), Errc::invalid, "metadata.name");
  refused(admin.create(maps, {.name_space = "no-such-namespace"}, first), Errc::not_found, "no-such-namespace");
  KubeKind unknown = maps;
  unknown.resource = "nonesuches";
  refused(admin.get(unknown, place), Errc::not_found, "could not find the requested resource");

  refused(admin.remove(maps, place, {.uid = "another"}), Errc::conflict, "UID in precondition: another");
  refused(admin.remove(maps, place, {.resource_version = "1"}), Errc::conflict, "ResourceVersion in precondition: 1");
  EXPECT_TRUE(admin.remove(maps, place, {.dry_run = true}));
  EXPECT_TRUE(admin.get(maps, place));
  const std::string uid = made.at("metadata").at("uid");
  EXPECT_TRUE(admin.remove(maps, place, {.uid = uid}));
  refused(admin.remove(maps, place, {.uid = uid}), Errc::not_found, "not found");
}

std::size_t resident_kib() {
  std::ifstream lines("/proc/self/status");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  return 0;
}

// Some tens of megabytes of objects, in a few.
TEST_F(KubeClientDrill, ALongListIsReadInAFewMegabytes) {
  const int count = scaled(10'000);
  const std::string url = bed_->etcd_url();
  MUST(EtcdWriter etcd, EtcdWriter::connect(url.substr(url.rfind('/') + 1)));
  std::vector<WriteOp> ops;
  for (int i = 0; i < count; i++) {
    const std::string name = fmt::format("n{:07}", i);
    const json object{{"kind", "ConfigMap"},
                      {"apiVersion", "v1"},
                      {"metadata", {{"name", name}, {"namespace", "long"}}},
                      {"data", {{"text", std::string(3000, 'x')}}}};
    ops.push_back({.key = "/registry/configmaps/long/" + name, .value = object.dump()});
    if (ops.size() < 100 && i + 1 < count) continue;
    ASSERT_TRUE(etcd.txn(ops));
    ops.clear();
  }
  KubeClient admin = client();
  MUST(const KubeDiscovery served, admin.discover());
  const std::size_t before = resident_kib();
  std::size_t most = before;
  int next = 0;
  MUST(const link::KubeListEnd end,
       admin.list(*served.find("configmaps"), {.name_space = "long"}, [&](const json& object) -> Status {
         if (object.at("metadata").at("name") != fmt::format("n{:07}", next++)) return fail(Errc::corrupt, "a hole");
         if (next % 100 == 0) most = std::max(most, resident_kib());
         return {};
       }));
  EXPECT_EQ(end.objects, static_cast<std::uint64_t>(count));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(most - before, 16U << 10U);
#endif
  fmt::print("{} objects, {} KiB more\n", count, most - before);
}

TEST_F(KubeClientDrill, BothFormsOfDiscoveryAgree) {
  KubeClient admin = client();
  MUST(const KubeDiscovery newest, admin.discover());
  MUST(const KubeDiscovery classic, admin.discover({}, DiscoveryForm::classic));
  std::map<std::string, const KubeKind*> kinds;
  for (const KubeKind& kind : classic.kinds) kinds[kind.full_name()] = &kind;
  EXPECT_EQ(newest.kinds.size(), kinds.size());
  for (const KubeKind& kind : newest.kinds) {
    ASSERT_TRUE(kinds.contains(kind.full_name())) << kind.full_name();
    const KubeKind& same = *kinds[kind.full_name()];
    EXPECT_EQ(same.api_version(), kind.api_version());
    EXPECT_EQ(same.kind, kind.kind);
    EXPECT_EQ(same.singular, kind.singular);
    EXPECT_EQ(same.namespaced, kind.namespaced);
    EXPECT_EQ(same.verbs, kind.verbs);
    EXPECT_EQ(same.short_names, kind.short_names);
    EXPECT_EQ(same.categories, kind.categories);
    EXPECT_EQ(std::set<std::string>(same.subresources.begin(), same.subresources.end()),
              std::set<std::string>(kind.subresources.begin(), kind.subresources.end()))
        << kind.full_name();
  }
}

}  // namespace
}  // namespace tidemark::testing
