// What a real API server does not do on demand. Everything else is in tests/drill_kube_client.cc.
#include "link/kube_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "net/testing/http_server.h"
#include "net/url.h"

namespace tidemark::link {
namespace {

using namespace std::chrono_literals;
using net::testing::HttpServer;
using net::testing::Received;
using net::testing::Reply;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const KubeKind& maps() {
  static const KubeKind kKind{.group = "",
                              .version = "v1",
                              .resource = "configmaps",
                              .singular = "configmap",
                              .kind = "ConfigMap",
                              .namespaced = true};
  return kKind;
}

// Impatient: what is passing is over at once.
KubeClientOptions hasty() {
  KubeClientOptions options;
  options.retry.first_wait = 1ms;
  options.retry.longest_wait = 5ms;
  return options;
}

KubeClient client_of(const HttpServer& server, const KubeClientOptions& options = hasty()) {
  KubeAccess access;
  access.server = server.url();
  access.cluster = "c";
  access.proxy = "";
  return KubeClient(std::move(access), options);
}

std::string query_of(const Received& r, const std::string& name) {
  const std::size_t mark = r.target.find('?');
  const auto query = net::parse_query(mark == std::string::npos ? "" : r.target.substr(mark + 1));
  for (const auto& [key, value] : query.value()) {
    if (key == name) return value;
  }
  return "";
}

// Objects 0 to n, in pages as they are asked for.
Reply page_of(const Received& r, int n) {
  const std::string more = query_of(r, "continue");
  const int limit = std::stoi(query_of(r, "limit")), from = more.empty() ? 0 : std::stoi(more);
  const int to = std::min(n, from + limit);
  json list{{"kind", "ConfigMapList"}, {"metadata", {{"resourceVersion", "7"}}}, {"items", json::array()}};
  if (to < n) list["metadata"]["continue"] = std::to_string(to);
  for (int i = from; i < to; i++) {
    list["items"].push_back({{"metadata", {{"name", std::to_string(i)}}}, {"data", {{"x", std::string(100, 'x')}}}});
  }
  return {.body = list.dump()};
}

Reply refusal(int code, const std::string& reason, net::Headers headers = {}) {
  return {.status = code,
          .headers = std::move(headers),
          .body = fmt::format(R"({{"kind":"Status","message":"m","reason":"{}","code":{}}})", reason, code)};
}

Result<std::vector<int>> names(KubeClient& client, KubeListOptions options = {}) {
  std::vector<int> all;
  if (!options.on_restart) options.on_restart = [&] { all.clear(); };
  TM_LET(const KubeListEnd end, client.list(maps(), options, [&](json& object) -> Status {
    EXPECT_EQ(object.at("kind"), "ConfigMap");
    EXPECT_EQ(object.at("apiVersion"), "v1");
    all.push_back(std::stoi(object.at("metadata").at("name").get<std::string>()));
    return {};
  }));
  EXPECT_EQ(end.objects, all.size());
  EXPECT_EQ(end.resource_version, "7");
  return all;
}

std::vector<int> up_to(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  for (int i = 0; i < n; i++) all[static_cast<std::size_t>(i)] = i;
  return all;
}

TEST(KubeClient, APageThatIsTooLargeIsAskedForByHalves) {
  std::atomic<int> largest{0};
  const HttpServer server([&](const Received& r) {
    largest = std::max<int>(largest, std::stoi(query_of(r, "limit")));
    return page_of(r, 100);
  });
  KubeClientOptions options = hasty();
  options.most_page_bytes = 1000;  // six objects
  KubeClient client = client_of(server, options);
  const auto all = names(client, {.page = 50});
  ASSERT_TRUE(all) << all.error().what;
  EXPECT_EQ(*all, up_to(100));
  EXPECT_EQ(largest, 50);

  options.most_page_bytes = 50;  // not one
  KubeClient smaller = client_of(server, options);
  const auto none = names(smaller);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::no_space) << none.error().what;
}

TEST(KubeClient, AServerThatKnowsNoPages) {
  const HttpServer server([](const Received&) {
    Received all;
    all.target = "/?limit=1000";
    return page_of(all, 60);
  });
  KubeClient client = client_of(server);
  EXPECT_EQ(names(client, {.page = 10}).value(), up_to(60));
}

// Every page but the first is cut once, and then again as a whole.
TEST(KubeClient, APageThatWasCutComesOnce) {
  std::atomic<int> calls{0};
  const HttpServer server([&](const Received& r) {
    Reply reply = page_of(r, 40);
    if (calls++ % 2 == 1) reply.cut_after = reply.body.size() / 2;
    return reply;
  });
  KubeClient client = client_of(server);
  const auto all = names(client, {.page = 10});
  ASSERT_TRUE(all) << all.error().what;
  EXPECT_EQ(*all, up_to(40));
  EXPECT_EQ(calls, 7);
}

TEST(KubeClient, AListThatTookTooLongBeginsAgainWithLargerPages) {
  std::atomic<int> expirations{2}, restarts{0};
  const HttpServer server([&](const Received& r) {
    if (query_of(r, "continue") == "20" && expirations-- > 0) return refusal(410, "Expired");
    return page_of(r, 100);
  });
  KubeClient client = client_of(server);
  std::vector<std::string> seen;
  KubeListOptions options{.page = 10, .on_restart = [&] {
                            restarts++;
                            seen.clear();
                          }};
  const auto on_object = [&](json& object) -> Status {
    seen.push_back(object.at("metadata").at("name"));
    return {};
  };
  // Pages of 40 do not end at 20.
  auto end = client.list(maps(), options, on_object);
  ASSERT_TRUE(end) << end.error().what;
  EXPECT_EQ(restarts, 1);
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(end->objects, 100U);

  expirations = 1;
  end = client.list(maps(), {.page = 10}, on_object);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::compacted) << end.error().what;
  EXPECT_THAT(end.error().what, HasSubstr("list configmaps: 410 Expired: m"));
}

