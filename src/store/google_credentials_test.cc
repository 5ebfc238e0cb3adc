#include "store/google_credentials.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "crypto/sign.h"
#include "crypto/testing/rsa_key.h"
#include "io/file.h"
#include "net/testing/http_server.h"
#include "net/url.h"
#include "store/json_fields.h"

namespace tidemark::store {
namespace {

using namespace std::chrono_literals;
using net::testing::HttpServer;
using net::testing::Received;
using net::testing::Reply;
using nlohmann::json;
using tidemark::testing::FakeClock;

const Time kNow{std::chrono::seconds(1'795'000'000)};

std::map<std::string, std::string> form_of(const Received& r) {
  const net::Query query = net::parse_query(r.body).value();
  return {query.begin(), query.end()};
}

std::string from_base64url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return std::string(as_text(crypto::from_base64(text).value()));
}

// A token service that remembers what it was asked, with credentials that point to it.
class GoogleCredentialsTest : public ::testing::Test {
 protected:
  GoogleCredentialsTest() {
    variables_["HOME"] = dir_.path().string();
    variables_["GCE_METADATA_HOST"] = fmt::format("127.0.0.1:{}", server_.port());
  }
  void use_file(const json& file) {
    const std::string path = (dir_.path() / "key.json").string();
    ASSERT_TRUE(io::write_file_durably(path, as_bytes(file.dump())));
    variables_["GOOGLE_APPLICATION_CREDENTIALS"] = path;
  }
  GoogleCredentials make() {
    return {[variables = variables_](std::string_view name) {
              const auto it = variables.find(std::string(name));
              return it == variables.end() ? std::string() : it->second;
            },
            "", clock_, 1, [](std::chrono::nanoseconds, const std::stop_token&) { return true; }};
  }
  Result<std::string> get() {
    auto credentials = make();
    auto token = credentials.get({});
    origin_ = credentials.origin();
    return token;
  }
  json service_account() const {
    return {{"type", "service_account"},
            {"client_email", "backup@p.iam.gserviceaccount.com"},
            {"private_key_id", "key-1"},
            {"private_key", std::string(crypto::testing::kRfc7515Key)},
            {"token_uri", server_.url() + "/token"}};
  }
  json external(const json& source) const {
    return {{"type", "external_account"},
            {"audience", "//iam.googleapis.com/pool"},
            {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"},
            {"token_url", server_.url() + "/sts"},
            {"credential_source", source}};
  }

  io::TempDir dir_ = io::TempDir::create().value();
  FakeClock clock_{kNow};
  std::map<std::string, std::string> variables_;
  std::string origin_;
  // The server's threads are still there when a test wants another answer.
  void answer_with(std::function<Reply(const Received&)> answer) {
    const std::scoped_lock lock(mutex_);
    answer_ = std::move(answer);
  }

  std::mutex mutex_;
  std::vector<Received> asked_;
  std::function<Reply(const Received&)> answer_ = [](const Received&) {
    return Reply{.headers = {{"Metadata-Flavor", "Google"}},
                 .body = R"({"access_token":"token-1","expires_in":3600,"token_type":"Bearer"})"};
  };
  HttpServer server_{[this](const Received& r) {
    const std::scoped_lock lock(mutex_);
    asked_.push_back(r);
    return answer_(r);
  }};
};

TEST_F(GoogleCredentialsTest, AServiceAccountSignsItsAssertion) {
  use_file(service_account());
  ASSERT_EQ(get().value(), "token-1");
  EXPECT_EQ(origin_, "service account backup@p.iam.gserviceaccount.com");
  ASSERT_EQ(asked_.size(), 1U);
  auto form = form_of(asked_[0]);
  EXPECT_EQ(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
  const std::string jwt = form["assertion"];
  const std::size_t one = jwt.find('.'), two = jwt.rfind('.');
  EXPECT_EQ(json::parse(from_base64url(jwt.substr(0, one))),
            (json{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "key-1"}}));
  EXPECT_EQ(json::parse(from_base64url(jwt.substr(one + 1, two - one - 1))),
            (json{{"iss", "backup@p.iam.gserviceaccount.com"},
                  {"scope", "https://www.googleapis.com/auth/devstorage.read_write"},
                  {"aud", server_.url() + "/token"},
                  {"iat", 1'795'000'000},
                  {"exp", 1'795'003'600}}));
  EXPECT_EQ(jwt.size() - two - 1, 342U);  // 256 bytes; the signature itself is held against RFC 7515 in crypto/
}

TEST_F(GoogleCredentialsTest, ATokenServesUntilFourMinutesBeforeItsEnd) {
  use_file(service_account());
  auto credentials = make();
  ASSERT_TRUE(credentials.get({}));
  clock_.advance(55min);
  ASSERT_TRUE(credentials.get({}));
  EXPECT_EQ(asked_.size(), 1U);
  clock_.advance(90s);
  answer_with([](const Received&) { return Reply{.status = 500}; });
  EXPECT_EQ(credentials.get({}).value(), "token-1");  // not renewed, but good still
  clock_.advance(4min);
  EXPECT_EQ(credentials.get({}).error().code, Errc::unavailable);
  const std::size_t asked = asked_.size();
  EXPECT_EQ(credentials.get({}).error().code, Errc::unavailable);
  EXPECT_EQ(asked_.size(), asked);  // nobody waits for what was down a moment ago
  clock_.advance(31s);
  answer_with([](const Received&) { return Reply{.body = R"({"access_token":"token-2","expires_in":3600})"}; });
  EXPECT_EQ(credentials.get({}).value(), "token-2");
  const std::size_t before = asked_.size();
  credentials.refused("token-1");  // somebody else's old news
  EXPECT_EQ(credentials.get({}).value(), "token-2");
  EXPECT_EQ(asked_.size(), before);
  credentials.refused("token-2");
  EXPECT_TRUE(credentials.get({}));
  EXPECT_EQ(asked_.size(), before + 1);
}

TEST_F(GoogleCredentialsTest, AnExternalAccountExchangesItsSubjectAndImpersonates) {
  ASSERT_TRUE(io::write_file_durably(dir_.path() / "subject", as_bytes("subject-1\n")));
  ASSERT_TRUE(io::write_file_durably(dir_.path() / "subject.json", as_bytes(R"({"id":"subject-1"})")));
  answer_with([](const Received& r) {
    if (r.target == "/subject") return Reply{.body = R"({"id":"subject-1"})"};
    if (r.target == "/sts") return Reply{.body = R"({"access_token":"federated","expires_in":3600})"};
    return Reply{.body = R"({"accessToken":"token-2","expireTime":"2027-01-01T00:00:00Z"})"};
  });
  const json as_json = {{"type", "json"}, {"subject_token_field_name", "id"}};
  for (const json& source :
       {json{{"file", (dir_.path() / "subject").string()}},
        json{{"file", (dir_.path() / "subject.json").string()}, {"format", as_json}},
        json{{"url", server_.url() + "/subject"}, {"headers", {{"X-Wish", "please"}}}, {"format", as_json}}}) {
    asked_.clear();
    json file = external(source);
    use_file(file);
    EXPECT_EQ(get().value(), "federated") << source;
    if (source.contains("url")) {
      EXPECT_EQ(asked_[0].header("X-Wish"), "please");
    }
    auto form = form_of(asked_.back());
    EXPECT_EQ(form["grant_type"], "urn:ietf:params:oauth:grant-type:token-exchange");
    EXPECT_EQ(form["subject_token"], "subject-1");
    EXPECT_EQ(form["audience"], "//iam.googleapis.com/pool");
    EXPECT_EQ(form["scope"], "https://www.googleapis.com/auth/devstorage.read_write");

    file["service_account_impersonation_url"] = server_.url() + "/v1/serviceAccounts/b@p:generateAccessToken";
    file["service_account_impersonation"] = {{"token_lifetime_seconds", 900}};
    use_file(file);
    EXPECT_EQ(get().value(), "token-2");
    EXPECT_EQ(origin_, "external account //iam.googleapis.com/pool, as b@p");
    EXPECT_EQ(asked_.back().header("Authorization"), "Bearer federated");
    EXPECT_EQ(json::parse(asked_.back().body),
              (json{{"scope", {"https://www.googleapis.com/auth/devstorage.read_write"}}, {"lifetime", "900s"}}));
  }
}

TEST_F(GoogleCredentialsTest, AUsersFileAndTheMetadataServerAreFoundWithoutAVariable) {
  EXPECT_EQ(get().value(), "token-1");  // no file: the metadata server
  EXPECT_EQ(asked_.back().target, "/computeMetadata/v1/instance/service-accounts/default/token");
  EXPECT_EQ(asked_.back().header("Metadata-Flavor"), "Google");
  const json user = {{"type", "authorized_user"},
                     {"client_id", "i"},
                     {"client_secret", "s"},
                     {"refresh_token", "r"},
                     {"token_uri", server_.url() + "/token"}};
  const auto gcloud = dir_.path() / ".config" / "gcloud";
  ASSERT_TRUE(io::make_dirs(gcloud));
  ASSERT_TRUE(io::write_file_durably(gcloud / "application_default_credentials.json", as_bytes(user.dump())));
  EXPECT_EQ(get().value(), "token-1");
  EXPECT_EQ(form_of(asked_.back())["refresh_token"], "r");
  use_file({{"type", "impersonated_service_account"},
            {"service_account_impersonation_url", server_.url() + "/v1/serviceAccounts/b@p:generateAccessToken"},
            {"source_credentials", user}});
  answer_with([](const Received& r) {
    return r.target == "/token" ? Reply{.body = R"({"access_token":"t","expires_in":60})"}
                                : Reply{.body = R"({"accessToken":"token-3","expireTime":"2027-01-01T00:00:00Z"})"};
  });
  EXPECT_EQ(get().value(), "token-3");
}

TEST_F(GoogleCredentialsTest, WhatIsWrongIsSaidWithoutSecrets) {
  struct Row {
    json change;
    Errc code;
  };
  const std::string here = server_.url();
  for (const Row& row :
       {Row{{{"type", "nonsense"}}, Errc::unsupported}, Row{{{"type", "gdch_service_account"}}, Errc::unsupported},
        Row{{{"private_key", "secret-words"}}, Errc::invalid}, Row{{{"private_key", 7}}, Errc::invalid},
        Row{{{"client_email", ""}}, Errc::invalid}, Row{{{"token_uri", "http://example.com/token"}}, Errc::denied},
        Row{{{"type", "external_account"}}, Errc::invalid},
        Row{external({{"environment_id", "aws1"}}), Errc::unsupported},
        Row{external({{"executable", {{"command", "x"}}}}), Errc::unsupported},
        Row{external({{"file", "/nowhere/token"}}), Errc::denied}}) {
    json file = service_account();
    file.update(row.change);
    use_file(file);
    const auto token = get();
    ASSERT_FALSE(token) << row.change;
    EXPECT_EQ(token.error().code, row.code) << row.change << token.error().what;
    EXPECT_EQ(token.error().what.find("secret-words"), std::string::npos);
  }
  EXPECT_TRUE(asked_.empty());
  variables_["GOOGLE_APPLICATION_CREDENTIALS"] = "/nowhere/key.json";
  EXPECT_EQ(get().error().code, Errc::denied);
}

TEST_F(GoogleCredentialsTest, RefusalsAndNonsenseOfTheService) {
  use_file(service_account());
  struct Row {
    Reply reply;
    Errc code;
    const char* word;
  };
  for (const Row& row :
       {Row{{.status = 400, .body = R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})"},
            Errc::denied,
            "Invalid JWT Signature"},
        Row{{.status = 403, .body = R"({"error":{"message":"not allowed"}})"}, Errc::denied, "not allowed"},
        Row{{.status = 503}, Errc::unavailable, "503"}, Row{{.drop = true}, Errc::unavailable, ""},
        Row{{.body = "<html>"}, Errc::corrupt, "JSON"},
        Row{{.body = R"({"access_token":"t"})"}, Errc::corrupt, "expires_in"},
        Row{{.body = R"({"access_token":"a\r\nb","expires_in":1})"}, Errc::corrupt, "access_token"}}) {
    answer_with([&row](const Received&) { return row.reply; });
    const auto token = get();
    ASSERT_FALSE(token) << row.reply.body;
    EXPECT_EQ(token.error().code, row.code) << token.error().what;
    EXPECT_NE(token.error().what.find(row.word), std::string::npos) << token.error().what;
  }
  // Nobody's metadata server: whatever answers there must say that it is Google's.
  variables_.erase("GOOGLE_APPLICATION_CREDENTIALS");
  answer_with([](const Received&) { return Reply{.body = R"({"access_token":"evil","expires_in":3600})"}; });
  const auto none = get();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::denied);
  EXPECT_NE(none.error().hint.find("GOOGLE_APPLICATION_CREDENTIALS"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::store
