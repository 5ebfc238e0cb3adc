#include "bolt/page.h"

#include <gtest/gtest.h>

namespace tidemark::bolt {
namespace {

TEST(Fnv1a, PublishedVectors) {
  const std::pair<std::string_view, std::uint64_t> rows[] = {
      {"", 0xcbf29ce484222325}, {"a", 0xaf63dc4c8601ec8c}, {"foobar", 0x85944171f73967e8}};
  for (const auto& [text, hash] : rows) EXPECT_EQ(fnv1a_64(as_bytes(text)), hash) << text;
}

TEST(Meta, IsReadBackAndAnyFlippedBitIsSeen) {
  Buffer page(kMetaEnd);
  store_meta(page.data(), 1, {.page_size = 4096, .root = 9, .freelist = 8, .high_water = 12, .txid = 77});
  const auto meta = load_meta(page);
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->page_size, 4096U);
  EXPECT_EQ(meta->root, 9U);
  EXPECT_EQ(meta->freelist, 8U);
  EXPECT_EQ(meta->high_water, 12U);
  EXPECT_EQ(meta->txid, 77U);
  EXPECT_EQ(load_header(page).flags, kMetaPage);
  for (std::size_t bit = kPageHeaderSize * 8; bit < kMetaEnd * 8; bit++) {
    Buffer damaged = page;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(load_meta(damaged)) << bit;
  }
  for (std::size_t length = 0; length < kMetaEnd; length++) EXPECT_FALSE(load_meta(Bytes(page).first(length)));
}

TEST(Freelist, IsReadBackWhateverItsLength) {
  // 0xFFFE is the last count that fits into the header's field.
  for (const std::size_t count : {0UL, 1UL, 510UL, 511UL, 0xFFFDUL, 0xFFFEUL, 0xFFFFUL, 0x10000UL, 70000UL}) {
    std::vector<PageId> free(count);
    for (std::size_t i = 0; i < count; i++) free[i] = 2 + 3 * i;
    const Buffer run = make_freelist(free, 4096);
    EXPECT_EQ(run.size() % 4096, 0U);
    EXPECT_EQ((load_header(run).overflow + 1UL) * 4096, run.size());
    EXPECT_EQ(load_header(run).count, std::min<std::size_t>(count, 0xFFFF));
    const auto back = load_freelist(run, 5);
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(*back, free) << count;
  }
}

TEST(Freelist, CountsThatDoNotFitAreRefused) {
  struct Row {
    std::uint16_t flags, count;
    std::uint64_t first;  // the real count when `count` is 0xFFFF
    bool good;
  };
  const Row rows[] = {{kFreelistPage, 510, 0, true},         {kFreelistPage, 511, 0, false},
                      {kFreelistPage, 0xFFFF, 509, true},    {kFreelistPage, 0xFFFF, 510, false},
                      {kFreelistPage, 0xFFFF, ~0ULL, false}, {kFreelistPage, 0xFFFF, 1ULL << 61U, false},
                      {kFreelistPage, 0xFFFE, 0, false},     {kLeafPage, 0, 0, false}};
  for (const Row& row : rows) {
    Buffer run(4096);
    store_header(run.data(), {.id = 3, .flags = row.flags, .count = row.count, .overflow = 0});
    store_le(run.data() + kPageHeaderSize, row.first);
    const auto free = load_freelist(run, 3);
    EXPECT_EQ(free.has_value(), row.good) << row.count << " " << row.first;
    if (!free) {
      EXPECT_EQ(free.error().code, Errc::corrupt);
    }
  }
  EXPECT_FALSE(load_freelist(Buffer(20), 3));
}

TEST(Page, HeadersThatCannotBeAreRefused) {
  struct Row {
    std::uint16_t flags, count;
    std::string_view message;  // empty: good
  };
  const Row rows[] = {
      {kLeafPage, 0, ""},
      {kBranchPage, 255, ""},
      {kLeafPage, 256, "page 7: 256 elements do not fit into 4096 bytes"},
      {kBranchPage, 0xFFFF, "page 7: 65535 elements do not fit into 4096 bytes"},
      {kMetaPage, 0, "page 7: invalid type 0x4"},
      {kFreelistPage, 0, "page 7: invalid type 0x10"},
      {0, 0, "page 7: invalid type 0x0"},
      {kLeafPage | kBranchPage, 0, "page 7: invalid type 0x3"},
      {0x8000 | kLeafPage, 0, "page 7: invalid type 0x8002"},
  };
  for (const Row& row : rows) {
    Buffer run(4096);
    store_header(run.data(), {.id = 7, .flags = row.flags, .count = row.count, .overflow = 0});
    const auto page = Page::over(run, 7, 1);
    EXPECT_EQ(page ? "" : page.error().what, row.message);
  }
  EXPECT_FALSE(Page::over(Buffer(15), 7, 1));
}

TEST(Page, ElementsOutsideThePageAreRefused) {
  struct Row {
    std::uint32_t pos, key_size, value_size;
    bool good;
  };
  // One element at offset 16 of a page of 100 bytes: its data may lie in [32, 100).
  const Row rows[] = {
      {16, 1, 0, true},           {16, 34, 34, true},         {83, 1, 0, true},
      {16, 68, 0, true},          {15, 1, 0, false},          {0, 1, 0, false},
      {16, 0, 5, false},          {16, 34, 35, false},        {84, 1, 0, false},
      {16, 69, 0, false},         {83, 1, 1, false},          {0xFFFFFFFF, 1, 0, false},
      {16, 0xFFFFFFFF, 0, false}, {16, 1, 0xFFFFFFFF, false}, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, false},
  };
  for (const Row& row : rows) {
    Buffer run(100);
    store_header(run.data(), {.id = 7, .flags = kLeafPage, .count = 1, .overflow = 0});
    store_le(run.data() + 20, row.pos);
    store_le(run.data() + 24, row.key_size);
    store_le(run.data() + 28, row.value_size);
    const auto leaf = Page::over(run, 7, 1);
    ASSERT_TRUE(leaf);
    EXPECT_EQ(leaf->element(0).has_value(), row.good) << row.pos << " " << row.key_size << " " << row.value_size;

    store_header(run.data(), {.id = 7, .flags = kBranchPage, .count = 1, .overflow = 0});
    store_le(run.data() + 16, row.pos);
    store_le(run.data() + 20, row.key_size);
    store_le(run.data() + 24, std::uint64_t{9});
    const auto branch = Page::over(run, 7, 1);
    ASSERT_TRUE(branch);
    const bool fits = row.key_size > 0 && row.pos >= 16 && std::uint64_t{16} + row.pos + row.key_size <= 100;
    EXPECT_EQ(branch->child(0).has_value(), fits) << row.pos << " " << row.key_size;
  }
}

}  // namespace
}  // namespace tidemark::bolt
