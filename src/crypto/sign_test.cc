#include "crypto/sign.h"

#include <gtest/gtest.h>

namespace tidemark::crypto {
namespace {

TEST(Hmac, Rfc4231) {
  struct Row {
    std::string key, text;
    const char* digest;
  };
  const Row rows[] = {
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
  };
  for (const Row& row : rows) EXPECT_EQ(to_hex(hmac_sha256(as_bytes(row.key), as_bytes(row.text))), row.digest);
}

TEST(Md5, Rfc1321) {
  EXPECT_EQ(to_hex(md5({})), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(md5(as_bytes("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
  Md5 pieces;
  for (int i = 0; i < 2; ++i) {
    pieces.update(as_bytes("message "));
    pieces.update(as_bytes("digest"));
    EXPECT_EQ(to_hex(pieces.finish()), "f96b697d7cb7938d525a2f31aaf161d0");
  }
  EXPECT_EQ(to_hex(pieces.finish()), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(Base64, Rfc4648AndWhatIsNone) {
  const char* const texts[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
  const char* const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t i = 0; i < std::size(texts); ++i) {
    EXPECT_EQ(to_base64(as_bytes(texts[i])), coded[i]);
    EXPECT_EQ(as_text(from_base64(coded[i]).value()), texts[i]);
  }
  for (const char* bad :
       {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "====", "Z===", "Zg==Zg==", "Zm-v"}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
}

}  // namespace
}  // namespace tidemark::crypto