TEST(KubeClient, WhatTheCallerSaysEndsAList) {
  const HttpServer server([](const Received& r) { return page_of(r, 100); });
  KubeClient client = client_of(server);
  int restarts = 0;
  for (const Errc code : {Errc::compacted, Errc::unavailable, Errc::io}) {
    const auto end = client.list(maps(), {.page = 10, .on_restart = [&] { restarts++; }},
                                 [&](json&) -> Status { return fail(code, "enough"); });
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().what, "enough");
  }
  EXPECT_EQ(restarts, 0);
  EXPECT_EQ(server.requests(), 3);
}

TEST(KubeClient, NonsenseIsNoList) {
  for (const char* body : {"", "{", "[]", "null", R"({"items":[1]})", R"({"items":[{"a":}]})", R"({"items":{}})",
                           R"({"metadata":{"continue":"x"},"items":[)"}) {
    const HttpServer server([&](const Received&) { return Reply{.body = body}; });
    KubeClient client = client_of(server);
    const auto end = client.list(maps(), {}, [](json&) -> Status { return {}; });
    // A list whose items are none (null, {}) is an empty one.
    if (std::string_view(body) == R"({"items":{}})") continue;
    ASSERT_FALSE(end) << body;
    EXPECT_TRUE(end.error().code == Errc::corrupt || end.error().code == Errc::torn) << end.error().what;
    EXPECT_THAT(end.error().what, HasSubstr("list configmaps"));
  }
}

