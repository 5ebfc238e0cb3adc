#include "kube/storage_value.h"

#include <gtest/gtest.h>

#include "base/proto.h"

namespace tidemark::kube {
namespace {

using namespace std::string_view_literals;

TEST(StorageValue, Encodings) {
  const std::pair<std::string_view, Encoding> rows[] = {
      {"k8s:enc:aescbc:v1:key1:xxxx", Encoding::encrypted},
      {"k8s\0rest"sv, Encoding::protobuf},
      {"k8s\0"sv, Encoding::protobuf},
      {"{}", Encoding::json},
      {" \n\t{\"a\":1}", Encoding::json},
      {"\xd9\xd9\xf7\xa0", Encoding::cbor},
      {"", Encoding::other},
      {"k8s", Encoding::other},
      {"   ", Encoding::other},
      {"[1]", Encoding::other},
      {"38281", Encoding::other},
      {"x k8s\0"sv, Encoding::other},  // never searched for
  };
  for (const auto& [value, expected] : rows) EXPECT_EQ(encoding_of(as_bytes(value)), expected) << value;
}

Buffer envelope(const Buffer& type_meta, std::string_view raw, std::string_view encoding, std::string_view media) {
  Buffer value(4);
  std::ranges::copy(as_bytes("k8s\0"sv), value.begin());
  proto::append_field(value, 1, type_meta);
  proto::append_field(value, 2, as_bytes(raw));
  proto::append_field(value, 3, as_bytes(encoding));
  proto::append_field(value, 4, as_bytes(media));
  return value;
}

Buffer kind_of(std::string_view api_version, std::string_view kind) {
  Buffer meta;
  proto::append_field(meta, 1, as_bytes(api_version));
  proto::append_field(meta, 2, as_bytes(kind));
  return meta;
}

TEST(StorageValue, EnvelopeIsRead) {
  const Buffer value = envelope(kind_of("apps/v1", "Deployment"), "body", "", "");
  const auto read = read_envelope(value);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->api_version, "apps/v1");
  EXPECT_EQ(read->kind, "Deployment");
  EXPECT_EQ(as_text(read->message), "body");
}

TEST(StorageValue, WhatIsNoEnvelopeIsToldApart) {
  const Buffer kind = kind_of("v1", "Pod");
  EXPECT_TRUE(read_envelope(envelope(kind, "x", "gzip", "")));  // as the server does
  EXPECT_EQ(read_envelope(envelope(kind, "x", "", "application/json")).error().code, Errc::unsupported);
  EXPECT_TRUE(read_envelope(envelope(kind, "x", "", "application/vnd.kubernetes.protobuf")));
  EXPECT_EQ(read_envelope(envelope({}, "x", "", "")).error().code, Errc::corrupt);
  EXPECT_EQ(read_envelope(as_bytes("k8s\0"sv)).error().code, Errc::corrupt);
  // Every truncation is damage or, where a field just ended, an envelope of less.
  const Buffer whole = envelope(kind, "body", "", "");
  for (std::size_t size = 4; size < whole.size(); size++) {
    const auto read = read_envelope(Bytes(whole).first(size));
    if (read) {
      EXPECT_EQ(read->kind, "Pod") << size;
    } else {
      EXPECT_EQ(read.error().code, Errc::corrupt) << size;
    }
  }
}

}  // namespace
}  // namespace tidemark::kube
