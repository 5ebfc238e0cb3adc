#include "serve/gate.h"

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/certificate.h"

namespace tidemark::serve {
namespace {

constexpr std::string_view kBearer = "bearer ";
constexpr int kHttpsPort = 443;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

}  // namespace

Gate::Gate(const std::vector<std::string>& hosts, int port, std::string token) : token_(std::move(token)) {
  for (const std::string& host : hosts) {
    const std::string name = lower(host.find(':') == std::string::npos ? host : "[" + host + "]");
    hosts_.push_back(fmt::format("{}:{}", name, port));
    if (port == kHttpsPort) hosts_.push_back(name);
  }
}

std::optional<Failure> Gate::stopped(std::string_view host, std::string_view authorization) const {
  if (std::ranges::find(hosts_, lower(host)) == hosts_.end()) {
    Failure other = failure(421, "this server is not called that; --host NAME gives it another name");
    other.reason = "MisdirectedRequest";
    return other;
  }
  if (token_.empty()) return std::nullopt;
  const bool bearer = lower(authorization.substr(0, kBearer.size())) == kBearer;
  if (!bearer || !crypto::equal_in_constant_time(authorization.substr(kBearer.size()), token_)) {
    return failure(401, "the token of the kubeconfig is needed");
  }
  return std::nullopt;
}

std::string make_token() {
  std::byte bytes[32];
  crypto::random_bytes(bytes);
  std::string token = to_hex(bytes);
  crypto::wipe(bytes);
  return token;
}

}  // namespace tidemark::serve
