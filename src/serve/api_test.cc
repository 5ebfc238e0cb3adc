// The API over a real cluster's snapshot: what there is, and what is refused. What kubectl makes of it:
// tests/drill_serve.cc.
#include "serve/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/proto.h"
#include "net/url.h"
#include "serve/testing/past_api.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PastApi;
using testing::RecordedReply;

constexpr const char* kTable = "application/json;as=Table;v=v1;g=meta.k8s.io";
constexpr const char* kPartial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
constexpr const char* kAggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

class ApiOfSnapshot : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { past_ = PastApi::open(); }
  static void TearDownTestSuite() { past_.reset(); }
  void SetUp() override { ASSERT_TRUE(past_); }
  static json got(const std::string& target, const std::string& accept = "application/json") {
    const RecordedReply reply = past_->get(target, accept);
    EXPECT_EQ(reply.code, 200) << target << ": " << reply.body;
    EXPECT_TRUE(reply.ended) << target;
    const json value = reply.json();
    EXPECT_FALSE(value.is_discarded()) << target << ": " << reply.body.substr(0, 200);
    return value;
  }
  static inline std::unique_ptr<PastApi> past_;
};

TEST_F(ApiOfSnapshot, DiscoveryHasTheSameKindsInBothForms) {
  std::set<std::string> classic, aggregated;
  const auto add_classic = [&](const std::string& base, const std::string& group_version) {
    const json list = got(base + group_version);
    EXPECT_EQ(list.at("groupVersion"), group_version);
    for (const json& one : list.at("resources")) {
      classic.insert(group_version + " " + one.at("name").get<std::string>());
      EXPECT_EQ(one.at("verbs").size(), one.at("name").get<std::string>().find('/') == std::string::npos ? 3U : 1U);
    }
  };
  EXPECT_EQ(got("/api").at("versions"), json::array({"v1"}));
  add_classic("/api/", "v1");
  const json groups = got("/apis");
  for (const json& group : groups.at("groups")) {
    EXPECT_EQ(got("/apis/" + group.at("name").get<std::string>()).at("versions"), group.at("versions"));
    EXPECT_EQ(group.at("preferredVersion"), group.at("versions").front());
    for (const json& version : group.at("versions")) add_classic("/apis/", version.at("groupVersion"));
  }
  for (const char* path : {"/api", "/apis"}) {
    const json found = got(path, kAggregated);
    for (const json& group : found.at("items")) {
      const std::string name = group.at("metadata").value("name", "");
      for (const json& version : group.at("versions")) {
        const std::string group_version = (name.empty() ? "" : name + "/") + version.at("version").get<std::string>();
        for (const json& one : version.at("resources")) {
          const std::string resource = one.at("resource");
          aggregated.insert(group_version + " " + resource);
          for (const json& sub : one.value("subresources", json::array())) {
            aggregated.insert(group_version + " " + resource + "/" + sub.at("subresource").get<std::string>());
          }
        }
      }
    }
  }
  EXPECT_EQ(classic, aggregated);
  EXPECT_THAT(classic, Contains("apps/v1 deployments/scale"));
  EXPECT_THAT(classic, Contains("v1 pods/status"));
  EXPECT_THAT(classic, Contains("shop.example.com/v1 widgets"));
  EXPECT_FALSE(classic.contains("policy/v1beta1 podsecuritypolicies"));  // nobody has stored one
  EXPECT_FALSE(classic.contains("events.k8s.io/v1 events"));
}

TEST_F(ApiOfSnapshot, GetsObjects) {
  const json one = got("/api/v1/namespaces/shop/configmaps/cm-3");
  EXPECT_EQ(one.at("kind"), "ConfigMap");
  EXPECT_EQ(one.at("metadata").at("name"), "cm-3");
  EXPECT_TRUE(one.at("metadata").contains("managedFields"));
  EXPECT_EQ(got("/api/v1/namespaces/shop").at("kind"), "Namespace");
  EXPECT_EQ(got("/api/v1/namespaces/shop/status"), got("/api/v1/namespaces/shop"));
  const json partial = got("/api/v1/namespaces/shop/configmaps/cm-3", kPartial);
  EXPECT_EQ(partial.at("kind"), "PartialObjectMetadata");
  EXPECT_EQ(partial.at("metadata"), one.at("metadata"));
  EXPECT_FALSE(partial.contains("data"));
}

