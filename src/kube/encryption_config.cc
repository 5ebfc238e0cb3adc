#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "crypto/sign.h"
#include "kube/encryption.h"
#include "kube/yaml_text.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;
using Kind = KeyProvider::Kind;

std::unexpected<Error> wrong(const std::string& where, std::string_view what) {
  return fail(Errc::invalid, "{}: {}", where, what);
}

// The member `name`, which is `what`.
Result<const json*> need(const json& of, const char* name, json::value_t type, const std::string& where,
                         std::string_view what) {
  if (of.is_object()) {
    const auto found = of.find(name);
    if (found != of.end() && found->type() == type) return &*found;
  }
  return wrong(where + "." + name, fmt::format("{} expected", what));
}

Result<std::string> text_of(const json& of, const char* name, const std::string& where) {
  TM_LET(const json* text, need(of, name, json::value_t::string, where, "a text"));
  if (text->get_ref<const std::string&>().empty()) return wrong(where + "." + name, "it is empty");
  return text->get<std::string>();
}

Status read_keys(const json& config, Kind kind, const std::string& where, std::vector<KeyProvider>& to) {
  TM_LET(const json* keys, need(config, "keys", json::value_t::array, where, "a list of keys"));
  if (keys->empty()) return wrong(where + ".keys", "there is none");
  std::size_t number = 0;
  for (const json& key : *keys) {
    const std::string at = fmt::format("{}.keys[{}]", where, number++);
    KeyProvider provider;
    provider.kind = kind;
    TM_LET(provider.name, text_of(key, "name", at));
    TM_LET(const std::string secret, text_of(key, "secret", at));
    auto bytes = crypto::from_base64(secret);
    if (!bytes) return wrong(at + ".secret", "base64 expected");  // never with a part of it
    const bool fits = kind == Kind::secretbox ? bytes->size() == 32 : crypto::is_aes_key_size(bytes->size());
    if (!fits) {
      return wrong(at + ".secret", fmt::format("a key of {} bytes expected, it has {}",
                                               kind == Kind::secretbox ? "32" : "16, 24 or 32", bytes->size()));
    }
    provider.secret = crypto::Secret(*std::move(bytes));
    to.push_back(std::move(provider));
  }
  return {};
}

Status read_kms(const json& config, const std::string& where, std::vector<KeyProvider>& to) {
  KeyProvider provider;
  const std::string version = config.is_object() ? config.value("apiVersion", json("v1")).dump() : "";
  if (version != R"("v1")" && version != R"("v2")") return wrong(where + ".apiVersion", "v1 or v2 expected");
  provider.kind = version == R"("v2")" ? Kind::kms_v2 : Kind::kms_v1;
  TM_LET(provider.name, text_of(config, "name", where));
  TM_LET(provider.endpoint, text_of(config, "endpoint", where));
  if (config.contains("timeout")) {
    TM_LET(const std::string text, text_of(config, "timeout", where));
    const auto timeout = parse_duration(text);
    if (!timeout || timeout->count() <= 0) return wrong(where + ".timeout", "a duration expected");
    provider.timeout = std::chrono::ceil<std::chrono::milliseconds>(*timeout);
  }
  to.push_back(std::move(provider));
  return {};
}

Status read_provider(const json& provider, const std::string& where, std::vector<KeyProvider>& to) {
  if (!provider.is_object() || provider.size() != 1) return wrong(where, "one provider expected");
  const std::string& name = provider.begin().key();
  const json& config = provider.begin().value();
  const std::string at = where + "." + name;
  if (name == "identity") return {};
  if (name == "aescbc") return read_keys(config, Kind::aescbc, at, to);
  if (name == "aesgcm") return read_keys(config, Kind::aesgcm, at, to);
  if (name == "secretbox") return read_keys(config, Kind::secretbox, at, to);
  if (name == "kms") return read_kms(config, at, to);
  return wrong(at, "no provider is called so: aescbc, aesgcm, secretbox, kms or identity");
}

bool is_configuration(const json& file) {
  if (!file.is_object()) return false;
  const std::string kind = file.value("kind", json()).dump();
  return kind == R"("EncryptionConfiguration")" || kind == R"("EncryptionConfig")";  // the second before 1.13
}

}  // namespace

Result<std::vector<KeyProvider>> read_encryption_configuration(Bytes yaml) {
  auto file = parse_yaml(yaml);
  if (!file) return fail(Errc::invalid, "{}", file.error().what);
  if (!is_configuration(*file)) return wrong("kind", "an EncryptionConfiguration expected");
  TM_LET(const json* resources, need(*file, "resources", json::value_t::array, "", "a list"));
  std::vector<KeyProvider> all;
  for (std::size_t i = 0; i < resources->size(); i++) {
    const std::string where = fmt::format("resources[{}]", i);
    TM_LET(const json* providers, need((*resources)[i], "providers", json::value_t::array, where, "a list"));
    for (std::size_t j = 0; j < providers->size(); j++) {
      TM_CHECK(read_provider((*providers)[j], fmt::format("{}.providers[{}]", where, j), all));
    }
  }
  return all;
}

}  // namespace tidemark::kube
