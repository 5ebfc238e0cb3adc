#include "link/kube_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tidemark::link {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPem = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==";  // -----BEGIN CERTIFICATE-----

class KubeConfig : public ::testing::Test {
 protected:
  io::Path dir() const { return dir_.path(); }
  std::string write(const std::string& name, const std::string& text) const {
    const io::Path path = dir() / name;
    EXPECT_TRUE(io::make_dirs(path.parent_path()));
    EXPECT_TRUE(io::write_file_durably(path, as_bytes(text)));
    return path.string();
  }
  Result<KubeAccess> read(const KubeConfigPlace& place) const {
    return read_kube_config(place, [this](std::string_view name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::string() : found->second;
    });
  }
  std::map<std::string, std::string, std::less<>> environment_;

 private:
  io::TempDir dir_ = io::TempDir::create().value();
};

// One context a of cluster c and user u.
std::string config(const std::string& cluster, const std::string& user) {
  return fmt::format(R"(apiVersion: v1
kind: Config
current-context: a
contexts: [{{name: a, context: {{cluster: c, user: u, namespace: work}}}}]
clusters: [{{name: c, cluster: {{{}}}}}]
users: [{{name: u, user: {{{}}}}}]
)",
                     cluster, user);
}

std::string exec(const std::string& fields) {
  return "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: get" +
         (fields.empty() ? "" : ", " + fields) + "}";
}

TEST_F(KubeConfig, EverythingThatAContextMaySay) {
  const std::string ca = write("pki/ca.crt", "-----BEGIN CERTIFICATE-----\n");
  write("pki/u.crt", "x");
  write("pki/u.key", "x");
  const std::string file = write(
      "config",
      config("server: 'https://k8s.example:6443/clusters/1/', certificate-authority: pki/ca.crt, tls-server-name: api, "
             "proxy-url: 'socks5://p:1080', extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1}}]",
             "client-certificate: pki/u.crt, client-key: pki/../pki/u.key, as: eve, as-uid: '7', as-groups: [g1, g2], "
             "as-user-extra: {reason: [test, more]}, exec: {apiVersion: client.authentication.k8s.io/v1beta1, "
             "command: ./bin/login, args: [--now, ''], env: [{name: A, value: b}], installHint: 'ask Bob', "
             "provideClusterInfo: true}"));
  const auto got = read({.file = file});
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->context, "a");
  EXPECT_EQ(got->cluster, "c");
  EXPECT_EQ(got->user, "u");
  EXPECT_EQ(got->name_space, "work");
  EXPECT_EQ(got->server, "https://k8s.example:6443/clusters/1");
  EXPECT_EQ(got->authority.file, ca);
  EXPECT_EQ(got->tls_server_name, "api");
  EXPECT_FALSE(got->skip_server_check);
  EXPECT_EQ(got->proxy, "socks5h://p:1080");
  EXPECT_EQ(got->exec_config, R"({"a":1})");
  EXPECT_EQ(got->certificate.file, dir() / "pki/u.crt");
  EXPECT_EQ(got->key.file, dir() / "pki/u.key");
  EXPECT_EQ(got->as.user, "eve");
  EXPECT_EQ(got->as.uid, "7");
  EXPECT_EQ(got->as.groups, (std::vector<std::string>{"g1", "g2"}));
  EXPECT_EQ(got->as.extra.size(), 2U);
  ASSERT_TRUE(got->exec);
  EXPECT_EQ(got->exec->command, dir() / "bin/login");
  EXPECT_EQ(got->exec->args, (std::vector<std::string>{"--now", ""}));
  EXPECT_EQ(got->exec->environment.front(), (std::pair<std::string, std::string>("A", "b")));
  EXPECT_EQ(got->exec->install_hint, "ask Bob");
  EXPECT_TRUE(got->exec->provide_cluster_info);
  EXPECT_EQ(got->exec->where, file + ": users[u].user.exec");
}

TEST_F(KubeConfig, WhatIsInTheFileItselfWinsOverAFile) {
  const std::string data = fmt::format("certificate-authority-data: {}, certificate-authority: gone", kPem);
  const std::string user =
      fmt::format("client-certificate-data: {}, client-key-data: {}, client-key: gone, token: t", kPem, kPem);
  const auto got = read({.file = write("config", config("server: 'https://h', " + data, user + ", " + exec("")))});
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->authority.text, "-----BEGIN CERTIFICATE-----\n");
  EXPECT_EQ(got->authority.file, "");
  EXPECT_EQ(got->certificate.text, got->key.text);
  EXPECT_EQ(got->key.file, "");
  EXPECT_EQ(got->token, "t");
  EXPECT_FALSE(got->exec);  // there is a token already
  EXPECT_FALSE(got->proxy);
}

