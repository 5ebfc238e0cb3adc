#include "store/aws_credentials.h"

#include <gmock/gmock.h>

#include "base/rfc3339.h"
#include "base/testing/fake_clock.h"
#include "io/file.h"
#include "net/testing/http_server.h"

namespace tidemark::store {
namespace {

using namespace std::chrono_literals;
using net::testing::HttpServer;
using net::testing::Received;
using net::testing::Reply;
using ::testing::HasSubstr;
using tidemark::testing::FakeClock;
using Variables = std::map<std::string, std::string, std::less<>>;

class AwsCredentialsTest : public ::testing::Test {
 protected:
  Result<AwsCredentials> get(Variables variables) {
    source_.emplace(environment(std::move(variables)), "eu-test-1", "", clock_, 1);
    return source_->get({});
  }
  Environment environment(Variables variables) {
    variables.emplace("HOME", home_.path().string());
    variables.emplace("AWS_EC2_METADATA_DISABLED", "true");
    return [variables](std::string_view name) {
      const auto it = variables.find(name);
      return it == variables.end() ? std::string() : it->second;
    };
  }
  std::string file(const std::string& name, std::string_view text) {
    const io::Path path = home_.path() / name;
    EXPECT_TRUE(io::make_dirs(path.parent_path()));
    std::filesystem::remove(path);
    auto pending = io::PendingFile::create(path, io::PendingFile::Existing::refuse);
    EXPECT_TRUE(pending && pending->write(as_bytes(text)) && pending->commit());
    return path.string();
  }

  io::TempDir home_ = io::TempDir::create().value();
  FakeClock clock_{parse_rfc3339("2026-11-21T10:00:00Z").value()};
  std::optional<AwsCredentialSource> source_;
};

TEST_F(AwsCredentialsTest, TheEnvironmentComesFirst) {
  file(".aws/credentials", "[default]\naws_access_key_id=P\naws_secret_access_key=Q\n");
  const auto got = get({{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "S"}, {"AWS_SESSION_TOKEN", "T"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->access_key + got->secret_key + got->session_token, "AST");
  EXPECT_EQ(source_->origin(), "environment");
  const auto half = get({{"AWS_ACCESS_KEY_ID", "A"}});
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, Errc::denied);
  EXPECT_THAT(half.error().what, HasSubstr("AWS_SECRET_ACCESS_KEY is not"));
}

TEST_F(AwsCredentialsTest, ProfilesOfBothFiles) {
  file(".aws/credentials",
       "# mine\n[default]\naws_access_key_id = A ; a comment\naws_secret_access_key = S=/+\n\n[ prod ]\n"
       "aws_access_key_id=PA\naws_secret_access_key=PS\naws_session_token=PT\n");
  file(".aws/config",
       "[default]\nregion = eu-x-1\ns3 =\n  region = wrong\n[profile conf]\naws_access_key_id=CA\n"
       "aws_secret_access_key=CS\n[profile sso]\nsso_session=x\n[profile empty]\n[profile prod]\nregion=eu-y-2\n");
  EXPECT_EQ(get({})->secret_key, "S=/+");
  EXPECT_EQ(get({})->access_key, "A");
  EXPECT_EQ(get({{"AWS_PROFILE", "prod"}})->session_token, "PT");
  EXPECT_EQ(source_->origin(), "profile 'prod'");
  EXPECT_EQ(get({{"AWS_PROFILE", "conf"}})->access_key, "CA");
  EXPECT_EQ(AwsCredentialSource::profile_region(environment({})), "eu-x-1");
  EXPECT_EQ(AwsCredentialSource::profile_region(environment({{"AWS_PROFILE", "prod"}})), "eu-y-2");
  EXPECT_EQ(get({{"AWS_PROFILE", "sso"}}).error().code, Errc::unsupported);
  EXPECT_THAT(get({{"AWS_PROFILE", "empty"}}).error().what, HasSubstr("has no credentials"));
  EXPECT_THAT(get({{"AWS_PROFILE", "nobody"}}).error().what, HasSubstr("'nobody' is neither in"));
  const std::string own = file("own", "[default]\naws_access_key_id=OA\naws_secret_access_key=OS\n");
  EXPECT_EQ(get({{"AWS_SHARED_CREDENTIALS_FILE", own}})->access_key, "OA");
  for (const char* bad : {"[default\n", "[default]\nno equals sign\n"}) {
    file(".aws/credentials", bad);
    EXPECT_EQ(get({}).error().code, Errc::invalid) << bad;
  }
}

TEST_F(AwsCredentialsTest, NoneAtAllSaysWhereItLooked) {
  const auto none = get({});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::denied);
  EXPECT_THAT(none.error().what, HasSubstr(".aws/credentials"));
  EXPECT_THAT(none.error().hint, HasSubstr("AWS_PROFILE"));
}

TEST_F(AwsCredentialsTest, AWebIdentityIsExchangedAndRenewedInTime) {
  std::atomic<int> asked{0};
  std::atomic<bool> broken{false};
  const HttpServer sts([&](const Received& r) -> Reply {
    if (broken)
      return {.status = 403, .body = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"};
    const bool right = r.method == "POST" && r.body.find("Action=AssumeRoleWithWebIdentity") != std::string::npos &&
                       r.body.find("WebIdentityToken=jwt%2F" + std::to_string(asked)) != std::string::npos &&
                       r.body.find("RoleArn=arn%3Arole") != std::string::npos;
    if (!right) return {.status = 400, .body = r.body};
    ++asked;
    return {.body =
                fmt::format("<AssumeRoleWithWebIdentityResponse xmlns=\"https://x/\"><AssumeRoleWithWebIdentityResult>"
                            "<Credentials><AccessKeyId>A{}</AccessKeyId><SecretAccessKey>S</SecretAccessKey>"
                            "<SessionToken>T</SessionToken><Expiration>2026-11-21T{}:00:00Z</Expiration></Credentials>"
                            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
                            asked.load(), 10 + asked)};
  });
  const std::string token = file("token", "jwt/0\n");
  const Variables variables{{"AWS_WEB_IDENTITY_TOKEN_FILE", token},
                            {"AWS_ROLE_ARN", "arn:role"},
                            {"AWS_ENDPOINT_URL_STS", sts.url()},
                            {"no_proxy", "*"}};
  ASSERT_EQ(get(variables)->access_key, "A1");
  EXPECT_EQ(source_->get({})->access_key, "A1");  // good until 11:00
  EXPECT_EQ(asked, 1);
  file("token", "jwt/1");  // the kubelet rotates it
  clock_.advance(56min);
  EXPECT_EQ(source_->get({})->access_key, "A2");  // before the old ones end
  broken = true;
  clock_.advance(60min);
  EXPECT_EQ(source_->get({})->access_key, "A2");  // still good
  clock_.advance(5min);
  const auto ended = source_->get({});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::denied);
  EXPECT_THAT(ended.error().what, HasSubstr("AccessDenied"));
  const int before = asked;
  EXPECT_THAT(source_->get({}).error().what, HasSubstr("AccessDenied (asked 0 s ago"));
  broken = false;
  file("token", "jwt/2");
  EXPECT_FALSE(source_->get({}));
  EXPECT_EQ(asked, before);
  clock_.advance(31s);
  EXPECT_EQ(source_->get({})->access_key, "A3");
  Variables plain = variables;
  plain["AWS_ENDPOINT_URL_STS"] = "http://sts.example.com";
  EXPECT_THAT(get(plain).error().what, HasSubstr("AWS_ENDPOINT_URL_STS 'http://sts.example.com' is not https"));
  EXPECT_FALSE(get({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/does/not/exist"}, {"AWS_ROLE_ARN", "r"}}));
}

TEST_F(AwsCredentialsTest, RefusedOnesAreFetchedAnew) {
  std::atomic<int> asked{0};
  const HttpServer container([&](const Received& r) -> Reply {
    if (r.header("Authorization") != "let me in") return {.status = 401};
    return {.body = fmt::format(
                R"({{"AccessKeyId":"A{}","SecretAccessKey":"S","Token":"T","Expiration":"2026-11-21T20:00:00Z"}})",
                ++asked)};
  });
  const std::string token = file("container-token", "let me in\n");
  const auto first = get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url() + "/creds"},
                          {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token}});
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->access_key, "A1");
  EXPECT_EQ(source_->origin(), "container endpoint");
  source_->refused(*first);
  EXPECT_EQ(source_->get({})->access_key, "A2");
  source_->refused(*first);  // somebody else's late word
  EXPECT_EQ(source_->get({})->access_key, "A2");
  EXPECT_EQ(get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url()}}).error().code, Errc::denied);
  const auto plain = get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/creds"}});
  EXPECT_THAT(plain.error().what, HasSubstr("not https"));
}

