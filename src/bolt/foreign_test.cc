// Databases that other programs wrote: testdata/*/RECIPE.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/source_dir.h"
#include "bolt/testing/sample.h"

namespace tidemark::bolt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::read_bucket;

io::Path testdata(std::string_view name) { return io::Path(tidemark::testing::source_dir()) / "testdata" / name; }

TEST(ForeignSnapshots, AreSoundAndListTheirBuckets) {
  for (const std::string version : {"3.5", "3.6"}) {
    for (const std::string name : {"before.db", "after-compact.db", "final.db", "tombstone-head-compacted.db"}) {
      const io::Path path = testdata("etcd-snapshots/" + version) / name;
      SCOPED_TRACE(path.native());
      const auto size = io::size_of_file(path);
      ASSERT_TRUE(size);
      const auto reader = Reader::open(path, *size - 32);
      ASSERT_TRUE(reader) << reader.error().what;
      EXPECT_EQ(reader->meta().page_size, 4096U);
      EXPECT_EQ(reader->meta().high_water * 4096, *size - 32);
      EXPECT_THAT(check_structure(*reader), IsEmpty());
      EXPECT_THAT(check_writer_rules(*reader), IsEmpty());
      const auto names = reader->bucket_names();
      ASSERT_TRUE(names);
      EXPECT_THAT(*names, ElementsAre("alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members",
                                      "members_removed", "meta"));
      const auto rows = read_bucket(*reader, "key");
      ASSERT_TRUE(rows) << rows.error().what;
      EXPECT_GT(rows->size(), 100U);
      const auto last = reader->last(*reader->bucket("key"));
      ASSERT_TRUE(last && *last);
      EXPECT_EQ(as_text((*last)->key), rows->rbegin()->first);
      for (const auto& [key, value] : *rows) {
        const auto found = reader->find(*reader->bucket("key"), as_bytes(key));
        ASSERT_TRUE(found && *found);
        EXPECT_EQ(as_text((*found)->value), value);
      }
    }
  }
}

TEST(ForeignSnapshots, TheDamagedOneHasExactlyTheKnownFindings) {
  const auto reader = Reader::open(testdata("bolt/etcd-3.3/corrupted_backup.db"));
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_THAT(check_structure(*reader), ElementsAre("page 3: already freed", "page 4: unreachable unfreed"));
  EXPECT_EQ(reader->bucket_names()->size(), 10U);
}

TEST(ForeignFiles, OfEveryPageSizeAndKindOfFreelist) {
  struct Row {
    std::string_view file;
    std::uint32_t page_size;
    bool freelist;
    std::vector<std::string> buckets;
    std::size_t rows;  // in the bucket "rows"
  };
  const Row rows[] = {
      {"page-16k.db", 16384, true, {"rows", "small"}, 600},
      {"page-64k.db", 65536, true, {"rows"}, 10},
      {"freed.db", 4096, true, {"large", "rows"}, 100},
      {"no-freelist.db", 4096, false, {"rows"}, 300},
      {"nested.db", 4096, true, {"top"}, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.file);
    const auto reader = Reader::open(testdata("bolt/bbolt-1.3.12") / row.file);
    ASSERT_TRUE(reader) << reader.error().what;
    EXPECT_EQ(reader->meta().page_size, row.page_size);
    EXPECT_EQ(reader->meta().freelist != kNoFreelist, row.freelist);
    EXPECT_THAT(check_structure(*reader), IsEmpty());
    EXPECT_THAT(check_writer_rules(*reader), IsEmpty());
    EXPECT_EQ(*reader->bucket_names(), row.buckets);
    if (row.rows == 0) continue;
    const auto content = read_bucket(*reader, "rows");
    ASSERT_TRUE(content) << content.error().what;
    EXPECT_EQ(content->size(), row.rows);
  }
}

TEST(ForeignFiles, EachMetaPageServesAlone) {
  for (const auto& [name, page_size] : {std::pair("page-16k.db", 16384), {"page-64k.db", 65536}, {"freed.db", 4096}}) {
    SCOPED_TRACE(name);
    auto file = io::read_file(testdata("bolt/bbolt-1.3.12") / name, 1 << 20U);
    ASSERT_TRUE(file);
    const auto both = Reader::over(*file, name);
    ASSERT_TRUE(both);
    for (const int damaged : {0, 1}) {
      Buffer copy = *file;
      copy[static_cast<std::size_t>(damaged * page_size + 70)] ^= std::byte{1};
      const auto one = Reader::over(copy, name);
      ASSERT_TRUE(one) << one.error().what;
      EXPECT_EQ(one->meta().page_size, static_cast<std::uint32_t>(page_size));
      copy[static_cast<std::size_t>((1 - damaged) * page_size + 70)] ^= std::byte{1};
      const auto none = Reader::over(copy, name);
      ASSERT_FALSE(none);
      EXPECT_EQ(none.error().code, Errc::corrupt);
    }
  }
}

TEST(ForeignFiles, BucketsInBuckets) {
  const auto reader = Reader::open(testdata("bolt/bbolt-1.3.12/nested.db"));
  ASSERT_TRUE(reader);
  const auto top = reader->bucket("top");
  ASSERT_TRUE(top);
  EXPECT_EQ(top->sequence, 7U);
  const auto below = reader->find(*top, as_bytes("below"));
  ASSERT_TRUE(below && *below);
  EXPECT_TRUE((*below)->is_bucket);
  const auto bucket = Reader::as_bucket(**below);
  ASSERT_TRUE(bucket);
  EXPECT_NE(bucket->root, 0U);
  const auto last = reader->last(*bucket);
  ASSERT_TRUE(last && *last);
  EXPECT_EQ(as_text((*last)->key), "tiny");
  const auto tiny = Reader::as_bucket(**last);
  ASSERT_TRUE(tiny);
  EXPECT_EQ(tiny->root, 0U);
  EXPECT_EQ(as_text((*reader->last(*tiny))->value), "v");
}

}  // namespace
}  // namespace tidemark::bolt
