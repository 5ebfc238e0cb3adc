#include "crypto/sealed.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <memory>

#include "crypto/sign.h"

namespace tidemark::crypto {
namespace {

constexpr std::size_t kIv = 16, kNonce = 12, kBlock = 16;

const unsigned char* octets(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* octets(Buffer& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const EVP_CIPHER* cbc_of(std::size_t key) {
  return key == 16 ? EVP_aes_128_cbc() : key == 24 ? EVP_aes_192_cbc() : EVP_aes_256_cbc();
}
const EVP_CIPHER* gcm_of(std::size_t key) {
  return key == 16 ? EVP_aes_128_gcm() : key == 24 ? EVP_aes_192_gcm() : EVP_aes_256_gcm();
}

}  // namespace

std::optional<Buffer> open_aes_cbc(Bytes key, Bytes sealed) {
  if (sealed.size() < kIv + kBlock || sealed.size() % kBlock != 0) return std::nullopt;
  const Bytes text = sealed.subspan(kIv);
  const Cipher context(EVP_CIPHER_CTX_new());
  Buffer plain(text.size());
  int size = 0, rest = 0;
  // The padding is judged here: of a text of one block OpenSSL would say no more than that it is wrong.
  if (EVP_DecryptInit_ex(context.get(), cbc_of(key.size()), nullptr, octets(key), octets(sealed)) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_DecryptUpdate(context.get(), octets(plain), &size, octets(text), static_cast<int>(text.size())) != 1 ||
      EVP_DecryptFinal_ex(context.get(), octets(plain) + size, &rest) != 1) {
    return std::nullopt;
  }
  const auto pad = static_cast<std::size_t>(plain.back());
  if (pad == 0 || pad > kBlock) return std::nullopt;
  if (!std::all_of(plain.end() - static_cast<std::ptrdiff_t>(pad), plain.end(),
                   [&](std::byte b) { return b == plain.back(); })) {
    return std::nullopt;
  }
  plain.resize(plain.size() - pad);
  return plain;
}

std::optional<Buffer> open_aes_gcm(Bytes key, Bytes sealed, Bytes with) {
  if (sealed.size() < kNonce + kTagBytes) return std::nullopt;
  const Bytes text = sealed.subspan(kNonce, sealed.size() - kNonce - kTagBytes);
  Buffer tag(sealed.end() - kTagBytes, sealed.end());
  const Cipher context(EVP_CIPHER_CTX_new());
  Buffer plain(text.size() + kBlock);
  int size = 0, rest = 0;
  if (EVP_DecryptInit_ex(context.get(), gcm_of(key.size()), nullptr, octets(key), octets(sealed)) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &rest, octets(with), static_cast<int>(with.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), octets(plain), &size, octets(text), static_cast<int>(text.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) != 1 ||
      EVP_DecryptFinal_ex(context.get(), octets(plain) + size, &rest) != 1) {
    return std::nullopt;
  }
  plain.resize(text.size());
  return plain;
}

std::optional<Buffer> open_secretbox(Bytes key, Bytes sealed) {
  constexpr std::size_t kLongNonce = crypto_secretbox_NONCEBYTES;
  if (key.size() != crypto_secretbox_KEYBYTES || sealed.size() < kLongNonce + crypto_secretbox_MACBYTES) {
    return std::nullopt;
  }
  const Bytes box = sealed.subspan(kLongNonce);
  Buffer plain(box.size() - crypto_secretbox_MACBYTES);
  if (crypto_secretbox_open_easy(octets(plain), octets(box), box.size(), octets(sealed), octets(key)) != 0) {
    return std::nullopt;
  }
  return plain;
}

Secret32 hkdf_expand_sha256(Bytes key, Bytes purpose) {
  Buffer block(purpose.begin(), purpose.end());
  block.push_back(std::byte{1});
  return Secret32(hmac_sha256(key, block));
}

}  // namespace tidemark::crypto
