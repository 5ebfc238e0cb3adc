#include "cli/cluster.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "live/object_facts.h"

namespace tidemark::cli {
namespace {

std::string variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? "" : value;
}

}  // namespace

void add_cluster_options(CLI::App& app, ClusterWish& wish) {
  app.add_option("--kubeconfig", wish.kubeconfig, "how the cluster is reached; default: as kubectl")->type_name("FILE");
  app.add_option("--context", wish.context, "which context of it")->type_name("NAME");
}

Result<link::KubeClient> open_cluster(const Program& program, const ClusterWish& wish) {
  auto access = link::read_kube_config({.file = wish.kubeconfig, .context = wish.context}, variable);
  if (!access) {
    Error error = access.error();
    if (error.code == Errc::not_found) error.code = Errc::invalid;  // a wrong flag, not a missing object
    return std::unexpected(std::move(error));
  }
  return link::KubeClient(*std::move(access), {}, program.clock());
}

Result<std::string> cluster_identity(const Program& program, link::KubeClient& client) {
  const link::KubeKind namespaces{
      .group = "", .version = "v1", .resource = "namespaces", .singular = "namespace", .kind = "Namespace"};
  const auto system = client.get(namespaces, {.name_space = "", .name = "kube-system"}, program.stop());
  if (system) return live::uid_in(*system);
  if (system.error().code == Errc::denied || system.error().code == Errc::not_found) return std::string();
  return std::unexpected(system.error());
}

}  // namespace tidemark::cli