TEST_F(ApiOfSnapshot, ScaleIsOfTheDeployment) {
  const json deployment = got("/apis/apps/v1/deployments").at("items").front();
  const std::string path = "/apis/apps/v1/namespaces/" + deployment["metadata"]["namespace"].get<std::string>() +
                           "/deployments/" + deployment["metadata"]["name"].get<std::string>();
  const json scale = got(path + "/scale");
  EXPECT_EQ(scale.at("kind"), "Scale");
  EXPECT_EQ(scale.at("spec").at("replicas"), deployment.at("spec").at("replicas"));
  EXPECT_EQ(scale.at("metadata").at("uid"), deployment.at("metadata").at("uid"));
}

TEST_F(ApiOfSnapshot, PagesAreTheListInPieces) {
  const json whole = got("/api/v1/configmaps");
  EXPECT_EQ(whole.at("metadata"), (json{{"resourceVersion", "1940"}}));
  json items = json::array();
  std::string token;
  int pages = 0;
  do {
    const json page =
        got("/api/v1/configmaps?limit=7" + (token.empty() ? "" : "&continue=" + net::percent_encode(token)));
    EXPECT_LE(page.at("items").size(), 7U);
    for (const json& item : page.at("items")) items.push_back(item);
    token = page.at("metadata").value("continue", "");
    EXPECT_EQ(page.at("metadata").value("remainingItemCount", 0U), whole.at("items").size() - items.size());
    pages++;
  } while (!token.empty() && pages < 1000);
  EXPECT_EQ(items, whole.at("items"));
  EXPECT_EQ(pages, (whole.at("items").size() + 6) / 7);
}

TEST_F(ApiOfSnapshot, Selects) {
  const auto count = [](const std::string& target) { return got(target).at("items").size(); };
  EXPECT_EQ(count("/api/v1/configmaps?fieldSelector=metadata.name%3Dcm-3"), 3U);
  EXPECT_EQ(count("/api/v1/configmaps?fieldSelector=metadata.name%3Dcm-3%2Cmetadata.namespace%21%3Dbank"), 2U);
  EXPECT_EQ(count("/api/v1/namespaces/shop/configmaps?fieldSelector=metadata.name%3Dcm-3"), 1U);
  EXPECT_EQ(count("/api/v1/namespaces/nowhere/configmaps"), 0U);
  const std::size_t all = count("/api/v1/namespaces");
  EXPECT_EQ(count("/api/v1/namespaces?labelSelector=kubernetes.io%2Fmetadata.name+in+%28shop%2Cbank%29"), 2U);
  EXPECT_EQ(count("/api/v1/namespaces?labelSelector=kubernetes.io%2Fmetadata.name%21%3Dshop"), all - 1);
  EXPECT_EQ(count("/api/v1/namespaces?fieldSelector=status.phase%3DActive"), all);
  EXPECT_EQ(count("/api/v1/namespaces?fieldSelector=status.phase%21%3DActive"), 0U);
}

TEST_F(ApiOfSnapshot, Tables) {
  const json table = got("/api/v1/namespaces/shop/configmaps?limit=2", kTable);
  EXPECT_EQ(table.at("kind"), "Table");
  EXPECT_EQ(table.at("columnDefinitions").front().at("format"), "name");
  ASSERT_EQ(table.at("rows").size(), 2U);
  const json& row = table.at("rows").front();
  EXPECT_EQ(row.at("cells").size(), table.at("columnDefinitions").size());
  EXPECT_EQ(row.at("object").at("kind"), "PartialObjectMetadata");
  EXPECT_EQ(row.at("object").at("metadata").at("namespace"), "shop");
  EXPECT_TRUE(table.at("metadata").contains("continue"));
  const json none = got("/api/v1/namespaces/shop/configmaps?includeObject=None", kTable);
  EXPECT_FALSE(none.at("rows").front().contains("object"));
  const json whole = got("/api/v1/namespaces/shop/configmaps?includeObject=Object", kTable);
  EXPECT_EQ(whole.at("rows").front().at("object").at("kind"), "ConfigMap");
  const json one = got("/api/v1/namespaces/shop/configmaps/cm-3", kTable);
  EXPECT_EQ(one.at("rows").size(), 1U);
  const json partial = got("/api/v1/namespaces/shop/configmaps", kPartial);
  EXPECT_EQ(partial.at("kind"), "PartialObjectMetadataList");
  EXPECT_EQ(partial.at("items").front().at("kind"), "PartialObjectMetadata");
}