// When nobody knows whether it was done it is not done again; when the server says that it was not, it is.
TEST(KubeClient, AWriteIsSentAgainOnlyWhenItWasNotDone) {
  struct Row {
    Reply first;
    int requests;  // of a create, and of an apply
    int requests_of_apply;
    Errc code;  // of the create, when it is not sent again
  };
  const Row rows[] = {
      {{.drop = true}, 1, 2, Errc::unavailable},
      {{.body = R"({"kind":"ConfigMap"})", .cut_after = 5}, 1, 2, Errc::unavailable},
      {refusal(500, "InternalError"), 1, 2, Errc::unavailable},
      {refusal(504, "Timeout"), 1, 2, Errc::timeout},
      {{.status = 500,
        .body = R"({"kind":"Status","code":500,"message":"failed calling webhook \"a\": no endpoints"})"},
       1,
       1,
       Errc::unavailable},
      {refusal(503, "ServiceUnavailable", {{"Retry-After", "1"}}), 2, 2, Errc::io},
      {refusal(429, "TooManyRequests"), 2, 2, Errc::io},
      {refusal(429, "TooManyRequests", {{"Retry-After", "1"}}), 2, 2, Errc::io},
      {refusal(409, "Conflict"), 1, 1, Errc::conflict},
      {refusal(422, "Invalid"), 1, 1, Errc::invalid},
      {refusal(301, "Moved"), 1, 1, Errc::invalid},
  };
  for (const Row& row : rows) {
    for (const bool apply : {false, true}) {
      std::atomic<int> calls{0};
      const HttpServer server(
          [&](const Received&) { return calls++ == 0 ? row.first : Reply{.body = R"({"kind":"ConfigMap"})"}; });
      KubeClient client = client_of(server);
      const KubePlace place{.name_space = "a", .name = "b"};
      const auto done =
          apply ? client.apply(maps(), place, json::object()) : client.create(maps(), place, json::object());
      const int wanted = apply ? row.requests_of_apply : row.requests;
      EXPECT_EQ(calls, wanted) << row.first.status << (apply ? " apply" : " create");
      ASSERT_EQ(done.has_value(), wanted == 2) << row.first.status;
      if (!done && !apply) {
        EXPECT_EQ(done.error().code, row.code) << done.error().what;
        EXPECT_THAT(done.error().what, HasSubstr("create configmaps"));
      }
    }
  }
}

TEST(KubeClient, RequestsAsTheServerWantsThem) {
  std::mutex mutex;
  std::vector<std::string> heard;
  const HttpServer server([&](const Received& r) {
    const std::scoped_lock lock(mutex);
    heard.push_back(fmt::format("{} {} {} {}", r.method, r.target, r.header("Content-Type"), r.body));
    return Reply{.body = "{}"};
  });
  KubeClient client = client_of(server);
  const KubePlace place{.name_space = "a", .name = "b:c"};
  const KubeKind scales{.group = "apps",
                        .version = "v1",
                        .resource = "deployments",
                        .singular = "",
                        .kind = "Deployment",
                        .namespaced = true};
  const json body = {{"x", 1}};
  EXPECT_TRUE(client.get(maps(), place));
  EXPECT_TRUE(client.create(maps(), place, body, {.dry_run = true}));
  EXPECT_TRUE(client.put(scales, {.name_space = "a", .name = "b", .subresource = "status"}, body));
  EXPECT_TRUE(client.patch(maps(), place, KubePatch::json, json::array({body})));
  EXPECT_TRUE(client.patch(maps(), place, KubePatch::merge, body));
  EXPECT_TRUE(client.patch(maps(), place, KubePatch::strategic, body));
  EXPECT_TRUE(client.apply(maps(), place, body, {.force = true}));
  EXPECT_TRUE(client.remove(maps(), place, {.uid = "u", .resource_version = "7", .grace_seconds = 0, .dry_run = true}));
  EXPECT_THAT(
      heard,
      ElementsAre(
          "GET /api/v1/namespaces/a/configmaps/b%3Ac  ",
          R"(POST /api/v1/namespaces/a/configmaps?dryRun=All&fieldManager=tidemark application/json {"x":1})",
          R"(PUT /apis/apps/v1/namespaces/a/deployments/b/status?fieldManager=tidemark application/json {"x":1})",
          R"(PATCH /api/v1/namespaces/a/configmaps/b%3Ac?fieldManager=tidemark application/json-patch+json [{"x":1}])",
          R"(PATCH /api/v1/namespaces/a/configmaps/b%3Ac?fieldManager=tidemark application/merge-patch+json {"x":1})",
          R"(PATCH /api/v1/namespaces/a/configmaps/b%3Ac?fieldManager=tidemark application/strategic-merge-patch+json {"x":1})",
          R"(PATCH /api/v1/namespaces/a/configmaps/b%3Ac?fieldManager=tidemark&force=true application/apply-patch+yaml {"x":1})",
          R"(DELETE /api/v1/namespaces/a/configmaps/b%3Ac application/json {"apiVersion":"v1","dryRun":["All"],"gracePeriodSeconds":0,"kind":"DeleteOptions","preconditions":{"resourceVersion":"7","uid":"u"},"propagationPolicy":"Background"})"));
}

