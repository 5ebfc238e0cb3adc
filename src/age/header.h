// The header of an age file: who can open it, and the key of what follows, sealed to each.
//
//   age-encryption.org/v1
//   -> X25519 <share>                     a stanza: type, arguments, and on the lines below its body in base64
//   <sealed file key>
//   --- <HMAC of everything above, up to and with "---">
// Byte tables: doc/format/age-layout.md.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "age/keys.h"
#include "crypto/sha256.h"
#include "io/stream.h"

namespace tidemark::age {

using FileKey = std::array<std::byte, 16>;

struct Stanza {
  std::string type;
  std::vector<std::string> arguments;
  Buffer body;
};

struct Header {
  std::vector<Stanza> stanzas;
  std::string text;  // everything that the HMAC is over
  crypto::Sha256Digest hmac;
  std::size_t size = 0;  // bytes in the file, with the line break at the end
};

// No header is larger: what is longer is refused before it is read.
inline constexpr std::size_t kMaxHeader = 64UL << 10U;

// `bytes`: the beginning of a file. Errc::torn: the header goes on behind its end. Errc::corrupt: not an age header, or
// one that breaks a rule of the format. Errc::unsupported: another version, or armored.
Result<Header> parse_header(Bytes bytes);

// The stanzas that open the file to `recipients`, then `extra`, then the HMAC.
std::string print_header(const FileKey& key, std::span<const Recipient> recipients, std::span<const Stanza> extra);

// The key, by the first identity that fits. Errc::denied: none does; the message names the types of the stanzas.
// Errc::corrupt: a stanza or the HMAC is wrong.
Result<FileKey> unlock(const Header& header, std::span<const Identity> identities);

}  // namespace tidemark::age
