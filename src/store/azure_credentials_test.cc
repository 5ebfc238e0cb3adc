#include "store/azure_credentials.h"

#include <gtest/gtest.h>

#include <map>

#include "base/testing/fake_clock.h"
#include "io/file.h"
#include "net/testing/http_server.h"

namespace tidemark::store {
namespace {

using namespace std::chrono_literals;
using net::testing::HttpServer;
using net::testing::Received;
using net::testing::Reply;
using tidemark::testing::FakeClock;

using Variables = std::map<std::string, std::string, std::less<>>;

Environment environment(Variables all) {
  return [all = std::move(all)](std::string_view name) {
    const auto it = all.find(name);
    return it == all.end() ? std::string() : it->second;
  };
}

constexpr Time kNow{std::chrono::seconds(1'800'000'000)};

// What an authorized request looks like, or the failure.
std::string authorized(AzureCredentialSource& source, const std::string& url = "https://h/c") {
  net::Request request{.url = url};
  const Status status = source.authorize(request, {});
  if (!status) return fmt::format("{}: {}", errc_name(status.error().code), status.error().what);
  return request.url + " " + std::string(net::header_value(request.headers, "Authorization"));
}

TEST(AzureCredentials, OfTheEnvironment) {
  const std::string connection = "AZURE_STORAGE_CONNECTION_STRING";
  struct Row {
    Variables variables;
    const char* expected;  // a part of it
  };
  const Row rows[] = {
      {{{"AZURE_STORAGE_KEY", "a2V5"}}, "https://h/c SharedKey acc:"},
      {{{"AZURE_STORAGE_KEY", "a2V5\n"}, {"AZURE_STORAGE_ACCOUNT", "acc"}}, "https://h/c SharedKey acc:"},
      {{{connection, "AccountName=acc;AccountKey=a2V5"}, {"AZURE_STORAGE_KEY", "!"}}, "SharedKey acc:"},
      {{{connection, "BlobEndpoint=https://h;SharedAccessSignature=sv=1&sig=x%3D"}}, "https://h/c?sv=1&sig=x%3D "},
      {{{"AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=x%3D"}}, "https://h/c?sv=1&sig=x%3D "},
      {{{"AZURE_STORAGE_SAS_TOKEN", "sig=x"}, {"AZURE_STORAGE_KEY", "a2V5"}}, "SharedKey acc:"},
      {{{"AZURE_STORAGE_KEY", "a2V5"}, {"AZURE_STORAGE_ACCOUNT", "other"}}, "denied: AZURE_STORAGE_ACCOUNT is 'other'"},
      {{{connection, "AccountName=other;AccountKey=a2V5"}}, "is of account 'other'"},
      {{{connection, "AccountName=acc"}}, "neither AccountKey nor"},
      {{{"AZURE_STORAGE_KEY", "secret"}}, "denied: AZURE_STORAGE_KEY: the account key is no base64"},
      {{{"AZURE_STORAGE_SAS_TOKEN", "secret"}}, "denied: AZURE_STORAGE_SAS_TOKEN: this is no shared"},
      {{{"AZURE_STORAGE_SAS_TOKEN", "sig=secret\r\nHost: x"}}, "this is no shared"},
      {{{"AZURE_STORAGE_SAS_TOKEN", "sig=secret%2"}}, "this is no shared"},
  };
  for (const Row& row : rows) {
    AzureCredentialSource source(environment(row.variables), "acc", "", system_clock(), 1);
    const std::string got = authorized(source);
    EXPECT_NE(got.find(row.expected), std::string::npos) << got;
    EXPECT_EQ(got.find("secret"), std::string::npos) << got;
    EXPECT_FALSE(source.refused());
  }
  AzureCredentialSource sas(environment({{"AZURE_STORAGE_SAS_TOKEN", "sig=x"}}), "acc", "", system_clock(), 1);
  EXPECT_EQ(authorized(sas, "https://h/c?comp=list"), "https://h/c?comp=list&sig=x ");
  // Who reads it on the way could use it; this machine's own server may have it.
  for (const char* open : {"http://h/c", "http://localhost.example.com/c", "http://127.0.0.1.example.com/c"}) {
    EXPECT_EQ(authorized(sas, open), "denied: a SAS is sent over https only") << open;
  }
  for (const char* here : {"http://127.0.0.1:1/c", "http://localhost/c", "http://[::1]:1/c"}) {
    EXPECT_EQ(authorized(sas, here), fmt::format("{}?sig=x ", here));
  }
  AzureCredentialSource key(environment({{"AZURE_STORAGE_KEY", "c2VjcmV0"}}), "acc", "", system_clock(), 1);
  EXPECT_NE(authorized(key, "http://h/c").find(" SharedKey acc:"), std::string::npos);
}

TEST(AzureCredentials, TokensOfEachPlace) {
  std::vector<std::string> heard;
  std::mutex mutex;
  const HttpServer server([&](const Received& r) {
    const std::scoped_lock lock(mutex);
    heard.push_back(fmt::format("{} {} metadata={} identity={} body={}", r.method, r.target, r.header("Metadata"),
                                r.header("X-IDENTITY-HEADER"), r.body));
    return Reply{.body = R"({"access_token":"tok","expires_in":"3599","token_type":"Bearer"})"};
  });
  const auto dir = io::TempDir::create().value();
  const std::string file = (dir.path() / "token").string();
  ASSERT_TRUE(io::write_file_durably(file, as_bytes("jwt.of.the.pod\n")));
  const Variables application{
      {"AZURE_TENANT_ID", "ten"}, {"AZURE_CLIENT_ID", "cli"}, {"AZURE_AUTHORITY_HOST", server.url() + "/"}};
  Variables secret = application, workload = application;
  secret["AZURE_CLIENT_SECRET"] = "s&c";
  workload["AZURE_FEDERATED_TOKEN_FILE"] = file;
  struct Row {
    Variables variables;
    const char *origin, *heard;
  };
  const Row rows[] = {
      {secret, "client secret",
       "POST /ten/oauth2/v2.0/token metadata= identity= body=client_id=cli&client_secret=s%26c&"
       "grant_type=client_credentials&scope=https%3A%2F%2Fstorage.azure.com%2F.default"},
      {workload, "workload identity",
       "POST /ten/oauth2/v2.0/token metadata= identity= body=client_assertion=jwt.of.the.pod&client_assertion_type="
       "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_id=cli&grant_type=client_credentials&"
       "scope=https%3A%2F%2Fstorage.azure.com%2F.default"},
      {{{"IDENTITY_ENDPOINT", server.url() + "/msi/token"}, {"IDENTITY_HEADER", "hdr"}},
       "managed identity (IDENTITY_ENDPOINT)",
       "GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F metadata= identity=hdr "
       "body="},
      {{{"AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url()}, {"AZURE_CLIENT_ID", "cli"}},
       "managed identity",
       "GET /metadata/identity/oauth2/token?api-version=2018-02-01&client_id=cli&"
       "resource=https%3A%2F%2Fstorage.azure.com%2F metadata=true identity= body="},
  };
  for (const Row& row : rows) {
    heard.clear();
    AzureCredentialSource source(environment(row.variables), "acc", "", system_clock(), 1);
    EXPECT_EQ(authorized(source), "https://h/c Bearer tok") << row.origin;
    EXPECT_EQ(authorized(source), "https://h/c Bearer tok") << row.origin;
    EXPECT_EQ(heard, std::vector<std::string>{row.heard});
    EXPECT_EQ(source.origin(), row.origin);
    // Nobody between may hear it.
    EXPECT_NE(authorized(source, "http://h/c").find("denied: a token is sent over https only"), std::string::npos);
    EXPECT_TRUE(source.refused());
    EXPECT_EQ(authorized(source), "https://h/c Bearer tok");
    EXPECT_EQ(heard.size(), 2U);
  }
  Variables plain = secret;
  plain["AZURE_AUTHORITY_HOST"] = "http://login.example";
  AzureCredentialSource source(environment(plain), "acc", "", system_clock(), 1);
  EXPECT_NE(authorized(source).find("is not https"), std::string::npos);
}

TEST(AzureCredentials, TokensAreRenewedBeforeTheyEndAndServeUntilThen) {
  FakeClock clock(kNow);
  std::atomic<int> asked{0};
  std::atomic<bool> away{false};
  const HttpServer server([&](const Received&) {
    ++asked;
    if (away)
      return Reply{.status = 400, .body = R"({"error":"invalid_request","error_description":"Gone.\r\nTrace"})"};
    return Reply{.body = fmt::format(R"({{"access_token":"t{}","expires_in":3600}})", asked.load())};
  });
  AzureCredentialSource source(environment({{"AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url()}}), "acc", "", clock, 1);
  const auto token = [&] { return authorized(source).substr(std::string("https://h/c ").size()); };
  EXPECT_EQ(token(), "Bearer t1");
  clock.advance(54min);
  EXPECT_EQ(token(), "Bearer t1");
  clock.advance(2min);
  EXPECT_EQ(token(), "Bearer t2");
  away = true;
  clock.advance(58min);
  EXPECT_EQ(token(), "Bearer t2");  // not renewed, but good
  EXPECT_EQ(asked, 3);
  clock.advance(3min);
  EXPECT_EQ(authorized(source), "denied: managed identity: Gone.");
  EXPECT_EQ(authorized(source), "denied: managed identity: Gone. (asked 0 s ago; not again for 30 s)");
  EXPECT_EQ(asked, 4);
  away = false;
  clock.advance(31s);
  EXPECT_EQ(token(), "Bearer t5");
}

TEST(AzureCredentials, RefusalsAndSilenceSayWhatWasTried) {
  struct Row {
    Reply reply;
    const char* text;
  };
  const Row rows[] = {
      {{.status = 401,
        .body = R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid.\r\nTrace ID"})"},
       ": AADSTS7000215: Invalid."},
      {{.status = 403, .body = "<html>"}, ": status 403"},
      {{.status = 400, .body = R"(["x"])"}, ": status 400"},
      {{.body = "<html>"}, "no JSON object"},
      {{.body = "{}"}, "no access_token"},
      {{.body = R"({"access_token":"t"})"}, "when the token ends"},
      {{.body = R"({"access_token":"t","expires_in":-1})"}, "when the token ends"},
      {{.body = R"({"access_token":"t","expires_in":"99999999999999999999"})"}, "when the token ends"},
      {{.body = R"({"access_token":"t\r\nX: y","expires_in":1})"}, "no access_token"},
  };
  for (const Row& row : rows) {
    const HttpServer server([&](const Received&) { return row.reply; });
    AzureCredentialSource source(environment({{"AZURE_TENANT_ID", "t"},
                                              {"AZURE_CLIENT_ID", "c"},
                                              {"AZURE_CLIENT_SECRET", "secret"},
                                              {"AZURE_AUTHORITY_HOST", server.url()}}),
                                 "acc", "", system_clock(), 1);
    const std::string got = authorized(source);
    EXPECT_NE(got.find(row.text), std::string::npos) << got;
    EXPECT_EQ(got.find("Trace"), std::string::npos) << got;
    EXPECT_EQ(got.find("secret="), std::string::npos) << got;
  }
  AzureCredentialSource pod(
      environment(
          {{"AZURE_TENANT_ID", "t"}, {"AZURE_CLIENT_ID", "c"}, {"AZURE_FEDERATED_TOKEN_FILE", "/does/not/exist"}}),
      "acc", "", system_clock(), 1);
  EXPECT_NE(authorized(pod).find("workload identity: "), std::string::npos);
}

TEST(AzureToken, EndsAreCountedFromNowOrGiven) {
  const auto in = parse_azure_token(R"({"access_token":"t","expires_in":60})", kNow);
  EXPECT_EQ(in.value().expires, kNow + 60s);
  const auto on = parse_azure_token(R"({"access_token":"t","expires_on":"1800000060"})", kNow);
  EXPECT_EQ(on.value().expires, kNow + 60s);
}

}  // namespace
}  // namespace tidemark::store
