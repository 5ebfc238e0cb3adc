#include "capture/spill.h"

#include <gtest/gtest.h>

#include "capture/testing/events.h"

namespace tidemark::capture {
namespace {

using testing::Events;

const Time kNoon{std::chrono::seconds(1'800'000'000)};

class SpillDir : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Spill>> open(std::uint64_t limit = 1UL << 30U, ClusterId cluster = ClusterId(1)) {
    Spill::Options options;
    options.dir = dir_.path() / "spool" / "lineage-000001";
    options.cluster = cluster;
    options.limit_bytes = limit;
    return Spill::open(options);
  }
  static void append(Spill& spill, std::int64_t first, int revisions) {
    Events events(first);
    events.revisions(revisions);
    const auto done = spill.append(events.all(), kNoon);
    ASSERT_TRUE(done) << done.error().what;
  }
  io::TempDir dir_ = io::TempDir::create().value();
};

TEST_F(SpillDir, GoesOnWhereItEnded) {
  {
    auto spill = open().value();
    EXPECT_FALSE(spill->last());
    append(*spill, 10, 5);
    ASSERT_TRUE(spill->seal(77));
    append(*spill, 15, 2);
  }
  auto spill = open().value();
  EXPECT_TRUE(spill->told().empty());
  EXPECT_TRUE(spill->holes().empty());
  EXPECT_EQ(spill->first(), Revision(10));
  EXPECT_EQ(spill->last(), Revision(16));
  ASSERT_EQ(spill->sealed().size(), 1U);
  EXPECT_EQ(spill->sealed()[0].facts.sealed_unix_s, 77);
  EXPECT_EQ(spill->growing()->span, (RevisionSpan{Revision(15), Revision(16)}));
  append(*spill, 17, 1);
  EXPECT_EQ(spill->growing()->span.last, Revision(17));
  ASSERT_TRUE(spill->remove(spill->sealed()[0]));
  EXPECT_TRUE(spill->sealed().empty());
  EXPECT_EQ(spill->first(), Revision(15));
}

TEST_F(SpillDir, BelongsToOneProcess) {
  auto spill = open().value();
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_NE(second.error().hint.find("--spool-dir"), std::string::npos);
}

TEST_F(SpillDir, BelongsToOneCluster) {
  append(*open().value(), 10, 1);
  const auto other = open(1UL << 30U, ClusterId(2));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::invalid);
}

TEST_F(SpillDir, CutsOffATornTailAndSaysSo) {
  io::Path path;
  std::uint64_t whole = 0;
  {
    auto spill = open().value();
    append(*spill, 10, 1);
    append(*spill, 11, 1);
    path = spill->path_of(Revision(10));
    whole = spill->growing()->file_bytes;
  }
  std::filesystem::resize_file(path, whole - 1);
  auto spill = open().value();
  ASSERT_EQ(spill->told().size(), 1U);
  EXPECT_NE(spill->told()[0].find("cut off"), std::string::npos) << spill->told()[0];
  EXPECT_EQ(spill->last(), Revision(10));
  append(*spill, 11, 3);
  EXPECT_EQ(spill->last(), Revision(13));
}

TEST_F(SpillDir, DamageInTheMiddleBecomesAHole) {
  io::Path path;
  {
    auto spill = open().value();
    append(*spill, 10, 2);
    append(*spill, 12, 3);
    ASSERT_TRUE(spill->seal(77));
    append(*spill, 15, 2);
    path = spill->path_of(Revision(10));
  }
  Buffer bytes = io::read_file(path, 1UL << 20U).value();
  bytes[bytes.size() / 2] ^= std::byte{1};
  std::filesystem::remove(path);
  ASSERT_TRUE(io::write_file_durably(path, bytes));
  auto spill = open().value();
  ASSERT_EQ(spill->told().size(), 1U);
  EXPECT_NE(spill->told()[0].find(".corrupt"), std::string::npos) << spill->told()[0];
  EXPECT_NE(spill->told()[0].find("at byte"), std::string::npos) << spill->told()[0];
  EXPECT_TRUE(std::filesystem::exists(path.native() + ".corrupt"));
  ASSERT_EQ(spill->holes().size(), 1U);
  EXPECT_EQ(spill->holes()[0].last, Revision(14));
  EXPECT_EQ(spill->last(), Revision(16)) << "what lies behind the damage is kept";
  // The hole is filled by a segment of its own.
  ASSERT_TRUE(spill->seal(99));
  append(*spill, spill->holes()[0].first.raw(), 1);
  ASSERT_TRUE(spill->seal(99));
  const auto sealed = spill->sealed();
  EXPECT_TRUE(std::is_sorted(sealed.begin(), sealed.end(),
                             [](const auto& a, const auto& b) { return a.facts.span.first < b.facts.span.first; }));
}

TEST_F(SpillDir, AFileThatIsNoSegmentIsKeptAside) {
  ASSERT_TRUE(open());
  const io::Path path = dir_.path() / "spool" / "lineage-000001" / "00000000000000000010.segment";
  ASSERT_TRUE(io::write_file_durably(path, Buffer(100, std::byte{'x'})));
  auto spill = open().value();
  EXPECT_EQ(spill->told().size(), 1U);
  EXPECT_FALSE(spill->last());
  EXPECT_TRUE(std::filesystem::exists(path.native() + ".corrupt"));
}

TEST_F(SpillDir, StopsAtItsLimitAndGoesOnWhenThereIsRoom) {
  auto spill = open(200).value();
  append(*spill, 10, 10);
  Events more(20);
  more.revision();
  const auto full = spill->append(more.all(), kNoon);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::no_space);
  ASSERT_TRUE(spill->seal(1));
  ASSERT_TRUE(spill->remove(spill->sealed()[0]));
  EXPECT_TRUE(spill->append(more.all(), kNoon));
}

}  // namespace
}  // namespace tidemark::capture
