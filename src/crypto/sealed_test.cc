#include "crypto/sealed.h"

#include <gtest/gtest.h>

namespace tidemark::crypto {
namespace {

constexpr std::string_view kPlain = R"({"kind":"Secret"})";

Buffer from_hex(std::string_view hex) {
  Buffer bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// 0, 1, 2, …
Buffer counted(std::size_t size) {
  Buffer bytes;
  for (std::size_t i = 0; i < size; i++) bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}

Buffer joined(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string text_of(const std::optional<Buffer>& plain) {
  return plain ? std::string(as_text(*plain)) : std::string("refused");
}

// Each sealed by another program (openssl enc, Python's cryptography, libsodium from Python).
TEST(Sealed, CbcOfEveryKeySize) {
  const std::pair<std::size_t, const char*> rows[] = {
      {16, "94df35c9b979736106b2d20e6a3786e72f403092c183f595f88d341b9723ca6c"},
      {24, "6229a9da7d922425d89a7984ea95f5395f484790e2f4e48004b9c24f650d96a9"},
      {32, "1e99f42a87db9ef8ab2a289efc82058d9b6df3c3b806157e27663d659124bb7a"},
  };
  for (const auto& [size, sealed] : rows) {
    const Buffer whole = joined(counted(16), from_hex(sealed));
    EXPECT_EQ(text_of(open_aes_cbc(counted(size), whole)), kPlain) << size;
    for (std::size_t cut = 0; cut < whole.size(); cut++) {
      EXPECT_NE(text_of(open_aes_cbc(counted(size), Bytes(whole).first(cut))), kPlain) << cut;
    }
  }
  // Sixteen bytes of text have a block of padding behind them.
  const Buffer full = joined(counted(16), from_hex("932e957bdf62ac2c8e08f7ff65a9c33d2bd15d428a3d54d271bde9a49a4e6622"));
  EXPECT_EQ(text_of(open_aes_cbc(counted(16), full)), R"({"kind":"ABCDEF")");
}

TEST(Sealed, Gcm) {
  const Buffer whole =
      joined(counted(12), from_hex("3c20bd72ab81e021af12f2e8c38c0c4ffe97acef853ea0993f30b710b4e6e5b6ea"));
  const Bytes with = as_bytes("/registry/secrets/a/b");
  EXPECT_EQ(text_of(open_aes_gcm(counted(32), whole, with)), kPlain);
  EXPECT_EQ(text_of(open_aes_gcm(counted(32), whole, as_bytes("/registry/secrets/a/c"))), "refused");
  EXPECT_EQ(text_of(open_aes_gcm(counted(32), whole, {})), "refused");
  EXPECT_EQ(text_of(open_aes_gcm(counted(16), whole, with)), "refused");
  for (std::size_t i = 0; i < whole.size(); i++) {
    EXPECT_EQ(text_of(open_aes_gcm(counted(32), Bytes(whole).first(i), with)), "refused") << i;
    Buffer flipped = whole;
    flipped[i] ^= std::byte{1};
    EXPECT_EQ(text_of(open_aes_gcm(counted(32), flipped, with)), "refused") << i;
  }
}

TEST(Sealed, Secretbox) {
  const Buffer whole = from_hex(
      "000102030405060708090a0b0c0d0e0f1011121314151617"
      "04ea051d45311f98b1b8fa426fca41d025dd5326a9ae802a996fea5d1aea3eb52f");
  EXPECT_EQ(text_of(open_secretbox(counted(32), whole)), kPlain);
  EXPECT_EQ(text_of(open_secretbox(counted(31), whole)), "refused");
  Buffer other = counted(32);
  other[0] = std::byte{9};
  EXPECT_EQ(text_of(open_secretbox(other, whole)), "refused");
  for (std::size_t i = 0; i < whole.size(); i++) {
    EXPECT_EQ(text_of(open_secretbox(counted(32), Bytes(whole).first(i))), "refused") << i;
    Buffer flipped = whole;
    flipped[i] ^= std::byte{1};
    EXPECT_EQ(text_of(open_secretbox(counted(32), flipped)), "refused") << i;
  }
}

// The first 32 bytes of RFC 5869's first case.
TEST(Sealed, HkdfExpand) {
  const Buffer key = from_hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  const Secret32 made = hkdf_expand_sha256(key, from_hex("f0f1f2f3f4f5f6f7f8f9"));
  EXPECT_EQ(to_hex(made.bytes()), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

}  // namespace
}  // namespace tidemark::crypto
