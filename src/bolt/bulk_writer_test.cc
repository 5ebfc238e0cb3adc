#include "bolt/bulk_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <random>
#include <thread>

#include "base/testing/scale.h"
#include "bolt/testing/sample.h"

namespace tidemark::bolt {
namespace {

using testing::Database;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::numbered_rows;
using testing::read_database;
using testing::Rows;
using Segments = std::vector<std::unique_ptr<BulkWriter::Segment>>;

class BulkWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = io::TempDir::create();
    ASSERT_TRUE(dir);
    dir_.emplace(*std::move(dir));
    open();
  }
  void open(BulkWriter::Cache cache = BulkWriter::Cache::keep) {
    writer_.reset();
    path_ = dir_->path() / fmt::format("db-{}", ++files_);
    auto writer = BulkWriter::create(path_, cache);
    ASSERT_TRUE(writer) << writer.error().what;
    writer_ = *std::move(writer);
  }
  void fill(BulkWriter::Segment& segment, const Rows& rows, bool descending = false) {
    if (descending) {
      for (auto row = rows.rbegin(); row != rows.rend(); ++row)
        ASSERT_TRUE(segment.prepend(as_bytes(row->first), as_bytes(row->second)));
    } else {
      for (const auto& [key, value] : rows) ASSERT_TRUE(segment.append(as_bytes(key), as_bytes(value)));
    }
    ASSERT_TRUE(segment.close());
    EXPECT_EQ(segment.rows(), rows.size());
  }
  void add(std::string_view bucket, const Rows& rows, bool descending = false) {
    Segments segments;
    segments.push_back(writer_->segment());
    fill(*segments[0], rows, descending);
    ASSERT_TRUE(writer_->add_tree(bucket, std::move(segments)));
  }
  // Finishes, and expects this content in a file without a fault.
  void expect_content(const Database& content) {
    const auto size = writer_->finish();
    ASSERT_TRUE(size) << size.error().what;
    EXPECT_EQ(*size, *io::size_of_file(path_));
    const auto reader = Reader::open(path_);
    ASSERT_TRUE(reader) << reader.error().what;
    EXPECT_EQ(*size, reader->meta().high_water * BulkWriter::kPageSize);
    EXPECT_THAT(check_structure(*reader), IsEmpty());
    EXPECT_THAT(check_writer_rules(*reader), IsEmpty());
    const auto back = read_database(*reader);
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_TRUE(*back == content);
  }

  std::optional<io::TempDir> dir_;
  io::Path path_;
  int files_ = 0;
  std::unique_ptr<BulkWriter> writer_;
};

TEST_F(BulkWriterTest, WhatIsWrittenIsReadBack) {
  const std::pair<std::string_view, Database> rows[] = {
      {"no bucket", {}},
      {"empty bucket", {{"a", {}}}},
      {"one row", {{"a", {{"k", "v"}}}}},
      {"empty value", {{"a", {{"k", ""}}}}},
      {"one byte below the inline limit", {{"a", {{"k", std::string(990, 'x')}}}}},
      {"at the inline limit", {{"a", {{"k", std::string(991, 'x')}}}}},
      {"above the inline limit", {{"a", {{"k", std::string(992, 'x')}}}}},
      {"one leaf", {{"a", numbered_rows(20, 100)}}},
      {"two leaves", {{"a", numbered_rows(40, 100)}}},
      {"3 levels", {{"a", numbered_rows(30000, 100)}}},
      {"rows of a third of a page", {{"a", numbered_rows(300, 1300)}}},
      {"rows of a page", {{"a", numbered_rows(300, 4096)}}},
      {"rows above a page", {{"a", numbered_rows(300, 5000)}}},
      {"1 MB values", {{"a", numbered_rows(5, 1 << 20)}, {"b", numbered_rows(3, 3)}}},
      {"small and large mixed", {{"a", {{"a", "1"}, {"b", std::string(3 << 20, 'x')}, {"c", "2"}, {"d", "3"}}}}},
      {"the longest keys", {{"a", {{std::string(32768, 'a'), "1"}, {std::string(32768, 'b'), "2"}}}}},
      {"many buckets", {{"a", numbered_rows(3, 9)}, {"b", {}}, {"c", numbered_rows(900, 90)}, {"d", {{"x", "y"}}}}},
  };
  for (const auto& [name, content] : rows) {
    for (const bool descending : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {}", name, descending));
      open();
      for (const auto& [bucket, of_bucket] : content) add(bucket, of_bucket, descending);
      expect_content(content);
    }
  }
}

