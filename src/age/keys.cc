#include "age/keys.h"

#include <algorithm>

#include "age/bech32.h"

namespace tidemark::age {
namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "age-secret-key-";

Result<crypto::Key32> parse_key(std::string_view prefix, std::string_view text) {
  TM_LET(const Buffer data, parse_bech32(prefix, text));
  crypto::Key32 key;
  if (data.size() != key.size()) return fail(Errc::invalid, "it has {} bytes instead of {}", data.size(), key.size());
  std::ranges::copy(data, key.begin());
  return key;
}

template <class Key>
Result<std::vector<Key>> parse_lines(std::string_view file, std::string_view what,
                                     Result<Key> (*parse)(std::string_view)) {
  std::vector<Key> keys;
  for (int number = 1; !file.empty(); ++number) {
    const std::size_t end = std::min(file.find('\n'), file.size());
    std::string_view line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    auto key = parse(line);
    if (!key) return named(fmt::format("line {}", number), Result<std::vector<Key>>(std::unexpect, key.error()));
    keys.push_back(*std::move(key));
  }
  if (keys.empty()) return fail(Errc::invalid, "there is no {} in it", what);
  return keys;
}

}  // namespace

std::string Recipient::print() const { return print_bech32(kRecipientPrefix, point); }

Identity Identity::generate() {
  crypto::Secret32 secret;
  crypto::random_bytes(secret.bytes());
  return Identity(secret);
}

std::string Identity::print() const {
  std::string text = print_bech32(kIdentityPrefix, secret_.bytes());
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

Result<Recipient> parse_recipient(std::string_view text) {
  if (text.starts_with("ssh-")) return fail(Errc::unsupported, "an SSH key: only age1... recipients are supported");
  if (text.starts_with("AGE-")) return fail(Errc::invalid, "a secret key where a recipient (age1...) is expected");
  // "age1yubikey1...", "age1pq1...": the last '1' ends a longer prefix.
  if (text.starts_with("age1") && text.rfind('1') > 3) {
    return fail(Errc::unsupported, "a recipient of a plugin: only plain age1... recipients are supported");
  }
  auto point = parse_key(kRecipientPrefix, text);
  if (!point) return named("not an age recipient", Result<Recipient>(std::unexpect, point.error()));
  if (std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return fail(Errc::invalid, "not an age recipient: it is in upper case");
  }
  return Recipient{*point};
}

Result<Identity> parse_identity(std::string_view text) {
  if (text.starts_with("AGE-PLUGIN-")) {
    return std::unexpected(Error{Errc::unsupported, "an identity of a plugin",
                                 "--age-identity-command runs a program that prints an ordinary identity"});
  }
  if (text.starts_with("-----BEGIN"))
    return fail(Errc::unsupported, "an SSH key: only AGE-SECRET-KEY-1... is supported");
  if (text.starts_with("age1"))
    return fail(Errc::invalid, "a recipient where an identity (AGE-SECRET-KEY-1...) is expected");
  if (text.starts_with("AGE-SECRET-KEY-PQ-")) return fail(Errc::unsupported, "a post-quantum identity");
  auto secret = parse_key(kIdentityPrefix, text);
  if (!secret) return named("not an age identity", Result<Identity>(std::unexpect, secret.error()));
  if (std::ranges::any_of(text, [](char c) { return c >= 'a' && c <= 'z'; })) {
    return fail(Errc::invalid, "not an age identity: it is in lower case");
  }
  Identity identity{crypto::Secret32(*secret)};
  crypto::wipe(*secret);
  return identity;
}

Result<std::vector<Recipient>> parse_recipients(std::string_view file) {
  return parse_lines<Recipient>(file, "recipient (age1...)", parse_recipient);
}

Result<std::vector<Identity>> parse_identities(std::string_view file) {
  return parse_lines<Identity>(file, "identity (AGE-SECRET-KEY-1...)", parse_identity);
}

}  // namespace tidemark::age
