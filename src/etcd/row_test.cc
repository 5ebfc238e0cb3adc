#include "etcd/row.h"

#include <gtest/gtest.h>

#include "etcd/key_set.h"

namespace tidemark::etcd {
namespace {

KeyValue kv(std::string_view key, std::int64_t create, std::int64_t mod, std::int64_t version, std::string_view value,
            std::int64_t lease) {
  return {as_bytes(key), as_bytes(value), Revision(create), Revision(mod), version, LeaseId(lease)};
}

bool same(const KeyValue& a, const KeyValue& b) {
  return compare(a.key, b.key) == 0 && compare(a.value, b.value) == 0 && a.create == b.create && a.mod == b.mod &&
         a.version == b.version && a.lease == b.lease;
}

TEST(RowKey, Bytes) {
  EXPECT_EQ(to_hex(encode_row_key({Revision(2), 0, false}).view()), "00000000000000025f0000000000000000");
  EXPECT_EQ(to_hex(encode_row_key({Revision(0x1234), 5, true}).view()), "00000000000012345f000000000000000574");
  for (const RowId id : {RowId{Revision(1), 0, false}, RowId{Revision(INT64_MAX), INT64_MAX, true}}) {
    const auto back = decode_row_key(encode_row_key(id).view());
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, id);
  }
}

TEST(RowKey, Bad) {
  const RowKey good = encode_row_key({Revision(7), 1, true});
  for (std::size_t size = 0; size < 17; size++)
    EXPECT_EQ(decode_row_key(good.view().first(size)).error().code, Errc::corrupt) << size;
  const struct {
    std::size_t at;
    std::byte value;
  } rows[] = {{8, std::byte{'-'}}, {17, std::byte{'u'}}, {0, std::byte{0x80}}, {9, std::byte{0x80}}};
  for (const auto& row : rows) {
    RowKey bad = good;
    bad.bytes[row.at] = row.value;
    EXPECT_FALSE(decode_row_key(bad.view())) << row.at;
  }
  const Buffer longer(19);
  EXPECT_FALSE(decode_row_key(longer));
}

TEST(KeyValue, CanonicalBytes) {
  const struct {
    KeyValue value;
    const char* hex;
  } rows[] = {
      {kv("", 0, 0, 0, "", 0), ""},
      {kv("k", 0, 0, 0, "", 0), "0a016b"},
      {kv("k", 2, 3, 2, "v", 0), "0a016b1002180320022a0176"},
      {kv("k", 2, 300, 1, "", 5), "0a016b100218ac0220013005"},
      {kv("k", 1, 1, 1, "", -1),
       "0a016b100118012001"
       "30ffffffffffffffffff01"},
  };
  for (const auto& row : rows) {
    Buffer bytes;
    append_key_value(row.value, bytes);
    EXPECT_EQ(to_hex(bytes), row.hex);
    EXPECT_EQ(bytes.size(), encoded_size(row.value));
    const auto back = decode_key_value(bytes);
    ASSERT_TRUE(back) << row.hex;
    EXPECT_TRUE(same(*back, row.value)) << row.hex;
  }
}

TEST(KeyValue, BadAndForeign) {
  const struct {
    std::string bytes;
    bool good;
    const char* why;
  } rows[] = {
      {std::string("\x0a\x01k\x38\x05", 5), true, "unknown varint"},
      {std::string("\x0a\x01k\x3a\x01x", 6), true, "unknown bytes"},
      {std::string("\x0a\x01k\x3d"
                   "abcd",
                   8),
       true, "unknown fixed32"},
      {std::string("\x0a\x02k", 3), false, "length beyond the end"},
      {std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11), false, "length 2^64-1"},
      {std::string("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11), false, "varint of 65 bits"},
      {std::string("\x10\xff", 2), false, "varint without an end"},
      {std::string("\x08\x01", 2), false, "key as a number"},
      {std::string("\x12\x00", 2), false, "create as bytes"},
      {std::string("\x00\x00", 2), false, "field 0"},
      {std::string("\x3b\x3c", 2), false, "group"},
      {std::string("\x3e", 1), false, "wire type 6"},
      {std::string("\x39"
                   "abc",
                   4),
       false, "short fixed64"},
  };
  for (const auto& row : rows) EXPECT_EQ(decode_key_value(as_bytes(row.bytes)).has_value(), row.good) << row.why;
}

TEST(KeyValue, EveryPrefixDiffers) {
  const KeyValue whole = kv("key", 100, 2000, 300, "value", 70000);
  Buffer bytes;
  append_key_value(whole, bytes);
  for (std::size_t size = 0; size < bytes.size(); size++) {
    const auto cut = decode_key_value(Bytes(bytes).first(size));
    if (cut) {
      EXPECT_FALSE(same(*cut, whole)) << size;
    }
  }
}

TEST(KeySet, ManyKeys) {
  const KeyHasher hasher(1, 2);
  KeySet set;
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 5000; i++) {
      const std::string key = "/registry/pods/default/" + std::to_string(i);
      EXPECT_EQ(set.insert(hasher(as_bytes(key))), round == 0) << key;
      EXPECT_TRUE(set.contains(hasher(as_bytes(key))));
    }
  EXPECT_EQ(set.size(), 5000U);
  EXPECT_FALSE(set.contains(hasher(as_bytes("another"))));
  EXPECT_LE(set.memory(), 5000U * 37);
}

TEST(KeyHasher, TellsLengthsAndSeedsApart) {
  const KeyHasher one(1, 2), other(1, 3);
  Buffer zeros(40);
  for (std::size_t n = 0; n < zeros.size(); n++)
    EXPECT_NE(one(Bytes(zeros).first(n)), one(Bytes(zeros).first(n + 1))) << n;
  EXPECT_NE(one(as_bytes("k")), other(as_bytes("k")));
  EXPECT_NE(KeyHasher::random()(as_bytes("k")), KeyHasher::random()(as_bytes("k")));
}

}  // namespace
}  // namespace tidemark::etcd
