#include "kube/encryption.h"

#include <algorithm>

#include "base/proto.h"
#include "kube/storage_value.h"

namespace tidemark::kube {
namespace {

constexpr std::string_view kMark = "k8s:enc:";

// Up to the next colon, which goes too.
std::string_view take_part(std::string_view& from) {
  const std::size_t colon = from.find(':');
  const std::string_view part = from.substr(0, colon);
  from.remove_prefix(colon == std::string_view::npos ? from.size() : colon + 1);
  return part;
}

std::string prefix_of(const KeyProvider& provider) {
  std::string_view words;
  switch (provider.kind) {
    case KeyProvider::Kind::aescbc: words = "aescbc:v1:"; break;
    case KeyProvider::Kind::aesgcm: words = "aesgcm:v1:"; break;
    case KeyProvider::Kind::secretbox: words = "secretbox:v1:"; break;
    case KeyProvider::Kind::kms_v1: words = "kms:v1:"; break;
    case KeyProvider::Kind::kms_v2: words = "kms:v2:"; break;
  }
  return fmt::format("{}{}{}:", kMark, words, provider.name);
}

// Nothing else proves what CBC opened.
bool is_object(Bytes plain) {
  const Encoding encoding = encoding_of(plain);
  return encoding == Encoding::protobuf || encoding == Encoding::json || encoding == Encoding::cbor;
}

std::unexpected<Error> not_opened() {
  return fail(Errc::corrupt, "the key does not open it: it is another key of that name, another etcd key, or damage");
}

Result<Buffer> opened(std::optional<Buffer> plain) {
  if (!plain) return not_opened();
  return *std::move(plain);
}

// KMS v2's envelope.
struct Envelope2 {
  Bytes data, sealed_key;
  std::string_view key_id;
  std::vector<std::pair<std::string, Buffer>> annotations;
  std::uint64_t type = 0;  // 0: the opened key seals; 1: it is a seed
};

Result<Envelope2> read_envelope_2(Bytes sealed) {
  Envelope2 envelope;
  proto::Fields fields(sealed);
  while (fields.next()) {
    if (fields.is(1, proto::Wire::bytes)) envelope.data = fields.bytes();
    if (fields.is(2, proto::Wire::bytes)) envelope.key_id = as_text(fields.bytes());
    if (fields.is(3, proto::Wire::bytes)) envelope.sealed_key = fields.bytes();
    if (fields.is(5, proto::Wire::varint)) envelope.type = fields.value();
    if (!fields.is(4, proto::Wire::bytes)) continue;
    std::pair<std::string, Buffer> annotation;
    proto::Fields entry(fields.bytes());
    while (entry.next()) {
      if (entry.is(1, proto::Wire::bytes)) annotation.first = as_text(entry.bytes());
      if (entry.is(2, proto::Wire::bytes)) annotation.second.assign(entry.bytes().begin(), entry.bytes().end());
    }
    if (entry.bad()) return fail(Errc::corrupt, "the envelope of the KMS is damaged");
    envelope.annotations.push_back(std::move(annotation));
  }
  if (fields.bad() || envelope.data.empty() || envelope.key_id.empty() || envelope.sealed_key.empty()) {
    return fail(Errc::corrupt, "the envelope of the KMS is damaged");
  }
  if (envelope.type > 1) return fail(Errc::unsupported, "keys of kind {} are not known", envelope.type);
  return envelope;
}

}  // namespace

SealedBy sealed_by(Bytes value) {
  std::string_view text = as_text(value);
  text.remove_prefix(std::min(kMark.size(), text.size()));
  SealedBy by;
  by.provider = take_part(text);
  by.version = take_part(text);
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) by.key = text.substr(0, colon);
  return by;
}

std::string print_sealed_by(const SealedBy& by) {
  const auto printable = [](std::string_view text) {
    std::string copy(text.substr(0, 64));
    std::ranges::replace_if(copy, [](char c) { return c < ' ' || c > '~'; }, '?');
    return copy;
  };
  const std::string version = by.provider == "kms" ? " " + printable(by.version) : "";
  return fmt::format("{}{}, {} '{}'", printable(by.provider), version, by.provider == "kms" ? "service" : "key",
                     printable(by.key));
}

