// The file that makes kubectl and others ask our server.
// Threads: any.
#pragma once

#include <string>

namespace tidemark::serve {

struct KubeconfigParts {
  std::string server;     // "https://127.0.0.1:8001"
  std::string authority;  // PEM; empty over plain HTTP, where clients also send no token
  std::string token;
  std::string context;  // its name
};
// YAML. It has a token in it: for files that nobody else can read.
std::string print_kubeconfig(const KubeconfigParts& parts);

}  // namespace tidemark::serve
