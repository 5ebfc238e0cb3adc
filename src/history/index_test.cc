// The history index answers what a walk over the objects answers, for every key at every revision; what is damaged,
// stale or missing is made again; a crash at any step leaves what can be used.
#include "history/index.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <random>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "history/moment.h"
#include "history/testing/chain.h"

namespace tidemark::history {
namespace {

using restore::Target;
using testing::Chain;
using testing::difference;
using testing::IndexedStore;

// Kills its own process at the nth step; counts until then.
class KillAt final : public Steps {
 public:
  explicit KillAt(int nth) : nth_(nth) {}
  void about_to(std::string_view) override {
    if (++seen_ == nth_) ::raise(SIGKILL);
  }
  int seen() const { return seen_; }

 private:
  const int nth_;
  int seen_ = 0;
};

// Everything at a moment by both ways, and single keys by both.
void expect_same(IndexedStore& store, const Target& target, const std::vector<std::string>& keys) {
  const auto walked = store.all(target, nullptr);
  const auto looked_up = store.all(target, &store.index());
  const std::string what = restore::print_target(target);
  ASSERT_EQ(walked.has_value(), looked_up.has_value())
      << what << ": " << (walked ? looked_up.error().what : walked.error().what);
  if (!walked) {
    EXPECT_EQ(walked.error().code, looked_up.error().code) << what;
    EXPECT_EQ(walked.error().what, looked_up.error().what) << what;
    return;
  }
  EXPECT_EQ(difference(walked->rows, looked_up->rows), "") << what;
  EXPECT_EQ(walked->revision, looked_up->revision) << what;
  EXPECT_EQ(walked->time, looked_up->time) << what;
  EXPECT_EQ(walked->complete, looked_up->complete) << what;
  EXPECT_EQ(walked->said, looked_up->said) << what;
  const auto some = store.keys(target, keys);
  ASSERT_TRUE(some) << what << ": " << some.error().what;
  for (const std::string& key : keys) {
    const auto row = walked->rows.find(key);
    const auto found = some->find(key);
    ASSERT_EQ(row != walked->rows.end(), found != some->end()) << what << " " << key;
    if (found != some->end()) {
      EXPECT_EQ(row->second.value, found->second.value) << what << " " << key;
    }
  }
}

TEST(Index, AnswersAsTheWalkDoesForEveryKeyAndRevision) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (int round = 0; round < tidemark::testing::scaled(4); round++) {
    SCOPED_TRACE(round);
    Chain chain(random());
    IndexedStore store(chain);
    for (Revision at = chain.first(); at <= chain.last().next(); at = at.next()) {
      expect_same(store, Target::at(at), chain.some_keys(3));
      if (::testing::Test::HasFailure()) return;
    }
    for (int i = 0; i < 10; i++) expect_same(store, Target::at(chain.some_time()), chain.some_keys(1));
    expect_same(store, Target::newest(), chain.some_keys(5));
    EXPECT_GT(store.index().tally().made, 0U);
    // Another process, the same cache: nothing is made again, and no object is read but for the places.
    store.reopen();
    expect_same(store, Target::newest(), chain.some_keys(5));
    EXPECT_EQ(store.index().tally().made, 0U);
  }
}

// Deltas and fulls that etcd-backup-restore wrote: one member, none, LZW, zlib.
TEST(Index, AnswersForBucketsOfOthers) {
  for (const char* fixture : {"00-control-gz", "01-issue1044-full-ahead-overlap-ok", "02-issue1043-overlap",
                              "09-suffix-Z", "09-suffix-none", "10-source-etcd-3.6", "53-multimember-deltas"}) {
    SCOPED_TRACE(fixture);
    IndexedStore store(io::Path(tidemark::testing::source_dir()) / "testdata/etcd-backup-restore" / fixture / "bucket");
    const auto walked = store.all(Target::newest(), nullptr);
    ASSERT_TRUE(walked);
    for (const Revision at : {walked->revision, walked->revision.prev(), Revision(walked->revision.raw() / 2)}) {
      expect_same(store, Target::at(at), {});
    }
    expect_same(store, Target::newest(), {walked->rows.begin()->first, walked->rows.rbegin()->first});
  }
}

TEST(Index, ReadsOnlyWhatIsAskedFor) {
  Chain chain(7, {.revisions = 400, .value_bytes = 2000});
  IndexedStore store(chain);
  const std::string key = chain.some_keys(1).front();
  ASSERT_TRUE(store.keys(Target::newest(), {key}));
  store.reopen();
  const std::uint64_t before = store.bytes_read();
  ASSERT_TRUE(store.keys(Target::newest(), {key}));
  EXPECT_LT(store.bytes_read() - before, 20'000U) << "of " << chain.stored_bytes();
  EXPECT_LE(store.index().tally().ranges, 1U);
}

TEST(Index, ABlockThatIsDamagedIsMadeAgain) {
  std::mt19937_64 random(tidemark::testing::seed());
  Chain chain(random());
  IndexedStore store(chain);
  expect_same(store, Target::newest(), {});
  for (int round = 0; round < tidemark::testing::scaled(40); round++) {
    store.damage_cache(random);
    store.reopen();
    expect_same(store, Target::newest(), chain.some_keys(3));
    if (::testing::Test::HasFailure()) FAIL() << "round " << round;
  }
  ASSERT_TRUE(io::remove_tree(store.cache_dir()));
  store.reopen();
  expect_same(store, Target::newest(), {});
}

TEST(Index, AnObjectThatWasReplacedIsNotAnsweredFromItsOldBlock) {
  Chain chain(11);
  IndexedStore store(chain);
  expect_same(store, Target::newest(), {});
  // The same names and sizes with other bytes: every value is turned around.
  store.replace_all([](Buffer& value) { std::ranges::reverse(value); });
  store.reopen();
  expect_same(store, Target::newest(), chain.some_keys(5));
  EXPECT_GT(store.index().tally().made, 0U);
}

// One that is replaced in the middle of a run: the place does not hold what it held.
TEST(Index, AnObjectThatChangesUnderTheIndexIsNotBelieved) {
  Chain chain(12);
  IndexedStore store(chain);
  const auto before = store.all(Target::newest(), &store.index());
  ASSERT_TRUE(before);
  store.replace_all([](Buffer& value) { std::ranges::reverse(value); });
  const auto after = store.all(Target::newest(), &store.index());
  const auto walked = store.all(Target::newest(), nullptr);
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(difference(walked->rows, after->rows), "");
}

TEST(Index, ABadObjectIsPlannedAroundAsByTheWalk) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (int round = 0; round < tidemark::testing::scaled(10); round++) {
    Chain chain(random());
    IndexedStore store(chain);
    store.damage_one(random());
    expect_same(store, Target::newest(), {});
    expect_same(store, Target::at(chain.last()), {});
    if (::testing::Test::HasFailure()) FAIL() << "round " << round;
  }
}

// An encrypted store's: no value comes to lie in the cache, and what cannot be read from the middle is walked.
TEST(Index, WithoutCopiesNoValueIsInTheCache) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (int round = 0; round < tidemark::testing::scaled(3); round++) {
    Chain chain(random());
    IndexedStore store(chain);
    store.forbid_copies();
    store.reopen();
    expect_same(store, Target::newest(), chain.some_keys(3));
    const auto walked = store.all(Target::newest(), nullptr);
    ASSERT_TRUE(walked);
    for (const io::Path& file : store.cache_files()) {
      EXPECT_EQ(file.extension(), ".block");
      const Buffer bytes = io::read_file(file, 1UL << 30U).value();
      EXPECT_TRUE(Block::over(bytes)->check());
      for (const auto& [key, row] : walked->rows) {
        if (row.value.size() < 16) continue;
        EXPECT_EQ(as_text(bytes).find(row.value), std::string_view::npos) << key;
      }
    }
  }
}

