// By the index a walk through all versions tells what it tells without, line for line.
#include <gtest/gtest.h>

#include <random>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "history/testing/chain.h"

namespace tidemark::history {
namespace {

using restore::Target;
using testing::Chain;
using testing::IndexedStore;

// How it ends and what it says, also when it fails.
std::string words(const Result<std::string>& told) {
  return told ? *told : fmt::format("{}: {} ({})", errc_name(told.error().code), told.error().what, told.error().hint);
}

void expect_same_log(IndexedStore& store, const VersionWish& wish, const Asked& asked) {
  const std::string walked = words(store.log(wish, asked, nullptr));
  EXPECT_EQ(words(store.log(wish, asked, &store.index())), walked)
      << "since " << (wish.since ? restore::print_target(*wish.since) : "ever") << ", until "
      << restore::print_target(wish.until);
}

Target some_target(Chain& chain, std::mt19937_64& random) {
  if (random() % 2 == 0) return Target::at(chain.some_revision());
  return Target::at(chain.some_time());
}

VersionWish some_wish(Chain& chain, std::mt19937_64& random) {
  VersionWish wish;
  if (random() % 2 == 0) wish.since = some_target(chain, random);
  if (random() % 2 == 0) wish.until = some_target(chain, random);
  return wish;
}

Asked some_asked(Chain& chain, std::mt19937_64& random) {
  switch (random() % 4) {
    case 0: return {.prefixes = {""}};
    case 1: return {.prefixes = {"/registry/pods/", "/registry/pods/ns-0/a", "/registry/apiext"}};
    default: return {.keys = chain.some_keys(1 + static_cast<int>(random() % 3))};
  }
}

TEST(IndexedVersions, AreThoseOfTheWalk) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (int round = 0; round < tidemark::testing::scaled(6); round++) {
    Chain chain(random());
    IndexedStore store(chain);
    expect_same_log(store, {}, {.prefixes = {""}});
    for (int i = 0; i < 12; i++) expect_same_log(store, some_wish(chain, random), some_asked(chain, random));
    if (::testing::Test::HasFailure()) FAIL() << "round " << round << ", seed " << tidemark::testing::seed();
  }
}

TEST(IndexedVersions, AlsoOverBadObjectsAndABadCache) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (int round = 0; round < tidemark::testing::scaled(8); round++) {
    Chain chain(random());
    IndexedStore store(chain);
    if (random() % 4 != 0) store.damage_one(random());
    expect_same_log(store, {}, {.prefixes = {""}});
    for (int i = 0; i < 6; i++) {
      if (!store.cache_files().empty()) store.damage_cache(random);
      store.reopen();
      expect_same_log(store, some_wish(chain, random), some_asked(chain, random));
    }
    if (::testing::Test::HasFailure()) FAIL() << "round " << round << ", seed " << tidemark::testing::seed();
  }
}

TEST(IndexedVersions, OfOthersBuckets) {
  for (const char* fixture : {"00-control-gz", "02-issue1043-overlap", "09-suffix-Z", "53-multimember-deltas"}) {
    SCOPED_TRACE(fixture);
    IndexedStore store(io::Path(tidemark::testing::source_dir()) / "testdata/etcd-backup-restore" / fixture / "bucket");
    expect_same_log(store, {}, {.prefixes = {""}});
  }
}

// One that is replaced in the middle of a run.
TEST(IndexedVersions, OfAnObjectThatChangedAreNotBelieved) {
  Chain chain(21);
  IndexedStore store(chain);
  expect_same_log(store, {}, {.prefixes = {""}});
  store.replace_all([](Buffer& value) { std::ranges::reverse(value); });
  expect_same_log(store, {}, {.prefixes = {""}});
}

TEST(IndexedVersions, OfOneKeyDoNotReadTheStore) {
  Chain chain(22, {.revisions = 400, .value_bytes = 2000});
  IndexedStore store(chain);
  const Asked asked{.keys = {"/registry/pods/ns-0/a"}};
  ASSERT_TRUE(store.log({}, asked, &store.index()));
  store.reopen();
  const std::uint64_t before = store.bytes_read();
  ASSERT_TRUE(store.log({}, asked, &store.index()));
  EXPECT_EQ(store.index().tally().made, 0U);
  EXPECT_LT(store.bytes_read() - before, chain.stored_bytes() / 4);
}

// A listener's failure is no failure of the index: nothing is told twice.
TEST(IndexedVersions, StopWithTheirListener) {
  struct Counting final : VersionListener {
    int left = 0;
    std::vector<std::string> told;
    Status version(const Version& v) override {
      told.push_back(fmt::format("{}@{}", v.key, v.written.last));
      if (left-- > 0) return {};
      return fail(Errc::io, "enough");
    }
    Status lost(RevisionSpan, std::string_view) override { return {}; }
  };
  Chain chain(23);
  IndexedStore store(chain);
  for (int count = 0; count < 60; count += 3) {
    Counting counting;
    counting.left = count;
    const io::TempDir scratch = io::TempDir::create().value();
    const auto versions = Versions::open(
        store.index().origin(), {}, {.scratch = scratch.path(), .stop = {}, .progress = {}, .index = &store.index()});
    ASSERT_TRUE(versions);
    const Status stopped = (*versions)->for_each({.prefixes = {""}}, counting);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().what, "enough");
    EXPECT_EQ(counting.told.size(), static_cast<std::size_t>(count + 1));
    EXPECT_EQ(std::set(counting.told.begin(), counting.told.end()).size(), counting.told.size());
  }
}

}  // namespace
}  // namespace tidemark::history
