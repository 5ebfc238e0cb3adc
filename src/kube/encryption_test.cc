// The goldens and a whole cluster are in tests/drill_encryption.cc.
#include "kube/encryption.h"

#include <gtest/gtest.h>

namespace tidemark::kube {
namespace {

constexpr const char* kConfig = R"(
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aescbc: {keys: [{name: one, secret: AAECAwQFBgcICQoLDA0ODw==}, {name: "one:two", secret: EBESExQVFhcYGRobHB0eHw==}]}
  - kms: {apiVersion: v2, name: local, endpoint: "unix:///run/kms.sock", timeout: 5s}
  - identity: {}
- resources: ["*.*"]
  providers:
  - secretbox: {keys: [{name: one, secret: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=}]}
  - kms: {name: old, endpoint: "unix:///run/kms.sock"}
)";

TEST(EncryptionConfiguration, ProvidersOfAllResources) {
  const auto providers = read_encryption_configuration(as_bytes(kConfig));
  ASSERT_TRUE(providers) << providers.error().what;
  using Kind = KeyProvider::Kind;
  const std::pair<Kind, const char*> expected[] = {{Kind::aescbc, "one"},
                                                   {Kind::aescbc, "one:two"},
                                                   {Kind::kms_v2, "local"},
                                                   {Kind::secretbox, "one"},
                                                   {Kind::kms_v1, "old"}};
  ASSERT_EQ(providers->size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); i++) {
    EXPECT_EQ((*providers)[i].kind, expected[i].first) << i;
    EXPECT_EQ((*providers)[i].name, expected[i].second) << i;
  }
  EXPECT_EQ((*providers)[2].timeout, std::chrono::seconds(5));
  EXPECT_EQ((*providers)[4].timeout, std::chrono::seconds(3));
  EXPECT_EQ(as_text((*providers)[3].secret.bytes()).size(), 32U);
}

TEST(EncryptionConfiguration, IsRefused) {
  const std::string head = "kind: EncryptionConfiguration\nresources:\n- providers:\n  - ";
  const std::string secret = "AAECAwQFBgcICQoLDA0ODw==";
  struct Row {
    std::string text;
    const char* says;
  };
  const Row rows[] = {
      {"", "kind"},
      {"[]", "kind"},
      {"kind: 7", "kind"},
      {"kind: Secret\nresources: []", "kind: an EncryptionConfiguration expected"},
      {"kind: EncryptionConfiguration", "resources"},
      {"kind: EncryptionConfiguration\nresources: 7", "resources"},
      {"kind: EncryptionConfiguration\nresources: [7]", "resources[0].providers: a list expected"},
      {"a: b: c", "line 1"},
      {head + "7", "resources[0].providers[0]: one provider expected"},
      {head + "{}", "one provider expected"},
      {head + "{aescbc: {}, identity: {}}", "one provider expected"},
      {head + "rot13: {}", "resources[0].providers[0].rot13: no provider is called so"},
      {head + "aescbc: {}", "resources[0].providers[0].aescbc.keys: a list of keys expected"},
      {head + "aescbc: 7", "aescbc.keys"},
      {head + "aescbc: {keys: []}", "there is none"},
      {head + "aescbc: {keys: [7]}", "aescbc.keys[0].name"},
      {head + "aescbc: {keys: [{name: a}]}", "aescbc.keys[0].secret"},
      {head + "aescbc: {keys: [{name: '', secret: " + secret + "}]}", "aescbc.keys[0].name: it is empty"},
      {head + "aescbc: {keys: [{name: a, secret: topsecret}]}", "aescbc.keys[0].secret: base64 expected"},
      {head + "aescbc: {keys: [{name: a, secret: AAEC}]}", "16, 24 or 32 bytes expected, it has 3"},
      {head + "aesgcm: {keys: [{name: a, secret: AAECAwQFBgcICQoLDA0ODxA=}]}", "it has 17"},
      {head + "secretbox: {keys: [{name: a, secret: " + secret + "}]}", "a key of 32 bytes expected, it has 16"},
      {head + "kms: {}", "kms.name"},
      {head + "kms: {name: a}", "kms.endpoint"},
      {head + "kms: {apiVersion: v3, name: a, endpoint: b}", "kms.apiVersion: v1 or v2 expected"},
      {head + "kms: {name: a, endpoint: b, timeout: soon}", "kms.timeout"},
      {head + "kms: {name: a, endpoint: b, timeout: 0s}", "kms.timeout"},
      {head + "kms: 7", "kms"},
  };
  for (const Row& row : rows) {
    const auto read = read_encryption_configuration(as_bytes(row.text));
    ASSERT_FALSE(read) << row.text;
    EXPECT_EQ(read.error().code, Errc::invalid) << row.text;
    EXPECT_NE(read.error().what.find(row.says), std::string::npos) << row.text << ": " << read.error().what;
    EXPECT_EQ(read.error().what.find("topsecret"), std::string::npos);
    EXPECT_EQ(read.error().what.find(secret), std::string::npos);
  }
}

TEST(SealedBy, Names) {
  const std::pair<const char*, const char*> rows[] = {
      {"k8s:enc:aescbc:v1:key1:xyz", "aescbc, key 'key1'"},
      {"k8s:enc:kms:v2:local:xyz", "kms v2, service 'local'"},
      {"k8s:enc:aesgcm:v1:", "aesgcm, key ''"},
      {"k8s:enc:aesgcm:v1:key", "aesgcm, key ''"},
      {"k8s:enc:", ", key ''"},
      {"k8s:enc:a\nb:v1:c\x01:", "a?b, key 'c?'"},
  };
  for (const auto& [value, words] : rows) EXPECT_EQ(print_sealed_by(sealed_by(as_bytes(value))), words) << value;
}