TEST_F(AwsCredentialsTest, TheMachinesRoleByVersionTwoOnly) {
  const HttpServer machine([&](const Received& r) -> Reply {
    if (r.method == "PUT" && r.target == "/latest/api/token") return {.body = "session"};
    if (r.header("X-aws-ec2-metadata-token") != "session") return {.status = 401};
    if (r.target == "/latest/meta-data/iam/security-credentials/") return {.body = "backup-role\n"};
    if (r.target == "/latest/meta-data/iam/security-credentials/backup-role") {
      return {.body = R"({"Code":"Success","AccessKeyId":"MA","SecretAccessKey":"MS","Token":"MT",)"
                      R"("Expiration":"2026-11-21T20:00:00Z"})"};
    }
    return {.status = 404};
  });
  const Variables on{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url()}, {"AWS_EC2_METADATA_DISABLED", "false"}};
  const auto got = get(on);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->access_key, "MA");
  EXPECT_EQ(source_->origin(), "instance role 'backup-role'");
  const HttpServer no_role(
      [&](const Received& r) -> Reply { return r.method == "PUT" ? Reply{.body = "session"} : Reply{.status = 404}; });
  EXPECT_EQ(
      get({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", no_role.url()}, {"AWS_EC2_METADATA_DISABLED", "false"}}).error().code,
      Errc::denied);
}

TEST(AwsCredentialsJson, WhatIsNoneIsRefused) {
  for (const char* bad : {"", "[]", "{", "{}", R"({"AccessKeyId":"A"})", R"({"AccessKeyId":1,"SecretAccessKey":"S"})",
                          R"({"AccessKeyId":"A","SecretAccessKey":"S","Expiration":"soon"})",
                          R"({"Code":"Failed","Message":"no role"})"}) {
    EXPECT_FALSE(parse_aws_credentials_json(bad)) << bad;
  }
  EXPECT_TRUE(parse_aws_credentials_json(R"({"AccessKeyId":"A","SecretAccessKey":"S"})"));
}

}  // namespace
}  // namespace tidemark::store