Result<Bytes> Decryptor::key_of(const KeyProvider& provider, const KeyService::Request& request) {
  // All that the service is asked with, each part with its length: what differs in anything is another question.
  std::string id;
  const auto add = [&](std::string_view part) { id += fmt::format("{} {}", part.size(), part); };
  add(provider.endpoint);
  add(request.key_id);
  add(as_text(request.sealed_key));
  for (const auto& [name, value] : request.annotations) {
    add(name);
    add(as_text(value));
  }
  const auto known = opened_keys_.find(id);
  if (known != opened_keys_.end()) return known->second.bytes();
  if (service_ == nullptr) return fail(Errc::denied, "its key management service cannot be asked from here");
  if (const auto silent = silent_.find(provider.endpoint); silent != silent_.end()) {
    return std::unexpected(silent->second);
  }
  auto key = service_->open_key(provider, request);
  if (!key) {
    if (is_no_answer(key.error().code)) silent_.emplace(provider.endpoint, key.error());
    return std::unexpected(std::move(key).error());
  }
  return opened_keys_.emplace(std::move(id), crypto::Secret(*std::move(key))).first->second.bytes();
}

Result<Buffer> Decryptor::open_kms_v1(const KeyProvider& provider, Bytes sealed, std::string_view etcd_key) {
  const std::size_t size = sealed.size() < 2 ? 0 : load_be<std::uint16_t>(sealed);
  if (size == 0 || sealed.size() - 2 < size) return fail(Errc::corrupt, "the envelope of the KMS is damaged");
  TM_LET(const Bytes key, key_of(provider, {.sealed_key = sealed.subspan(2, size), .key_id = {}, .annotations = {}}));
  if (!crypto::is_aes_key_size(key.size())) return fail(Errc::corrupt, "the KMS gave a key of {} bytes", key.size());
  const Bytes text = sealed.subspan(2 + size);
  if (auto plain = crypto::open_aes_gcm(key, text, as_bytes(etcd_key))) return *std::move(plain);
  auto plain = crypto::open_aes_cbc(key, text);  // before 1.25
  if (plain && !is_object(*plain)) return not_opened();
  return opened(std::move(plain));
}

Result<Buffer> Decryptor::open_kms_v2(const KeyProvider& provider, Bytes sealed, std::string_view etcd_key) {
  constexpr std::size_t kPurpose = 32;
  TM_LET(Envelope2 envelope, read_envelope_2(sealed));
  KeyService::Request request{
      .sealed_key = envelope.sealed_key, .key_id = envelope.key_id, .annotations = std::move(envelope.annotations)};
  TM_LET(const Bytes key, key_of(provider, request));
  const Bytes data = envelope.data;
  if (envelope.type == 0) {
    if (!crypto::is_aes_key_size(key.size())) return fail(Errc::corrupt, "the KMS gave a key of {} bytes", key.size());
    return opened(crypto::open_aes_gcm(key, data, as_bytes(etcd_key)));
  }
  if (key.size() != kPurpose || data.size() < kPurpose) return not_opened();
  const crypto::Secret32 derived = crypto::hkdf_expand_sha256(key, data.first(kPurpose));
  return opened(crypto::open_aes_gcm(derived.bytes(), data.subspan(kPurpose), as_bytes(etcd_key)));
}

Result<Buffer> Decryptor::open_with(const KeyProvider& provider, Bytes sealed, std::string_view etcd_key) {
  const Bytes key = provider.secret.bytes();
  switch (provider.kind) {
    case KeyProvider::Kind::aescbc: {
      auto plain = crypto::open_aes_cbc(key, sealed);
      if (plain && !is_object(*plain)) return not_opened();
      return opened(std::move(plain));
    }
    case KeyProvider::Kind::aesgcm: return opened(crypto::open_aes_gcm(key, sealed, as_bytes(etcd_key)));
    case KeyProvider::Kind::secretbox: return opened(crypto::open_secretbox(key, sealed));
    case KeyProvider::Kind::kms_v1: return open_kms_v1(provider, sealed, etcd_key);
    case KeyProvider::Kind::kms_v2: return open_kms_v2(provider, sealed, etcd_key);
  }
  return not_opened();
}

Result<Buffer> Decryptor::open(Bytes value, std::string_view etcd_key) {
  const std::string by = print_sealed_by(sealed_by(value));
  std::optional<Error> failed;
  for (const KeyProvider& provider : providers_) {
    const std::string prefix = prefix_of(provider);
    if (!as_text(value).starts_with(prefix)) continue;
    auto plain = open_with(provider, value.subspan(prefix.size()), etcd_key);
    if (plain) return plain;
    if (!failed) failed = std::move(plain).error();
  }
  if (failed) return named("encrypted with " + by, Result<Buffer>(std::unexpected(*std::move(failed))));
  if (providers_.empty()) {
    return hinted(Result<Buffer>(fail(Errc::denied, "encrypted with {}", by)),
                  "--encryption-config FILE, the API server's, opens it");
  }
  return hinted(Result<Buffer>(fail(Errc::denied, "encrypted with {}, which the configuration does not have", by)),
                "an older configuration may still have that key");
}

}  // namespace tidemark::kube
