// The key management service beside an API server, over its Unix socket: opens the keys of values that a KMS provider
// sealed. Threads: any.
// Source: k8s.io/kms apis/v1beta1 and apis/v2 (api.proto).
#pragma once

#include <string>

#include "kube/encryption.h"

namespace tidemark::link {

class GrpcKeyService final : public kube::KeyService {
 public:
  // `endpoint`: asked instead of those that the configuration names, when not empty.
  explicit GrpcKeyService(std::string endpoint = {}) : endpoint_(std::move(endpoint)) {}

  // Errc::unavailable, Errc::timeout: it does not answer in the provider's time. Errc::denied: it refuses.
  // Errc::invalid: not a Unix socket. Messages name the endpoint.
  Result<Buffer> open_key(const kube::KeyProvider& provider, const Request& request) override;

 private:
  std::string endpoint_;
};

}  // namespace tidemark::link
