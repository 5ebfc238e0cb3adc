// What the age format is made of: X25519 (RFC 7748), ChaCha20-Poly1305 (RFC 8439) and HKDF-SHA-256 (RFC 5869), by
// OpenSSL, and the operating system's randomness.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

struct evp_cipher_ctx_st;

namespace tidemark::crypto {

using Key32 = std::array<std::byte, 32>;
using Nonce12 = std::array<std::byte, 12>;
inline constexpr std::size_t kTagBytes = 16;

void random_bytes(MutableBytes into);
void wipe(MutableBytes secret);  // the compiler does not remove it

// 32 bytes that are wiped at the end of their life.
class Secret32 {
 public:
  Secret32() = default;
  explicit Secret32(const Key32& bytes) : bytes_(bytes) {}
  Secret32(const Secret32&) = default;
  Secret32& operator=(const Secret32&) = default;
  ~Secret32() { wipe(bytes_); }
  const Key32& bytes() const { return bytes_; }
  Key32& bytes() { return bytes_; }

 private:
  Key32 bytes_{};
};

Key32 x25519_public(const Secret32& secret);
// Errc::invalid: the other side's point is of low order, so the result would be no secret.
Result<Secret32> x25519_shared(const Secret32& secret, const Key32& point);

// The first 32 bytes. An empty salt is the RFC's string of zeros.
Secret32 hkdf_sha256(Bytes secret, Bytes salt, std::string_view purpose);

// Seals and opens with one key. Requires: no nonce is used twice. Threads: one at a time.
class ChaChaPoly {
 public:
  explicit ChaChaPoly(const Secret32& key);
  ChaChaPoly(ChaChaPoly&&) noexcept;
  ChaChaPoly& operator=(ChaChaPoly&&) noexcept;
  ~ChaChaPoly();
  // `to` gets text.size() + kTagBytes bytes.
  void seal(const Nonce12& nonce, Bytes text, MutableBytes to);
  // `to` gets sealed.size() - kTagBytes bytes; false, and nothing of use in `to`: not sealed with this key and nonce.
  bool open(const Nonce12& nonce, Bytes sealed, MutableBytes to);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  Secret32 key_;
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

}  // namespace tidemark::crypto
