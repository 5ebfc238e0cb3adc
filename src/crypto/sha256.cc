#include "crypto/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace tidemark::crypto {

namespace {
// A digest of the default provider fails only when memory is out or the library is broken: nothing to recover.
void must(int ok) {
  if (ok != 1) std::abort();
}
unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) { must(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr)); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(Bytes bytes) { must(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())); }

Sha256Digest Sha256::finish() {
  Sha256Digest digest;
  must(EVP_DigestFinal_ex(context_.get(), raw(digest.data()), nullptr));
  must(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
  return digest;
}

Sha256Digest Sha256::so_far() const {
  Sha256 copy;
  must(EVP_MD_CTX_copy_ex(copy.context_.get(), context_.get()));
  return copy.finish();
}

Sha256Digest sha256(Bytes bytes) {
  Sha256Digest digest;
  must(EVP_Digest(bytes.data(), bytes.size(), raw(digest.data()), nullptr, EVP_sha256(), nullptr));
  return digest;
}

Sha1Digest sha1(Bytes bytes) {
  Sha1Digest digest;
  must(EVP_Digest(bytes.data(), bytes.size(), raw(digest.data()), nullptr, EVP_sha1(), nullptr));
  return digest;
}

}  // namespace tidemark::crypto
