#include "crypto/aead.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/sign.h"

namespace tidemark::crypto {
namespace {

// As for digests: these fail only when memory is out or the library is broken.
void must(int ok) {
  if (ok != 1) std::abort();
}
const unsigned char* raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }
unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Pkey = std::unique_ptr<EVP_PKEY, FreeKey>;

Pkey private_key(const Secret32& secret) {
  Pkey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, raw(secret.bytes().data()), 32));
  must(key != nullptr ? 1 : 0);
  return key;
}

}  // namespace

void random_bytes(MutableBytes into) { must(RAND_bytes(raw(into.data()), static_cast<int>(into.size()))); }

void wipe(MutableBytes secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

Key32 x25519_public(const Secret32& secret) {
  Key32 point;
  std::size_t size = point.size();
  must(EVP_PKEY_get_raw_public_key(private_key(secret).get(), raw(point.data()), &size));
  return point;
}

Result<Secret32> x25519_shared(const Secret32& secret, const Key32& point) {
  const Pkey own = private_key(secret);
  const Pkey peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, raw(point.data()), point.size()));
  must(peer != nullptr ? 1 : 0);
  struct FreeContext {
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  };
  const std::unique_ptr<EVP_PKEY_CTX, FreeContext> context(EVP_PKEY_CTX_new(own.get(), nullptr));
  must(EVP_PKEY_derive_init(context.get()));
  must(EVP_PKEY_derive_set_peer(context.get(), peer.get()));
  Secret32 shared;
  std::size_t size = shared.bytes().size();
  const bool derived = EVP_PKEY_derive(context.get(), raw(shared.bytes().data()), &size) == 1;
  if (!derived || shared.bytes() == Key32{}) return fail(Errc::invalid, "the X25519 share is a point of low order");
  return shared;
}

Secret32 hkdf_sha256(Bytes secret, Bytes salt, std::string_view purpose) {
  const Key32 zeros{};
  Secret32 extracted(hmac_sha256(salt.empty() ? Bytes(zeros) : salt, secret));
  Buffer block(as_bytes(purpose).begin(), as_bytes(purpose).end());
  block.push_back(std::byte{1});
  return Secret32(hmac_sha256(extracted.bytes(), block));
}

void ChaChaPoly::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

ChaChaPoly::ChaChaPoly(const Secret32& key) : key_(key), context_(EVP_CIPHER_CTX_new()) {}
ChaChaPoly::ChaChaPoly(ChaChaPoly&&) noexcept = default;
ChaChaPoly& ChaChaPoly::operator=(ChaChaPoly&&) noexcept = default;
ChaChaPoly::~ChaChaPoly() = default;

void ChaChaPoly::seal(const Nonce12& nonce, Bytes text, MutableBytes to) {
  EVP_CIPHER_CTX* c = context_.get();
  int n = 0;
  must(EVP_EncryptInit_ex(c, EVP_chacha20_poly1305(), nullptr, raw(key_.bytes().data()), raw(nonce.data())));
  must(EVP_EncryptUpdate(c, raw(to.data()), &n, raw(text.data()), static_cast<int>(text.size())));
  must(EVP_EncryptFinal_ex(c, raw(to.data()) + n, &n));
  must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, kTagBytes, to.data() + text.size()));
}

bool ChaChaPoly::open(const Nonce12& nonce, Bytes sealed, MutableBytes to) {
  if (sealed.size() < kTagBytes) return false;
  EVP_CIPHER_CTX* c = context_.get();
  const std::size_t size = sealed.size() - kTagBytes;
  std::array<std::byte, kTagBytes> tag{};
  std::copy_n(sealed.data() + size, kTagBytes, tag.begin());
  int n = 0;
  must(EVP_DecryptInit_ex(c, EVP_chacha20_poly1305(), nullptr, raw(key_.bytes().data()), raw(nonce.data())));
  must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()));
  must(EVP_DecryptUpdate(c, raw(to.data()), &n, raw(sealed.data()), static_cast<int>(size)));
  return EVP_DecryptFinal_ex(c, raw(to.data()) + n, &n) == 1;
}

}  // namespace tidemark::crypto
