// Power failures at every moment of a swap and of a whole restore: what etcd finds is the old member or the new one,
// whole, and the former one is not lost. The repair after it may be cut as well.
#include <gtest/gtest.h>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "bucket/testing/bucket_fixtures.h"
#include "io/testing/crash_disk.h"
#include "restore/etcd.h"
#include "restore/swap.h"
#include "restore/testing/live_state.h"
#include "store/dir_store.h"

namespace tidemark::restore {
namespace {

using io::testing::below;
using io::testing::Crash;
using io::testing::CrashDisk;
using io::testing::DiskImage;
using Tree = std::map<std::string, std::string>;

void make_member(const io::Path& at, std::string_view text) {
  for (const char* file : {"snap/db", "wal/0.wal"}) {
    const io::Path path = at / file;
    ASSERT_TRUE(io::make_dirs(path.parent_path()));
    ASSERT_TRUE(io::write_file_durably(path, as_bytes(text)));
  }
}

// Every former member, whatever its name.
std::vector<Tree> formers(const DiskImage& image) {
  std::vector<Tree> found;
  for (const auto& [path, entry] : image)
    if (path.starts_with("member.before-") && path.find('/') == std::string::npos) found.push_back(below(image, path));
  return found;
}

DiskImage now(const CrashDisk& disk) { return disk.after({disk.operations(), Crash::Keeps::everything, 0}); }
DiskImage safe(const CrashDisk& disk) { return disk.after({disk.operations(), Crash::Keeps::nothing, 0}); }

// What must be so after any crash and its repair.
struct Law {
  Tree before, after;  // D/member; `before` empty: there was none
  std::vector<Tree> formers_before, formers_after;
  bool always_a_member = true;  // also between a crash and its repair