TEST(Index, TheCacheIsBoundedAndTheOldestGoFirst) {
  Chain chain(13, {.revisions = 200});
  IndexedStore store(chain);
  expect_same(store, Target::newest(), {});
  const std::uint64_t whole = store.cache_bytes();
  ASSERT_GT(whole, 0U);
  // Room for all of it, and for half of it.
  store.limit(whole);
  EXPECT_EQ(store.cache_bytes(), whole);
  store.limit(whole / 2);
  EXPECT_LE(store.cache_bytes(), whole / 2);
  EXPECT_GT(store.cache_bytes(), 0U);
  // What is in use stays, however little room there is, and answers are right all the same.
  store.limit(1);
  EXPECT_EQ(store.cache_bytes(), 0U);
  expect_same(store, Target::newest(), {});
  EXPECT_EQ(store.cache_bytes(), whole);
}

TEST(Index, WhatWasNotUsedForTheLongestTimeGoesFirst) {
  Chain chain(17, {.revisions = 200});
  IndexedStore store(chain);
  expect_same(store, Target::newest(), {});
  const auto all = store.cache_files();
  ASSERT_GT(all.size(), 3U);
  // All are old, and each is older than the one before.
  for (std::size_t i = 0; i < all.size(); i++) {
    const std::int64_t age = 1000 * static_cast<std::int64_t>(1 + i);
    const timespec then{.tv_sec = ::time(nullptr) - age, .tv_nsec = 0};
    const timespec times[] = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, all[i].c_str(), times, 0), 0);
  }
  const std::uint64_t whole = store.cache_bytes();
  store.limit(whole - 1);
  auto left = store.cache_files();
  EXPECT_TRUE(std::ranges::none_of(left, [&](const io::Path& file) { return file.stem() == all.back().stem(); }))
      << "the oldest";
  EXPECT_TRUE(std::ranges::find(left, all.front()) != left.end()) << "the newest";
  // Being read is being used: what was stays, and the others go.
  store.limit(whole);
  (void)store.all(Target::at(chain.first()), &store.index());
  const auto used = [&] {
    std::vector<io::Path> names;
    for (const io::Path& file : store.cache_files()) {
      if (std::filesystem::last_write_time(file) >
          std::filesystem::file_time_type::clock::now() - std::chrono::seconds(500)) {
        names.push_back(file.filename());
      }
    }
    return names;
  }();
  ASSERT_FALSE(used.empty());
  std::uint64_t used_bytes = 0;
  for (const io::Path& name : used) used_bytes += io::size_of_file(store.cache_dir() / "index" / name).value();
  store.limit(used_bytes);
  left.clear();
  for (const io::Path& file : store.cache_files()) left.push_back(file.filename());
  EXPECT_EQ(left, used);
}

