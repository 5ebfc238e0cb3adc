#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/testing/fake_clock.h"

namespace tidemark::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = 1 << 20;
const Screen kTerminal{.can_draw = true, .columns = [] { return std::size_t{200}; }};

class ProgressTest : public ::testing::Test {
 protected:
  std::ostringstream err_;
  tidemark::testing::FakeClock clock_{Time(seconds(1795246362))};
};

TEST_F(ProgressTest, NothingWhenNoneIsWanted) {
  {
    Progress p(err_, Progress::Mode::none, kTerminal, clock_);
    p.update("step", 1, 2);
    clock_.advance(seconds(60));
    p.update("step", 2, 2);
  }
  EXPECT_EQ(err_.str(), "");
}

TEST_F(ProgressTest, ALineEveryTenSecondsInALog) {
  Progress p(err_, Progress::Mode::automatic, {}, clock_);
  for (std::uint64_t i = 0; i <= 250; ++i) {
    p.update("replay", i * kMiB, 1000 * kMiB);
    clock_.advance(milliseconds(100));
  }
  EXPECT_EQ(err_.str(),
            "replay: 100.00 MiB of 1000.00 MiB, 10.00 MiB/s, 1m30s left\n"
            "replay: 200.00 MiB of 1000.00 MiB, 10.00 MiB/s, 1m20s left\n");
  p.update("write", 0, 1);
  EXPECT_EQ(std::ranges::count(err_.str(), '\n'), 3) << "a step that took long ends with a line";
  p.finish();
  EXPECT_EQ(std::ranges::count(err_.str(), '\n'), 3) << "a short one says nothing";
}

TEST_F(ProgressTest, ABarIsDrawnOver) {
  Progress p(err_, Progress::Mode::automatic, kTerminal, clock_);
  p.update("replay", 0, 100 * kMiB);
  clock_.advance(seconds(2));
  p.update("replay", 50 * kMiB, 100 * kMiB);
  p.update("replay", 51 * kMiB, 100 * kMiB);  // too soon to draw again
  const std::string drawn = err_.str();
  EXPECT_EQ(std::ranges::count(drawn, '\r'), 2);
  EXPECT_EQ(std::ranges::count(drawn, '\n'), 0);
  EXPECT_THAT(drawn, HasSubstr("[############------------]  50%  50.00 MiB of 100.00 MiB  25.00 MiB/s  ETA 2.0s"));
  p.finish();
  EXPECT_TRUE(err_.str().ends_with("\n"));
}

TEST_F(ProgressTest, TheModeDecidesWhereAutoDoesNot) {
  struct Row {
    Progress::Mode mode;
    bool can_draw;
    const char* begins;  // the output of a step that lasts
  };
  const Row rows[] = {
      {Progress::Mode::automatic, true, "\r"}, {Progress::Mode::automatic, false, "step: "},
      {Progress::Mode::bar, true, "\r"},       {Progress::Mode::bar, false, "\r"},
      {Progress::Mode::plain, true, "step: "}, {Progress::Mode::plain, false, "step: "},
      {Progress::Mode::json, true, "{"},       {Progress::Mode::json, false, "{"},
      {Progress::Mode::none, true, ""},        {Progress::Mode::none, false, ""},
  };
  for (const Row& row : rows) {
    err_.str("");
    {
      Progress p(err_, row.mode, {.can_draw = row.can_draw}, clock_);
      p.update("step", 0, 100);
      clock_.advance(seconds(11));
      p.update("step", 50, 100);
    }
    EXPECT_TRUE(err_.str().starts_with(row.begins) && err_.str().empty() == (*row.begins == '\0')) << err_.str();
    EXPECT_EQ(err_.str().find('\x1b'), std::string::npos) << "no colours, no escapes";
  }
}