  // Is `image`, repaired, all old or all new?
  void holds(const DiskImage& image, bool must_be_new, const std::string& where) const {
    const Tree member = below(image, "member");
    const bool is_new = member == after;
    EXPECT_TRUE(is_new || (member == before && !must_be_new)) << "neither, " << where;
    EXPECT_EQ(formers(image), is_new ? formers_after : formers_before) << where;
    EXPECT_FALSE(image.contains(".tidemark-partial")) << where;
  }
};

// Repairs what a crash left; with `depth`, crashes again at every moment of the repair.
void crash_and_repair(const Law& law, const io::Path& root, const DiskImage& image, bool must_be_new, int depth,
                      const std::string& where) {
  const bool is_new = below(image, "member") == law.after;
  if (law.always_a_member) {
    EXPECT_TRUE(is_new || below(image, "member") == law.before) << "before the repair, " << where;
  }
  CrashDisk disk(root, image);
  Steps steps;
  const auto told = recover(root, steps);
  ASSERT_TRUE(told) << told.error().what << ", " << where;
  EXPECT_EQ(disk.unseen(), "");
  disk.stop();
  law.holds(now(disk), must_be_new || is_new, where);
  law.holds(safe(disk), must_be_new || is_new, "what recover() said is safe, " + where);
  if (depth == 0) return;
  each_crash(disk, 0, ::tidemark::testing::scaled(1), ::tidemark::testing::seed(),
             [&](const Crash& crash, const DiskImage& left) {
               crash_and_repair(law, root, left, must_be_new, depth - 1, where + "; then " + crash.text());
               return !::testing::Test::HasFailure();
             });
}

struct Kind {
  bool old, exchange;
};

class SwapCrash : public ::testing::TestWithParam<Kind> {};

TEST_P(SwapCrash, OldOrNewAfterEveryPowerFailure) {
  const Kind kind = GetParam();
  const io::TempDir dir = io::testing::scratch();
  const Places places{dir.path() / "data"};
  if (kind.old) make_member(places.member(), "old");
  if (kind.old) make_member(places.former(5), "older");
  make_member(places.new_member(), "new");
  CrashDisk disk(places.root);
  const DiskImage start = now(disk);
  Law law;
  law.before = below(start, "member");
  law.after = below(start, ".tidemark-partial/member");
  law.formers_before = formers(start);
  if (kind.old) law.formers_after = {law.before};
  law.always_a_member = kind.exchange;
  Steps steps;
  ASSERT_TRUE(swap_in(places, 1000, steps, {.exchange = kind.exchange}));
  EXPECT_EQ(disk.unseen(), "");
  disk.stop();
  int crashes = 0;
  each_crash(disk, 0, ::tidemark::testing::scaled(2), ::tidemark::testing::seed(),
             [&](const Crash& crash, const DiskImage& left) {
               ++crashes;
               const bool returned = crash.after == disk.operations();
               crash_and_repair(law, dir.path() / "again", left, returned, 1, crash.text());
               return !::testing::Test::HasFailure();
             });
  EXPECT_GE(crashes, 20);
}

INSTANTIATE_TEST_SUITE_P(All, SwapCrash, ::testing::Values(Kind{true, true}, Kind{true, false}, Kind{false, true}),
                         [](const auto& tested) {
                           return std::string(tested.param.old ? "Old" : "Empty") +
                                  (tested.param.exchange ? "Exchange" : "Renames");
                         });

// ---- the whole verb

const io::Path kBucket =
    io::Path(tidemark::testing::source_dir()) / "testdata" / "etcd-backup-restore" / "00-control-gz" / "bucket";

Result<Restored> restore_to(const io::Path& data_dir, Target target) {
  TM_LET(const auto bucket, store::DirStore::open(kBucket, store::DirStore::Access::read_only));
  const auto origin = store_origin(*bucket);
  EtcdRestore wish;
  wish.data_dir = data_dir;
  wish.target = target;
  wish.replace = true;
  testing::Listener listener;
  Steps steps;
  return restore_etcd(wish, *origin, listener, system_clock(), steps, {});
}

class RestoreCrash : public ::testing::TestWithParam<bool> {};

TEST_P(RestoreCrash, OldOrNewAfterEveryPowerFailure) {
  const auto dir = io::TempDir::create();  // on a disk, so that the database is written past the cache
  const io::TempDir images = io::testing::scratch();
  const io::Path data = dir->path() / "data";
  if (GetParam()) {
    const auto old = restore_to(data, Target::at(Revision(400)));
    ASSERT_TRUE(old) << old.error().what;
  } else {
    ASSERT_TRUE(io::make_dirs(data));
  }
  CrashDisk disk(data);
  const DiskImage start = now(disk);
  const auto done = restore_to(data, {});
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(disk.unseen(), "");
  disk.stop();
  Law law;
  law.before = below(start, "member");
  law.after = below(now(disk), "member");
  law.formers_before = formers(start);
  if (GetParam()) law.formers_after = {law.before};
  ASSERT_NE(law.before, law.after);
  ASSERT_TRUE(law.after.contains("snap/db") && law.after.contains("wal"));
  int crashes = 0;
  each_crash(disk, 0, ::tidemark::testing::scaled(1), ::tidemark::testing::seed(),
             [&](const Crash& crash, const DiskImage& left) {
               ++crashes;
               const bool returned = crash.after == disk.operations();
               crash_and_repair(law, images.path() / "again", left, returned, 0, crash.text());
               return !::testing::Test::HasFailure();
             });
  EXPECT_GT(crashes, 100);
  EXPECT_EQ(below(safe(disk), ""), below(now(disk), "")) << "all that a restore leaves is safe when it returns";
  // And the next restore finds nothing in its way.
  const auto again = restore_to(images.path() / "again", {});
  ASSERT_TRUE(again) << again.error().what;
}

INSTANTIATE_TEST_SUITE_P(All, RestoreCrash, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Replaces" : "Fresh"; });

}  // namespace
}  // namespace tidemark::restore
