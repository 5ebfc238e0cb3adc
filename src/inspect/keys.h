// The keys without which a backup of a Kubernetes cluster cannot be put to use, and which are not in it: files beside
// the API server. Which ones a point needs is read from its rows, where they are kept from `tidemark/keys.json`, which
// the operator writes:
//
//   {"kind":"KeysKept","formatVersion":1,"keys":[{"name":"encryption-config","kept":"vault: kv/prod/etcd"}]}
//
// Only places go in there, never a key. Format: doc/format/sidecars.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bolt/reader.h"

namespace tidemark::inspect {

inline constexpr std::string_view kKeysKeptKey = "tidemark/keys.json";

inline constexpr std::string_view kEncryptionConfig = "encryption-config";  // the API server's EncryptionConfiguration
inline constexpr std::string_view kServiceAccountKey = "service-account-key";  // --service-account-signing-key-file
inline constexpr std::string_view kClusterCa = "cluster-ca";                   // ca.crt, ca.key and their kin

struct NeededKeys {
  bool kubernetes = false;  // it has objects under /registry/
  // "aescbc v1 key1" -> how many newest values were written with it
  std::map<std::string, std::uint64_t> providers;
  std::uint64_t plain_secrets = 0;  // Secrets that anybody reads who can read the backup
};

// The newest row of each key counts. Memory: 18 to 37 bytes a key.
Result<NeededKeys> needed_keys(const bolt::Reader& database);

// "k8s:enc:aescbc:v1:key1:…" -> "aescbc v1 key1"; empty: not encrypted by an API server.
std::string provider_of(Bytes value);

struct KeptKey {
  std::string name;
  std::string kept;  // where, for people
};
// Errc::corrupt: not what the format says. Errc::unsupported: a newer version.
Result<std::vector<KeptKey>> parse_keys_kept(std::string_view text);

struct MissingKey {
  std::string name;
  std::string why;  // what does not work without it
};
// What is needed and is known to be kept nowhere.
std::vector<MissingKey> missing_keys(const NeededKeys& needed, const std::vector<KeptKey>& kept);

}  // namespace tidemark::inspect
