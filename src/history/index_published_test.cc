// Blocks of the index that stand in the store: they spare reading the objects, and none is believed that should not be.
#include "history/index_published.h"

#include <gtest/gtest.h>

#include <random>

#include "base/testing/scale.h"
#include "catalog/sidecar.h"
#include "history/testing/chain.h"

namespace tidemark::history {
namespace {

using restore::Target;
using testing::Chain;
using testing::difference;
using testing::IndexedStore;

// A store with its blocks beside the objects.
class Published : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto walked = store_.all(Target::newest(), nullptr);
    ASSERT_TRUE(walked);
    wanted_ = walked->rows;
    published_ = store_.publish_blocks();
    ASSERT_GT(published_, 0U) << "seed " << tidemark::testing::seed();
  }
  // From an empty cache: the right answer, whatever the blocks are like.
  Index::Tally answer() {
    EXPECT_TRUE(io::remove_tree(store_.cache_dir()));
    store_.reopen();
    const auto got = store_.all(Target::newest(), &store_.index());
    EXPECT_TRUE(got) << got.error().what;
    if (got) {
      EXPECT_EQ(difference(wanted_, got->rows), "");
    }
    return store_.index().tally();
  }
  std::vector<io::Path> blocks() const {
    std::vector<io::Path> files;
    for (const auto& file : std::filesystem::directory_iterator(store_.root() / catalog::kIndexPrefix)) {
      files.push_back(file.path());
    }
    return files;
  }
  static Buffer read(const io::Path& file) { return io::read_file(file, 64UL << 20U).value(); }
  static void write(const io::Path& file, Bytes bytes) {
    ASSERT_TRUE(std::filesystem::remove(file));
    ASSERT_TRUE(io::write_file_durably(file, bytes));
  }

  std::mt19937_64 random_{tidemark::testing::seed()};
  Chain chain_{random_(), {.revisions = 80, .seekable = true}};
  IndexedStore store_{chain_};
  Rows wanted_;
  std::size_t published_ = 0;
};

TEST_F(Published, BlocksAreTakenInsteadOfMade) {
  const Index::Tally used = answer();
  EXPECT_GT(used.brought, 0U);
  EXPECT_EQ(used.made, 0U);
  std::uint64_t all = 0;
  for (const io::Path& block : blocks()) all += std::filesystem::file_size(block);
  EXPECT_TRUE(used.brought_bytes > 0 && used.brought_bytes <= all) << used.brought_bytes << " of " << all;
  for (const io::Path& block : blocks()) ASSERT_TRUE(std::filesystem::remove(block));
  const Index::Tally made = answer();
  EXPECT_EQ(made.brought, 0U);
  EXPECT_EQ(made.made, used.made + used.brought);
}

TEST_F(Published, OneThatIsDamagedIsMadeFromItsObject) {
  for (int round = 0; round < tidemark::testing::scaled(20); round++) {
    std::vector<std::pair<io::Path, Buffer>> whole;
    for (const io::Path& file : blocks()) {
      const Buffer good = read(file);
      whole.emplace_back(file, good);
      Buffer bad = good;
      if (random_() % 4 == 0) {
        bad.resize(random_() % bad.size());
      } else {
        bad[random_() % bad.size()] ^= static_cast<std::byte>(1U << (random_() % 8));
      }
      write(file, bad);
    }
    answer();
    if (HasFailure()) FAIL() << "round " << round << " seed " << tidemark::testing::seed();
    for (const auto& [file, good] : whole) write(file, good);
  }
}

TEST_F(Published, OneThatIsOlderThanItsObjectIsNotBelieved) {
  const std::size_t before = answer().brought;
  for (const io::Path& file : blocks()) {
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }
  const Index::Tally after = answer();
  EXPECT_EQ(after.brought, 0U);
  EXPECT_GE(after.made, before);
}

TEST_F(Published, OneOfAnotherObjectIsNotBelieved) {
  for (const io::Path& file : blocks()) {
    const Buffer bytes = read(file);
    Block block = Block::over(bytes).value();
    for (const std::string& identity : {std::string("v2/Full-00000000-00000001-1.gz\n1 bytes"), std::string(),
                                        block.about().identity + "0", "x" + block.about().identity}) {
      io::BufferSink other;
      ASSERT_TRUE(write_as(block, identity, other));
      ASSERT_EQ(Block::over(other.buffer())->about().identity, identity);
      write(file, other.buffer());
    }
  }
  EXPECT_EQ(answer().brought, 0U);
}

// The names of one object's keys in another's block: only their values tell.
TEST_F(Published, OneThatLiesAboutItsObjectIsFoundOutByTheValues) {
  store_.replace_all([](Buffer& value) { std::ranges::reverse(value); });
  wanted_ = store_.all(Target::newest(), nullptr)->rows;
  for (const io::Path& file : blocks()) {  // as if they were put behind the objects
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  }
  answer();
}

TEST_F(Published, CopiesOfValuesAreNotTakenWhereTheyMayNotLie) {
  const auto kept_in_cache = [&] {
    std::uint64_t kept = 0;
    for (const io::Path& file : store_.cache_files()) kept += Block::open(file)->kept_bytes();
    return kept;
  };
  answer();
  ASSERT_GT(kept_in_cache(), 0U) << "seed " << tidemark::testing::seed();
  store_.forbid_copies();
  EXPECT_GT(answer().made, 0U);
  EXPECT_EQ(kept_in_cache(), 0U);
}

}  // namespace
}  // namespace tidemark::history