// Counts what it is asked, and gives the same key for everything.
class FixedService final : public KeyService {
 public:
  Result<Buffer> open_key(const KeyProvider&, const Request& request) override {
    asked++;
    if (as_text(request.sealed_key) == "no") return fail(Errc::denied, "the service said no");
    if (as_text(request.sealed_key) == "wait") return fail(Errc::timeout, "no answer in time");
    return key;
  }
  Buffer key = Buffer(32, std::byte{7});
  int asked = 0;
};

TEST(Decryptor, RefusesByWhatIsWrong) {
  FixedService service;
  struct Row {
    std::string value;
    Errc code;
    const char* says;
  };
  using namespace std::string_literals;
  const Row rows[] = {
      {"k8s:enc:", Errc::denied, "which the configuration does not have"},
      {"k8s:enc:rot13:v1:one:x", Errc::denied, "rot13, key 'one', which the configuration does not have"},
      {"k8s:enc:aescbc:v2:one:x", Errc::denied, "which the configuration does not have"},
      {"k8s:enc:aescbc:v1:two:x", Errc::denied, "aescbc, key 'two'"},
      {"k8s:enc:aescbc:v1:one", Errc::denied, "aescbc"},
      {"k8s:enc:aescbc:v1:one:", Errc::corrupt, "the key does not open it"},
      {"k8s:enc:aescbc:v1:one:" + std::string(32, 'x'), Errc::corrupt, "the key does not open it"},
      {"k8s:enc:aescbc:v1:one:two:x", Errc::corrupt, "the key does not open it"},
      {"k8s:enc:secretbox:v1:one:short", Errc::corrupt, "the key does not open it"},
      {"k8s:enc:kms:v2:nobody:x", Errc::denied, "kms v2, service 'nobody'"},
      {"k8s:enc:kms:v2:local:", Errc::corrupt, "the envelope of the KMS is damaged"},
      {"k8s:enc:kms:v2:local:\xff\xff", Errc::corrupt, "the envelope of the KMS is damaged"},
      {"k8s:enc:kms:v2:local:\x0a\x01x\x12\x01k", Errc::corrupt, "the envelope of the KMS is damaged"},
      {"k8s:enc:kms:v2:local:\x0a\x01x\x12\x01k\x1a\x02no", Errc::denied, "the service said no"},
      {"k8s:enc:kms:v2:local:\x0a\x01x\x12\x01k\x1a\x03yes", Errc::corrupt, "the key does not open it"},
      {"k8s:enc:kms:v2:local:\x0a\x01x\x12\x01k\x1a\x03yes\x28\x01", Errc::corrupt, "the key does not open it"},
      {"k8s:enc:kms:v2:local:\x0a\x01x\x12\x01k\x1a\x03yes\x28\x02", Errc::unsupported, "keys of kind 2"},
      {"k8s:enc:kms:v1:old:\xff\xffx", Errc::corrupt, "the envelope of the KMS is damaged"},
      {"k8s:enc:kms:v1:old:\0\0"s, Errc::corrupt, "the envelope of the KMS is damaged"},
      {"k8s:enc:kms:v1:old:\0\2no"s, Errc::denied, "the service said no"},
      {"k8s:enc:kms:v1:old:\0\3yesxxx"s, Errc::corrupt, "the key does not open it"},
  };
  Decryptor decryptor(read_encryption_configuration(as_bytes(kConfig)).value(), &service);
  for (const Row& row : rows) {
    const auto opened = decryptor.open(as_bytes(row.value), "/registry/secrets/a/b");
    ASSERT_FALSE(opened) << row.value;
    EXPECT_EQ(opened.error().code, row.code) << row.value << ": " << opened.error().what;
    EXPECT_NE(opened.error().what.find(row.says), std::string::npos) << row.value << ": " << opened.error().what;
  }
  service.asked = 0;
  for (int i = 0; i < 3; i++) {
    EXPECT_FALSE(decryptor.open(as_bytes("k8s:enc:kms:v1:old:\0\3oneabc"s), "/k"));
  }
  EXPECT_EQ(service.asked, 1);  // a key that was opened is not asked for again
  // What differs in an annotation alone is another question.
  const std::string head = "k8s:enc:kms:v2:local:\x0a\x01x\x12\x01k\x1a\x03yes";
  for (const char* annotation : {"\x22\x06\x0a\x01"
                                 "a\x12\x01"
                                 "b",
                                 "\x22\x06\x0a\x01"
                                 "a\x12\x01"
                                 "c"}) {
    EXPECT_FALSE(decryptor.open(as_bytes(head + annotation), "/k"));
  }
  EXPECT_EQ(service.asked, 3);
  // A service that does not answer is waited for once.
  for (int i = 0; i < 3; i++) {
    const auto waited = decryptor.open(as_bytes("k8s:enc:kms:v1:old:\0\4wait"s), "/k");
    EXPECT_EQ(waited.error().code, Errc::timeout);
  }
  EXPECT_EQ(service.asked, 4);
}

TEST(Decryptor, WithoutKeysSaysWhereTheyComeFrom) {
  const auto opened = Decryptor().open(as_bytes("k8s:enc:aesgcm:v1:one:x"), "/k");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::denied);
  EXPECT_EQ(opened.error().what, "encrypted with aesgcm, key 'one'");
  EXPECT_EQ(opened.error().hint, "--encryption-config FILE, the API server's, opens it");
  Decryptor no_service(read_encryption_configuration(as_bytes(kConfig)).value());
  const auto kms = no_service.open(as_bytes("k8s:enc:kms:v2:local:\x0a\x01x\x12\x01k\x1a\x03yes"), "/k");
  EXPECT_EQ(kms.error().code, Errc::denied);
}

}  // namespace
}  // namespace tidemark::kube
