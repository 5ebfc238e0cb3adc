#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bolt/testing/sample.h"

namespace tidemark::bolt {
namespace {

using ::testing::Contains;
using testing::edit_meta;
using ::testing::ElementsAre;
using testing::find_page;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::numbered_rows;
using testing::small_tree;
using testing::write_database;

std::vector<std::string> findings(const Buffer& file) {
  const auto reader = Reader::over(file, "'sample'");
  if (!reader) return {reader.error().what};
  return check_structure(*reader);
}

std::vector<std::string> breaches(const Buffer& file) {
  const auto reader = Reader::over(file, "'sample'");
  if (!reader) return {reader.error().what};
  return check_writer_rules(*reader);
}

PageId id_of(const std::byte* page) { return load_le<std::uint64_t>({page, 8}); }

void set_freelist(Buffer& file, const std::vector<PageId>& free) {
  std::byte* const page = find_page(file, kFreelistPage);
  const PageId id = id_of(page);
  const Buffer run = make_freelist(free, 4096);
  std::copy(run.begin(), run.end(), page);
  store_le(page, id);
}

TEST(CheckStructure, OurOwnFilesAreClean) {
  EXPECT_THAT(findings(small_tree()), IsEmpty());
  EXPECT_THAT(breaches(small_tree()), IsEmpty());
}

TEST(CheckStructure, PagesAndTheFreelistMustAgree) {
  Buffer file = small_tree();
  const PageId end = file.size() / 4096;
  const PageId leaf = id_of(find_page(file, kLeafPage));
  file.resize(file.size() + 2 * 4096);
  for (const PageId meta : {PageId{0}, PageId{1}}) edit_meta(file, meta, [](Meta& m) { m.high_water += 2; });

  struct Row {
    std::vector<PageId> free;
    std::vector<std::string> findings;
  };
  const auto page = [](PageId id, std::string_view what) { return fmt::format("page {}: {}", id, what); };
  const Row rows[] = {
      {{end, end + 1}, {}},
      {{end}, {page(end + 1, "unreachable unfreed")}},
      {{}, {page(end, "unreachable unfreed"), page(end + 1, "unreachable unfreed")}},
      {{end, end, end + 1}, {page(end, "already freed")}},
      {{leaf, end, end + 1}, {page(leaf, "reachable freed")}},
      {{end, end + 1, end + 2}, {fmt::format("page {}: freed but out of bounds: {} pages", end + 2, end + 2)}},
      {{1, end, end + 1}, {fmt::format("page 1: freed but out of bounds: {} pages", end + 2)}},
  };
  for (const Row& row : rows) {
    set_freelist(file, row.free);
    EXPECT_EQ(findings(file), row.findings);
  }
  // Without a freelist page whatever cannot be reached is free.
  for (const PageId meta : {PageId{0}, PageId{1}}) edit_meta(file, meta, [](Meta& m) { m.freelist = kNoFreelist; });
  EXPECT_THAT(findings(file), IsEmpty());
}

TEST(CheckStructure, KeysMustAscendAndStayBetweenTheirAncestors) {
  struct Row {
    std::uint16_t page;
    std::size_t element;
    std::size_t key_at;  // of the byte to change, in the key
    char to;
    std::string_view finding, breach;
  };
  const Row rows[] = {
      // Keys are row-00000, row-00002 and so on; the first leaf is page 2, the branch is the only one.
      {kLeafPage, 1, 0, 'a', "page 2: key 1 is not above the key before it", ""},
      {kLeafPage, 0, 0, 'a', "page 2: key 0 is below its key in the page above", ""},
      {kLeafPage, 0, 8, '0', "", ""},
      {kLeafPage, 12, 0, 'z', "page 2: key 12 is not below the next key of the page above", ""},
      {kBranchPage, 1, 0, 'a', "key 1 is not above the key before it", ""},
      {kBranchPage, 2, 8, '1', "", "its first key is not its key in the page above"},
  };
  for (const Row& row : rows) {
    testing::Rows even;
    for (int i = 0; i < 60; i++) even.emplace(fmt::format("row-{:05}", 2 * i), std::string(250, 'v'));
    Buffer file = write_database({{"rows", even}});
    std::byte* const page = find_page(file, row.page);
    ASSERT_GT(load_header({page, 16}).count, row.element);
    std::byte* const element = page + 16 + 16 * row.element;
    const auto pos = load_le<std::uint32_t>({element + (row.page == kLeafPage ? 4 : 0), 4});
    element[pos + row.key_at] = static_cast<std::byte>(row.to);
    if (row.finding.empty()) {
      EXPECT_THAT(findings(file), IsEmpty());
    } else {
      EXPECT_THAT(findings(file), Contains(HasSubstr(std::string(row.finding))));
    }
    if (row.breach.empty()) continue;
    EXPECT_THAT(breaches(file), Contains(HasSubstr(std::string(row.breach))));
  }
}

TEST(CheckWriterRules, OneChildAndEmptyPages) {
  Buffer file = small_tree();
  std::byte* const branch = find_page(file, kBranchPage);
  const PageId id = id_of(branch);
  store_le(branch + 10, std::uint16_t{1});
  for (const PageId meta : {PageId{0}, PageId{1}}) edit_meta(file, meta, [](Meta& m) { m.freelist = kNoFreelist; });
  EXPECT_THAT(findings(file), IsEmpty());
  EXPECT_THAT(breaches(file), ElementsAre(fmt::format("page {}: branch with one child", id)));

  file = small_tree();
  store_le(find_page(file, kLeafPage) + 10, std::uint16_t{0});
  EXPECT_THAT(findings(file), IsEmpty());
  EXPECT_THAT(breaches(file), ElementsAre("page 2: empty below another page"));
}

TEST(CheckStructure, InlineBucketsAreCheckedToo) {
  Buffer file = write_database({{"small", numbered_rows(3, 10)}});
  std::byte* const root = find_page(file, kLeafPage);
  const auto pos = load_le<std::uint32_t>({root + 20, 4});
  std::byte* const inlined = root + 16 + pos + 5 + 16;  // behind the name "small" and the bucket's header
  ASSERT_EQ(load_header({inlined, 16}).count, 3);
  store_le(inlined + 10, std::uint16_t{60});
  EXPECT_THAT(findings(file), ElementsAre(HasSubstr("inline page: 60 elements do not fit")));
  store_le(inlined + 10, std::uint16_t{3});
  inlined[16 + 16 + load_le<std::uint32_t>({inlined + 16 + 16 + 4, 4})] = std::byte{'a'};
  EXPECT_THAT(findings(file), ElementsAre("inline page: key 1 is not above the key before it"));
  store_le(inlined + 8, kBranchPage);
  EXPECT_THAT(findings(file), ElementsAre("inline page: a branch, not a leaf"));
}

TEST(CheckStructure, StopsAfterSoManyFindings) {
  Buffer file = small_tree();
  const std::size_t end = file.size() / 4096;
  file.resize(file.size() + 300 * 4096);
  for (const PageId meta : {PageId{0}, PageId{1}}) edit_meta(file, meta, [](Meta& m) { m.high_water += 300; });
  EXPECT_EQ(findings(file).size(), 100U);
  EXPECT_EQ(findings(file)[0], fmt::format("page {}: unreachable unfreed", end));
}

}  // namespace
}  // namespace tidemark::bolt
