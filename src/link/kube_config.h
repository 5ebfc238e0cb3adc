// Kubeconfigs: how a cluster's API server is reached and what proves to it who we are, by kubectl's rules.
//
// A file named in so many words is the only one. Else the files of $KUBECONFIG are merged: of clusters, users and
// contexts of one name the first file's is taken whole, and of current-context the first that has one; files that do
// not exist are passed over. Without $KUBECONFIG it is ~/.kube/config, and when that does not exist and this is a pod,
// the pod's service account. Paths in a file are relative to its folder. What is named is checked here, so far as it
// can be without the server: a context that lacks its cluster, bad base64, a certificate without its key, an insecure
// connection that also names an authority. Every message names file and field. Threads: any. Source:
// https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ and
// reference/config-api/kubeconfig.v1, client-authentication.v1.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/file.h"

namespace tidemark::link {

// A program that is asked for a token or a client certificate.
struct ExecPlugin {
  std::string where{};        // "FILE: users[name].user.exec", for messages
  std::string api_version{};  // client.authentication.k8s.io/v1 or v1beta1
  std::string command{};      // a path, or a name for PATH
  std::vector<std::string> args{};
  std::vector<std::pair<std::string, std::string>> environment{};
  std::string install_hint{};
  bool provide_cluster_info = false;
};

// Text in memory, or a file that is read again for every connection.
struct PemSource {
  std::string text{};
  std::string file{};
  bool given() const { return !text.empty() || !file.empty(); }
};

// Another user in whose name we ask.
struct Impersonation {
  std::string user{}, uid{};
  std::vector<std::string> groups{};
  std::vector<std::pair<std::string, std::string>> extra{};
};

// What a context says: all that a connection needs.
struct KubeAccess {
  std::string context{}, cluster{}, user{};  // their names
  std::string name_space = "default";

  std::string server{};   // https://host:port, perhaps with a path; no slash at the end
  PemSource authority{};  // none: the system's authorities
  std::string tls_server_name{};
  bool skip_server_check = false;
  std::optional<std::string> proxy{};  // none: of the environment
  std::string exec_config{};           // JSON of the cluster's extension for plugins; empty: none

  PemSource certificate{}, key{};
  std::string token{}, token_file{};  // the file is read for every request, and wins
  std::string basic_user{}, basic_password{};
  std::optional<ExecPlugin> exec{};
  Impersonation as{};
};

// The value of a variable; empty when it is not set.
using Environment = std::function<std::string(std::string_view name)>;

struct KubeConfigPlace {
  std::string file{};     // --kubeconfig
  std::string context{};  // --context; empty: current-context
  std::string account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};

// Errc::invalid: a file makes no sense, or there is none; not_found: no such context, or a file that was named.
Result<KubeAccess> read_kube_config(const KubeConfigPlace& place, const Environment& environment);

// The service account of the pod that we are in. Errc::not_found: we are in none.
Result<KubeAccess> read_pod_account(const std::string& account_dir, const Environment& environment);

}  // namespace tidemark::link
