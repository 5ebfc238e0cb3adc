#include "link/kube_exec.h"

#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "crypto/sign.h"
#include "proc/program.h"

namespace tidemark::link {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMostAuthority = 4UL << 20U;

std::unexpected<Error> wrong(const ExecPlugin& plugin, std::string_view what) {
  return fail(Errc::invalid, "{}: what '{}' printed: {}", plugin.where, plugin.command, what);
}

// A field that is a text or missing.
Result<std::string> text_in(const ExecPlugin& plugin, const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::string();
  if (!found->is_string()) return wrong(plugin, fmt::format("{}: a text expected", name));
  return found->get<std::string>();
}

std::string_view last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text.substr(text.rfind('\n') + 1);  // npos + 1: from the start
}

Result<json> cluster_info(const KubeAccess& access) {
  json cluster{{"server", access.server}};
  if (!access.tls_server_name.empty()) cluster["tls-server-name"] = access.tls_server_name;
  if (access.skip_server_check) cluster["insecure-skip-tls-verify"] = true;
  if (access.proxy) cluster["proxy-url"] = *access.proxy;
  std::string authority = access.authority.text;
  if (authority.empty() && !access.authority.file.empty()) {
    TM_LET(const Buffer bytes, io::read_file(access.authority.file, kMostAuthority));
    authority = as_text(bytes);
  }
  if (!authority.empty()) cluster["certificate-authority-data"] = crypto::to_base64(as_bytes(authority));
  if (!access.exec_config.empty()) cluster["config"] = json::parse(access.exec_config, nullptr, false);
  return cluster;
}

Error no_plugin(const ExecPlugin& plugin, const Error& why) {
  Error error = why;
  error.what = fmt::format("{}: {}", plugin.where, why.what);
  if (why.code == Errc::not_found || why.code == Errc::denied) {
    error.hint = plugin.install_hint.empty() ? "install it, or put its folder in PATH" : plugin.install_hint;
  }
  return error;
}

}  // namespace

Result<std::string> print_exec_request(const KubeAccess& access) {
  json request{
      {"kind", "ExecCredential"}, {"apiVersion", access.exec->api_version}, {"spec", {{"interactive", false}}}};
  if (access.exec->provide_cluster_info) {
    TM_LET(request["spec"]["cluster"], cluster_info(access));
  }
  return request.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<ExecAnswer> read_exec_answer(const ExecPlugin& plugin, std::string_view text) {
  const json answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) return wrong(plugin, "an ExecCredential in JSON expected");
  TM_LET(const std::string kind, text_in(plugin, answer, "kind"));
  TM_LET(const std::string version, text_in(plugin, answer, "apiVersion"));
  if (kind != "ExecCredential") return wrong(plugin, "kind: ExecCredential expected");
  if (version != plugin.api_version) {
    return wrong(plugin, fmt::format("apiVersion: {} expected, as the kubeconfig says, it is '{}'", plugin.api_version,
                                     version.substr(0, 80)));
  }
  const auto status = answer.find("status");
  if (status == answer.end() || !status->is_object()) return wrong(plugin, "status: it is missing");
  ExecAnswer read;
  TM_LET(read.token, text_in(plugin, *status, "token"));
  TM_LET(read.certificate, text_in(plugin, *status, "clientCertificateData"));
  TM_LET(read.key, text_in(plugin, *status, "clientKeyData"));
  TM_LET(const std::string expires, text_in(plugin, *status, "expirationTimestamp"));
  if (read.certificate.empty() != read.key.empty()) {
    return wrong(plugin, "clientCertificateData and clientKeyData: one of them is missing");
  }
  if (read.token.empty() && read.certificate.empty()) return wrong(plugin, "status: neither a token nor a certificate");
  if (read.token.find_first_of("\r\n") != std::string::npos) return wrong(plugin, "token: it has more than one line");
  if (!read.certificate.empty() && read.certificate.find("-----BEGIN ") == std::string::npos) {
    return wrong(plugin, "clientCertificateData: PEM expected");
  }
  if (!expires.empty()) {
    const auto time = parse_rfc3339(expires);
    if (!time) return wrong(plugin, "expirationTimestamp: " + time.error().what);
    read.expires = *time;
  }
  return read;
}

Result<ExecAnswer> ask_plugin(const KubeAccess& access, std::chrono::nanoseconds within, const std::stop_token& stop) {
  const ExecPlugin& plugin = *access.exec;
  proc::Program program{.argv = {plugin.command}, .environment = plugin.environment, .within = within};
  program.argv.insert(program.argv.end(), plugin.args.begin(), plugin.args.end());
  TM_LET(std::string request, named(plugin.where, print_exec_request(access)));
  program.environment.emplace_back("KUBERNETES_EXEC_INFO", std::move(request));
  const auto end = proc::run_program(program, stop);
  if (!end) return std::unexpected(no_plugin(plugin, end.error()));
  // What a shell says when there is no such program.
  if (end->exit_code == 127 || end->exit_code == 126) {
    const Error why = fail(Errc::not_found, "'{}' cannot be executed: {}", plugin.command, last_line(end->err)).error();
    return std::unexpected(no_plugin(plugin, why));
  }
  if (!end->ok()) {
    const Error why =
        fail(Errc::denied, "'{}' ended with exit code {}: {}", plugin.command, end->exit_code, last_line(end->err))
            .error();
    Error error = no_plugin(plugin, why);
    if (plugin.install_hint.empty()) error.hint = "run it by hand; it may want a login";
    return std::unexpected(std::move(error));
  }
  return read_exec_answer(plugin, end->out);
}

}  // namespace tidemark::link