TEST(KubeClient, PlacesThatAreNone) {
  const HttpServer server([](const Received&) { return Reply{.body = "{}"}; });
  KubeClient client = client_of(server);
  KubeKind nodes = maps();
  nodes.namespaced = false;
  const std::pair<const KubeKind*, KubePlace> rows[] = {
      {&maps(), {.name_space = "a"}},
      {&maps(), {.name = "b"}},
      {&maps(), {.name_space = "a", .name = ".."}},
      {&maps(), {.name_space = "a", .name = "b/c"}},
      {&maps(), {.name_space = "../kube-system", .name = "b"}},
      {&maps(), {.name_space = ".", .name = "b"}},
      {&nodes, {.name_space = "a", .name = "b"}},
  };
  for (const auto& [kind, place] : rows) {
    const auto got = client.get(*kind, place);
    ASSERT_FALSE(got) << place.name_space << " " << place.name;
    EXPECT_EQ(got.error().code, Errc::invalid) << got.error().what;
    EXPECT_FALSE(client.remove(*kind, place));
  }
  EXPECT_EQ(server.requests(), 0);
}

std::string event(const char* type, int version) {
  return fmt::format(R"({{"type":"{}","object":{{"metadata":{{"resourceVersion":"{}"}}}}}})", type, version) + "\n";
}

// Cut in an event, an error in the stream that passes, a type that nobody knows yet, and a bookmark to go on from.
TEST(KubeClient, AWatchGoesOnFromTheLastEvent) {
  std::mutex mutex;
  std::vector<std::string> from;
  const HttpServer server([&](const Received& r) -> Reply {
    const std::scoped_lock lock(mutex);
    from.push_back(query_of(r, "resourceVersion"));
    switch (from.size()) {
      case 1: {
        const std::string text = event("ADDED", 11) + event("MODIFIED", 12) + event("DELETED", 13);
        return {.body = text, .cut_after = text.size() - 10};
      }
      case 2: return {.body = event("DELETED", 13) + event("NOVEL", 14) + event("BOOKMARK", 20)};
      case 3: return {.body = R"({"type":"ERROR","object":{"kind":"Status","code":500,"message":"m"}})"};
      case 4: return {.drop = true};
      case 5: return {.body = event("ADDED", 21)};
      default: return {.body = R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})"};
    }
  });
  KubeClient client = client_of(server);
  std::vector<std::string> events;
  const Status ended =
      client.watch(maps(), {.resource_version = "10"},
                   [&](const KubeEvent& e, json& object) -> Status {
                     events.push_back(fmt::format("{}{}", e.resource_version, object.is_null() ? "-" : ""));
                     return {};
                   },
                   {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::compacted) << ended.error().what;
  EXPECT_THAT(events, ElementsAre("11", "12", "13", "20-", "21"));
  EXPECT_THAT(from, ElementsAre("10", "12", "20", "20", "20", "21"));
}

TEST(KubeClient, AWatchEndsWhenItShould) {
  struct Row {
    std::string body;
    std::string from;
    Errc code;
    int requests;
  };
  const Row rows[] = {
      {event("ADDED", 11), "", Errc::invalid, 0},
      {event("ADDED", 11), "0", Errc::invalid, 0},
      {event("ADDED", 11), "10", Errc::no_space, 1},  // what the caller says below
      {"", "10", Errc::unavailable, 8},               // ends at once, again and again
      {"7", "10", Errc::corrupt, 1},
      {"{}", "10", Errc::corrupt, 1},
      {R"({"type":"ADDED"})", "10", Errc::corrupt, 1},
      {R"({"type":"ADDED","object":{}})", "10", Errc::corrupt, 1},
      {R"({"type":"ERROR","object":{"kind":"Status","code":403}})", "10", Errc::denied, 1},
      {R"({"type":"ADDED",,})", "10", Errc::corrupt, 1},
  };
  for (const Row& row : rows) {
    const HttpServer server([&](const Received&) { return Reply{.body = row.body}; });
    KubeClient client = client_of(server);
    const Status ended =
        client.watch(maps(), {.resource_version = row.from},
                     [](const KubeEvent&, json&) -> Status { return fail(Errc::no_space, "enough"); }, {});
    ASSERT_FALSE(ended) << row.body;
    EXPECT_EQ(ended.error().code, row.code) << row.body << ": " << ended.error().what;
    EXPECT_EQ(server.requests(), row.requests) << row.body;
  }
}

