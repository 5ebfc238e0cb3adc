#include "crypto/sha256.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::crypto {
namespace {

std::string hex(const auto& digest) { return to_hex(Bytes(digest)); }

// FIPS 180-4's examples, as NIST publishes them.
TEST(Sha256, PublishedVectors) {
  struct Row {
    std::string text;
    std::string_view sha256, sha1;
  };
  const Row rows[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
       "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
       "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
      {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
       "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(hex(sha256(as_bytes(row.text))), row.sha256) << row.text.size() << " bytes";
    EXPECT_EQ(hex(sha1(as_bytes(row.text))), row.sha1) << row.text.size() << " bytes";
  }
}

// Pieces of every size around the block of 64 bytes give the digest of the whole.
TEST(Sha256, PiecesDoNotMatter) {
  const std::string text(257, 'x');
  const std::string whole = hex(sha256(as_bytes(text)));
  for (std::size_t piece = 1; piece <= 130; piece++) {
    Sha256 stream;
    for (std::size_t at = 0; at < text.size(); at += piece) stream.update(as_bytes(text.substr(at, piece)));
    EXPECT_EQ(hex(stream.finish()), whole) << piece;
  }
}

TEST(Sha256, SoFarDoesNotEndTheStream) {
  Sha256 stream;
  stream.update(as_bytes("ab"));
  EXPECT_EQ(stream.so_far(), sha256(as_bytes("ab")));
  EXPECT_EQ(stream.so_far(), sha256(as_bytes("ab")));
  stream.update(as_bytes("c"));
  EXPECT_EQ(stream.finish(), sha256(as_bytes("abc")));
}

TEST(Sha256, FinishStartsANewStream) {
  Sha256 stream;
  stream.update(as_bytes("abc"));
  EXPECT_EQ(stream.finish(), sha256(as_bytes("abc")));
  EXPECT_EQ(stream.finish(), sha256({}));
}

TEST(Sha256, MovesWithItsState) {
  Sha256 first;
  first.update(as_bytes("ab"));
  Sha256 second = std::move(first);
  second.update(as_bytes("c"));
  EXPECT_EQ(second.finish(), sha256(as_bytes("abc")));
}

}  // namespace
}  // namespace tidemark::crypto
