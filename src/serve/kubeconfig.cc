#include "serve/kubeconfig.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "kube/yaml_text.h"

namespace tidemark::serve {

std::string print_kubeconfig(const KubeconfigParts& parts) {
  using nlohmann::json;
  json cluster{{"server", parts.server}}, user = json::object();
  if (!parts.authority.empty()) {
    std::string data(base64_size(parts.authority.size()), '\0');
    base64_encode(as_bytes(parts.authority), data.data());
    cluster["certificate-authority-data"] = std::move(data);
    user["token"] = parts.token;
  }
  const json one_cluster{{"name", "tidemark"}, {"cluster", std::move(cluster)}};
  const json one_user{{"name", "tidemark"}, {"user", std::move(user)}};
  const json one_context{{"name", parts.context}, {"context", {{"cluster", "tidemark"}, {"user", "tidemark"}}}};
  const json config{{"apiVersion", "v1"},
                    {"kind", "Config"},
                    {"clusters", json::array({one_cluster})},
                    {"users", json::array({one_user})},
                    {"contexts", json::array({one_context})},
                    {"current-context", parts.context}};
  std::string text;
  kube::print_yaml(config, text);
  return text;
}

}  // namespace tidemark::serve