// A server from before 1.26, one of whose groups does not answer.
TEST(KubeClient, ClassicDiscovery) {
  const std::map<std::string, std::string> answers = {
      {"/api", R"({"kind":"APIVersions","versions":["v1"]})"},
      {"/api/v1", R"({"resources":[{"name":"pods","kind":"Pod","namespaced":true,"verbs":["get","list"],
                      "shortNames":["po"]},{"name":"pods/log","kind":"Pod"},{"name":"nodes","kind":"Node"},7,{}]})"},
      {"/apis", R"({"kind":"APIGroupList","groups":[
                    {"name":"apps","versions":[{"version":"v1beta1"},{"version":"v1"}],"preferredVersion":{"version":"v1"}},
                    {"name":"metrics.k8s.io","versions":[{"version":"v1"}]}]})"},
      {"/apis/apps/v1", R"({"resources":[{"name":"deployments","kind":"Deployment","namespaced":true}]})"},
      {"/apis/apps/v1beta1",
       R"({"resources":[{"name":"deployments","kind":"Deployment"},{"name":"old","kind":"Old"}]})"},
  };
  const HttpServer server([&](const Received& r) {
    const auto found = answers.find(r.target);
    return found == answers.end() ? refusal(503, "ServiceUnavailable") : Reply{.body = found->second};
  });
  KubeClient client = client_of(server);
  const auto served = client.discover();
  ASSERT_TRUE(served) << served.error().what;
  std::vector<std::string> names;
  for (const KubeKind& kind : served->kinds) names.push_back(kind.api_version() + " " + kind.resource);
  EXPECT_THAT(names, ElementsAre("v1 pods", "v1 nodes", "apps/v1 deployments", "apps/v1beta1 old"));
  EXPECT_THAT(served->stale, ElementsAre("metrics.k8s.io/v1"));
  EXPECT_TRUE(served->find("pods")->can("list"));
  EXPECT_TRUE(served->find("Pod")->has("log"));
  EXPECT_TRUE(served->find("deployments.apps")->namespaced);
  EXPECT_THAT(served->find("deployments.apps")->versions, ElementsAre("v1", "v1beta1"));
  EXPECT_THAT(served->find("pods")->versions, ElementsAre("v1"));
  EXPECT_EQ(served->find("deploy"), nullptr);
}

TEST(KubeClient, AProxyOfTheKubeconfig) {
  const HttpServer proxy(
      [](const Received& r) { return Reply{.body = fmt::format(R"({{"gitVersion":"{}"}})", r.target)}; });
  KubeAccess access;
  access.server = "http://k8s.invalid:6443/prefix";
  access.proxy = proxy.url();
  const auto version = KubeClient(access, hasty()).version();
  ASSERT_TRUE(version) << version.error().what;
  EXPECT_EQ(*version, "http://k8s.invalid:6443/prefix/version");
}

TEST(KubeClient, WhatIsNoApiServer) {
  for (const char* body : {"hello", "{}", "[]", R"({"kind":"Pod"})"}) {
    const HttpServer server([&](const Received&) { return Reply{.body = body}; });
    KubeClient client = client_of(server);
    const auto served = client.discover();
    ASSERT_FALSE(served) << body;
    EXPECT_EQ(served.error().code, Errc::corrupt) << served.error().what;
    EXPECT_FALSE(client.version());
  }
}

}  // namespace
}  // namespace tidemark::link
