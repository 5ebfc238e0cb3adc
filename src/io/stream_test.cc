#include "io/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace tidemark::io {
namespace {

// Gives the bytes in pieces of at most `piece`, then fails if asked to.
class DripSource final : public Source {
 public:
  DripSource(Bytes bytes, std::size_t piece, bool fails_at_the_end)
      : left_(bytes), piece_(piece), fails_(fails_at_the_end) {}
  Result<std::size_t> read(MutableBytes into) override {
    if (left_.empty() && fails_) return fail(Errc::io, "the wire is cut");
    BytesSource next(left_.first(std::min(piece_, left_.size())));
    TM_LET(const std::size_t n, next.read(into));
    left_ = left_.subspan(n);
    return n;
  }

 private:
  Bytes left_;
  std::size_t piece_;
  bool fails_;
};

// Takes so many bytes, then fails; remembers whether it was finished.
class NarrowSink final : public Sink {
 public:
  NarrowSink(std::size_t room, bool finishes) : room_(room), finishes_(finishes) {}
  Status write(Bytes bytes) override {
    if (bytes.size() > room_) return fail(Errc::no_space, "full");
    room_ -= bytes.size();
    return {};
  }
  Status finish() override {
    finished++;
    if (!finishes_) return fail(Errc::io, "the last block was lost");
    return {};
  }
  int finished = 0;

 private:
  std::size_t room_;
  bool finishes_;
};

const std::string kText(700'001, 'q');

TEST(Stream, PumpMovesEverythingAndFinishesOnce) {
  for (const std::size_t piece : {1UL << 10U, 1UL << 18U, 1UL << 20U}) {
    DripSource source(as_bytes(kText), piece, false);
    BufferSink sink;
    CountingSink counting(sink);
    EXPECT_EQ(pump(source, counting).value(), kText.size());
    EXPECT_EQ(counting.bytes(), kText.size());
    EXPECT_EQ(as_text(sink.buffer()), kText);
  }
  BytesSource source(as_bytes(kText));
  NarrowSink sink(kText.size(), true);
  EXPECT_TRUE(pump(source, sink));
  EXPECT_EQ(sink.finished, 1);
}

TEST(Stream, PumpOfNothingFinishes) {
  BytesSource source({});
  NarrowSink sink(0, true);
  EXPECT_EQ(pump(source, sink).value(), 0U);
  EXPECT_EQ(sink.finished, 1);
}

TEST(Stream, PumpTellsWhoFailed) {
  {
    DripSource source(as_bytes(kText), 1000, true);
    NarrowSink sink(kText.size(), true);
    EXPECT_EQ(pump(source, sink).error().what, "the wire is cut");
    EXPECT_EQ(sink.finished, 0);  // half a stream is not finished
  }
  {
    BytesSource source(as_bytes(kText));
    NarrowSink sink(kText.size() - 1, true);
    EXPECT_EQ(pump(source, sink).error().code, Errc::no_space);
    EXPECT_EQ(sink.finished, 0);
  }
  {
    BytesSource source(as_bytes(kText));
    NarrowSink sink(kText.size(), false);
    EXPECT_EQ(pump(source, sink).error().what, "the last block was lost");
  }
}

TEST(Stream, ReadFullGathersShortReads) {
  DripSource source(as_bytes("abcdefgh"), 3, false);
  Buffer five(5);
  EXPECT_EQ(read_full(source, five).value(), 5U);
  EXPECT_EQ(as_text(five), "abcde");
  EXPECT_EQ(read_full(source, five).value(), 3U);  // the end
  EXPECT_EQ(read_full(source, five).value(), 0U);
  DripSource cut(as_bytes("abc"), 3, true);
  EXPECT_FALSE(read_full(cut, five));
}

TEST(Stream, ReadAllStopsAtItsLimit) {
  struct Row {
    std::uint64_t limit;
    bool ok;
  };
  for (const Row& row : {Row{700'002, true}, Row{700'001, true}, Row{700'000, false}, Row{0, false}}) {
    BytesSource source(as_bytes(kText));
    const auto got = read_all(source, row.limit);
    ASSERT_EQ(got.has_value(), row.ok) << row.limit;
    if (!got) {
      EXPECT_EQ(got.error().code, Errc::corrupt);
    }
  }
  BytesSource nothing({});
  EXPECT_TRUE(read_all(nothing, 0).value().empty());
  DripSource cut(as_bytes(kText), 1000, true);
  EXPECT_EQ(read_all(cut, UINT64_MAX).error().code, Errc::io);
}

}  // namespace
}  // namespace tidemark::io