TEST_F(ApiOfSnapshot, WatchesEndInQuiet) {
  const RecordedReply quiet = past_->get("/api/v1/namespaces?watch=1&resourceVersion=1940&timeoutSeconds=5");
  EXPECT_EQ(quiet.code, 200);
  EXPECT_THAT(quiet.body, IsEmpty());
  EXPECT_TRUE(quiet.ended && quiet.last);
  EXPECT_EQ(quiet.waits, 1);
  const std::size_t all = got("/api/v1/namespaces").at("items").size();
  for (const char* target : {"/api/v1/namespaces?watch=1&timeoutSeconds=5", "/api/v1/watch/namespaces?timeoutSeconds=5",
                             "/api/v1/namespaces?watch=true&resourceVersion=0&timeoutSeconds=5"}) {
    const auto events = past_->get(target).events();
    ASSERT_EQ(events.size(), all) << target;
    EXPECT_EQ(events.front().at("type"), "ADDED");
    EXPECT_EQ(events.front().at("object").at("kind"), "Namespace");
  }
  const auto of_one = past_->get("/api/v1/namespaces/shop?watch=1&timeoutSeconds=5").events();
  EXPECT_EQ(of_one.size(), 1U);
}

TEST_F(ApiOfSnapshot, WatchesTellWhereTheBeginningEnds) {
  const std::string list = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  const auto told =
      past_->get("/api/v1/namespaces?watch=1&allowWatchBookmarks=true&timeoutSeconds=150" + list).events();
  ASSERT_GE(told.size(), 4U);
  const std::size_t all = got("/api/v1/namespaces").at("items").size();
  ASSERT_EQ(told.size(), all + 3);  // the end of the beginning, and one a minute
  const json& mark = told[all];
  EXPECT_EQ(mark.at("type"), "BOOKMARK");
  EXPECT_EQ(mark.at("object").at("metadata").at("annotations").at("k8s.io/initial-events-end"), "true");
  EXPECT_EQ(mark.at("object").at("metadata").at("resourceVersion"), "1940");
  EXPECT_FALSE(told.back().at("object").at("metadata").contains("annotations"));
  RecordedReply gone(past_->clock);
  gone.gone_after = 0;
  past_->ask(PastApi::request("/api/v1/namespaces?watch=1"), gone);
  EXPECT_FALSE(gone.ended);
}

TEST_F(ApiOfSnapshot, AClientThatGoesAwayEndsItsList) {
  RecordedReply gone(past_->clock);
  gone.cut_after = 0;
  past_->ask(PastApi::request("/api/v1/configmaps"), gone);
  EXPECT_EQ(gone.code, 200);
  EXPECT_EQ(gone.pieces, 0);
  EXPECT_FALSE(gone.ended);
}

TEST_F(ApiOfSnapshot, OtherMoments) {
  const json list = got("/at/rev%3A1940/api/v1/namespaces");
  EXPECT_EQ(list, got("/api/v1/namespaces"));
  EXPECT_EQ(got("/at/latest/api/v1/namespaces"), list);
  const auto one = past_->moments().at("rev:1940"), again = past_->moments().at("rev:1940");
  ASSERT_TRUE(one && again);
  EXPECT_EQ(*one, *again);
  ASSERT_TRUE(past_->moments().at("latest"));
  EXPECT_EQ(past_->get("/at/rev%3A99999/api").code, 404);
  EXPECT_EQ(past_->get("/at/yesterday/api").code, 400);
  EXPECT_EQ(past_->get("/at/pin%3Ax/api").code, 400);
}

