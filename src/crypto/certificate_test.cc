#include "crypto/certificate.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace tidemark::crypto {
namespace {

using namespace std::chrono_literals;
constexpr Time kMade{1795250000s};

struct FreeCert {
  void operator()(X509* cert) const { X509_free(cert); }
};
using Cert = std::unique_ptr<X509, FreeCert>;

Cert read_pem(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Cert cert(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  return cert;
}

// 0: as a client that calls it `name` at `when` and trusts `authority` would have it; else OpenSSL's error.
int verified(const std::string& certificate, const std::string& authority, const std::string& name, Time when) {
  const Cert cert = read_pem(certificate), root = read_pem(authority);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, root.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, cert.get(), nullptr);
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context);
  X509_STORE_CTX_set_default(context, "ssl_server");
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) != 1) X509_VERIFY_PARAM_set1_host(rules, name.c_str(), 0);
  X509_VERIFY_PARAM_set_time(rules, std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count());
  const int error = X509_verify_cert(context) == 1 ? 0 : X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return error;
}

TEST(ServerIdentity, IsTrustedUnderItsNamesOnly) {
  const std::vector<std::string> names{"127.0.0.1", "::1", "localhost"};
  const auto one = make_server_identity(names, kMade, std::chrono::days(30));
  const auto other = make_server_identity(names, kMade, std::chrono::days(30));
  ASSERT_TRUE(one && other);
  struct Row {
    const char* name;
    std::chrono::hours later;
    int error;
  };
  const Row rows[] = {
      {"127.0.0.1", 0h, 0},
      {"::1", 24h, 0},
      {"localhost", 24h * 29, 0},
      {"127.0.0.2", 0h, X509_V_ERR_IP_ADDRESS_MISMATCH},
      {"example.com", 0h, X509_V_ERR_HOSTNAME_MISMATCH},
      {"localhost", -1h, X509_V_ERR_CERT_NOT_YET_VALID},
      {"localhost", 24h * 31, X509_V_ERR_CERT_HAS_EXPIRED},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(verified(one->certificate, one->authority, row.name, kMade + row.later), row.error) << row.name;
  }
  EXPECT_NE(verified(one->certificate, other->authority, "localhost", kMade), 0);
  EXPECT_NE(one->certificate, other->certificate);
  EXPECT_TRUE(as_text(one->key.bytes()).starts_with("-----BEGIN PRIVATE KEY-----"));
}

TEST(ServerIdentity, RefusesWhatIsNoName) {
  for (const char* name : {"", "a b", "a,DNS:b", "a\nb", "*", "http://x"}) {
    const auto made = make_server_identity(std::vector<std::string>{name}, kMade, std::chrono::days(1));
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, Errc::invalid) << name;
  }
  EXPECT_FALSE(make_server_identity({}, kMade, std::chrono::days(1)));
}

TEST(EqualInConstantTime, Compares) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  for (const char* other : {"", "ab", "abd", "abcd", "Abc"})
    EXPECT_FALSE(equal_in_constant_time("abc", other)) << other;
}

}  // namespace
}  // namespace tidemark::crypto
