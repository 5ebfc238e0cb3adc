#include "capture/secrecy.h"

#include "base/log.h"

namespace tidemark::capture {

namespace {

constexpr std::string_view kEncrypted = "k8s:enc:";
constexpr std::size_t kMostProviders = 8;
constexpr std::size_t kLongestProvider = 20;

// <prefix>/secrets/<namespace>/<name>: the prefix is the API server's --etcd-prefix, /registry if nobody changed it,
// and /kubernetes.io on OpenShift.
bool is_secret(std::string_view key) {
  const std::size_t at = key.find("/secrets/");
  return at != std::string_view::npos && at > 0 && key.front() == '/' &&
         key.find('/', at + std::string_view("/secrets/").size()) != std::string_view::npos &&
         key.substr(1, at - 1).find('/') == std::string_view::npos;
}

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

}  // namespace

void Secrecy::look_at(const etcd::KeyValue& kv) {
  const std::string_view value = as_text(kv.value);
  const bool encrypted = value.starts_with(kEncrypted);
  const bool secret = is_secret(as_text(kv.key));
  if (!encrypted && !secret) return;
  if (!encrypted) {
    secrets_in_clear++;
    return;
  }
  auto& count = secret ? secrets_encrypted : others_encrypted;
  count++;
  const std::string_view rest = value.substr(kEncrypted.size());
  const std::size_t end = rest.find(':');
  if (end <= kLongestProvider && providers.size() < kMostProviders) {
    providers.emplace(rest.substr(0, end));
  }
}

void Secrecy::tell(bool store_encrypted) const {
  if (secrets_in_clear > 0 && !store_encrypted) {
    log_warning("Secrets are readable in this store: whoever reads the backups reads them",
                "in_clear={} encrypted={} hint=\"encrypt them at rest with an EncryptionConfiguration\"",
                secrets_in_clear, secrets_encrypted);
  } else if (secrets_in_clear > 0) {
    log_info("Secrets are in clear in etcd, and readable with the store's keys", "in_clear={} encrypted={}",
             secrets_in_clear, secrets_encrypted);
  }
  if (secrets_encrypted + others_encrypted > 0) {
    log_info(
        "values are encrypted at rest: a restore needs the API server's EncryptionConfiguration, which is not in etcd",
        "secrets={} others={} providers={}", secrets_encrypted, others_encrypted, joined(providers));
  } else if (secrets_in_clear == 0) {
    log_info("no Secrets in this etcd", "");
  }
}

}  // namespace tidemark::capture
