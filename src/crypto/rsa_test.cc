#include "crypto/rsa.h"

#include <gtest/gtest.h>

#include "crypto/crc32c.h"
#include "crypto/testing/rsa_key.h"

namespace tidemark::crypto {
namespace {

TEST(Rs256, Rfc7515AppendixA2) {
  const auto signature = sign_rs256(
      testing::kRfc7515Key,
      as_bytes("eyJhbGciOiJSUzI1NiJ9."
               "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"));
  ASSERT_TRUE(signature) << signature.error().what;
  EXPECT_EQ(to_base64url(*signature),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
            "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
            "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
            "wlVmtVrBp0igcN_IoypGlUPQGe77Rw");
}

TEST(Rs256, WhatIsNoKeyIsRefusedWithoutShowingIt) {
  const std::string whole(testing::kRfc7515Key);
  const std::string elliptic =  // made for this test by openssl ecparam
      "-----BEGIN PRIVATE KEY-----\n"
      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYsuVYfJcG8Vpf5pd\n"
      "xeScqYxJ6xGYpJd2l5xTbCr37NihRANCAAQl9m26B79dYYgn3NTCjKvuOyusmPlZ\n"
      "rGGRoTC7O8HgEsLH65aIbjCB/HS7aPzTwpvvuXo8Fv2qSu1C+LBDcU2v\n"
      "-----END PRIVATE KEY-----\n";
  for (const std::string& bad :
       {std::string(), std::string("secret-words"), whole.substr(0, whole.size() / 2), elliptic,
        std::string("-----BEGIN PUBLIC KEY-----\nsecret-words\n-----END PUBLIC KEY-----\n")}) {
    const auto signature = sign_rs256(bad, as_bytes("x"));
    ASSERT_FALSE(signature);
    EXPECT_EQ(signature.error().code, Errc::invalid);
    EXPECT_EQ(signature.error().what.find("secret-words"), std::string::npos);
  }
}

TEST(Base64Url, HasNeitherPaddingNorSlash) {
  const std::byte bytes[] = {std::byte{0xfb}, std::byte{0xff}, std::byte{0xfe}, std::byte{0xff}};
  EXPECT_EQ(to_base64url(bytes), "-__-_w");
  EXPECT_EQ(to_base64url({}), "");
}

TEST(Crc32c, OfPieces) {
  EXPECT_EQ(crc32c(0, as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(crc32c(0, as_bytes("1234")), as_bytes("56789")), 0xe3069283U);
  EXPECT_EQ(crc32c(0, {}), 0U);
}

}  // namespace
}  // namespace tidemark::crypto
