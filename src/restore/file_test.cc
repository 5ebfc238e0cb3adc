// Restores of one snapshot file: whole, cut, changed, with a wrong digest.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "bolt/testing/sample.h"
#include "etcd/hashkv.h"
#include "restore/base_image.h"
#include "restore/testing/attempt.h"

namespace tidemark::restore {
namespace {

using testing::Attempt;
using testing::kControl;

const io::Path kSnapshots = io::Path(tidemark::testing::source_dir()) / "testdata" / "etcd-snapshots";

TEST(RestoreFile, PlainSnapshotsOfBothVersions) {
  for (const char* version : {"3.5", "3.6"}) {
    for (const char* name : {"before", "after-compact", "final", "tombstone-head-compacted"}) {
      SCOPED_TRACE(std::string(version) + "/" + name);
      Attempt run;
      const auto origin = file_origin(kSnapshots / version / (std::string(name) + ".db"));
      ASSERT_TRUE(origin);
      run.from(**origin);
      ASSERT_TRUE(run.restored) << run.restored.error().what;
      const auto database = bolt::Reader::open(run.database());
      ASSERT_TRUE(database);
      const auto should = testing::expected_state(kSnapshots / version / (std::string(name) + ".kv.jsonl.gz"));
      EXPECT_EQ(testing::difference(*testing::live_state(*database, run.restored->plan.reach), *should), "");
      EXPECT_EQ(run.listener.plans.size(), 1U) << "one plan, with the revision that is in the file";
      EXPECT_EQ(run.listener.plans[0].reach, run.restored->plan.reach);
    }
  }
}

TEST(RestoreFile, AnEarlierRevisionFromItsOwnHistory) {
  Attempt run;
  run.wish.target = Target::at(Revision(400));
  run.wish.keep_history = true;
  run.wish.bump.kind = RevisionBump::Kind::none;
  const io::Path file = kSnapshots / "3.5" / "before.db";
  const auto origin = file_origin(file);
  run.from(**origin);
  ASSERT_TRUE(run.restored) << run.restored.error().what;
  const auto is = etcd::hash_kv(*bolt::Reader::open(run.database()));
  const std::uint64_t length = *io::size_of_file(file) - 32;
  const auto should = etcd::hash_kv(*bolt::Reader::open(file, length), Revision(400));
  ASSERT_TRUE(is && should);
  EXPECT_EQ(is->hash, should->hash);
  EXPECT_EQ(is->at, Revision(400));
}

TEST(RestoreFile, RefusesWhatIsCompactedAway) {
  Attempt run;
  run.wish.target = Target::at(Revision(200));  // compacted at 300
  const auto origin = file_origin(kSnapshots / "3.5" / "after-compact.db");
  run.from(**origin);
  ASSERT_FALSE(run.restored);
  EXPECT_EQ(run.restored.error().code, Errc::not_found);
  EXPECT_NE(run.restored.error().what.find("from 300 to 605"), std::string::npos) << run.restored.error().what;
  EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir / "member"));
  EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir / ".tidemark-partial"));
}

TEST(RestoreFile, AWrongDigestIsRefused) {
  // As `etcdutl hashkv` leaves a snapshot: a newer transaction number in a meta page, all else as it was.
  Buffer file = *io::read_file(kSnapshots / "3.5" / "before.db", 1U << 20U);
  bolt::testing::edit_meta(file, 1, [](bolt::Meta& meta) { meta.txid += 2; });
  const auto dir = io::TempDir::create();
  ASSERT_TRUE(io::write_file_durably(dir->path() / "before.db", file));
  for (const bool skip : {false, true}) {
    Attempt run;
    run.wish.skip_digest = skip;
    const auto origin = file_origin(dir->path() / "before.db");
    run.from(**origin);
    ASSERT_EQ(run.restored.has_value(), skip);
    if (skip) continue;
    EXPECT_EQ(run.restored.error().code, Errc::corrupt);
    EXPECT_NE(run.restored.error().what.find("sha256"), std::string::npos) << run.restored.error().what;
    EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir / "member")) << "all but the digest was good";
  }
}

// What is proven is what is read, also when another file takes the name meanwhile.
TEST(RestoreFile, TheDigestIsThatOfTheFileThatWasOpened) {
  const Buffer good = *io::read_file(kSnapshots / "3.5" / "before.db", 1U << 20U);
  Buffer bad = good;
  bolt::testing::edit_meta(bad, 1, [](bolt::Meta& meta) { meta.txid += 2; });
  const auto dir = io::TempDir::create();
  const io::Path name = dir->path() / "snapshot.db";
  for (int i = 0; i < ::tidemark::testing::scaled(100); ++i) {
    const bool first_good = i % 2 == 0;
    ASSERT_TRUE(io::write_file_durably(name, first_good ? good : bad));
    ASSERT_TRUE(io::write_file_durably(dir->path() / "other", first_good ? bad : good));
    const auto image = BaseImage::in_place(name, false);
    std::filesystem::rename(dir->path() / "other", name);
    ASSERT_TRUE(image) << image.error().what;
    ASSERT_EQ((*image)->proven().has_value(), first_good) << "round " << i;
  }
}

TEST(RestoreFile, CutOrChangedSnapshots) {
  const auto whole = bucket::testing::read_body(kControl / "Full-00000000-00000308-1795246362.gz");
  ASSERT_TRUE(whole);
  std::mt19937_64 random(::tidemark::testing::seed());
  const auto dir = io::TempDir::create();
  const io::Path file = dir->path() / "snapshot.db";
  ASSERT_TRUE(io::write_file_durably(file, *whole));
  {
    Attempt run;
    run.from(**file_origin(file));
    ASSERT_TRUE(run.restored) << run.restored.error().what;
    EXPECT_EQ(run.restored->plan.reach, Revision(308));
  }
  for (int i = 0; i < ::tidemark::testing::scaled(30); ++i) {
    Buffer bytes = *whole;
    if (i % 2 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      bytes[random() % bytes.size()] ^= std::byte{static_cast<unsigned char>(1U << random() % 8)};
    }
    ASSERT_TRUE(io::write_file_durably(file, bytes));
    Attempt run;
    const auto origin = file_origin(file);
    ASSERT_TRUE(origin);
    run.from(**origin);
    ASSERT_FALSE(run.restored) << "round " << i;
    EXPECT_EQ(run.restored.error().code, Errc::corrupt) << run.restored.error().what;
    EXPECT_FALSE(std::filesystem::exists(run.wish.data_dir / "member"));
  }
}

}  // namespace
}  // namespace tidemark::restore
