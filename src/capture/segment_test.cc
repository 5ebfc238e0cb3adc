#include "capture/segment.h"

#include <gtest/gtest.h>

#include <fstream>

#include "capture/segment_format.h"
#include "capture/testing/events.h"
#include "etcd/crc32c.h"

namespace tidemark::capture {
namespace {

using testing::Events;

const Time kNoon{std::chrono::seconds(1'800'000'000)};

class SegmentFile : public ::testing::Test {
 protected:
  io::Path path() const { return dir_.path() / "s.segment"; }
  Buffer bytes() const { return io::read_file(path(), 1UL << 30U).value(); }
  void rewrite(Bytes bytes) {
    std::ofstream out(path(), std::ios::binary | std::ios::trunc);
    out << as_text(bytes);
    ASSERT_TRUE(out.flush());
  }
  // Three commits: revisions 5-6, 7 (with a deletion), 8-10; then a seal.
  std::vector<SegmentFacts> write_three(bool seal) {
    Events a(5), b(7), c(8);
    a.revisions(2);
    b.revision(3, true);
    c.revisions(3);
    auto writer = SegmentWriter::create(path(), ClusterId(0xC1), Revision(5));
    EXPECT_TRUE(writer);
    std::vector<SegmentFacts> after;
    for (const Events* events : {&a, &b, &c}) {
      EXPECT_TRUE(writer->append(events->all(), kNoon + std::chrono::seconds(after.size())));
      after.push_back(writer->facts());
    }
    if (seal) {
      EXPECT_TRUE(writer->seal(1'800'000'009));
      after.push_back(writer->facts());
    }
    return after;
  }
  std::vector<std::int64_t> revisions(const SegmentFacts& facts, RevisionSpan span) {
    std::vector<std::int64_t> seen;
    const auto read = read_segment(path(), facts, span, [&](const bucket::DeltaEvent& event) -> Status {
      seen.push_back(event.mod);
      return {};
    });
    EXPECT_TRUE(read) << read.error().what;
    return seen;
  }

  io::TempDir dir_ = io::TempDir::create().value();
};

TEST_F(SegmentFile, GivesBackWhatWasAppended) {
  const auto after = write_three(true);
  const auto scan = scan_segment(path());
  ASSERT_TRUE(scan) << scan.error().what;
  EXPECT_TRUE(scan->tail);
  EXPECT_EQ(scan->facts.span, (RevisionSpan{Revision(5), Revision(10)}));
  EXPECT_EQ(scan->facts.cluster, ClusterId(0xC1));
  EXPECT_EQ(scan->facts.events, 9U);
  EXPECT_EQ(scan->facts.file_bytes, after.back().file_bytes);
  EXPECT_EQ(scan->facts.json_bytes, after.back().json_bytes);
  EXPECT_EQ(scan->facts.first_time, kNoon);
  EXPECT_EQ(scan->facts.last_time, kNoon + std::chrono::seconds(2));
  EXPECT_EQ(scan->facts.sealed_unix_s, 1'800'000'009);
  EXPECT_EQ(revisions(scan->facts, {Revision(0), Revision(99)}),
            (std::vector<std::int64_t>{5, 6, 7, 7, 7, 7, 8, 9, 10}));
  EXPECT_EQ(revisions(scan->facts, {Revision(7), Revision(8)}), (std::vector<std::int64_t>{7, 7, 7, 7, 8}));
}

TEST_F(SegmentFile, KeepsEveryFieldOfAnEvent) {
  Events events(40);
  events.revision(1, true);
  auto writer = SegmentWriter::create(path(), ClusterId(1), Revision(40));
  ASSERT_TRUE(writer->append(events.all(), kNoon));
  std::vector<bucket::DeltaEvent> seen;
  ASSERT_TRUE(read_segment(path(), writer->facts(), {Revision(40), Revision(40)},
                           [&](const bucket::DeltaEvent& event) -> Status {
                             EXPECT_EQ(as_text(event.key), seen.empty() ? "key-0" : "key-1");
                             EXPECT_EQ(as_text(event.value), seen.empty() ? "vvvvvvvv" : "");
                             seen.push_back(event);
                             return {};
                           }));
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_FALSE(seen[0].deletion);
  EXPECT_EQ(seen[0].create, 40);
  EXPECT_EQ(seen[0].mod, 40);
  EXPECT_EQ(seen[0].version, 1);
  EXPECT_EQ(seen[0].lease, 40 % 3);
  EXPECT_EQ(seen[0].time, kNoon);
  EXPECT_TRUE(seen[1].deletion);
  EXPECT_EQ(seen[1].create, 0);
}

// Whatever a crash leaves of the file: everything committed before the cut is there, the rest is torn, never corrupt.
TEST_F(SegmentFile, CutAtEveryByte) {
  const auto after = write_three(true);
  const Buffer whole = bytes();
  for (std::size_t size = 0; size < whole.size(); size++) {
    rewrite(Bytes(whole).first(size));
    const auto scan = scan_segment(path());
    if (size < kSegmentHeaderSize) {
      ASSERT_FALSE(scan) << size;
      EXPECT_EQ(scan.error().code, Errc::torn) << size;
      continue;
    }
    ASSERT_TRUE(scan) << size << ": " << scan.error().what;
    Revision expected(4);
    std::uint64_t committed = kSegmentHeaderSize;
    for (const SegmentFacts& commit : after) {
      if (commit.file_bytes > size) break;
      expected = commit.span.last;
      committed = commit.file_bytes;
    }
    EXPECT_EQ(scan->facts.span.last, expected) << size;
    EXPECT_EQ(scan->facts.file_bytes, committed) << size;
    EXPECT_EQ(scan->tail.has_value(), committed == size) << size;
    if (!scan->tail) {
      EXPECT_EQ(scan->tail.error().code, Errc::torn) << size << ": " << scan->tail.error().what;
    }
    EXPECT_FALSE(scan->facts.sealed_unix_s) << size;
  }
}

TEST_F(SegmentFile, ZerosBehindTheLastCommitAreTorn) {
  const auto after = write_three(false);
  for (const std::size_t zeros : {1U, 15U, 16U, 17U, 4096U}) {
    Buffer longer = bytes();
    longer.resize(after.back().file_bytes);
    longer.resize(after.back().file_bytes + zeros);
    rewrite(longer);
    const auto scan = scan_segment(path());
    ASSERT_TRUE(scan);
    EXPECT_EQ(scan->facts.span.last, Revision(10));
    ASSERT_FALSE(scan->tail) << zeros;
    EXPECT_EQ(scan->tail.error().code, Errc::torn) << zeros;
  }
}

// A bit that flips is never taken for an event: either what was committed before it is all there is, or the file is
// refused.
TEST_F(SegmentFile, EveryBitFlipIsSeen) {
  const auto after = write_three(true);
  const Buffer whole = bytes();
  for (std::size_t at = 0; at < whole.size(); at++) {
    Buffer flipped = whole;
    flipped[at] ^= std::byte{static_cast<std::uint8_t>(1U << (at % 8))};
    rewrite(flipped);
    const auto scan = scan_segment(path());
    if (at < kSegmentHeaderSize) {
      ASSERT_FALSE(scan) << at;
      EXPECT_TRUE(scan.error().code == Errc::corrupt) << at;
      continue;
    }
    ASSERT_TRUE(scan) << at;
    ASSERT_FALSE(scan->tail) << at;
    EXPECT_EQ(scan->tail.error().code, Errc::corrupt) << at << ": " << scan->tail.error().what;
    EXPECT_NE(scan->tail.error().what.find("at byte"), std::string::npos);
    Revision expected(4);
    for (const SegmentFacts& commit : after) {
      if (commit.file_bytes > at) break;
      expected = commit.span.last;
    }
    EXPECT_EQ(scan->facts.span.last, expected) << at;
  }
}

// Checksums are right here: what disagrees was written so.
TEST_F(SegmentFile, ASealThatSaysSomethingElseIsRefused) {
  const auto after = write_three(true);
  const Buffer whole = bytes();
  const std::size_t frame = after.back().file_bytes - kFrameHeaderSize - kSealSize;
  for (const std::size_t field : {0U, 8U, 24U}) {  // first, last, events
    Buffer other = whole;
    std::byte* const header = other.data() + frame;
    std::byte* const payload = header + kFrameHeaderSize;
    store_le(payload + field, load_le<std::uint64_t>(Bytes(payload + field, 8)) + 1);
    store_le(header + 4, etcd::crc32c(0, Bytes(payload, kSealSize)));
    store_le(header + 12, etcd::crc32c(0, Bytes(header, 12)));
    rewrite(other);
    const auto scan = scan_segment(path());
    ASSERT_TRUE(scan) << field;
    ASSERT_FALSE(scan->tail) << field;
    EXPECT_EQ(scan->tail.error().code, Errc::corrupt) << field;
    EXPECT_NE(scan->tail.error().what.find("the seal names other revisions"), std::string::npos)
        << field << ": " << scan->tail.error().what;
    EXPECT_FALSE(scan->facts.sealed_unix_s) << field;
  }
}

TEST_F(SegmentFile, ANewerFormatIsRefused) {
  write_three(false);
  Buffer newer = bytes();
  store_le<std::uint32_t>(newer.data() + 16, kSegmentVersion + 1);
  rewrite(newer);
  const auto scan = scan_segment(path());
  ASSERT_FALSE(scan);
  EXPECT_EQ(scan.error().code, Errc::corrupt);  // the checksum comes first: a flipped bit is no new version
}

TEST_F(SegmentFile, RefusesWhatDoesNotFollow) {
  Events five(5), six(6), eight(8);
  five.revision();
  six.revision();
  eight.revision();
  auto writer = SegmentWriter::create(path(), ClusterId(1), Revision(5));
  EXPECT_EQ(writer->append(six.all(), kNoon).error().code, Errc::invalid);
  EXPECT_EQ(writer->seal(1).error().code, Errc::invalid);
  ASSERT_TRUE(writer->append(five.all(), kNoon));
  EXPECT_EQ(writer->append(five.all(), kNoon).error().code, Errc::invalid);
  EXPECT_EQ(writer->append(eight.all(), kNoon).error().code, Errc::invalid);
  ASSERT_TRUE(writer->append(six.all(), kNoon));
  std::vector<etcd::Event> backwards = {eight.all()[0], six.all()[0]};
  EXPECT_EQ(writer->append(backwards, kNoon).error().code, Errc::invalid);
  ASSERT_TRUE(writer->seal(1));
  EXPECT_EQ(writer->append(eight.all(), kNoon).error().code, Errc::invalid);
  EXPECT_EQ(SegmentWriter::create(path(), ClusterId(1), Revision(5)).error().code, Errc::already_exists);
}

TEST_F(SegmentFile, ResumesBehindACut) {
  const auto after = write_three(false);
  rewrite(Bytes(bytes()).first(after.back().file_bytes - 3));
  const auto scan = scan_segment(path());
  ASSERT_TRUE(scan);
  auto writer = SegmentWriter::resume(path(), scan->facts);
  ASSERT_TRUE(writer);
  Events more(8);
  more.revisions(1);
  ASSERT_TRUE(writer->append(more.all(), kNoon));
  const auto again = scan_segment(path());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->tail);
  EXPECT_EQ(again->facts.span.last, Revision(8));
}

TEST_F(SegmentFile, LargeBatchesAreManyFramesAndOneCommit) {
  Events large(2);
  for (int i = 0; i < 5; i++) large.revision(4, false, 200'000);
  auto writer = SegmentWriter::create(path(), ClusterId(1), Revision(2));
  ASSERT_TRUE(writer->append(large.all(), kNoon));
  const Buffer whole = bytes();
  rewrite(Bytes(whole).first(whole.size() - 1));
  const auto scan = scan_segment(path());
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->facts.events, 0U) << "half a batch was never acknowledged";
  EXPECT_EQ(scan->facts.file_bytes, kSegmentHeaderSize);
}

}  // namespace
}  // namespace tidemark::capture
