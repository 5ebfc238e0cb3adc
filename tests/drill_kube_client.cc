// The Kubernetes client against a real API server, and what happens to both on the wire between them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/testing/freed_memory.h"
#include "kit/free_port.h"
#include "kit/kube_client_drill.h"
#include "kit/record_drill.h"
#include "kit/tls_files.h"
#include "link/kube_client.h"
#include "net/http.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using link::DiscoveryForm;
using ::testing::AllOf;
using ::testing::HasSubstr;

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

// As if this were a pod of the bed. Its token is written anew while the client lives, as a kubelet does it.
TEST_F(KubeClientDrill, APodsServiceAccount) {
  KubeClient admin = client();
  MUST(const KubeDiscovery served, admin.discover());
  const KubeKind& maps = *served.find("configmaps");
  ASSERT_TRUE(
      admin.create(*served.find("serviceaccounts"), {.name_space = "default"}, json{{"metadata", {{"name", "pod"}}}}));
  const io::TempDir temp = io::TempDir::create().value();
  const auto write = [&](const char* name, const std::string& text) {
    EXPECT_TRUE(io::write_file_durably(temp.path() / name, as_bytes(text)));
  };
  MUST(const std::string token, bed_->kubectl({"create", "token", "pod"}));
  write("token", token);
  write("ca.crt", pem_of(access().authority));
  write("namespace", "default");
  const std::string server = access().server;
  const auto environment = [&](std::string_view name) -> std::string {
    const std::size_t colon = server.rfind(':');
    if (name == "KUBERNETES_SERVICE_HOST") return server.substr(8, colon - 8);
    return name == "KUBERNETES_SERVICE_PORT" ? server.substr(colon + 1) : "";
  };
  MUST(const KubeAccess account, link::read_kube_config({.account_dir = temp.path().string()}, environment));
  KubeClient pod(account);
  const auto refusal = [&] {
    const auto listed = list(pod, maps, {.name_space = account.name_space});
    return listed ? "" : listed.error().what;
  };
  EXPECT_THAT(refusal(), HasSubstr("\"system:serviceaccount:default:pod\" cannot list resource \"configmaps\""));
  write("token", "old");
  EXPECT_THAT(refusal(), HasSubstr("401 Unauthorized"));
  write("token", token);
  EXPECT_THAT(refusal(), HasSubstr("403 Forbidden"));
}

// Names of headers come in lower case by HTTP/2, and as Go writes them by HTTP/1.1.
TEST_F(KubeClientDrill, TheServersHttp2IsSpoken) {
  const KubeAccess admin = access();
  for (const bool http2 : {false, true}) {
    net::Client wire({.proxy = "", .ca_pem = pem_of(admin.authority), .only_these_authorities = true, .http2 = http2});
    auto response = wire.send({.url = admin.server + "/version"});
    ASSERT_TRUE(response) << response.error().what;
    const std::string wanted = http2 ? "content-type" : "Content-Type";
    EXPECT_TRUE(std::ranges::any_of(response->headers(), [&](const auto& header) { return header.name == wanted; }));
  }
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

  // Another gives a certificate, and after that another one.
  const auto answer_of = [&](std::string_view user) {
    const KubeAccess has = access(user);
    const json answer{{"kind", "ExecCredential"},
                      {"apiVersion", "client.authentication.k8s.io/v1"},
                      {"status",
                       {{"clientCertificateData", pem_of(has.certificate)},
                        {"clientKeyData", pem_of(has.key)},
                        {"expirationTimestamp", "2020-01-01T00:00:00Z"}}}};  // so it is asked every time
    EXPECT_TRUE(io::write_file_durably(temp.path() / "answer", as_bytes(answer.dump())));
  };
  plugin.exec->args = {"-c", fmt::format("cat {}", (temp.path() / "answer").string())};
  KubeClient changing(plugin);
  answer_of("restricted");
  const auto denied = list(changing, secrets, {});
  ASSERT_FALSE(denied);
  EXPECT_THAT(denied.error().what, HasSubstr("User \"restricted\""));
  answer_of("admin");
  EXPECT_TRUE(list(changing, secrets, {}));
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

  // One in which nothing happens ends when it is told to.
  MUST(const link::KubeListEnd quiet, direct.list(secrets, {}, [](json&) -> Status { return {}; }));
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(200ms);
    stop.request_stop();
  });
  const Status stopped = direct.watch(
      secrets, {.resource_version = quiet.resource_version}, [](const link::KubeEvent&, json&) -> Status { return {}; },
      stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::cancelled) << stopped.error().what;
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

  refused(admin.remove(maps, place, {.uid = "another"}), Errc::conflict,
          "UID in the precondition (another) does not match");
  refused(admin.remove(maps, place, {.resource_version = "1"}), Errc::conflict,
          "ResourceVersion in the precondition (1) does not match");
  EXPECT_TRUE(admin.remove(maps, place, {.dry_run = true}));
  EXPECT_TRUE(admin.get(maps, place));
  const std::string uid = made.at("metadata").at("uid");
  EXPECT_TRUE(admin.remove(maps, place, {.uid = uid}));
  refused(admin.remove(maps, place, {.uid = uid}), Errc::not_found, "not found");
}

// Some tens of megabytes of objects, in a few.
TEST_F(KubeClientDrill, ALongListIsReadInAFewMegabytes) {
  const int count = scaled(10'000);
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto seconds = [](auto time) { return std::chrono::duration<double>(time).count(); };
  const auto began = now();
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
  const auto written = now();
  std::size_t most = before;
  int next = 0;
  MUST(const link::KubeListEnd end,
       admin.list(*served.find("configmaps"), {.name_space = "long"}, [&](const json& object) -> Status {
         if (object.at("metadata").at("name") != fmt::format("n{:07}", next++)) return fail(Errc::corrupt, "a hole");
         if (next % 100 == 0) most = std::max(most, resident_kib());
         return {};
       }));
  EXPECT_EQ(end.objects, static_cast<std::uint64_t>(count));
  if (!kFreedMemoryIsKept) {
    EXPECT_LT(most - before, 16U << 10U);
  }
  fmt::print("{} objects: {:.1f} s to write, {:.1f} s to list, {} KiB more\n", count, seconds(written - began),
             seconds(now() - written), most - before);
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
    EXPECT_EQ(same.versions, kind.versions) << kind.full_name();
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
