#include "link/kube_exec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "base/testing/fake_clock.h"
#include "crypto/sign.h"
#include "link/kube_proof.h"

namespace tidemark::link {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

std::string answer(const std::string& status, const std::string& version = kV1) {
  return fmt::format(R"({{"kind":"ExecCredential","apiVersion":"{}","status":{}}})", version, status);
}

KubeAccess asks(const std::string& script) {
  KubeAccess access;
  access.server = "https://h";
  access.exec = ExecPlugin{.where = "config: users[u].user.exec",
                           .api_version = kV1,
                           .command = "sh",
                           .args = {"-c", script},
                           .environment = {{"TM_ONE", "1"}},
                           .install_hint = "",
                           .provide_cluster_info = false};
  return access;
}

TEST(KubeExec, Answers) {
  const KubeAccess access = asks("");
  const auto both = read_exec_answer(
      *access.exec,
      answer(R"({"token":"t","expirationTimestamp":"2026-01-02T03:04:05Z","clientCertificateData":"-----BEGIN C",
                 "clientKeyData":"k"})"));
  ASSERT_TRUE(both) << both.error().what;
  EXPECT_EQ(both->token, "t");
  EXPECT_EQ(both->certificate, "-----BEGIN C");
  EXPECT_EQ(both->key, "k");
  EXPECT_EQ(both->expires, parse_rfc3339("2026-01-02T03:04:05Z").value());
  EXPECT_FALSE(read_exec_answer(*access.exec, answer(R"({"token":"t"})")).value().expires);

  const std::pair<std::string, const char*> rows[] = {
      {"", "an ExecCredential in JSON expected"},
      {"token", "an ExecCredential in JSON expected"},
      {"[]", "an ExecCredential in JSON expected"},
      {R"({"kind":"Secret"})", "kind: ExecCredential expected"},
      {R"({"kind":7})", "kind: a text expected"},
      {answer(R"({"token":"t"})", "client.authentication.k8s.io/v1beta1"), "apiVersion: client.authentication"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})", "status: it is missing"},
      {answer("null"), "status: it is missing"},
      {answer("{}"), "status: neither a token nor a certificate"},
      {answer(R"({"token":7})"), "token: a text expected"},
      {answer(R"({"token":"a\nb"})"), "token: it has more than one line"},
      {answer(R"({"clientCertificateData":"-----BEGIN C"})"), "one of them is missing"},
      {answer(R"({"token":"t","clientKeyData":"k"})"), "one of them is missing"},
      {answer(R"({"clientCertificateData":"c","clientKeyData":"k"})"), "clientCertificateData: PEM expected"},
      {answer(R"({"token":"t","expirationTimestamp":"tomorrow"})"), "expirationTimestamp: "},
  };
  for (const auto& [text, told] : rows) {
    const auto got = read_exec_answer(*access.exec, text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, Errc::invalid);
    EXPECT_THAT(got.error().what, HasSubstr(told)) << text;
    EXPECT_THAT(got.error().what, HasSubstr("config: users[u].user.exec"));
  }
}

// The plugin hands back, as its token, what it was told.
TEST(KubeExec, WhatThePluginIsTold) {
  const std::string script =
      R"sh(told=$(printf %s "$TM_ONE$KUBERNETES_EXEC_INFO" | base64 -w0)
      printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$told")sh";
  KubeAccess access = asks(script);
  auto got = ask_plugin(access, 1min, {});
  ASSERT_TRUE(got) << got.error().what;
  const auto told = crypto::from_base64(got->token);
  ASSERT_TRUE(told) << got->token;
  EXPECT_EQ(as_text(*told), "1" + print_exec_request(access).value());
  EXPECT_EQ(print_exec_request(access).value(),
            R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}})");
  access.exec->provide_cluster_info = true;
  access.authority.text = "PEM";
  access.tls_server_name = "name";
  access.exec_config = R"({"a":[1]})";
  const auto request = nlohmann::json::parse(print_exec_request(access).value());
  EXPECT_EQ(request["spec"]["cluster"], nlohmann::json::parse(R"({"server":"https://h","tls-server-name":"name",
    "certificate-authority-data":"UEVN","config":{"a":[1]}})"));
}

