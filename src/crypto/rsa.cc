#include "crypto/rsa.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <climits>
#include <memory>

#include "crypto/sign.h"

namespace tidemark::crypto {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Instead of asking at the terminal for a passphrase.
int no_passphrase(char* /*into*/, int /*size*/, int /*writing*/, void* /*unused*/) { return -1; }

}  // namespace

Result<Buffer> sign_rs256(std::string_view private_key, Bytes text) {
  if (private_key.size() > INT_MAX) return fail(Errc::invalid, "private key: too long");
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(private_key.data(), static_cast<int>(private_key.size())));
  const std::unique_ptr<EVP_PKEY, FreeKey> key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)
                                                   : nullptr);
  ERR_clear_error();
  if (!key) return fail(Errc::invalid, "private key: no PEM of a key without passphrase");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return fail(Errc::invalid, "private key: it is not RSA");

  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  bool good = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &size, from, text.size()) == 1;
  Buffer signature(good ? size : 0);
  auto* into = reinterpret_cast<unsigned char*>(signature.data());
  good = good && EVP_DigestSign(context.get(), into, &size, from, text.size()) == 1;
  ERR_clear_error();
  if (!good) return fail(Errc::invalid, "private key: it does not sign");
  signature.resize(size);
  return signature;
}

std::string to_base64url(Bytes bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

}  // namespace tidemark::crypto
