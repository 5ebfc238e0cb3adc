#include "bolt/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/testing/scale.h"
#include "bolt/cursor.h"
#include "bolt/testing/sample.h"

namespace tidemark::bolt {
namespace {

using testing::edit_meta;
using testing::exercise;
using testing::find_page;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::numbered_rows;
using testing::small_tree;
using testing::write_database;

Result<Reader> over(const Buffer& file) { return Reader::over(file, "'sample'"); }

Status nothing(const Element&) { return {}; }

// The message of walking bucket "rows", both ways; empty when both are fine.
std::string walk_failure(const Buffer& file) {
  const auto reader = over(file);
  if (!reader) return reader.error().what;
  const auto bucket = reader->bucket("rows");
  if (!bucket) return bucket.error().what;
  const Status forwards = reader->for_each(*bucket, nothing), backwards = reader->for_each_backwards(*bucket, nothing);
  EXPECT_EQ(forwards.has_value(), backwards.has_value());
  if (!forwards) {
    EXPECT_EQ(forwards.error().code, Errc::corrupt);
  }
  return forwards ? "" : forwards.error().what;
}

TEST(Reader, FindsWalksAndNames) {
  const Buffer file = small_tree();
  const auto reader = over(file);
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_THAT(*reader->bucket_names(), ::testing::ElementsAre("rows", "small"));
  EXPECT_EQ(reader->bucket("none").error().code, Errc::not_found);
  const Bucket rows = *reader->bucket("rows");
  for (const auto& [key, value] : numbered_rows(40, 250)) {
    const auto found = reader->find(rows, as_bytes(key));
    ASSERT_TRUE(found && *found) << key;
    EXPECT_EQ(as_text((*found)->value), value);
  }
  for (const std::string_view missing : {"", "a", "row-00007x", "row-99999", "zzz"})
    EXPECT_FALSE(reader->find(rows, as_bytes(missing))->has_value()) << missing;
  EXPECT_EQ(as_text((*reader->last(rows))->key), "row-00039");

  std::vector<std::string> forwards, backwards;
  ASSERT_TRUE(reader->for_each(rows, [&](const Element& element) -> Status {
    forwards.emplace_back(as_text(element.key));
    return {};
  }));
  ASSERT_TRUE(reader->for_each_backwards(rows, [&](const Element& element) -> Status {
    backwards.emplace_back(as_text(element.key));
    return {};
  }));
  EXPECT_EQ(forwards.size(), 40U);
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(forwards, backwards);
}

TEST(Reader, StopsAtTheFirstFailureOfTheCaller) {
  const Buffer file = small_tree();
  const auto reader = over(file);
  ASSERT_TRUE(reader);
  int seen = 0;
  const Status stopped = reader->for_each(*reader->bucket("rows"), [&](const Element&) -> Status {
    if (++seen == 7) return fail(Errc::cancelled, "enough");
    return {};
  });
  EXPECT_EQ(seen, 7);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().what, "enough");
  EXPECT_EQ(stopped.error().code, Errc::cancelled);
}

TEST(Reader, EveryPrefixIsTornAndATailIsIgnored) {
  const Buffer file = small_tree();
  for (std::size_t length = 0; length < file.size(); length += length < 5000 ? 1 : 509) {
    const auto reader = Reader::over(Bytes(file).first(length), "'cut'");
    ASSERT_FALSE(reader) << length;
    EXPECT_EQ(reader.error().code, Errc::torn) << length << ": " << reader.error().what;
  }
  Buffer longer = file;
  longer.resize(file.size() + 10000, std::byte{0xFF});
  EXPECT_EQ(walk_failure(longer), "");
}

TEST(Reader, OpensAFileUpToALength) {
  const Buffer file = small_tree();
  const auto dir = io::TempDir::create();
  ASSERT_TRUE(dir);
  const io::Path path = dir->path() / "db";
  ASSERT_TRUE(io::write_file_durably(path, file));
  EXPECT_TRUE(Reader::open(path));
  EXPECT_TRUE(Reader::open(path, file.size()));
  EXPECT_EQ(Reader::open(path, file.size() - 1).error().code, Errc::torn);
  EXPECT_EQ(Reader::open(path, file.size() + 1).error().code, Errc::torn);
  EXPECT_EQ(Reader::open(dir->path() / "none").error().code, Errc::not_found);
  ASSERT_TRUE(io::write_file_durably(dir->path() / "empty", {}));
  EXPECT_EQ(Reader::open(dir->path() / "empty").error().code, Errc::torn);
}

TEST(Reader, TheValidMetaWrittenLastIsTaken) {
  struct Row {
    std::uint64_t txid0, txid1;
    int broken;  // -1: none
    std::uint64_t taken;
  };
  const Row rows[] = {{5, 4, -1, 5}, {4, 5, -1, 5}, {5, 4, 0, 4}, {4, 5, 1, 4}, {5, 4, 1, 5}, {9, 9, -1, 9}};
  for (const Row& row : rows) {
    Buffer file = small_tree();
    edit_meta(file, 0, [&](Meta& meta) { meta.txid = row.txid0; });
    edit_meta(file, 1, [&](Meta& meta) { meta.txid = row.txid1; });
    if (row.broken >= 0) file[static_cast<std::size_t>(row.broken) * 4096 + 60] ^= std::byte{1};
    const auto reader = over(file);
    ASSERT_TRUE(reader) << reader.error().what;
    EXPECT_EQ(reader->meta().txid, row.taken);
  }
}

TEST(Reader, MetasThatCannotBeAreRefused) {
  const Buffer good = small_tree();
  const std::uint64_t pages = good.size() / 4096;
  struct Row {
    std::function<void(Meta&)> edit;
    Errc code;
    std::string_view message;
  };
  const Row rows[] = {
      {[&](Meta& meta) { meta.root = pages; }, Errc::corrupt, "root page"},
      {[](Meta& meta) { meta.root = 0; }, Errc::corrupt, "root page 0"},
      {[](Meta& meta) { meta.root = 1; }, Errc::corrupt, "root page 1"},
      {[](Meta& meta) { meta.root = ~0ULL; }, Errc::corrupt, "root page"},
      {[&](Meta& meta) { meta.freelist = pages; }, Errc::corrupt, "freelist page"},
      {[](Meta& meta) { meta.freelist = 1; }, Errc::corrupt, "freelist page 1"},
      {[](Meta& meta) { meta.freelist = ~0ULL - 1; }, Errc::corrupt, "freelist page"},
      {[](Meta& meta) { meta.high_water = 0; }, Errc::corrupt, "root page"},
      {[&](Meta& meta) { meta.high_water = pages + 1; }, Errc::torn, "pages need"},
      {[](Meta& meta) { meta.high_water = ~0ULL; }, Errc::torn, "pages need"},
      {[](Meta& meta) { meta.page_size = 0; }, Errc::corrupt, "no valid meta page"},
      {[](Meta& meta) { meta.page_size = 4095; }, Errc::corrupt, "no valid meta page"},
      {[](Meta& meta) { meta.page_size = 512; }, Errc::corrupt, "no valid meta page"},
      {[](Meta& meta) { meta.page_size = 1U << 31U; }, Errc::corrupt, "no valid meta page"},
  };
  for (const Row& row : rows) {
    Buffer file = good;
    edit_meta(file, 0, row.edit);
    edit_meta(file, 1, row.edit);
    const auto reader = over(file);
    ASSERT_FALSE(reader) << row.message;
    EXPECT_EQ(reader.error().code, row.code) << reader.error().what;
    EXPECT_THAT(reader.error().what, HasSubstr(std::string(row.message)));
  }
  Buffer neither = good;
  neither[20] ^= std::byte{1};
  neither[4096 + 20] ^= std::byte{1};
  EXPECT_EQ(over(neither).error().code, Errc::corrupt);
}

// One field of one page of a good file is made wrong; the walk must end with that message.
TEST(Reader, HostilePagesEndTheWalk) {
  struct Row {
    std::uint16_t page;  // the first page of this kind is edited
    std::function<void(std::byte*)> edit;
    std::string_view message;
  };
  const auto put64 = [](std::size_t at, std::uint64_t value) {
    return [=](std::byte* page) { store_le(page + at, value); };
  };
  const auto put32 = [](std::size_t at, std::uint32_t value) {
    return [=](std::byte* page) { store_le(page + at, value); };
  };
  const auto put16 = [](std::size_t at, std::uint16_t value) {
    return [=](std::byte* page) { store_le(page + at, value); };
  };
  const Row rows[] = {
      {kBranchPage, put64(0, 99), "calls itself page 99"},
      {kBranchPage, put16(10, 0), "branch without children"},
      {kBranchPage, put16(10, 0xFFFF), "65535 elements do not fit"},
      {kBranchPage, put16(8, kMetaPage), "invalid type"},
      {kBranchPage, put32(12, 1000), "out of bounds"},
      {kBranchPage, put32(12, 0xFFFFFFFF), "out of bounds"},
      {kBranchPage, put64(16 + 8, 0), "page 0: out of bounds"},
      {kBranchPage, put64(16 + 8, 1), "page 1: out of bounds"},
      {kBranchPage, put64(16 + 8, 1000), "page 1000: out of bounds"},
      {kBranchPage, put64(16 + 8, ~0ULL), "out of bounds"},
      {kBranchPage, put32(16, 0xFFFFFFF0), "has no key or does not lie inside"},
      {kBranchPage, put32(20, 0), "has no key or does not lie inside"},
      {kBranchPage, [](std::byte* page) { store_le(page + 24, load_le<std::uint64_t>({page, 8})); },
       "multiple references"},
      {kBranchPage, [](std::byte* page) { store_le(page + 40, load_le<std::uint64_t>({page + 24, 8})); },
       "multiple references"},
      {kBranchPage,
       [](std::byte* page) {
         std::byte other[8];
         std::copy_n(page + 24, 8, other);
         std::copy_n(page + 40, 8, page + 24);
         std::copy_n(other, 8, page + 40);
       },
       "out of order"},
      {kLeafPage, put64(0, 3), "calls itself page 3"},
      {kLeafPage, put16(10, 300), "300 elements do not fit"},
      {kLeafPage, put16(8, 0), "invalid type"},
      {kLeafPage, put32(12, 1), "multiple references"},
      {kLeafPage, put32(16 + 4, 8), "has no key or does not lie inside"},
      {kLeafPage, put32(16 + 8, 0), "has no key or does not lie inside"},
      {kLeafPage, put32(16 + 12, 0x7FFFFFFF), "has no key or does not lie inside"},
      {kLeafPage, put32(16 + 12, 400), "overlaps another"},
  };
  for (const Row& row : rows) {
    Buffer file = small_tree();
    std::byte* const page = find_page(file, row.page);
    ASSERT_NE(page, nullptr);
    row.edit(page);
    EXPECT_THAT(walk_failure(file), HasSubstr(std::string(row.message)));
    EXPECT_THAT(walk_failure(file), ::testing::StartsWith("'sample': "));
    EXPECT_THAT(check_structure(*over(file)), ::testing::Not(IsEmpty())) << row.message;
    exercise(file);
  }
}

// A branch that refers to pages which refer to each other again and again: 2^n walks without a guard.
TEST(Reader, PagesThatShareChildrenAreFound) {
  Buffer file(4096 * 40);
  for (PageId id = 2; id < 40; id++) {
    std::byte* const page = file.data() + id * 4096;
    store_header(page, {.id = id, .flags = kBranchPage, .count = 2, .overflow = 0});
    for (std::size_t i = 0; i < 2; i++) {
      std::byte* const element = page + 16 + 16 * i;
      store_le(element, static_cast<std::uint32_t>(32 - 16 * i + i));
      store_le(element + 4, std::uint32_t{1});
      store_le(element + 8, std::uint64_t{id + 1 < 40 ? id + 1 : 2});
      page[48 + i] = static_cast<std::byte>('a' + i);
    }
  }
  for (const PageId id : {PageId{0}, PageId{1}})
    store_meta(file.data() + id * 4096, id,
               {.page_size = 4096, .root = 2, .freelist = kNoFreelist, .high_water = 40, .txid = 1});
  const auto reader = over(file);
  ASSERT_TRUE(reader);
  EXPECT_THAT(reader->bucket_names().error().what, HasSubstr("multiple references"));
  EXPECT_THAT(check_structure(*reader), ::testing::Contains(HasSubstr("multiple references")));
  EXPECT_THAT(reader->find(reader->root(), as_bytes("a")).error().what, HasSubstr("deeper than"));
}

TEST(Reader, BucketsThatCannotBeAreRefused) {
  struct Row {
    std::string value;
    bool is_bucket;
    bool good;
  };
  const auto header = [](std::uint64_t root) {
    std::string text(16, '\0');
    store_le(reinterpret_cast<std::byte*>(text.data()), root);
    return text;
  };
  const Row rows[] = {
      {header(5), true, true},        {header(0) + std::string(16, '\0'), true, true},  {header(5), false, false},
      {header(5) + "x", true, false}, {header(5).substr(0, 15), true, false},           {"", true, false},
      {header(0), true, false},       {header(0) + std::string(15, '\0'), true, false},
  };
  for (const Row& row : rows) {
    const auto bucket = Reader::as_bucket({as_bytes("b"), as_bytes(row.value), row.is_bucket});
    EXPECT_EQ(bucket.has_value(), row.good) << row.value.size();
    if (!bucket) {
      EXPECT_EQ(bucket.error().code, Errc::corrupt);
    }
  }
}

TEST(Reader, EveryFlippedBitIsSurvived) {
  const Buffer file = write_database({{"rows", numbered_rows(30, 250)}, {"small", numbered_rows(2, 10)}});
  ASSERT_GT(exercise(file), 60U);
  // All bits of headers and elements, and a sample of the rest.
  for (std::size_t at = 0; at < file.size(); at += at % 4096 < 400 ? 1 : 61) {
    for (unsigned bit = 0; bit < 8; bit += 3) {
      Buffer damaged = file;
      damaged[at] ^= static_cast<std::byte>(1U << bit);
      exercise(damaged);
    }
  }
}

TEST(Reader, RandomDamageIsSurvived) {
  std::mt19937_64 random(tidemark::testing::seed());
  const Buffer file = small_tree();
  for (int round = tidemark::testing::scaled(2000); round > 0; round--) {
    Buffer damaged = file;
    for (auto changes = 1 + random() % 8; changes > 0; changes--) {
      // Metas stay valid: otherwise nothing behind them is read.
      const std::size_t page = 2 + random() % (file.size() / 4096 - 2);
      const std::size_t at = page * 4096 + random() % 200;
      if (random() % 2 == 0) {
        damaged[at] = static_cast<std::byte>(random());
      } else {
        store_le(damaged.data() + at / 4 * 4, static_cast<std::uint32_t>(random() % 12));
      }
    }
    exercise(damaged);
  }
}

}  // namespace
}  // namespace tidemark::bolt
