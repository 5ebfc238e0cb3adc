// Values encrypted at rest, and the EncryptionConfiguration that opens them.
//
//   k8s:enc:<provider>:<version>:<name of the key>:<sealed bytes>      provider: aescbc, aesgcm, secretbox, kms
//
// Whatever the configuration says of resources, every key of it is tried whose provider and name the value names, in
// the order of the file: values outlive configurations, and a name may have had two keys. What AESGCM and KMS sealed
// opens only under the etcd key that it was written to. Byte table: doc/format/kubernetes-objects.md.
// Threads: one at a time.
// Source: k8s.io/apiserver pkg/server/options/encryptionconfig, pkg/storage/value/encrypt.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sealed.h"

namespace tidemark::kube {

// What a value says of how it was sealed. Views into it.
struct SealedBy {
  std::string_view provider;  // "aescbc"; empty: it does not say
  std::string_view version;   // "v1"
  std::string_view key;       // up to the next colon; a configured name may hold colons itself
};
// Requires: encoding_of(value) is encrypted.
SealedBy sealed_by(Bytes value);
std::string print_sealed_by(const SealedBy& by);  // "aescbc, key 'key1'"

struct KeyProvider {
  enum class Kind : std::uint8_t { aescbc, aesgcm, secretbox, kms_v1, kms_v2 };
  Kind kind = Kind::aescbc;
  std::string name;       // of the key, or of the KMS
  crypto::Secret secret;  // not of a KMS
  std::string endpoint;   // of a KMS: "unix:///run/kms.sock"
  std::chrono::milliseconds timeout{3000};
};

// Providers of all resources in the order of the file; identity is left out.
// Errc::invalid: not an EncryptionConfiguration, or one that no API server would start with; names the field, never a
// secret.
Result<std::vector<KeyProvider>> read_encryption_configuration(Bytes yaml);

// Asks a key management service to open the key of a value.
class KeyService {
 public:
  struct Request {
    Bytes sealed_key;
    std::string_view key_id;                                  // v2
    std::vector<std::pair<std::string, Buffer>> annotations;  // v2
  };
  virtual ~KeyService() = default;
  virtual Result<Buffer> open_key(const KeyProvider& provider, const Request& request) = 0;
};

class Decryptor {
 public:
  // Without providers nothing is opened, and every failure says so. `service`: nullptr: values of a KMS stay closed;
  // else it outlives this.
  explicit Decryptor(std::vector<KeyProvider> providers = {}, KeyService* service = nullptr)
      : providers_(std::move(providers)), service_(service) {}

  // The plain value. Errc::denied: no configured key has that provider and name, or its KMS cannot be asked.
  // Errc::corrupt: such a key does not open it. Requires: encoding_of(value) is encrypted.
  Result<Buffer> open(Bytes value, std::string_view etcd_key);

 private:
  Result<Buffer> open_with(const KeyProvider& provider, Bytes sealed, std::string_view etcd_key);
  Result<Buffer> open_kms_v1(const KeyProvider& provider, Bytes sealed, std::string_view etcd_key);
  Result<Buffer> open_kms_v2(const KeyProvider& provider, Bytes sealed, std::string_view etcd_key);
  Result<Bytes> key_of(const KeyProvider& provider, const KeyService::Request& request);

  std::vector<KeyProvider> providers_;
  KeyService* service_;
  std::map<std::string, Error> silent_;                // services that do not answer: asked once, waited for once
  std::map<std::string, crypto::Secret> opened_keys_;  // by what was asked: a service is asked once
};

}  // namespace tidemark::kube
