#include "inspect/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::inspect {
namespace {

TEST(Keys, Providers) {
  const std::pair<std::string, std::string> rows[] = {
      {"k8s:enc:aescbc:v1:key1:\x01\x02", "aescbc v1 key1"},
      {"k8s:enc:secretbox:v1:key-2:x", "secretbox v1 key-2"},
      {"k8s:enc:kms:v2:vault:x", "kms v2 vault"},
      {"k8s:enc:aesgcm:v1:", "unknown"},
      {"k8s:enc:aescbc:v1:key1", "unknown"},
      {"k8s:enc:::key:", "unknown"},
      {"k8s:enc:aes\x01:v1:key1:", "unknown"},
      {"k8s:enc:aescbc:v1:" + std::string(600, 'k') + ":", "unknown"},
      {std::string("k8s\0\n", 5), ""},
      {"{\"kind\":\"Secret\"}", ""},
      {"", ""},
      {"k8s:en", ""},
  };
  for (const auto& [value, provider] : rows) EXPECT_EQ(provider_of(as_bytes(value)), provider) << value;
}

TEST(Keys, WhatIsKeptIsParsedStrictly) {
  const auto good = parse_keys_kept(
      R"({"kind":"KeysKept","formatVersion":1,"keys":[{"name":"cluster-ca","kept":"safe 4","more":1}],"note":""})");
  ASSERT_TRUE(good) << good.error().what;
  ASSERT_EQ(good->size(), 1U);
  EXPECT_EQ(good->front().kept, "safe 4");
  EXPECT_EQ(parse_keys_kept(R"({"kind":"KeysKept","formatVersion":2,"keys":[]})").error().code, Errc::unsupported);
  for (const char* bad :
       {"", "[]", "{}", R"({"kind":"Keys","formatVersion":1,"keys":[]})", R"({"kind":"KeysKept","keys":[]})",
        R"({"kind":"KeysKept","formatVersion":0,"keys":[]})", R"({"kind":"KeysKept","formatVersion":1})",
        R"({"kind":"KeysKept","formatVersion":1,"keys":{}})", R"({"kind":"KeysKept","formatVersion":1,"keys":[1]})",
        R"({"kind":"KeysKept","formatVersion":1,"keys":[{"name":"x"}]})",
        R"({"kind":"KeysKept","formatVersion":1,"keys":[{"name":"x","kept":""}]})",
        R"({"kind":"KeysKept","formatVersion":1,"keys":[{"name":1,"kept":"x"}]})"}) {
    const auto parsed = parse_keys_kept(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Errc::corrupt) << bad;
  }
}

// What people write is not trusted either: copying a value that is nested so deep would end the process.
TEST(Keys, DeepNestingIsNoMatter) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const char* field : {"kind", "formatVersion", "keys"}) {
    std::string text = R"({"kind":"KeysKept","formatVersion":1,"keys":[]})";
    const std::size_t at = text.find(':', text.find(field)) + 1;
    text.replace(at, text.find_first_of(",}", at) - at, deep);
    const auto parsed = parse_keys_kept(text);
    ASSERT_FALSE(parsed) << field;
    EXPECT_EQ(parsed.error().code, Errc::corrupt) << field;
  }
}

TEST(Keys, OnlyWhatIsNeededIsMissed) {
  const auto names = [](const NeededKeys& needed, const std::vector<KeptKey>& kept) {
    std::string text;
    for (const MissingKey& key : missing_keys(needed, kept)) text += key.name + " ";
    return text;
  };
  const NeededKeys none{}, plain{.kubernetes = true, .providers = {}, .plain_secrets = 3},
      encrypted{.kubernetes = true, .providers = {{"aescbc v1 key1", 4}}, .plain_secrets = 0};
  EXPECT_EQ(names(none, {}), "");
  EXPECT_EQ(names(plain, {}), "service-account-key cluster-ca ");
  EXPECT_EQ(names(encrypted, {}), "encryption-config service-account-key cluster-ca ");
  EXPECT_EQ(names(encrypted, {{"encryption-config", "x"}, {"cluster-ca", "y"}}), "service-account-key ");
  EXPECT_THAT(missing_keys(encrypted, {})[0].why,
              ::testing::HasSubstr("4 values are encrypted at rest (aescbc v1 key1)"));
}

}  // namespace
}  // namespace tidemark::inspect