TEST_F(BulkWriterTest, LongKeysNeverLeaveAnOnlyChild) {
  // Keys so long that a branch page of any length holds two or three.
  for (int count = 1; count < 20; count++) {
    SCOPED_TRACE(count);
    Rows rows;
    for (int i = 0; i < count; i++)
      rows.emplace(fmt::format("{:05}", i) + std::string(3000, 'k'), std::string(70000, 'v'));
    open();
    add("a", rows);
    expect_content({{"a", rows}});
  }
}

TEST_F(BulkWriterTest, EveryNumberOfLeavesAroundAFullBranch) {
  // About 111 children fit into a branch page: the last page of the level has one child, two, ...
  for (int leaves = 108; leaves < 116; leaves++) {
    Rows rows;
    for (int i = 0; i < leaves; i++) rows.emplace(fmt::format("row-{:013}", i), std::string(65536, 'v'));
    open();
    add("a", rows);
    expect_content({{"a", rows}});
  }
}

TEST_F(BulkWriterTest, SmallBucketsAreInline) {
  add("large", numbered_rows(12, 100));
  add("small", numbered_rows(3, 100));
  expect_content({{"large", numbered_rows(12, 100)}, {"small", numbered_rows(3, 100)}});
  const auto reader = Reader::open(path_);
  EXPECT_NE(reader->bucket("large")->root, 0U);
  EXPECT_EQ(reader->bucket("small")->root, 0U);
}

TEST_F(BulkWriterTest, LeavesAreNineTenthsFull) {
  struct Row {
    std::size_t value;
    double least, most;  // bytes in the file per byte of rows
  };
  const Row rows[] = {{50, 1.0, 1.55}, {400, 1.0, 1.27}, {1300, 1.0, 1.1}, {2100, 1.0, 1.35}, {70000, 1.0, 1.07}};
  for (const Row& row : rows) {
    const Rows content = numbered_rows(2000, row.value);
    open();
    add("a", content);
    const auto size = writer_->finish();
    ASSERT_TRUE(size);
    // Two meta pages, freelist, root and branches are not the question.
    const double ratio = static_cast<double>(*size - 5 * 4096) / static_cast<double>(2000 * (row.value + 9));
    EXPECT_GE(ratio, row.least) << row.value;
    EXPECT_LE(ratio, row.most) << row.value;
  }
}

TEST_F(BulkWriterTest, SegmentsByThreadsInAnyOrderAndDirection) {
  const Rows rows = numbered_rows(40000, 120);
  constexpr std::size_t kSegments = 8;
  std::vector<Rows> parts(kSegments);
  std::size_t n = 0;
  for (const auto& row : rows) parts[n++ * kSegments / rows.size()].insert(row);
  for (const auto cache : {BulkWriter::Cache::keep, BulkWriter::Cache::bypass}) {
    open(cache);
    Segments segments(kSegments + 1);
    segments[kSegments] = writer_->segment();  // stays empty
    ASSERT_TRUE(segments[kSegments]->close());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < kSegments; i++)
        threads.emplace_back([&, i] {
          segments[(i * 5 + 3) % kSegments] = writer_->segment();
          fill(*segments[(i * 5 + 3) % kSegments], parts[i], i % 2 == 1);
        });
    }
    ASSERT_TRUE(writer_->add_tree("a", std::move(segments)));
    expect_content({{"a", rows}});
  }
}

