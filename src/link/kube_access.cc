#include "link/kube_access.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "net/url.h"

namespace tidemark::link {
namespace {

using nlohmann::json;

constexpr std::string_view kExecGroup = "client.authentication.k8s.io/";

// "X-data", in base64, wins over "X", a file.
Result<PemSource> read_pem(const KubeFields& from, const std::string& name) {
  PemSource pem;
  const std::string data = name + "-data";
  TM_LET(pem.text, from.base64(data.c_str()));
  if (!pem.text.empty()) {
    if (pem.text.find("-----BEGIN ") == std::string::npos) return from.wrong(data, "PEM in base64 expected");
    return pem;
  }
  TM_LET(pem.file, from.path(name.c_str()));
  if (pem.file.empty()) return pem;
  if (const auto size = io::size_of_file(pem.file); !size) {
    return fail(Errc::invalid, "{}: {}", from.place(name), size.error().what);
  }
  return pem;
}

Result<std::optional<std::string>> read_proxy(const KubeFields& cluster) {
  TM_LET(const std::string proxy, cluster.text("proxy-url"));
  if (proxy.empty()) return std::nullopt;
  constexpr std::string_view kSchemes[] = {"http://", "https://", "socks5://"};
  const auto scheme = std::ranges::find_if(kSchemes, [&](std::string_view s) { return proxy.starts_with(s); });
  if (scheme == std::end(kSchemes) || proxy.size() == scheme->size()) {
    return cluster.wrong("proxy-url", "http://, https:// or socks5:// and a host expected");
  }
  // By socks5:// Go's programs mean that the proxy looks the name up; libcurl has a word of its own for that.
  if (proxy.starts_with("socks5://")) return "socks5h" + proxy.substr(std::string_view("socks5").size());
  return proxy;
}

Status read_exec_config(const KubeFields& cluster, KubeAccess& to) {
  TM_LET(const std::vector<KubeFields> extensions, cluster.list("extensions"));
  for (const KubeFields& extension : extensions) {
    TM_LET(const std::string name, extension.text("name"));
    if (name != "client.authentication.k8s.io/exec") continue;
    TM_LET(const KubeFields config, extension.object("extension"));
    to.exec_config = config.value().dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return {};
}

Status check_exec(const KubeFields& exec, ExecPlugin& to) {
  TM_LET(to.api_version, exec.need("apiVersion"));
  const std::string version = to.api_version.starts_with(kExecGroup) ? to.api_version.substr(kExecGroup.size()) : "";
  if (version != "v1" && version != "v1beta1") {
    return hinted(Status(exec.wrong("apiVersion", fmt::format("'{}' is not read: {}v1 or v1beta1 expected",
                                                              to.api_version, kExecGroup))),
                  "a newer version of the plugin has them; write its kubeconfig anew");
  }
  TM_LET(const std::string interactive, exec.text("interactiveMode"));
  if (interactive.empty() && version == "v1") return exec.wrong("interactiveMode", "it is missing, v1 asks for it");
  if (interactive == "Always") {
    return hinted(Status(exec.wrong("interactiveMode", "the plugin wants to talk with a person, and here is none")),
                  "use a user whose plugin does not (IfAvailable, Never), or a token");
  }
  if (!interactive.empty() && interactive != "Never" && interactive != "IfAvailable") {
    return exec.wrong("interactiveMode", "Never, IfAvailable or Always expected, it is '" + interactive + "'");
  }
  return {};
}

Status read_exec(const KubeFields& exec, KubeAccess& to) {
  ExecPlugin plugin;
  plugin.where = exec.place();
  TM_CHECK(check_exec(exec, plugin));
  TM_LET(plugin.command, exec.need("command"));
  if (plugin.command.find('/') != std::string::npos) {
    TM_LET(plugin.command, exec.path("command"));
  }
  TM_LET(plugin.args, exec.texts("args"));
  TM_LET(const std::vector<KubeFields> environment, exec.list("env"));
  for (const KubeFields& variable : environment) {
    TM_LET(std::string name, variable.need("name"));
    TM_LET(std::string value, variable.text("value"));
    if (name.find('=') != std::string::npos) return variable.wrong("name", "a variable's name has no '='");
    plugin.environment.emplace_back(std::move(name), std::move(value));
  }
  TM_LET(plugin.install_hint, exec.text("installHint"));
  TM_LET(plugin.provide_cluster_info, exec.boolean("provideClusterInfo"));
  to.exec = std::move(plugin);
  return {};
}

Status read_impersonation(const KubeFields& user, Impersonation& to) {
  TM_LET(to.user, user.text("as"));
  TM_LET(to.uid, user.text("as-uid"));
  TM_LET(to.groups, user.texts("as-groups"));
  TM_LET(const KubeFields extra, user.object("as-user-extra"));
  for (const auto& [name, values] : extra.value().items()) {
    TM_LET(const std::vector<std::string> texts, extra.texts(name.c_str()));
    for (const std::string& text : texts) to.extra.emplace_back(name, text);
  }
  if (to.user.empty() && !(to.uid.empty() && to.groups.empty() && to.extra.empty())) {
    return user.wrong("as", "it is missing, though more about that user is said");
  }
  return {};
}

Status read_login(const KubeFields& user, KubeAccess& to) {
  TM_LET(to.token, user.text("token"));
  TM_LET(to.token_file, user.path("tokenFile"));
  TM_LET(to.basic_user, user.text("username"));
  TM_LET(to.basic_password, user.text("password"));
  const bool basic = !to.basic_user.empty() || !to.basic_password.empty();
  if (basic && (!to.token.empty() || !to.token_file.empty())) {
    return user.wrong("username", "a token is there too, and only one of the two can be sent");
  }
  if (basic && to.basic_user.empty()) return user.wrong("username", "it is missing, though there is a password");
  if (to.token.find_first_of("\r\n") != std::string::npos) return user.wrong("token", "it has more than one line");
  return {};
}

}  // namespace

Status read_cluster(const KubeFields& cluster, KubeAccess& to) {
  TM_LET(to.server, cluster.need("server"));
  while (to.server.ends_with('/')) to.server.pop_back();
  const auto url = net::parse_url(to.server);
  if (!url || !url->query.empty()) {
    return cluster.wrong("server", "https://host:port expected");  // what stands there may have a password in it
  }
  TM_LET(to.authority, read_pem(cluster, "certificate-authority"));
  TM_LET(to.tls_server_name, cluster.text("tls-server-name"));
  TM_LET(to.skip_server_check, cluster.boolean("insecure-skip-tls-verify"));
  if (to.skip_server_check && to.authority.given()) {
    return cluster.wrong("insecure-skip-tls-verify", "true, though an authority is named: one of the two is meant");
  }
  if (to.tls_server_name.find_first_of(" :/\r\n") != std::string::npos) {
    return cluster.wrong("tls-server-name", "a host's name expected, it is '" + to.tls_server_name + "'");
  }
  TM_LET(to.proxy, read_proxy(cluster));
  return read_exec_config(cluster, to);
}

Status read_user(const KubeFields& user, KubeAccess& to) {
  TM_LET(to.certificate, read_pem(user, "client-certificate"));
  TM_LET(to.key, read_pem(user, "client-key"));
  if (to.certificate.given() != to.key.given()) {
    return user.wrong(to.key.given() ? "client-certificate" : "client-key",
                      "it is missing, and its other half is there");
  }
  TM_CHECK(read_login(user, to));
  TM_CHECK(read_impersonation(user, to.as));
  if (user.has("auth-provider")) {
    return hinted(Status(user.wrong("auth-provider", "Kubernetes has no such providers any more")),
                  "use the provider's exec plugin");
  }
  TM_LET(const KubeFields exec, user.object("exec"));
  if (!user.has("exec")) return {};
  TM_CHECK(read_exec(exec, to));
  // As kubectl does it: what is there already need not be asked for.
  if (!to.token.empty() || !to.token_file.empty() || !to.basic_user.empty()) to.exec.reset();
  return {};
}

}  // namespace tidemark::link