TEST_F(ApiOfSnapshot, Reviews) {
  struct Row {
    const char* body;
    bool allowed;
  };
  const Row rows[] = {
      {R"({"spec":{"resourceAttributes":{"verb":"get","resource":"secrets"}}})", true},
      {R"({"spec":{"resourceAttributes":{"verb":"list","resource":"pods","namespace":"shop"}}})", true},
      {R"({"spec":{"resourceAttributes":{"verb":"watch","resource":"pods"}}})", true},
      {R"({"spec":{"nonResourceAttributes":{"verb":"get","path":"/version"}}})", true},
      {R"({"spec":{"resourceAttributes":{"verb":"delete","resource":"pods"}}})", false},
      {R"({"spec":{"resourceAttributes":{"verb":"*","resource":"pods"}}})", false},
      {R"({"spec":{"resourceAttributes":{"verb":"GET"}}})", false},
      {R"({"spec":{"resourceAttributes":{"verb":7}}})", false},
      {R"({"spec":[]})", false},
      {R"({})", false},
  };
  Request post = PastApi::request("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
  post.method = "POST";
  for (const Row& row : rows) {
    post.body = row.body;
    const RecordedReply reply = past_->ask(post);
    EXPECT_EQ(reply.code, 201) << row.body;
    EXPECT_EQ(reply.json().at("status").at("allowed"), row.allowed) << row.body;
    EXPECT_EQ(reply.json().at("kind"), "SelfSubjectAccessReview");
  }
  for (const char* body : {"", "[]", "k8s", "{", "\"x\""}) {
    post.body = body;
    EXPECT_EQ(past_->ask(post).code, 415) << body;
  }
  // As kubectl posts them: k8s, a 0, and an envelope with the message as its field 2.
  const auto message = [](std::string_view verb) {
    Buffer attributes, spec, review, type, envelope;
    proto::append_field(type, 1, as_bytes(std::string_view("authorization.k8s.io/v1")));
    proto::append_field(type, 2, as_bytes(std::string_view("SelfSubjectAccessReview")));
    proto::append_field(envelope, 1, type);
    proto::append_field(attributes, 2, as_bytes(verb));
    proto::append_field(spec, 1, attributes);
    proto::append_field(review, 2, spec);
    proto::append_field(envelope, 2, review);
    return "k8s" + std::string(1, '\0') + std::string(as_text(envelope));
  };
  for (const auto& [verb, allowed] : {std::pair{"list", true}, std::pair{"patch", false}, std::pair{"", false}}) {
    post.body = message(verb);
    EXPECT_EQ(past_->ask(post).json().at("status").at("allowed"), allowed) << verb;
  }
  const std::string whole = message("list");
  for (std::size_t size = 4; size + 1 < whole.size(); size++) {
    post.body = whole.substr(0, size);
    const RecordedReply cut = past_->ask(post);
    EXPECT_TRUE(cut.code == 415 || cut.json().at("status").at("allowed") == false) << size;
  }
  post.body = "{}";
  post.target = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
  EXPECT_EQ(past_->ask(post).json().at("status").at("resourceRules").front().at("verbs").size(), 3U);
  post.target = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  EXPECT_EQ(past_->ask(post).json().at("status").at("userInfo").at("username"), "tidemark:reader");
  post.target = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  EXPECT_EQ(past_->ask(post).code, 403);
}

TEST_F(ApiOfSnapshot, RefusesWrites) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "CONNECT", "BREW"}) {
    Request write = PastApi::request("/api/v1/namespaces/shop/configmaps/cm-3");
    write.method = method;
    const RecordedReply reply = past_->ask(write);
    EXPECT_EQ(reply.code, 403) << method;
    EXPECT_EQ(reply.json().at("reason"), "Forbidden");
    EXPECT_THAT(reply.json().at("message").get<std::string>(),
                HasSubstr("read-only: this is the cluster as it was at "));
    EXPECT_THAT(reply.json().at("message").get<std::string>(), HasSubstr("revision 1940"));
  }
}

