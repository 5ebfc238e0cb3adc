#include "capture/secrecy.h"

#include <gtest/gtest.h>

namespace tidemark::capture {
namespace {

struct Row {
  const char* key;
  std::string value;
  std::uint64_t clear, encrypted, others;
};

TEST(Secrecy, IsToldFromKeysAndValues) {
  const std::string proto("k8s\0\n\x06", 6);
  const Row rows[] = {
      {"/registry/secrets/kube-system/token", proto, 1, 0, 0},
      {"/registry/secrets/kube-system/token", "{\"kind\":\"Secret\"}", 1, 0, 0},
      {"/registry/secrets/kube-system/token", "", 1, 0, 0},
      {"/kubernetes.io/secrets/default/x", proto, 1, 0, 0},
      {"/registry/secrets/kube-system/token", "k8s:enc:aescbc:v1:key1:\x01\x02", 0, 1, 0},
      {"/registry/secrets/kube-system/token", "k8s:enc:kms:v2:vault:\x01", 0, 1, 0},
      {"/registry/configmaps/default/c", "k8s:enc:secretbox:v1:key1:\x01", 0, 0, 1},
      {"/registry/configmaps/default/c", proto, 0, 0, 0},
      {"/registry/pods/secrets/web", proto, 0, 0, 0},
      {"/registry/configmaps/secrets/a", proto, 0, 0, 0},
      {"/registry/example.com/secrets/default/x", proto, 0, 0, 0},
      {"/registry/secrets/", proto, 0, 0, 0},
      {"/secrets/a/b", proto, 0, 0, 0},
      {"secrets/a/b", proto, 0, 0, 0},
      {"", proto, 0, 0, 0},
      {"/registry/secrets/a/b", "K8S:ENC:aes", 1, 0, 0},
      {"/registry/secrets/a/b", "k8s:enc:", 0, 1, 0},
  };
  for (const Row& row : rows) {
    Secrecy found;
    etcd::KeyValue kv;
    kv.key = as_bytes(std::string_view(row.key));
    kv.value = as_bytes(row.value);
    found.look_at(kv);
    EXPECT_EQ(found.secrets_in_clear, row.clear) << row.key;
    EXPECT_EQ(found.secrets_encrypted, row.encrypted) << row.key;
    EXPECT_EQ(found.others_encrypted, row.others) << row.key;
  }
}

TEST(Secrecy, NamesProvidersAndNothingElseOfAValue) {
  Secrecy found;
  etcd::KeyValue kv;
  kv.key = as_bytes(std::string_view("/registry/secrets/a/b"));
  for (const std::string value : {"k8s:enc:aescbc:v1:k:", "k8s:enc:kms:v2:p:", "k8s:enc:aescbc:v1:k:"}) {
    kv.value = as_bytes(value);
    found.look_at(kv);
  }
  const std::string hostile = "k8s:enc:" + std::string(5000, 'x') + ":";
  kv.value = as_bytes(hostile);
  found.look_at(kv);
  EXPECT_EQ(found.providers, (std::set<std::string>{"aescbc", "kms"}));
  EXPECT_EQ(found.secrets_encrypted, 4U);
}

}  // namespace
}  // namespace tidemark::capture
