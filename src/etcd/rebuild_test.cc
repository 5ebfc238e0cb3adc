#include "etcd/rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "bolt/testing/sample.h"
#include "etcd/database.h"
#include "etcd/testing/sample.h"

namespace tidemark::etcd {
namespace {

const io::Path kSnapshots = io::Path(tidemark::testing::source_dir()) / "testdata/etcd-snapshots";

// Everything as it was, or as a store compacted there has it: HashKV is the judge.
TEST(Rebuild, SnapshotsOfBothVersions) {
  for (const char* version : {"3.5", "3.6"}) {
    for (const char* name : {"before", "after-compact", "final", "tombstone-head-compacted"}) {
      SCOPED_TRACE(std::string(version) + "/" + name);
      const auto dir = io::TempDir::create();
      const io::Path path = dir->path() / "db";
      const auto from = testing::open_snapshot(kSnapshots / version / (std::string(name) + ".db"));
      ASSERT_TRUE(from);
      const auto plain = rebuild(*from, path);
      ASSERT_TRUE(plain) << plain.error().what;
      EXPECT_EQ(plain->bytes, *io::size_of_file(path));
      EXPECT_EQ(plain->dropped, 0U);
      EXPECT_TRUE(*bolt::testing::read_database(*bolt::Reader::open(path)) == *bolt::testing::read_database(*from));

      const Compaction is = *read_compaction(*from);
      const Revision least = std::max({is.finished, is.scheduled, Revision(1)});
      for (const Revision at : {is.revision, Revision((least.raw() + is.revision.raw()) / 2)}) {
        const io::Path compacted = dir->path() / fmt::format("db-{}", at);
        const auto rebuilt = rebuild(*from, compacted, at);
        ASSERT_TRUE(rebuilt) << rebuilt.error().what;
        const auto reader = bolt::Reader::open(compacted);
        ASSERT_TRUE(reader);
        EXPECT_THAT(bolt::check_structure(*reader), ::testing::IsEmpty());
        EXPECT_TRUE(check_rows(*reader, RowRules::chains)->sound());
        EXPECT_EQ(rebuilt->rows + rebuilt->dropped, plain->rows);
        EXPECT_EQ(read_compaction(*reader)->finished, at);
        EXPECT_EQ(read_compaction(*reader)->scheduled, at);
        EXPECT_EQ(hash_kv(*reader)->hash, hash_kv(*from, is.revision, at)->hash) << at.raw();
        std::error_code error;
        std::filesystem::remove(compacted, error);
      }
    }
  }
}

TEST(Rebuild, RandomHistories) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (int round = tidemark::testing::scaled(30); round > 0; round--) {
    testing::History history;
    for (int i = 0; i < 30; i++) {
      const std::string key(1, static_cast<char>('a' + random() % 6));
      if (history.lives(key) && random() % 3 == 0) {
        history.remove(key);
      } else {
        history.put(key, std::string(random() % 500, 'v'));
      }
      history.commit();
    }
    const Revision at(1 + static_cast<std::int64_t>(random() % 31));
    const Buffer file = testing::database_of({history.rows(), {}, {}, {{"meta", {{"term", "12345678"}}}}});
    const auto from = bolt::Reader::over(file, "database");
    const auto dir = io::TempDir::create();
    ASSERT_TRUE(rebuild(*from, dir->path() / "db", at));
    const auto reader = bolt::Reader::open(dir->path() / "db");
    const auto is = bolt::testing::read_bucket(*reader, "key");
    bolt::testing::Rows should;
    for (const testing::Row& row : testing::compacted_rows(history.rows(), at)) should[row.key] = row.value;
    EXPECT_TRUE(*is == should) << at.raw();
    EXPECT_EQ(bolt::testing::read_bucket(*reader, "meta")->size(), 4U);
  }
}

TEST(Rebuild, Refuses) {
  testing::History history;
  history.put("a", "1").commit().put("a", "2").commit();
  const auto dir = io::TempDir::create();
  const io::Path path = dir->path() / "db";
  const Buffer file = testing::database_of({history.rows(), Revision(2), Revision(2), {}});
  const auto from = bolt::Reader::over(file, "database");
  EXPECT_EQ(rebuild(*from, path, Revision(4)).error().code, Errc::invalid);
  EXPECT_EQ(rebuild(*from, path, Revision(1)).error().code, Errc::compacted);
  EXPECT_FALSE(std::filesystem::exists(path));
  testing::Store bad{history.rows(), {}, {}, {}};
  bad.rows[0].value = "\x0a\x05";
  const Buffer damaged = testing::database_of(bad);
  EXPECT_EQ(rebuild(*bolt::Reader::over(damaged, "database"), path, Revision(3)).error().code, Errc::corrupt);
  EXPECT_FALSE(std::filesystem::exists(path)) << "half a file is no file";
  ASSERT_TRUE(rebuild(*from, path));
  EXPECT_EQ(rebuild(*from, path).error().code, Errc::already_exists);
}

}  // namespace
}  // namespace tidemark::etcd
