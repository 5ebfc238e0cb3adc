// The running cluster that a verb means: --kubeconfig and --context, as kubectl has them.
#pragma once

#include <string>

#include "link/kube_client.h"

namespace CLI {
class App;
}

namespace tidemark::cli {

class Program;

struct ClusterWish {
  std::string kubeconfig, context;
};
void add_cluster_options(CLI::App& app, ClusterWish& wish);

// Errc::invalid, not_found: the kubeconfig. It connects by its first call.
Result<link::KubeClient> open_cluster(const Program& program, const ClusterWish& wish);

// What a cluster is known by as long as it lives: the uid of its namespace kube-system. Empty: we may not read it.
Result<std::string> cluster_identity(const Program& program, link::KubeClient& client);

}  // namespace tidemark::cli
