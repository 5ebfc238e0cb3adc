// What values encrypted at rest are made of: AES in CBC and GCM (OpenSSL), NaCl's secretbox (libsodium) and the second
// half of HKDF. For reading only. Threads: any.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "crypto/aead.h"

namespace tidemark::crypto {

// A key of any length, wiped at the end of its life.
class Secret {
 public:
  Secret() = default;
  explicit Secret(Buffer bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Secret() { wipe(bytes_); }
  Bytes bytes() const { return bytes_; }

 private:
  Buffer bytes_;
};

// AES of a key of 16, 24 or 32 bytes?
constexpr bool is_aes_key_size(std::size_t bytes) { return bytes == 16 || bytes == 24 || bytes == 32; }

// `sealed`: 16 bytes of IV, then the text in whole blocks with PKCS #7's padding (RFC 5652, 6.3). Nothing proves the
// text: one wrong key in some 256 opens it to something. nullopt: of another shape, or the padding is wrong.
// Requires: is_aes_key_size().
std::optional<Buffer> open_aes_cbc(Bytes key, Bytes sealed);

// `sealed`: 12 bytes of nonce, the text, 16 bytes of tag; `with` was authenticated beside it. Requires:
// is_aes_key_size().
std::optional<Buffer> open_aes_gcm(Bytes key, Bytes sealed, Bytes with);

// `sealed`: 24 bytes of nonce, 16 bytes of tag, the text (XSalsa20-Poly1305). Requires: 32 bytes of key.
std::optional<Buffer> open_secretbox(Bytes key, Bytes sealed);

// HKDF-Expand with SHA-256 (RFC 5869, 2.3): the first 32 bytes. `key`: what Extract would have made.
Secret32 hkdf_expand_sha256(Bytes key, Bytes purpose);

}  // namespace tidemark::crypto