TEST(Index, OnlyItsOwnerCanReadIt) {
  Chain chain(18);
  IndexedStore store(chain);
  expect_same(store, Target::newest(), {});
  const auto mode = [](const io::Path& path) {
    struct stat about{};
    EXPECT_EQ(::stat(path.c_str(), &about), 0);
    return about.st_mode & 0777U;
  };
  EXPECT_EQ(mode(store.cache_dir()), 0700U);
  EXPECT_EQ(mode(store.cache_dir() / "index"), 0700U);
  ASSERT_FALSE(store.cache_files().empty());
  for (const io::Path& file : store.cache_files()) EXPECT_EQ(mode(file), 0600U) << file;
}

// Processes that share a cache with room for a part of it only: each throws out what the others have made.
TEST(Index, ProcessesMayShareACacheThatIsTooSmall) {
  Chain chain(19, {.revisions = 80});
  IndexedStore store(chain);
  expect_same(store, Target::newest(), {});
  store.limit(store.cache_bytes() / 2);
  std::vector<testing::Look> wanted;
  const Target targets[] = {Target::newest(), Target::at(chain.last().prev()), Target::at(chain.last())};
  for (const Target& target : targets) {
    auto walked = store.all(target, nullptr);
    ASSERT_TRUE(walked);
    wanted.push_back(*std::move(walked));
  }
  std::vector<::pid_t> children;
  for (int child = 0; child < 3; child++) {
    const ::pid_t pid = ::fork();
    if (pid == 0) {
      bool good = true;
      for (int round = 0; round < 4 && good; round++) {
        const auto which = static_cast<std::size_t>(child + round) % std::size(targets);
        IndexedStore mine(chain, store.cache_dir(), store.root());
        mine.limit(store.most_bytes());
        const auto got = mine.all(targets[which], &mine.index());
        good = got && difference(wanted[which].rows, got->rows).empty();
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const ::pid_t pid : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
}

TEST(Index, TwoProcessesMayMakeTheSameBlocks) {
  Chain chain(14);
  IndexedStore first(chain);
  IndexedStore second(chain, first.cache_dir(), first.root());
  for (Revision at = chain.first(); at <= chain.last(); at = Revision(at.raw() + 7)) {
    expect_same(first, Target::at(at), {});
    ASSERT_TRUE(io::remove_tree(first.cache_dir() / "index"));  // and somebody tidies up in between
    ASSERT_TRUE(io::make_dirs(first.cache_dir() / "index"));
    expect_same(second, Target::at(at), {});
  }
}

TEST(Index, ACacheThatCannotBeWrittenIsDoneWithout) {
  Chain chain(15);
  IndexedStore store(chain);
  ASSERT_TRUE(io::remove_tree(store.cache_dir() / "index"));  // under the open index: nothing can be published
  expect_same(store, Target::newest(), {});
}

// kill -9 in front of every step: what is left is used or made again, and is not in the way.
TEST(Index, ACrashAtEachStepLeavesACacheThatWorks) {
  Chain chain(16);
  IndexedStore store(chain);
  const auto wanted = store.all(Target::newest(), nullptr);
  ASSERT_TRUE(wanted);
  const auto run = [&](int nth) {
    const ::pid_t child = ::fork();
    if (child == 0) {
      KillAt steps(nth);
      store.reopen(&steps);
      const bool good = store.all(Target::newest(), &store.index()).has_value();
      ::_exit(good ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  };
  int kills = 0;
  for (int status = -1; status != 0; kills++) {
    ASSERT_TRUE(io::remove_tree(store.cache_dir()));
    status = run(kills + 1);
    ASSERT_TRUE(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) << kills;
    store.reopen();
    const auto got = store.all(Target::newest(), &store.index());
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(difference(wanted->rows, got->rows), "") << kills;
  }
  EXPECT_GE(kills, 4);
  // A killed one leaves its files behind; they go a day later.
  ASSERT_TRUE(io::remove_tree(store.cache_dir()));
  ASSERT_NE(run(1), 0);
  ASSERT_TRUE(std::ranges::any_of(store.cache_files(),
                                  [](const io::Path& f) { return io::is_pending_name(f.filename().native()); }));
  store.reopen(nullptr, std::chrono::hours(25));
  for (const io::Path& file : store.cache_files()) EXPECT_FALSE(io::is_pending_name(file.filename().native())) << file;
}

}  // namespace
}  // namespace tidemark::history
