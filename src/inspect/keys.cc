#include "inspect/keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "etcd/key_set.h"
#include "etcd/row.h"

namespace tidemark::inspect {
namespace {

constexpr std::string_view kEncrypted = "k8s:enc:";
constexpr std::size_t kLongestPrefix = 512;  // a provider's name is chosen by people; it is not longer than that

}  // namespace

std::string provider_of(Bytes value) {
  std::string_view text = as_text(value.first(std::min(value.size(), kLongestPrefix)));
  if (!text.starts_with(kEncrypted)) return {};
  text.remove_prefix(kEncrypted.size());
  // provider:version:name:
  std::string words;
  for (int part = 0; part < 3; ++part) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) return "unknown";
    words += (words.empty() ? "" : " ") + std::string(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  for (const char c : words) {
    if (c < ' ' || c > '~') return "unknown";
  }
  return words;
}

Result<NeededKeys> needed_keys(const bolt::Reader& database) {
  NeededKeys needed;
  etcd::KeySet seen;
  const auto hasher = etcd::KeyHasher::random();
  TM_LET(const bolt::Bucket rows, database.bucket("key"));
  TM_CHECK(database.for_each_backwards(rows, [&](const bolt::Element& row) -> Status {
    TM_LET(const etcd::RowId id, etcd::decode_row_key(row.key));
    TM_LET(const etcd::KeyValue kv, etcd::decode_key_value(row.value));
    if (!seen.insert(hasher(kv.key)) || id.tombstone) return {};
    const std::string_view key = as_text(kv.key);
    if (!key.starts_with("/registry/")) return {};
    needed.kubernetes = true;
    const std::string provider = provider_of(kv.value);
    if (!provider.empty()) {
      ++needed.providers[provider];
    } else if (key.starts_with("/registry/secrets/")) {
      ++needed.plain_secrets;
    }
    return {};
  }));
  return needed;
}

Result<std::vector<KeptKey>> parse_keys_kept(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto bad = [](std::string_view what) { return fail(Errc::corrupt, "KeysKept: {}", what); };
  if (!json.is_object()) return bad("not a JSON object");
  // By reference: a copy recurses, and what comes from outside may be nested deeper than the stack.
  static const nlohmann::json kNone;
  const auto field = [&](const char* name) -> const nlohmann::json& {
    const auto found = json.find(name);
    return found == json.end() ? kNone : *found;
  };
  if (field("kind") != "KeysKept") return bad("the kind is another");
  const nlohmann::json& version = field("formatVersion");
  if (!version.is_number_unsigned() || version == 0) return bad("field 'formatVersion' is not 1");
  if (version > 1)
    return fail(Errc::unsupported, "KeysKept: format version {} is newer than 1", version.get<std::uint64_t>());
  const nlohmann::json& list = field("keys");
  if (!list.is_array()) return bad("field 'keys' is not an array");
  std::vector<KeptKey> keys;
  for (const auto& item : list) {
    const bool sound = item.is_object() && item.contains("name") && item["name"].is_string() && item.contains("kept") &&
                       item["kept"].is_string();
    if (!sound || item["kept"].get<std::string>().empty())
      return bad("an element of 'keys' has no 'name' or no 'kept'");
    keys.push_back({item["name"].get<std::string>(), item["kept"].get<std::string>()});
  }
  return keys;
}

std::vector<MissingKey> missing_keys(const NeededKeys& needed, const std::vector<KeptKey>& kept) {
  std::vector<MissingKey> missing;
  const auto ask = [&](std::string_view name, std::string why) {
    const bool known = std::ranges::any_of(kept, [&](const KeptKey& key) { return key.name == name; });
    if (!known) missing.push_back({std::string(name), std::move(why)});
  };
  if (!needed.providers.empty()) {
    std::uint64_t values = 0;
    std::string names;
    for (const auto& [provider, count] : needed.providers) {
      values += count;
      names += (names.empty() ? "" : ", ") + provider;
    }
    ask(kEncryptionConfig, fmt::format("{} values are encrypted at rest ({}): without the API server's "
                                       "EncryptionConfiguration and what it refers to nobody can read them again",
                                       values, names));
  }
  if (needed.kubernetes) {
    ask(kServiceAccountKey, "without the key that signs service account tokens every token in the backup is void");
    ask(kClusterCa, "without the cluster's CA no kubelet and no client of the old cluster is let in");
  }
  return missing;
}

}  // namespace tidemark::inspect
