#include "io/read_ahead.h"

#include <gtest/gtest.h>

#include <random>

#include "base/testing/scale.h"

namespace tidemark::io {

namespace {

// Gives `text` in random pieces, then ends or fails.
class Pieces final : public Source {
 public:
  Pieces(Bytes text, Status at_end) : left_(text), at_end_(std::move(at_end)), random_(testing::seed()) {}
  Result<std::size_t> read(MutableBytes into) override {
    if (left_.empty()) {
      TM_CHECK(at_end_);
      return 0UL;
    }
    const std::size_t n = std::min({into.size(), left_.size(), 1 + random_() % 100'000});
    std::copy_n(left_.begin(), n, into.begin());
    left_ = left_.subspan(n);
    return n;
  }

 private:
  Bytes left_;
  Status at_end_;
  std::mt19937_64 random_;
};

Buffer numbered(std::size_t size) {
  Buffer text(size);
  for (std::size_t i = 0; i < size; i++) text[i] = static_cast<std::byte>(i * 7 + i / 251);
  return text;
}

}  // namespace

TEST(ReadAhead, SameBytes) {
  for (const std::size_t size : {0UL, 1UL, 262144UL, 262145UL, 9'000'000UL}) {
    const Buffer text = numbered(size);
    Pieces from(text, {});
    ReadAhead ahead(from, 1UL << 20U);
    EXPECT_TRUE(*read_all(ahead, size) == text) << size;
    Buffer one(1);
    EXPECT_EQ(*ahead.read(one), 0U);  // the end stays the end
  }
}

TEST(ReadAhead, FailureComesInItsPlaceAndStays) {
  const Buffer text = numbered(1'000'000);
  Pieces from(text, fail(Errc::torn, "cut"));
  ReadAhead ahead(from);
  Buffer got, chunk(100'000);
  for (;;) {
    const auto n = ahead.read(chunk);
    if (!n) {
      EXPECT_EQ(n.error().code, Errc::torn);
      break;
    }
    ASSERT_GT(*n, 0U);
    got.insert(got.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*n));
  }
  EXPECT_TRUE(std::equal(got.begin(), got.end(), text.begin()));
  EXPECT_EQ(ahead.read(chunk).error().code, Errc::torn);
}

TEST(ReadAhead, MayBeLeftInTheMiddle) {
  const Buffer text = numbered(20'000'000);
  Pieces from(text, {});
  ReadAhead ahead(from, 1UL << 20U);
  EXPECT_EQ(ahead.next(100)->size(), 100U);
}

}  // namespace tidemark::io
