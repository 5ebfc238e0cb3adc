// The spill through a power failure at every moment: what was acknowledged is there, and nothing that never was.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing/scale.h"
#include "capture/spill.h"
#include "capture/testing/events.h"
#include "io/testing/crash_disk.h"

namespace tidemark::capture {
namespace {

using io::testing::Crash;
using io::testing::CrashDisk;
using io::testing::DiskImage;

constexpr ClusterId kCluster{77};
const Time kReceived{std::chrono::seconds(1'795'246'362)};

// Where the disk was when something began and when it was answered.
struct Moment {
  std::size_t begun = 0, answered = 0;
  bool before(std::size_t after) const { return answered <= after; }
  bool not_begun(std::size_t after) const { return begun >= after; }
};
struct Appended {
  RevisionSpan span;
  Moment when;
};
struct Removed {
  RevisionSpan span;
  Moment when;
};
struct Diary {
  std::vector<Appended> appended;
  std::vector<Removed> removed;
};

Result<std::unique_ptr<Spill>> open_in(const io::Path& dir) {
  return Spill::open({.dir = dir, .cluster = kCluster, .limit_bytes = 1UL << 20U});
}

// Some segments' worth of work: batches of several sizes, seals, a removal.
Diary work(Spill& spill, const CrashDisk& disk) {
  Diary diary;
  const auto append = [&](std::int64_t first, int revisions, int puts, std::size_t value_bytes) {
    Appended a{{Revision(first), Revision(first + revisions - 1)}, {disk.operations(), 0}};
    testing::Events events(first);
    for (int i = 0; i < revisions; ++i) events.revision(puts, i % 2 == 1, value_bytes);
    const Status done = spill.append(events.all(), kReceived + std::chrono::seconds(first));
    EXPECT_TRUE(done) << done.error().what;
    a.when.answered = disk.operations();
    diary.appended.push_back(a);
  };
  const auto seal = [&](std::int64_t unix_s) { EXPECT_TRUE(spill.seal(unix_s)); };
  append(10, 2, 1, 8);
  append(12, 1, 3, 2000);  // more than a few sectors
  seal(1'795'246'400);
  append(13, 3, 1, 600);
  append(16, 1, 1, 8);
  seal(1'795'246'500);
  const Segment oldest = spill.sealed().front();
  Removed removed{oldest.facts.span, {disk.operations(), 0}};
  EXPECT_TRUE(spill.remove(oldest));
  removed.when.answered = disk.operations();
  diary.removed.push_back(removed);
  append(17, 2, 2, 8);
  return diary;
}

// The revisions that reading gives, and how many events each has.
std::map<Revision, int> revisions_in(const Spill& spill) {
  std::map<Revision, int> found;
  auto segments = spill.sealed();
  if (const auto growing = spill.growing()) segments.push_back({spill.path_of(growing->span.first), *growing});
  for (const Segment& segment : segments) {
    const Status read =
        read_segment(segment.path, segment.facts, segment.facts.span, [&](const bucket::DeltaEvent& event) {
          ++found[Revision(event.mod)];
          return Status{};
        });
    EXPECT_TRUE(read) << read.error().what;
  }
  return found;
}

void look(const Diary& diary, const std::map<Revision, int>& whole, const Spill& spill, const Crash& crash) {
  const auto found = revisions_in(spill);
  for (const auto& [revision, events] : found) {
    const auto should = whole.find(revision);
    EXPECT_TRUE(should != whole.end() && should->second == events) << revision.raw() << ", " << crash.text();
  }
  for (const Appended& a : diary.appended) {
    if (!a.when.before(crash.after)) continue;
    const bool maybe_removed = std::ranges::any_of(diary.removed, [&](const Removed& removed) {
      return removed.span.contains(a.span.first) && !removed.when.not_begun(crash.after);
    });
    for (Revision r = a.span.first; r <= a.span.last && !maybe_removed; r = r.next())
      EXPECT_TRUE(found.contains(r)) << "acknowledged and lost: " << r.raw() << ", " << crash.text();
  }
  for (const Removed& removed : diary.removed) {
    if (removed.when.before(crash.after)) {
      EXPECT_FALSE(found.contains(removed.span.first)) << "removed and back, " << crash.text();
    }
  }
  EXPECT_TRUE(spill.holes().empty()) << crash.text();
}

// The next recorder: goes on where the spill ends, and can seal and remove all.
void go_on(Spill& spill, const Crash& crash) {
  const auto last = spill.last();
  testing::Events more(last ? last->next().raw() : 10);
  const Status appended = spill.append(more.revisions(2).all(), kReceived);
  ASSERT_TRUE(appended) << appended.error().what << ", " << crash.text();
  ASSERT_TRUE(spill.seal(1'795'247'000)) << crash.text();
  for (const Segment& segment : spill.sealed()) ASSERT_TRUE(spill.remove(segment)) << crash.text();
  EXPECT_EQ(spill.bytes(), 0U);
}

TEST(SpillCrash, AcknowledgedEventsSurviveEveryPowerFailure) {
  const io::TempDir dir = io::testing::scratch();
  CrashDisk disk(dir.path() / "disk", {});
  auto spill = open_in(dir.path() / "disk" / "spill");
  ASSERT_TRUE(spill) << spill.error().what;
  const Diary diary = work(**spill, disk);
  ASSERT_EQ(disk.unseen(), "");
  disk.stop();
  std::map<Revision, int> whole = revisions_in(**spill);
  whole.insert({{Revision(10), 1}, {Revision(11), 2}, {Revision(12), 3}});  // removed by now
  spill->reset();

  int crashes = 0;
  const io::Path root = dir.path() / "again";
  const int dice = ::tidemark::testing::scaled(16);
  each_crash(disk, 0, dice, ::tidemark::testing::seed(), [&](const Crash& crash, const DiskImage& image) {
    ++crashes;
    CrashDisk next(root, image);
    auto opened = open_in(root / "spill");
    EXPECT_TRUE(opened) << opened.error().what << ", " << crash.text();
    if (!opened) return false;
    look(diary, whole, **opened, crash);
    opened->reset();
    next.stop();
    // A second failure, in the middle of the repair or right behind it.
    each_crash(next, 0, dice / 16, ::tidemark::testing::seed(), [&](const Crash& second, const DiskImage& left) {
      const CrashDisk last(root, left);
      auto again = open_in(root / "spill");
      EXPECT_TRUE(again) << again.error().what << ", " << crash.text() << "; then " << second.text();
      if (!again) return false;
      look(diary, whole, **again, crash);
      if (second.after == next.operations()) go_on(**again, crash);
      return !::testing::Test::HasFailure();
    });
    return !::testing::Test::HasFailure();
  });
  EXPECT_GE(crashes, 40);
}

}  // namespace
}  // namespace tidemark::capture
