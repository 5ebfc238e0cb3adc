#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace tidemark::crypto {
namespace {

template <auto F>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    F(object);
  }
};
using EvpKey = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using X509Cert = std::unique_ptr<X509, FreeBy<X509_free>>;
using MemoryBio = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using X509Extension = std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>>;

// Clocks differ.
constexpr std::chrono::minutes kBefore{10};
constexpr int kSerialBytes = 16;

std::unexpected<Error> openssl_failed(std::string_view doing) { return fail(Errc::io, "OpenSSL cannot {}", doing); }

bool is_ip_address(const std::string& name) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

// "IP:127.0.0.1,DNS:localhost": as OpenSSL's configuration writes them, so only what is plainly a name may be in it.
Result<std::string> alternative_names(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) {
    const bool address = is_ip_address(name);
    if (!address && !is_host_name(name)) return fail(Errc::invalid, "'{}' is no host name and no address", name);
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", address ? "IP" : "DNS", name);
  }
  if (text.empty()) return fail(Errc::invalid, "a certificate needs a name");
  return text;
}

Status extend(X509& cert, X509& issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &cert, nullptr, nullptr, 0);
  const X509Extension extension(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  if (!extension || X509_add_ext(&cert, extension.get(), -1) != 1) return openssl_failed("extend a certificate");
  return {};
}

// Not signed yet; named by `name`, with the key in it.
Result<X509Cert> begin_certificate(const EvpKey& key, std::string_view name, Time now, std::chrono::days good_for) {
  X509Cert cert(X509_new());
  if (!cert) return openssl_failed("make a certificate");
  std::byte serial[kSerialBytes];
  random_bytes(serial);
  serial[0] = (serial[0] & std::byte{0x7f}) | std::byte{0x40};  // positive, and of that many bytes
  const std::unique_ptr<BIGNUM, FreeBy<BN_free>> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial), kSerialBytes, nullptr));
  const auto seconds = [](Time t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); };
  X509_NAME* subject = X509_get_subject_name(cert.get());
  const bool done =
      X509_set_version(cert.get(), X509_VERSION_3) == 1 && number &&
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert.get())) != nullptr &&
      ASN1_TIME_set(X509_getm_notBefore(cert.get()), seconds(now - kBefore)) != nullptr &&
      ASN1_TIME_set(X509_getm_notAfter(cert.get()), seconds(now + good_for)) != nullptr &&
      X509_set_pubkey(cert.get(), key.get()) == 1 &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()),
                                 static_cast<int>(name.size()), -1, 0) == 1;
  if (!done) return openssl_failed("make a certificate");
  return cert;
}

Status sign_by(X509& cert, X509& issuer, const EvpKey& key) {
  if (X509_set_issuer_name(&cert, X509_get_subject_name(&issuer)) != 1 ||
      X509_sign(&cert, key.get(), EVP_sha256()) == 0) {
    return openssl_failed("sign a certificate");
  }
  return {};
}

std::string_view contents(const MemoryBio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<std::string> pem_of(X509& cert) {
  const MemoryBio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), &cert) != 1) return openssl_failed("print a certificate");
  return std::string(contents(bio));
}

Result<Secret> pem_of(const EvpKey& key) {
  const MemoryBio bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_failed("print a key");
  }
  const Bytes text = as_bytes(contents(bio));
  return Secret(Buffer(text.begin(), text.end()));
}

}  // namespace

Result<ServerIdentity> make_server_identity(std::span<const std::string> names, Time now, std::chrono::days good_for) {
  TM_LET(const std::string alternatives, alternative_names(names));
  const EvpKey authority_key(EVP_EC_gen("P-256")), key(EVP_EC_gen("P-256"));
  if (!authority_key || !key) return openssl_failed("make a key");

  TM_LET(const X509Cert authority, begin_certificate(authority_key, "tidemark serve, authority", now, good_for));
  TM_CHECK(extend(*authority, *authority, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TM_CHECK(extend(*authority, *authority, NID_key_usage, "critical,keyCertSign"));
  TM_CHECK(extend(*authority, *authority, NID_subject_key_identifier, "hash"));
  TM_CHECK(sign_by(*authority, *authority, authority_key));

  TM_LET(const X509Cert cert, begin_certificate(key, "tidemark serve", now, good_for));
  TM_CHECK(extend(*cert, *authority, NID_basic_constraints, "critical,CA:FALSE"));
  TM_CHECK(extend(*cert, *authority, NID_key_usage, "critical,digitalSignature"));
  TM_CHECK(extend(*cert, *authority, NID_ext_key_usage, "serverAuth"));
  TM_CHECK(extend(*cert, *authority, NID_authority_key_identifier, "keyid"));
  TM_CHECK(extend(*cert, *authority, NID_subject_alt_name, alternatives));
  TM_CHECK(sign_by(*cert, *authority, authority_key));

  ServerIdentity identity;
  TM_LET(identity.authority, pem_of(*authority));
  TM_LET(identity.certificate, pem_of(*cert));
  TM_LET(identity.key, pem_of(key));
  return identity;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tidemark::crypto