TEST_F(ApiOfSnapshot, Refuses) {
  struct Row {
    const char* target;
    int code;
    const char* says;
  };
  const Row rows[] = {
      {"/api/v1/namespaces/shop/configmaps/none", 404, "configmaps \\\"none\\\" not found"},
      {"/api/v1/nodes/none", 404, "not found: there was none at revision 1940"},
      {"/api/v1/gadgets", 404, "could not find"},
      {"/api/v2/pods", 404, "could not find"},
      {"/api/v2", 404, "could not find"},
      {"/apis/nowhere", 404, "could not find"},
      {"/apis/apps/v1beta1/deployments", 404, "could not find"},
      {"/metrics", 404, "could not find"},
      {"/openapi/v3/apis/nowhere/v1", 404, "could not find"},
      {"/api/v1/namespaces/shop/nodes", 404, "in no namespace"},
      {"/api/v1/configmaps/cm-3", 404, "are in namespaces"},
      {"/api/v1/namespaces/shop/pods/x/log", 405, "of a running cluster"},
      {"/api/v1/namespaces/shop/pods/x/exec?command=sh", 405, "of a running cluster"},
      {"/api/v1/namespaces/shop/services/x/proxy/a/b", 405, "of a running cluster"},
      {"/api/v1/namespaces/shop/configmaps/cm-3/scale", 404, "have no scale"},
      {"/api/v1/pods?limit=x", 400, "limit"},
      {"/api/v1/pods?limit=-1", 400, "limit"},
      {"/api/v1/pods?continue=x", 410, "continue token"},
      {"/api/v1/pods?continue=dGlkZW1hcms6NzovcmVnaXN0cnkvcG9kcy9h", 410, "continue token"},
      {"/api/v1/pods?continue=dGlkZW1hcms6MTk0MDovcmVnaXN0cnkvbm9kZXMvYQ%3D%3D", 410, "continue token"},
      {"/api/v1/pods?labelSelector=a+b", 400, "selector"},
      {"/api/v1/pods?fieldSelector=spec.color%3Dred", 400, "cannot be selected"},
      {"/api/v1/pods?fieldSelector=spec.nodeName", 400, "'=' or '!=' expected"},
      {"/api/v1/pods?includeObject=All", 400, "includeObject"},
      {"/api/v1/pods?resourceVersion=x", 400, "resourceVersion"},
      {"/api/v1/pods?resourceVersion=1941", 504, "Too large resource version"},
      {"/api/v1/pods?resourceVersion=1939&resourceVersionMatch=Exact", 410, "revision 1939"},
      {"/api/v1/pods?resourceVersion=1939&limit=5", 410, "revision 1939"},
      {"/api/v1/pods?resourceVersionMatch=Exact", 400, "needs a resourceVersion"},
      {"/api/v1/pods?resourceVersion=1940&resourceVersionMatch=About", 400, "About"},
      {"/api/v1/pods?watch=1&resourceVersion=1900", 410, "revision 1900"},
      {"/api/v1/pods?watch=1&timeoutSeconds=soon", 400, "timeoutSeconds"},
      {"/api/v1/pods?watch=1&sendInitialEvents=true", 400, "resourceVersionMatch=NotOlderThan"},
      {"/api//v1", 400, "part 2"},
      {"/%zz", 400, "hexadecimal"},
  };
  for (const Row& row : rows) {
    const RecordedReply reply = past_->get(row.target);
    EXPECT_EQ(reply.code, row.code) << row.target << ": " << reply.body.substr(0, 300);
    EXPECT_THAT(reply.body, HasSubstr(row.says)) << row.target;
    const json status = reply.json();
    EXPECT_EQ(status.value("kind", ""), "Status") << row.target;
    EXPECT_EQ(status.value("code", 0), row.code) << row.target;
    EXPECT_NE(status.value("reason", ""), "") << row.target;
  }
  EXPECT_EQ(past_->get("/api/v1/pods", "application/vnd.kubernetes.protobuf").code, 406);
  EXPECT_EQ(got("/api/v1/pods?resourceVersion=1939&resourceVersionMatch=NotOlderThan").at("kind"), "PodList");
}

TEST_F(ApiOfSnapshot, NobodyPassesWithoutTheToken) {
  for (const char* target : {"/", "/api", "/healthz", "/version", "/api/v1/secrets", "/at/latest/api", "/nowhere"}) {
    Request request = PastApi::request(target);
    request.authorization = "Bearer other";
    EXPECT_EQ(past_->ask(request).code, 401) << target;
    request = PastApi::request(target);
    request.host = "evil.example:8001";
    EXPECT_EQ(past_->ask(request).code, 421) << target;
  }
}