TEST_F(KubeConfig, OfSeveralFilesTheFirstThatNamesIt) {
  environment_["KUBECONFIG"] =
      fmt::format(":{}::{}:{}:", write("one", "clusters: [{name: c, cluster: {server: 'https://one'}}]\n"),
                  dir().string() + "/is-not-there", write("two/config", R"(current-context: b
clusters: [{name: c, cluster: {server: 'https://two', tls-server-name: two}}]
contexts: [{name: b, context: {cluster: c, user: u}}, {name: d, context: {cluster: c}}]
users: [{name: u, user: {tokenFile: token}}]
)"));
  auto got = read({});
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->context, "b");
  EXPECT_EQ(got->server, "https://one");
  EXPECT_EQ(got->tls_server_name, "");  // all of it from one file
  EXPECT_EQ(got->token_file, dir() / "two/token");
  EXPECT_EQ(got->name_space, "default");

  got = read({.context = "d"});
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->user, "");
  EXPECT_EQ(got->token_file, "");

  environment_["HOME"] = dir().string();
  write(".kube/config", config("server: 'https://home'", ""));
  EXPECT_EQ(read({}).value().server, "https://one");
  environment_.erase("KUBECONFIG");
  EXPECT_EQ(read({}).value().server, "https://home");
  EXPECT_EQ(read({.file = (dir() / "two/config").string()}).value().server, "https://two");
}

TEST_F(KubeConfig, InAPodItsServiceAccount) {
  write("account/token", "t\n");
  write("account/ca.crt", "x");
  const KubeConfigPlace place{.account_dir = (dir() / "account").string()};
  EXPECT_EQ(read(place).error().code, Errc::not_found);  // no pod
  environment_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  environment_["KUBERNETES_SERVICE_PORT"] = "443";
  auto got = read(place);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->server, "https://[fd00::1]:443");
  EXPECT_EQ(got->token_file, dir() / "account/token");
  EXPECT_EQ(got->authority.file, dir() / "account/ca.crt");
  EXPECT_EQ(got->name_space, "default");
  write("account/namespace", "prod");
  EXPECT_EQ(read(place).value().name_space, "prod");

  environment_["KUBECONFIG"] = (dir() / "gone").string();  // named, so it is not the pod that is meant
  EXPECT_EQ(read(place).error().code, Errc::not_found);
  environment_["KUBECONFIG"] = "";
  std::filesystem::remove(dir() / "account/token");
  got = read(place);
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().what, HasSubstr("no"));
}

