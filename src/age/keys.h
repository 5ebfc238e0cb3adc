// Keys of age files: X25519 recipients (public, "age1…") and identities (secret, "AGE-SECRET-KEY-1…").
//
// Files of them have one a line; empty lines and lines with '#' in front are skipped. Messages about what cannot be
// read name the line, never its text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/aead.h"

namespace tidemark::age {

struct Recipient {
  crypto::Key32 point{};
  std::string print() const;  // "age1…"
  friend bool operator==(const Recipient&, const Recipient&) = default;
};

class Identity {
 public:
  static Identity generate();
  explicit Identity(const crypto::Secret32& secret) : secret_(secret) {}
  const crypto::Secret32& secret() const { return secret_; }
  Recipient recipient() const { return {crypto::x25519_public(secret_)}; }
  std::string print() const;  // "AGE-SECRET-KEY-1…": a secret

 private:
  crypto::Secret32 secret_;
};

// Errc::invalid: not such a key. Errc::unsupported: of a plugin, SSH, or another kind of age.
Result<Recipient> parse_recipient(std::string_view text);
Result<Identity> parse_identity(std::string_view text);

// Errc::invalid: no key at all.
Result<std::vector<Recipient>> parse_recipients(std::string_view file);
Result<std::vector<Identity>> parse_identities(std::string_view file);

}  // namespace tidemark::age