// A server of its own: what the other tests ask for is counted, too.
TEST(ApiCounts, WhatItAnswers) {
  const auto past = PastApi::open();
  ASSERT_TRUE(past);
  struct Row {
    const char* method;
    const char* target;
    Verb verb;
    int code;
  };
  const Row rows[] = {
      {"GET", "/api/v1/namespaces/shop", Verb::get, 200},
      {"GET", "/at/rev%3A1940/api/v1/namespaces/shop", Verb::get, 200},
      {"GET", "/api/v1/namespaces/none", Verb::get, 404},
      {"GET", "/api/v1/namespaces", Verb::list, 200},
      {"GET", "/api/v1/namespaces?limit=x", Verb::list, 400},
      {"GET", "/api/v1/namespaces?watch=1&timeoutSeconds=1", Verb::watch, 200},
      {"GET", "/api/v1/watch/namespaces?timeoutSeconds=1", Verb::watch, 200},
      {"GET", "/api/v1/namespaces/shop?watch=true&timeoutSeconds=1", Verb::watch, 200},
      {"POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", Verb::review, 415},
      {"POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", Verb::review, 403},
      {"GET", "/apis", Verb::discovery, 200},
      {"GET", "/version", Verb::discovery, 200},
      {"GET", "/metrics", Verb::discovery, 404},
      {"POST", "/api/v1/namespaces", Verb::write, 403},
      {"DELETE", "/api/v1/namespaces/shop", Verb::write, 403},
      {"GET", "/%zz", Verb::none, 400},
  };
  std::map<std::pair<Verb, int>, std::uint64_t> expected;
  std::map<Verb, std::uint64_t> bytes;
  const auto asked = [&](const Request& request, Verb verb, int code) {
    const RecordedReply reply = past->ask(request);
    EXPECT_EQ(reply.code, code) << request.target;
    expected[{verb, code}]++;
    bytes[verb] += reply.body.size();
  };
  for (const Row& row : rows) {
    Request request = PastApi::request(row.target);
    request.method = row.method;
    asked(request, row.verb, row.code);
    request.accept_encoding = "gzip";  // what goes out counts, not what it was made of
    asked(request, row.verb, row.code);
  }
  Request stranger = PastApi::request("/api/v1/namespaces");
  stranger.authorization = "";
  asked(stranger, Verb::list, 401);

  const RequestTally::Rows counted = past->counters().requests.rows();
  std::map<std::pair<Verb, int>, std::uint64_t> is;
  for (std::size_t verb = 0; verb < counted.size(); verb++) {
    std::uint64_t all = 0, within = 0;
    for (const auto& [code, times] : counted[verb].codes) {
      is[{static_cast<Verb>(verb), code}] = times;
      all += times;
    }
    for (const std::uint64_t times : counted[verb].within) within += times;
    EXPECT_EQ(counted[verb].count, all) << kVerbNames[verb];
    EXPECT_EQ(counted[verb].bytes, bytes[static_cast<Verb>(verb)]) << kVerbNames[verb];
    EXPECT_EQ(within, all) << kVerbNames[verb];
  }
  EXPECT_EQ(is, expected);
  // By the clock of the test only watches take time: six of a second.
  EXPECT_DOUBLE_EQ(counted[static_cast<std::size_t>(Verb::watch)].seconds, 6.0);
  EXPECT_EQ(counted[static_cast<std::size_t>(Verb::watch)].within[5], 6U);  // a second is within 1.0
  EXPECT_EQ(past->counters().in_flight, 0U);
  EXPECT_EQ(past->counters().moments, 2U);
  EXPECT_EQ(past->counters().reads, 2U);  // the same kind of two moments
  EXPECT_GT(past->counters().cache_bytes, 0U);
  EXPECT_EQ(past->counters().unreadable, 0U);

  // Longer than any bound.
  Request long_watch = PastApi::request("/api/v1/namespaces?watch=1&timeoutSeconds=600&resourceVersion=1940");
  asked(long_watch, Verb::watch, 200);
  const RequestTally::Row watches = past->counters().requests.rows()[static_cast<std::size_t>(Verb::watch)];
  EXPECT_EQ(watches.count, 7U);
  EXPECT_EQ(std::accumulate(watches.within.begin(), watches.within.end(), std::uint64_t{0}), 6U);
}

TEST_F(ApiOfSnapshot, OpenApiNamesTheFields) {
  const json index = got("/openapi/v3");
  EXPECT_TRUE(index.at("paths").contains("apis/apps/v1"));
  for (const auto& [path, entry] : index.at("paths").items()) {
    const json document = got(entry.at("serverRelativeURL"));
    for (const auto& [name, schema] : document.at("components").at("schemas").items()) {
      EXPECT_EQ(schema.value("type", "object"), "object") << path << " " << name;
    }
  }
  const json apps = got("/openapi/v3/apis/apps/v1").at("components").at("schemas");
  EXPECT_TRUE(apps.contains("apps.v1.Deployment"));
  EXPECT_EQ(got("/version").at("major"), "1");
  EXPECT_EQ(got("/openapi/v2").at("swagger"), "2.0");
  EXPECT_EQ(past_->get("/readyz").body, "ok");
}

}  // namespace
}  // namespace tidemark::serve
