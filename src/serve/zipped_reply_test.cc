#include "serve/zipped_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/compress.h"
#include "serve/testing/past_api.h"

namespace tidemark::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::RecordedReply;

std::string text_of_gzip(const std::string& zipped) {
  auto plain = io::decompressing(io::Codec::gzip, std::make_unique<io::BytesSource>(as_bytes(zipped)));
  if (!plain) return "no gzip";
  const auto text = io::read_all(**plain, 1UL << 30U);
  return text ? std::string(as_text(*text)) : text.error().what;
}

TEST(TakesGzip, AsItIsSaid) {
  for (const char* yes : {"gzip", "deflate, gzip", "gzip;q=1.0, *;q=0", "br;q=1,  gzip ; q=0.5", "gzip;q=0.001"}) {
    EXPECT_TRUE(takes_gzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "gzip;q=0", "gzip;q=0.000", "x-gzip", "deflate, br", "gzipped", ",,;"}) {
    EXPECT_FALSE(takes_gzip(no)) << no;
  }
}

class ZippedReplyTest : public ::testing::Test {
 protected:
  static std::string letters(std::size_t count) {
    std::string text;
    while (text.size() < count) text += fmt::format("{},", text.size());
    text.resize(count);
    return text;
  }
  tidemark::testing::FakeClock clock_{Time(std::chrono::seconds(1))};
  RecordedReply wire_{clock_};
  ZippedReply reply_{wire_};
};

TEST_F(ZippedReplyTest, LargeAnswersAtOnce) {
  const std::string body = letters(ZippedReply::kLeastBytes);
  ASSERT_TRUE(reply_.send(200, {{"Content-Type", "t"}}, body));
  EXPECT_THAT(wire_.all("Content-Encoding"), ElementsAre("gzip"));
  EXPECT_THAT(wire_.all("Content-Type"), ElementsAre("t"));
  EXPECT_LT(wire_.body.size(), body.size());
  EXPECT_EQ(text_of_gzip(wire_.body), body);
}

TEST_F(ZippedReplyTest, SmallOnesNever) {
  const std::string body = letters(ZippedReply::kLeastBytes - 1);
  ASSERT_TRUE(reply_.send(404, {}, body));
  EXPECT_THAT(wire_.headers, IsEmpty());
  EXPECT_EQ(wire_.body, body);
}

TEST_F(ZippedReplyTest, StreamsThatBeginLarge) {
  const std::string first = letters(ZippedReply::kLeastBytes), rest = letters(700);
  ASSERT_TRUE(reply_.begin(200, {{"Warning", "w"}}, /*last=*/false));
  EXPECT_EQ(wire_.code, 0);  // it waits
  ASSERT_TRUE(reply_.write(first));
  ASSERT_TRUE(reply_.write(""));
  ASSERT_TRUE(reply_.write(rest));
  ASSERT_TRUE(reply_.end());
  EXPECT_EQ(wire_.code, 200);
  EXPECT_TRUE(wire_.ended);
  EXPECT_THAT(wire_.all("Content-Encoding"), ElementsAre("gzip"));
  EXPECT_THAT(wire_.all("Warning"), ElementsAre("w"));
  EXPECT_EQ(text_of_gzip(wire_.body), first + rest);
}

TEST_F(ZippedReplyTest, StreamsThatDoNot) {
  ASSERT_TRUE(reply_.begin(200, {}, /*last=*/false));
  ASSERT_TRUE(reply_.write("small"));
  ASSERT_TRUE(reply_.end());
  EXPECT_EQ(wire_.body, "small");
  EXPECT_THAT(wire_.headers, IsEmpty());
  RecordedReply nothing(clock_);
  ZippedReply empty(nothing);
  ASSERT_TRUE(empty.begin(200, {}, /*last=*/false));
  ASSERT_TRUE(empty.end());
  EXPECT_EQ(nothing.code, 200);
  EXPECT_TRUE(nothing.ended);
}

// A watch arrives piece by piece, however large its beginning is.
TEST_F(ZippedReplyTest, WatchesNever) {
  const std::string body = letters(ZippedReply::kLeastBytes * 2);
  ASSERT_TRUE(reply_.begin(200, {}, /*last=*/true));
  EXPECT_EQ(wire_.code, 200);
  ASSERT_TRUE(reply_.write(body));
  EXPECT_EQ(wire_.body, body);
  EXPECT_TRUE(wire_.last);
}

TEST_F(ZippedReplyTest, AClientThatGoesAway) {
  wire_.cut_after = 0;
  ASSERT_TRUE(reply_.begin(200, {}, /*last=*/false));
  bool failed = false;
  for (int i = 0; i < 100 && !failed; i++) failed = !reply_.write(letters(ZippedReply::kLeastBytes));
  EXPECT_TRUE(failed);
}

// The whole API behind it: the same list, packed and not.
TEST(ZippedApi, ListsAreTheSame) {
  const auto past = testing::PastApi::open();
  ASSERT_TRUE(past);
  for (const char* path : {"/api/v1/events", "/openapi/v3/apis/apps/v1", "/api/v1/namespaces/none/pods"}) {
    const RecordedReply plain = past->get(path);
    Request asking = testing::PastApi::request(path);
    asking.accept_encoding = "gzip";
    const RecordedReply zipped = past->ask(asking);
    EXPECT_EQ(zipped.code, plain.code) << path;
    const bool large = plain.body.size() >= ZippedReply::kLeastBytes;
    EXPECT_EQ(zipped.all("Content-Encoding").size(), large ? 1U : 0U) << path << " " << plain.body.size();
    EXPECT_EQ(large ? text_of_gzip(zipped.body) : zipped.body, plain.body) << path;
  }
  EXPECT_GE(past->get("/api/v1/events").body.size(), ZippedReply::kLeastBytes);
}

}  // namespace
}  // namespace tidemark::serve