TEST(KubeExec, APluginThatDoesNotHelp) {
  KubeAccess access = asks("echo first >&2; echo please log in >&2; exit 1");
  auto got = ask_plugin(access, 1min, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::denied);
  EXPECT_THAT(got.error().what, HasSubstr("config: users[u].user.exec: 'sh' ended with exit code 1: please log in"));

  access.exec->command = "no-such-plugin-of-ours";
  got = ask_plugin(access, 1min, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::not_found);
  EXPECT_THAT(got.error().what, HasSubstr("config: users[u].user.exec"));
  EXPECT_THAT(got.error().hint, HasSubstr("install it"));
  access.exec->install_hint = "ask Bob";
  EXPECT_EQ(ask_plugin(access, 1min, {}).error().hint, "ask Bob");

  access = asks("exec sleep 100");
  EXPECT_EQ(ask_plugin(access, 50ms, {}).error().code, Errc::timeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ask_plugin(access, 1min, stop.get_token()).error().code, Errc::cancelled);
}

// Each answer has another token, and lasts until 2026-01-01 plus so many minutes as it was asked times.
TEST(KubeProof, APluginIsAskedWhenItsAnswerHasExpiredOrWasRefused) {
  const io::TempDir dir = io::TempDir::create().value();
  const std::string count = (dir.path() / "count").string();
  const KubeAccess access = asks(
      fmt::format(R"(echo >> {0}; n=$(wc -l < {0}); printf '{{"kind":"ExecCredential","apiVersion":"{1}","status":)"
                  R"({{"token":"t%d","expirationTimestamp":"2026-01-01T00:0%d:00Z"}}}}' $n $n)",
                  count, kV1));
  ::tidemark::testing::FakeClock clock(parse_rfc3339("2026-01-01T00:00:00Z").value());
  KubeProof proof(access, clock);
  const auto token = [&] {
    const auto got = proof.get(1min, {});
    return got ? got->headers.front().value : got.error().what;
  };
  EXPECT_EQ(token(), "Bearer t1");
  EXPECT_EQ(token(), "Bearer t1");
  clock.advance(49s);
  EXPECT_EQ(token(), "Bearer t1");
  clock.advance(2s);  // some seconds before it expires
  EXPECT_EQ(token(), "Bearer t2");
  const auto second = proof.get(1min, {});
  ASSERT_TRUE(second);
  proof.refused(*second);
  EXPECT_EQ(token(), "Bearer t3");
  proof.refused(*second);  // somebody else's news, and old
  EXPECT_EQ(token(), "Bearer t3");
}

TEST(KubeProof, ATokenFileIsReadEveryTime) {
  const io::TempDir dir = io::TempDir::create().value();
  KubeAccess access;
  access.token = "old";
  access.token_file = (dir.path() / "token").string();
  access.as = {.user = "eve", .uid = "7", .groups = {"g"}, .extra = {{"a/b", "c"}}};
  KubeProof proof(access, system_clock());
  EXPECT_EQ(proof.get(1min, {}).error().code, Errc::not_found);
  for (const char* text : {"one\n", "two"}) {
    ASSERT_TRUE(io::write_file_durably(access.token_file, as_bytes(std::string_view(text))));
    const auto got = proof.get(1min, {});
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(net::header_value(got->headers, "Authorization"), "Bearer " + std::string(text).substr(0, 3));
    EXPECT_EQ(net::header_value(got->headers, "Impersonate-User"), "eve");
    EXPECT_EQ(net::header_value(got->headers, "Impersonate-Extra-a%2Fb"), "c");
  }
  for (const char* bad : {"", "\n", "one\ntwo\n"}) {
    ASSERT_TRUE(io::write_file_durably(access.token_file, as_bytes(std::string_view(bad))));
    EXPECT_EQ(proof.get(1min, {}).error().code, Errc::denied) << bad;
  }
}

TEST(KubeProof, ANameAndAPassword) {
  KubeAccess access;
  access.basic_user = "alice";
  access.basic_password = "p:w";
  KubeProof proof(access, system_clock());
  EXPECT_EQ(proof.get(1min, {}).value().headers.front().value, "Basic YWxpY2U6cDp3");
}

}  // namespace
}  // namespace tidemark::link
