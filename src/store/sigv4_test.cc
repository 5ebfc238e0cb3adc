#include "store/sigv4.h"

#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "crypto/sha256.h"

namespace tidemark::store {
namespace {

std::string signature_of(const net::Request& request) {
  const std::string_view text = net::header_value(request.headers, "Authorization");
  return std::string(text.substr(text.rfind('=') + 1));
}

// AWS's published test suite: service "service", 2015-08-30T12:36:00Z.
TEST(SigV4, TheTestSuiteThatAwsPublished) {
  const AwsCredentials who{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
  const Time now = parse_rfc3339("2015-08-30T12:36:00Z").value();
  struct Row {
    const char* name;
    net::Request request;
    const char* body;
    const char* signature;
  };
  const std::string host = "https://example.amazonaws.com/";
  const Row rows[] = {
      {"get-vanilla", {.url = host}, "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       {.url = host + "?Param1=value1&Param2=value2"},
       "",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-utf8-query",
       {.url = host + "?%E1%88%B4=bar"},
       "",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"post-vanilla",
       {.method = "POST", .url = host},
       "",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-x-www-form-urlencoded",
       {.method = "POST", .url = host, .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}},
       "Param1=value1",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
      {"get-header-value-trim",
       {.url = host, .headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}},
       "",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
  };
  for (const Row& row : rows) {
    net::Request request = row.request;
    ASSERT_TRUE(sign_v4(request, who, {"us-east-1", "service"}, to_hex(crypto::sha256(as_bytes(row.body))), now));
    EXPECT_EQ(signature_of(request), row.signature) << row.name;
    EXPECT_EQ(net::header_value(request.headers, "X-Amz-Date"), "20150830T123600Z");
  }
}

// The worked examples of S3's documentation.
TEST(SigV4, TheExamplesOfS3) {
  const AwsCredentials who{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
  const Time now = parse_rfc3339("2013-05-24T00:00:00Z").value();
  const std::string host = "https://examplebucket.s3.amazonaws.com/";
  struct Row {
    net::Request request;
    const char* body;
    const char* signature;
  };
  const Row rows[] = {
      {{.url = host + "test.txt", .headers = {{"Range", "bytes=0-9"}}},
       "",
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {{.method = "PUT",
        .url = host + "test%24file.text",
        .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}},
       "Welcome to Amazon S3.",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {{.url = host + "?lifecycle="}, "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {{.url = host + "?max-keys=2&prefix=J"}, "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (const Row& row : rows) {
    net::Request request = row.request;
    const std::string sha = to_hex(crypto::sha256(as_bytes(row.body)));
    request.headers.push_back({"x-amz-content-sha256", sha});
    ASSERT_TRUE(sign_v4(request, who, {"us-east-1", "s3"}, sha, now));
    EXPECT_EQ(signature_of(request), row.signature) << request.url;
  }
}

TEST(SigV4, EverythingThatIsSignedChangesTheSignature) {
  const AwsCredentials who{"A", "S"};
  const Time now = parse_rfc3339("2013-05-24T00:00:00Z").value();
  const auto sign = [&](net::Request request, const AwsCredentials& by, const SigningScope& scope, Time at) {
    EXPECT_TRUE(sign_v4(request, by, scope, kEmptySha256, at));
    return signature_of(request);
  };
  const net::Request plain{.url = "https://h/p?q=1"};
  const std::string expected = sign(plain, who, {"r", "s3"}, now);
  EXPECT_EQ(sign({.url = "https://h:443/p?q=1"}, who, {"r", "s3"}, now), expected);
  EXPECT_NE(sign({.method = "PUT", .url = plain.url}, who, {"r", "s3"}, now), expected);
  EXPECT_NE(sign({.url = "https://h/P?q=1"}, who, {"r", "s3"}, now), expected);
  EXPECT_NE(sign({.url = "https://h/p?q=2"}, who, {"r", "s3"}, now), expected);
  EXPECT_NE(sign({.url = "https://h:444/p?q=1"}, who, {"r", "s3"}, now), expected);
  EXPECT_NE(sign({.url = plain.url, .headers = {{"If-None-Match", "*"}}}, who, {"r", "s3"}, now), expected);
  EXPECT_NE(sign(plain, {"A", "T"}, {"r", "s3"}, now), expected);
  EXPECT_NE(sign(plain, {"A", "S", "token"}, {"r", "s3"}, now), expected);
  EXPECT_NE(sign(plain, who, {"r2", "s3"}, now), expected);
  EXPECT_NE(sign(plain, who, {"r", "sts"}, now), expected);
  EXPECT_NE(sign(plain, who, {"r", "s3"}, now + std::chrono::seconds(1)), expected);
  net::Request bad{.url = "nowhere"};
  EXPECT_FALSE(sign_v4(bad, who, {"r", "s3"}, kEmptySha256, now));
}

}  // namespace
}  // namespace tidemark::store
