#include "restore/swap.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "restore/swap_journal.h"

namespace tidemark::restore {
namespace {

constexpr int kCut = 77;

// Ends the process in front of the n-th action.
class CutAt final : public Steps {
 public:
  explicit CutAt(int n) : left_(n) {}
  void about_to(std::string_view) override {
    if (left_-- == 0) ::_exit(kCut);
  }

 private:
  int left_;
};

void put(const io::Path& file, std::string_view text) {
  ASSERT_TRUE(io::make_dirs(file.parent_path()));
  ASSERT_TRUE(io::write_file_durably(file, as_bytes(text)));
}

std::string content(const io::Path& file) {
  const auto bytes = io::read_file(file, 1000);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

// A member directory of two files, so that half of one would be seen.
void make_member(const io::Path& at, std::string_view text) {
  put(at / "snap" / "db", text);
  put(at / "wal" / "0.wal", text);
}
std::string member_content(const io::Path& at) {
  const std::string db = content(at / "snap" / "db"), wal = content(at / "wal" / "0.wal");
  return db == wal ? db : "half " + db + "/" + wal;
}

std::vector<std::string> formers(const io::Path& root) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.path().filename().string().starts_with("member.before-")) names.push_back(member_content(entry.path()));
  }
  return names;
}

struct Kind {
  bool old, exchange;
  bool neither_allowed;  // only between two renames, where the file system cannot exchange
};

class SwapCuts : public ::testing::TestWithParam<Kind> {};