TEST_F(BulkWriterTest, TinySegmentsShareAnInlineBucketOrBecomeLeaves) {
  for (const int count : {3, 12}) {
    open();
    Segments segments;
    Rows all;
    for (int i = count - 1; i >= 0; i--) {
      const Rows row = {{fmt::format("{:02}", i), std::string(100, 'v')}};
      all.insert(row.begin(), row.end());
      segments.push_back(writer_->segment());
      fill(*segments.back(), row);
    }
    ASSERT_TRUE(writer_->add_tree("a", std::move(segments)));
    expect_content({{"a", all}});
  }
}

TEST_F(BulkWriterTest, BadRowsAreRefusedAndTheSegmentLivesOn) {
  struct Row {
    std::string key;
    std::string_view message;  // empty: taken
  };
  const Row rows[] = {{"b", ""},
                      {"b", "the key came before"},
                      {"a", "the key is below the one before it"},
                      {"", "the key is empty"},
                      {std::string(32769, 'x'), "the key is longer than 32768 bytes"},
                      {"bb", ""},
                      {"ba", "row 2 (key 6261): the key is below the one before it"},
                      {std::string(32768, 'x'), ""}};
  auto segment = writer_->segment();
  for (const Row& row : rows) {
    const Status taken = segment->append(as_bytes(row.key), as_bytes("v"));
    EXPECT_EQ(taken.has_value(), row.message.empty()) << row.key;
    if (taken) continue;
    EXPECT_EQ(taken.error().code, Errc::invalid);
    EXPECT_THAT(taken.error().what, HasSubstr(std::string(row.message)));
  }
  EXPECT_THAT(segment->prepend(as_bytes("a"), {}).error().what, HasSubstr("append and prepend in one segment"));
  EXPECT_EQ(segment->rows(), 3U);
  ASSERT_TRUE(segment->close());
  EXPECT_THAT(segment->append(as_bytes("z"), {}).error().what, HasSubstr("the segment is closed"));

  auto descending = writer_->segment();
  ASSERT_TRUE(descending->prepend(as_bytes("m"), {}));
  EXPECT_THAT(descending->prepend(as_bytes("m"), {}).error().what, HasSubstr("the key came before"));
  EXPECT_THAT(descending->prepend(as_bytes("n"), {}).error().what, HasSubstr("the key is above the one before it"));
  ASSERT_TRUE(descending->prepend(as_bytes("l"), {}));
  ASSERT_TRUE(descending->close());

  Segments segments;
  segments.push_back(std::move(segment));
  ASSERT_TRUE(writer_->add_tree("a", std::move(segments)));
  Segments other;
  other.push_back(std::move(descending));
  ASSERT_TRUE(writer_->add_tree("d", std::move(other)));
  expect_content({{"a", {{"b", "v"}, {"bb", "v"}, {std::string(32768, 'x'), "v"}}}, {"d", {{"l", ""}, {"m", ""}}}});
}

TEST_F(BulkWriterTest, OverlappingSegmentsAreRefusedAndTheirPagesFreed) {
  struct Row {
    int first_end, second_begin;
    bool good;
  };
  for (const Row& row : {Row{500, 500, true}, Row{500, 499, false}, Row{500, 0, false}, Row{1, 0, false}}) {
    open();
    const Rows all = numbered_rows(1000, 100);
    const Rows first(all.begin(), std::next(all.begin(), row.first_end));
    const Rows second(std::next(all.begin(), row.second_begin), all.end());
    Segments segments;
    segments.push_back(writer_->segment());
    fill(*segments[0], second);
    segments.push_back(writer_->segment());
    fill(*segments[1], first, true);
    const Status added = writer_->add_tree("a", std::move(segments));
    EXPECT_EQ(added.has_value(), row.good);
    if (added) {
      expect_content({{"a", all}});
    } else {
      EXPECT_EQ(added.error().code, Errc::invalid);
      EXPECT_THAT(added.error().what, HasSubstr("bucket 'a': segments overlap"));
      add("b", first);
      expect_content({{"b", first}});  // the check counts every page of the refused segments as free
    }
  }
}