// Each names the file and the field.
TEST_F(KubeConfig, WhatMakesNoSenseIsTold) {
  const std::string ok = "server: 'https://h'";
  struct Row {
    std::string text;
    const char* told;
  };
  const Row rows[] = {
      {"", "there is no current-context"},
      {"- a", "a kubeconfig expected"},
      {"{", "line"},
      {"a: &x 1\nb: *x", "alias"},
      {"kind: Pod", "kind: Config expected, it is 'Pod'"},
      {"apiVersion: v2", "apiVersion: v1 expected"},
      {"apiVersion: 1", "apiVersion: a text expected"},
      {"clusters: {}", "clusters: a list expected"},
      {"clusters: [1]", "clusters[0]: fields expected"},
      {"clusters: [{}]", "clusters[0].name: it is missing"},
      {"users: [{name: u}, {name: u}]", "users[u]: the name is there twice"},
      {"users: [{name: u, user: 1}]", "users[u].user: fields expected"},
      {"contexts: [{name: a}]", "there is no current-context"},
      {"current-context: b", "there is no context 'b'"},
      {"current-context: a\ncontexts: [{name: a, context: {}}]", "contexts[a].context.cluster: it is missing"},
      {"current-context: a\ncontexts: [{name: a, context: {cluster: x}}]", "there is no cluster 'x'"},
      {"current-context: a\ncontexts: [{name: a, context: {cluster: c, user: x}}]\n"
       "clusters: [{name: c, cluster: {server: 'https://h'}}]",
       "contexts[a].context.user: there is no user 'x'"},
      {config("", ""), "clusters[c].cluster.server: it is missing"},
      {config("server: k8s", ""), "clusters[c].cluster.server: https://host:port expected"},
      {config("server: 'https://u:p@h'", ""), "clusters[c].cluster.server"},
      {config("server: 'https://h/?x=1'", ""), "clusters[c].cluster.server"},
      {config("server: 'ftp://h'", ""), "clusters[c].cluster.server"},
      {config(ok + ", certificate-authority-data: '*'", ""), "certificate-authority-data: base64 expected"},
      {config(ok + ", certificate-authority-data: aGVsbG8=", ""), "certificate-authority-data: PEM in base64"},
      {config(ok + ", certificate-authority: gone.crt", ""), "clusters[c].cluster.certificate-authority: "},
      {config(ok + ", insecure-skip-tls-verify: 'true'", ""), "insecure-skip-tls-verify: true or false expected"},
      {config(ok + fmt::format(", insecure-skip-tls-verify: true, certificate-authority-data: {}", kPem), ""),
       "insecure-skip-tls-verify: true, though an authority is named"},
      {config(ok + ", tls-server-name: 'a:b'", ""), "tls-server-name: a host's name expected"},
      {config(ok + ", proxy-url: 'p:80'", ""), "proxy-url: http://"},
      {config(ok + ", proxy-url: 'http://'", ""), "proxy-url: http://"},
      {config(ok, fmt::format("client-certificate-data: {}", kPem)), "users[u].user.client-key: it is missing"},
      {config(ok, fmt::format("client-key-data: {}", kPem)), "users[u].user.client-certificate: it is missing"},
      {config(ok, "client-key: gone"), "users[u].user.client-key: "},
      {config(ok, "token: 7"), "users[u].user.token: a text expected"},
      {config(ok, "token: \"a\\nb\""), "users[u].user.token: it has more than one line"},
      {config(ok, "token: t, username: bob"), "users[u].user.username: a token is there too"},
      {config(ok, "password: p"), "users[u].user.username: it is missing"},
      {config(ok, "as-groups: [g]"), "users[u].user.as: it is missing"},
      {config(ok, "as: eve, as-groups: g"), "users[u].user.as-groups: a list of texts expected"},
      {config(ok, "as: eve, as-user-extra: {a: [1]}"), "users[u].user.as-user-extra.a[0]: a text expected"},
      {config(ok, "auth-provider: {name: oidc}"), "users[u].user.auth-provider: Kubernetes has no such providers"},
      {config(ok, "exec: 7"), "users[u].user.exec: fields expected"},
      {config(ok, "exec: {command: x}"), "users[u].user.exec.apiVersion: it is missing"},
      {config(ok, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}"),
       "users[u].user.exec.apiVersion: 'client.authentication.k8s.io/v1alpha1' is not read"},
      {config(ok, "exec: {command: x, apiVersion: v1}"), "users[u].user.exec.apiVersion: 'v1' is not read"},
      {config(ok, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1}"),
       "users[u].user.exec.interactiveMode: it is missing"},
      {config(ok, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}"),
       "users[u].user.exec.interactiveMode: the plugin wants to talk"},
      {config(ok, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Often}"),
       "users[u].user.exec.interactiveMode: Never, IfAvailable or Always"},
      {config(ok, "exec: {apiVersion: client.authentication.k8s.io/v1beta1}"),
       "users[u].user.exec.command: it is missing"},
      {config(ok, exec("args: x")), "users[u].user.exec.args: a list of texts expected"},
      {config(ok, exec("args: [1]")), "users[u].user.exec.args[0]: a text expected"},
      {config(ok, exec("env: [{value: x}]")), "users[u].user.exec.env[0].name: it is missing"},
      {config(ok, exec("env: [{name: 'a=b'}]")), "users[u].user.exec.env[0].name: a variable's name has no '='"},
  };
  for (const Row& row : rows) {
    const std::string file = write("config", row.text);
    const auto got = read({.file = file});
    ASSERT_FALSE(got) << row.text;
    EXPECT_TRUE(got.error().code == Errc::invalid || got.error().code == Errc::not_found) << got.error().what;
    EXPECT_THAT(got.error().what, HasSubstr(row.told)) << row.text;
    EXPECT_THAT(got.error().what, HasSubstr(file));
  }
  const auto gone = read({.file = (dir() / "gone").string()});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::not_found);
  EXPECT_THAT(gone.error().what, HasSubstr("gone"));
}

TEST_F(KubeConfig, HintsNameWhatThereIs) {
  const std::string file = write("config", config("server: 'https://h'", ""));
  const auto got = read({.file = file, .context = "prod"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::not_found);
  EXPECT_EQ(got.error().hint, "there are: a");
}

}  // namespace
}  // namespace tidemark::link
