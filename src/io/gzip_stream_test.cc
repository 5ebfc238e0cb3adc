#include "io/gzip_stream.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <random>

#include "base/testing/scale.h"
#include "io/testing/decode.h"

namespace tidemark::io {
namespace {

using testing::decode;

// Words that come again, and noise.
Buffer some_text(std::size_t size, std::mt19937_64& random) {
  Buffer text;
  while (text.size() < size) {
    const bool noise = random() % 3 == 0;
    for (auto left = random() % 20'000; left > 0 && text.size() < size; left--) {
      text.push_back(static_cast<std::byte>(noise ? random() : "key:value,"[left % 10]));
    }
  }
  return text;
}

TEST(GzipStream, IsOneMemberOfWhateverPieces) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (const std::size_t size : {0UL, 1UL, 65'535UL, 200'000UL, 3'000'000UL}) {
    const Buffer text = some_text(size, random);
    BufferSink zipped;
    GzipStreamSink sink(zipped);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t n = std::min<std::size_t>(random() % 100'000, text.size() - at);  // also none
      ASSERT_TRUE(sink.write(Bytes(text).subspan(at, n)));
      at += n;
    }
    ASSERT_TRUE(sink.finish());
    EXPECT_TRUE(decode(Codec::gzip, zipped.buffer()) == text) << size;
    // A reader that knows of one member only, as those of HTTP: nothing is behind it.
    z_stream z{};
    ASSERT_EQ(inflateInit2(&z, 31), Z_OK);
    Buffer got(size + 1);
    z.next_in = reinterpret_cast<Bytef*>(zipped.buffer().data());
    z.avail_in = static_cast<uInt>(zipped.buffer().size());
    z.next_out = reinterpret_cast<Bytef*>(got.data());
    z.avail_out = static_cast<uInt>(got.size());
    EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
    EXPECT_EQ(z.total_out, size);
    EXPECT_EQ(z.avail_in, 0U);
    inflateEnd(&z);
  }
}

TEST(GzipStream, PassesOnWhatIsReadyAndFailures) {
  struct Refusing final : Sink {
    Status write(Bytes) override { return fail(Errc::unavailable, "gone"); }
    Status finish() override { return {}; }
  } refusing;
  std::mt19937_64 random(tidemark::testing::seed());
  Buffer noise(1'000'000);
  for (std::byte& byte : noise) byte = static_cast<std::byte>(random());
  BufferSink zipped;
  GzipStreamSink sink(zipped);
  ASSERT_TRUE(sink.write(noise));
  EXPECT_GT(zipped.buffer().size(), noise.size() / 2);
  ASSERT_TRUE(sink.finish());
  GzipStreamSink failing(refusing);
  const Status failed = failing.write(noise);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace tidemark::io