TEST_P(SwapCuts, OldOrNewAtEveryCut) {
  const Kind kind = GetParam();
  int cuts = 0, moments_with_neither = 0;
  for (int n = 0;; ++n) {
    const auto dir = io::TempDir::create();
    const Places places{dir->path()};
    if (kind.old) make_member(places.member(), "old");
    if (kind.old) make_member(places.former(5), "older");
    make_member(places.new_member(), "new");
    const pid_t child = ::fork();
    if (child == 0) {
      CutAt steps(n);
      const auto swapped = swap_in(places, 1000, steps, {.exchange = kind.exchange});
      ::_exit(swapped ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_NE(WEXITSTATUS(status), 1);
    const bool came_to_its_end = WEXITSTATUS(status) == 0;
    if (came_to_its_end) {
      EXPECT_EQ(member_content(places.member()), "new");
    }

    const std::string at_cut = member_content(places.member());
    if (kind.old && !kind.neither_allowed) {
      EXPECT_TRUE(at_cut == "old" || at_cut == "new") << n << ": " << at_cut;
    }
    if (kind.old && at_cut.empty()) ++moments_with_neither;

    // The next start may be cut as well, at every step of its own.
    for (int m = 0;; ++m) {
      const pid_t again = ::fork();
      if (again == 0) {
        CutAt steps(m);
        ::_exit(recover(dir->path(), steps) ? 0 : 1);
      }
      ASSERT_EQ(::waitpid(again, &status, 0), again);
      ASSERT_NE(WEXITSTATUS(status), 1);
      if (WEXITSTATUS(status) == 0) break;
    }
    const std::string after = member_content(places.member());
    if (kind.old) {
      EXPECT_TRUE(after == "old" || after == "new") << n << ": " << after;
      // What was there before is never lost.
      const auto kept = formers(dir->path());
      EXPECT_EQ(kept, std::vector<std::string>{after == "new" ? "old" : "older"}) << n;
    } else {
      EXPECT_TRUE(after.empty() || after == "new") << n;
    }
    if (at_cut == "new") {
      EXPECT_EQ(after, "new") << n;
    }
    EXPECT_FALSE(std::filesystem::exists(places.partial())) << n;
    if (came_to_its_end) break;
    ++cuts;
  }
  EXPECT_GE(cuts, kind.old ? 7 : 5);
  EXPECT_EQ(moments_with_neither > 0, kind.old && kind.neither_allowed);
}

INSTANTIATE_TEST_SUITE_P(All, SwapCuts,
                         ::testing::Values(Kind{true, true, false}, Kind{true, false, true}, Kind{false, true, false}),
                         [](const auto& tested) {
                           return std::string(tested.param.old ? "Old" : "Empty") +
                                  (tested.param.exchange ? "Exchange" : "Renames");
                         });

TEST(Swap, KeepsOneFormerCopy) {
  const auto dir = io::TempDir::create();
  const Places places{dir->path()};
  Steps steps;
  make_member(places.member(), "first");
  for (const char* text : {"second", "third", "fourth"}) {
    make_member(places.new_member(), text);
    const auto former = swap_in(places, 1000, steps);
    ASSERT_TRUE(former) << former.error().what;
    EXPECT_EQ(member_content(places.member()), text);
    EXPECT_EQ(formers(dir->path()).size(), 1U);
  }
  EXPECT_EQ(formers(dir->path()), std::vector<std::string>{"third"});
}

TEST(Swap, LeavesOthersFilesAlone) {
  const auto dir = io::TempDir::create();
  const Places places{dir->path()};
  Steps steps;
  make_member(places.member(), "old");
  make_member(dir->path() / "member.before-upgrade", "the user's own copy");
  make_member(places.new_member(), "new");
  ASSERT_TRUE(swap_in(places, 1000, steps));
  EXPECT_EQ(member_content(dir->path() / "member.before-upgrade"), "the user's own copy");
}

TEST(Swap, RecoverRemovesAnUnfinishedBuild) {
  const auto dir = io::TempDir::create();
  const Places places{dir->path()};
  Steps steps;
  make_member(places.member(), "old");
  put(places.new_member() / "snap" / "db", "half");
  const auto told = recover(dir->path(), steps);
  ASSERT_TRUE(told);
  EXPECT_NE(told->find("cut short"), std::string::npos);
  EXPECT_EQ(member_content(places.member()), "old");
  EXPECT_FALSE(std::filesystem::exists(places.partial()));
  EXPECT_EQ(*recover(dir->path(), steps), "");
}

TEST(Swap, RecoverRefusesAJournalItDoesNotKnow) {
  for (const auto& [text, code] : {std::pair("tidemark-swap 2 new-inode=1 former=member.before-1\n", Errc::unsupported),
                                   std::pair("nonsense", Errc::corrupt), std::pair("", Errc::corrupt),
                                   std::pair("tidemark-swap 1 new-inode=1 former=member.before-1\n", Errc::corrupt)}) {
    const auto dir = io::TempDir::create();
    const Places places{dir->path()};
    Steps steps;
    put(places.journal(), text);
    const auto told = recover(dir->path(), steps);
    ASSERT_FALSE(told) << text;
    EXPECT_EQ(told.error().code, code) << text;
    EXPECT_TRUE(std::filesystem::exists(places.partial())) << "nothing is removed that is not understood";
  }
}

TEST(SwapJournal, OnlyAWholeOneIsBelieved) {
  for (const Journal& journal : {Journal{1, 2}, Journal{131077, 1795246362}, Journal{UINT64_MAX, -1}}) {
    const std::string text = print_journal(journal);
    ASSERT_EQ(parse_journal(text), journal);
    for (std::size_t size = 0; size < text.size(); ++size) {
      const auto cut = parse_journal(text.substr(0, size));
      ASSERT_FALSE(cut) << text.substr(0, size);
      EXPECT_EQ(cut.error().code, Errc::corrupt);
    }
    // A flipped bit in a number is another number; recover() finds no directory of that inode then.
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
      std::string flipped = text;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      const auto parsed = parse_journal(flipped);
      EXPECT_TRUE(!parsed || print_journal(*parsed) == flipped) << flipped;
    }
  }
  for (const char* text : {"", "\n", "tidemark-swap 1 new-inode=1 former=member.before-1", "tidemark-swap 1\n",
                           "tidemark-swap 1 new-inode=01 former=member.before-1\n",
                           "tidemark-swap 1 new-inode=1 former=member.before-1\n\n",
                           "tidemark-swap 1 new-inode=1 former=member.before-+1\n",
                           "tidemark-swap 1 new-inode=99999999999999999999 former=member.before-1\n",
                           "tidemark-swap 1 new-inode=1 former=member.before-99999999999999999999\n",
                           "tidemark-swap 1 new-inode=1  former=member.before-1\n"}) {
    const auto parsed = parse_journal(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::corrupt) << text;
  }
  EXPECT_EQ(parse_journal("tidemark-swap 2 anything").error().code, Errc::unsupported);
}

TEST(Swap, RecoverOfADirectoryThatIsNotThere) {
  Steps steps;
  EXPECT_EQ(*recover("/nonexistent/data", steps), "");
}

}  // namespace
}  // namespace tidemark::restore