TEST_F(ProgressTest, ABarFitsItsTerminal) {
  struct Row {
    std::size_t columns;
    std::uint64_t all;
    const char* line;
  };
  const Row rows[] = {
      {200, 100 * kMiB,
       "replay the deltas            [############------------]  50%  50.00 MiB of 100.00 MiB  25.00 MiB/s  ETA 2.0s"},
      {109, 100 * kMiB,
       "replay the deltas            [############------------]  50%  50.00 MiB of 100.00 MiB  25.00 MiB/s  ETA 2.0s"},
      {108, 100 * kMiB,
       "replay the deltas [############------------]  50%  50.00 MiB of 100.00 MiB  25.00 MiB/s  ETA 2.0s"},
      {84, 100 * kMiB, "replay the deltas [#####-----]  50%  50.00 MiB of 100.00 MiB  25.00 MiB/s  ETA 2.0s"},
      {83, 100 * kMiB, "replay the deltas [#####-----]  50%  25.00 MiB/s  ETA 2.0s"},
      {50, 100 * kMiB, "replay the deltas  50%  25.00 MiB/s  ETA 2.0s"},
      {40, 100 * kMiB, "replay the deltas  50%  25.00 MiB/s"},
      {30, 100 * kMiB, "replay the deltas  50%"},
      {20, 100 * kMiB, "replay the deltas"},
      {9, 100 * kMiB, "replay t"},
      {2, 100 * kMiB, "r"},
      {1, 100 * kMiB, ""},
      {0, 100 * kMiB, ""},
      {80, 0, "replay the deltas            50.00 MiB  25.00 MiB/s"},
      {50, 0, "replay the deltas 50.00 MiB  25.00 MiB/s"},
      {30, 0, "replay the deltas 50.00 MiB"},
      {10, 0, "replay th"},
  };
  for (const Row& row : rows) {
    err_.str("");
    Progress p(err_, Progress::Mode::bar, {.can_draw = true, .columns = [&] { return row.columns; }}, clock_);
    p.update("replay the deltas", 0, row.all);
    clock_.advance(seconds(2));
    err_.str("");
    p.update("replay the deltas", 50 * kMiB, row.all);
    std::string line = err_.str();
    EXPECT_LT(line.size() - 1, std::max<std::size_t>(row.columns, 1)) << "it would wrap: " << line;
    ASSERT_TRUE(line.starts_with('\r'));
    line.erase(0, 1);
    line.erase(line.find_last_not_of(' ') + 1);
    EXPECT_EQ(line, row.line) << row.columns;
  }
}

TEST_F(ProgressTest, AShorterBarHidesTheLongerOne) {
  std::size_t columns = 80;
  Progress p(err_, Progress::Mode::bar, {.can_draw = true, .columns = [&] { return columns; }}, clock_);
  p.update("replay", 1023, 1024);
  const std::size_t former = err_.str().size();
  err_.str("");
  columns = 60;  // the window was made smaller: what is behind its edge is the terminal's business
  clock_.advance(seconds(1));
  p.update("replay", 1024, 1024);
  EXPECT_EQ(err_.str().size(), 60U) << "one return and 59 columns";
  EXPECT_LT(err_.str().size(), former);
  p.update("\u00e4\u00f6\u00fc\u00df", 1);  // another step, on a line of its own, counted in characters
  const std::string both = err_.str();
  EXPECT_EQ(std::ranges::count(both, '\n'), 1);
  EXPECT_TRUE(both.ends_with("1 B  0 B/s")) << both;
}

TEST_F(ProgressTest, MoreThanAllIsNoDisaster) {
  Progress p(err_, Progress::Mode::automatic, kTerminal, clock_);
  p.update("replay", 0, 10);
  clock_.advance(seconds(1));
  p.update("replay", 30, 10);
  EXPECT_THAT(err_.str(), HasSubstr("[########################] 100%"));
}

TEST_F(ProgressTest, JsonLines) {
  {
    Progress p(err_, Progress::Mode::json, kTerminal, clock_);
    p.update("a", 0, 100);
    clock_.advance(milliseconds(500));
    p.update("a", 10, 100);  // too soon
    clock_.advance(milliseconds(500));
    p.update("a", 20, 100);
    p.update("b \"quoted\"", 5);
  }
  std::istringstream lines(err_.str());
  std::vector<nlohmann::json> all;
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(all.size(), 5U);  // a begins, a, a ends, b begins, b ends
  for (const auto& line : all) {
    EXPECT_EQ(line["kind"], "Progress");
    EXPECT_EQ(line["formatVersion"], 1);
  }
  EXPECT_EQ(all[1]["done"], 20);
  EXPECT_EQ(all[1]["all"], 100);
  EXPECT_EQ(all[1]["bytesPerSecond"], 20);
  EXPECT_EQ(all[1]["etaSeconds"], 4);
  EXPECT_EQ(all[4]["step"], "b \"quoted\"");
  EXPECT_FALSE(all[4].contains("all"));
  EXPECT_FALSE(all[4].contains("etaSeconds"));
}

TEST_F(ProgressTest, LinesOfManyThreadsAreWhole) {
  {
    Progress p(err_, Progress::Mode::json, {}, clock_);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < 200; ++i) p.update(t % 2 == 0 ? "even" : "odd", i, 200);
      });
    }
  }
  std::istringstream lines(err_.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  }
  EXPECT_GT(count, 1);
}

}  // namespace
}  // namespace tidemark::cli
