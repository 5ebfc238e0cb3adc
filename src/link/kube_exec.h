// A program of the user's that is asked for a token or a client certificate. Private to link/.
// Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "link/kube_config.h"

namespace tidemark::link {

struct ExecAnswer {
  std::string token;
  std::string certificate, key;  // PEM
  std::optional<Time> expires;
};

// What the plugin printed. Errc::invalid names the field; never says what is in it.
Result<ExecAnswer> read_exec_answer(const ExecPlugin& plugin, std::string_view text);

// KUBERNETES_EXEC_INFO. Errc::denied: the authority's file cannot be read.
Result<std::string> print_exec_request(const KubeAccess& access);

// Runs it. Requires: access.exec. Errc::not_found: there is no such program; denied: it refused (its last words, and
// the kubeconfig's installHint); timeout; cancelled.
Result<ExecAnswer> ask_plugin(const KubeAccess& access, std::chrono::nanoseconds within, const std::stop_token& stop);

}  // namespace tidemark::link