TEST_F(BulkWriterTest, MisuseIsRefused) {
  Segments open_one;
  open_one.push_back(writer_->segment());
  EXPECT_THAT(writer_->add_tree("a", std::move(open_one)).error().what, HasSubstr("not closed"));
  EXPECT_EQ(writer_->add_tree("", {}).error().code, Errc::invalid);
  EXPECT_EQ(writer_->add_tree(std::string(32769, 'n'), {}).error().code, Errc::invalid);
  ASSERT_TRUE(writer_->add_tree("a", {}));
  EXPECT_THAT(writer_->add_tree("a", {}).error().what, HasSubstr("bucket 'a' was added before"));

  auto elsewhere = BulkWriter::create(dir_->path() / "other");
  ASSERT_TRUE(elsewhere);
  Segments foreign;
  foreign.push_back((*elsewhere)->segment());
  ASSERT_TRUE(foreign[0]->close());
  EXPECT_THAT(writer_->add_tree("b", std::move(foreign)).error().what, HasSubstr("a segment of another file"));

  auto forgotten = writer_->segment();
  EXPECT_THAT(writer_->finish().error().what, HasSubstr("neither added nor destroyed"));
  forgotten.reset();
  expect_content({{"a", {}}});
  EXPECT_EQ(writer_->finish().error().code, Errc::invalid);
  EXPECT_EQ(BulkWriter::create(path_).error().code, Errc::already_exists);
}

TEST_F(BulkWriterTest, UnfinishedItIsNotADatabaseAndGoesAway) {
  auto segment = writer_->segment();
  fill(*segment, numbered_rows(20000, 100));
  EXPECT_FALSE(Reader::open(path_));
  segment.reset();
  writer_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(BulkWriterTest, FileIsPrivate) {
  add("a", {});
  expect_content({{"a", {}}});
  struct stat st{};
  ASSERT_EQ(::stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 0600U);
}

TEST_F(BulkWriterTest, AFullDiskIsToldOnceAndForAll) {
  // A limit on the size of files stands in for a full disk; the signal that goes with it is ignored.
  const auto run = [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{3 << 20U, 3 << 20U};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto segment = writer_->segment();
    Status status;
    const std::string value(4000, 'v');
    for (int i = 0; status && i < 100000; i++)
      status = segment->append(as_bytes(fmt::format("{:09}", i)), as_bytes(value));
    if (status || segment->close()) std::_Exit(1);
    segment.reset();
    std::_Exit(writer_->finish() ? 2 : 0);
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(0), "");
}

TEST_F(BulkWriterTest, RandomDatabases) {
  std::mt19937_64 random(tidemark::testing::seed());
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int round = tidemark::testing::scaled(60); round > 0; round--) {
    Database content;
    for (auto buckets = below(4); buckets > 0; buckets--) {
      Rows& rows = content[fmt::format("bucket-{}", below(50))];
      const std::size_t key_size = 1 + below(below(8) == 0 ? 5000 : 30);
      const std::size_t value_size = 1 + below(below(8) == 0 ? 50000 : 600);
      for (auto n = below(below(5) == 0 ? 5000 : 200); n > 0; n--) {
        std::string key(1 + below(key_size), '\0');
        for (char& c : key) c = static_cast<char>(random());
        rows.emplace(std::move(key), std::string(below(value_size), static_cast<char>(random())));
      }
    }
    open(below(2) == 0 ? BulkWriter::Cache::keep : BulkWriter::Cache::bypass);
    for (const auto& [bucket, rows] : content) {
      Segments segments;
      for (auto row = rows.begin(); row != rows.end();) {
        auto end = row;
        for (auto take = 1 + below(rows.size()); take > 0 && end != rows.end(); take--) ++end;
        segments.push_back(writer_->segment());
        fill(*segments.back(), Rows(row, end), below(2) == 0);
        row = end;
      }
      std::shuffle(segments.begin(), segments.end(), random);
      ASSERT_TRUE(writer_->add_tree(bucket, std::move(segments)));
    }
    ASSERT_NO_FATAL_FAILURE(expect_content(content));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tidemark::bolt
