#include "bolt/page_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bolt/page_writer.h"
#include "bolt/testing/sample.h"

namespace tidemark::bolt {
namespace {

using ::testing::HasSubstr;

constexpr PageId kFirst = 7;

void add_page(Buffer& chunk, const std::vector<std::string>& keys, std::size_t value_size = 20,
              std::uint16_t kind = kLeafPage) {
  const std::string value(value_size, 'v');
  std::vector<Row> rows;
  for (const std::string& key : keys)
    rows.push_back({.key = as_bytes(key), .value = kind == kLeafPage ? as_bytes(value) : Bytes(), .child = 3});
  const std::size_t at = chunk.size(), pages = pages_for(page_bytes(rows));
  chunk.resize(at + pages * kPageSize);
  store_page(chunk.data() + at, kind, rows, static_cast<std::uint32_t>(pages - 1));
  store_le(chunk.data() + at, kFirst + at / kPageSize);
}

Buffer three_pages() {
  Buffer chunk;
  add_page(chunk, {"a", "b"});
  add_page(chunk, {"c", "d"}, 5000);
  add_page(chunk, {"e"});
  return chunk;
}

class Seen final : public LeafWitness {
 public:
  Status saw(const Page& leaf, bool) override {
    for (std::size_t i = 0; i < leaf.count(); i++) keys += as_text(leaf.element(i)->key);
    return keys.size() > 4 ? Status(fail(Errc::invalid, "enough")) : Status();
  }
  std::string keys;
};

TEST(PageProof, ShowsEachPageAndTellsWhatTheWitnessSays) {
  Seen seen;
  PageProof proof(&seen);
  const auto checked = proof.check(three_pages(), kFirst, 3, kLeafPage, false);
  EXPECT_EQ(seen.keys, "abcde");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().what, "enough");
}

TEST(PageProof, OrderAcrossPagesAndChunks) {
  const struct {
    std::vector<std::vector<std::string>> chunks;  // one page each
    bool descending;
    bool good;
  } rows[] = {
      {{{"a", "b"}, {"c"}}, false, true},  {{{"a", "b"}, {"b"}}, false, false},
      {{{"c"}, {"a", "b"}}, false, false}, {{{"c"}, {"a", "b"}}, true, true},
      {{{"c"}, {"a", "c"}}, true, false},  {{{"a", "b"}, {"c"}}, true, false},
      {{{"b", "a"}}, false, false},        {{{"a", "a"}}, false, false},
      {{{"b", "a"}}, true, false},         {{{}}, false, true},
  };
  for (const auto& row : rows) {
    PageProof proof;
    Status all;
    for (const auto& keys : row.chunks) {
      Buffer chunk;
      add_page(chunk, keys);
      if (all) all = proof.check(chunk, kFirst, 1, kLeafPage, row.descending);
    }
    EXPECT_EQ(all.has_value(), row.good) << row.chunks[0].size() << (all ? "" : all.error().what);
  }
}

TEST(PageProof, EveryFlipOfAHeader) {
  const Buffer whole = three_pages();
  ASSERT_TRUE(PageProof().check(whole, kFirst, 3, kLeafPage, false));
  const auto flip_all = [&](std::size_t page, std::size_t from, std::size_t to) {
    for (std::size_t bit = (page * kPageSize + from) * 8; bit < (page * kPageSize + to) * 8; bit++) {
      Buffer chunk = whole;
      chunk[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      const auto checked = PageProof().check(chunk, kFirst, 3, kLeafPage, false);
      EXPECT_FALSE(checked) << "page " << page << " bit " << bit;
    }
  };
  for (const std::size_t page : {0, 1, 4}) {
    flip_all(page, 0, 10);   // id, flags
    flip_all(page, 12, 16);  // overflow
  }
  EXPECT_FALSE(PageProof().check(whole, kFirst + 1, 3, kLeafPage, false));
  EXPECT_FALSE(PageProof().check(whole, kFirst, 3, kBranchPage, false));
  EXPECT_FALSE(PageProof().check(whole, kFirst, 2, kLeafPage, false));
  EXPECT_FALSE(PageProof().check(whole, kFirst, 4, kLeafPage, false));
}

TEST(PageProof, BranchesToo) {
  Buffer chunk;
  add_page(chunk, {"a", "b", "c"}, 0, kBranchPage);
  EXPECT_TRUE(PageProof().check(chunk, kFirst, 1, kBranchPage, false));
  chunk[kPageHeaderSize] ^= std::byte{0x80};  // where the first key is
  EXPECT_THAT(PageProof().check(chunk, kFirst, 1, kBranchPage, false).error().what, HasSubstr("page 7"));
}

// The tree above the leaves, read from the file.
TEST(CheckBranches, FindsEveryChange) {
  Buffer file = testing::small_tree();
  const auto read = [&](LeafSum& leaves) -> Status {
    TM_LET(const Reader reader, Reader::over(file, "database"));
    TM_LET(const Bucket rows, reader.bucket("rows"));
    return check_branches(reader, rows.root, 1, leaves);
  };
  LeafSum leaves;
  const Reader reader = *Reader::over(file, "database");
  const Bucket rows = *reader.bucket("rows");
  const Page root = *reader.page(rows.root);
  ASSERT_GT(root.count(), 2U);
  for (std::size_t i = 0; i < root.count(); i++) leaves.add(root.child(i)->key, root.child(i)->page);
  ASSERT_TRUE(read(leaves)) << read(leaves).error().what;

  std::byte* const page = file.data() + rows.root * kPageSize;
  for (std::size_t at = 8; at < kPageHeaderSize + kElementSize * root.count() - kElementSize; at++) {
    if (at >= 12 && at < kPageHeaderSize) continue;  // overflow: another page run, which the count of pages finds
    page[at] ^= std::byte{1};
    EXPECT_FALSE(read(leaves)) << at;
    page[at] ^= std::byte{1};
  }
  LeafSum one_more = leaves;
  one_more.add(as_bytes("z"), 3);
  EXPECT_FALSE(read(one_more));
  EXPECT_FALSE(check_branches(reader, rows.root, 2, leaves)) << "another depth";
  EXPECT_FALSE(check_branches(reader, rows.root, 0, leaves)) << "another depth";
}

}  // namespace
}  // namespace tidemark::bolt
