#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/testing/fake_clock.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;

std::string captured(LogLevel least, void (*say)()) {
  set_log_level(least);
  ::testing::internal::CaptureStderr();
  say();
  set_log_level(LogLevel::info);
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, ALineIsTimeLevelEventFacts) {
  EXPECT_THAT(captured(LogLevel::info, [] { log_info("full published", "revision={}", 7); }),
              ::testing::MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]+Z info +full published revision=7\n"));
  EXPECT_THAT(captured(LogLevel::info, [] { log_line(LogLevel::warning, "alone", ""); }),
              ::testing::EndsWith("alone\n"));
}

TEST(Log, BracesInFactsAreNoFormat) {
  EXPECT_THAT(captured(LogLevel::info, [] { log_info("odd key", "key={}", "{}{0}%s"); }),
              ::testing::EndsWith("key={}{0}%s\n"));
}

TEST(Log, BelowTheLevelIsSilence) {
  EXPECT_EQ(captured(LogLevel::warning, [] { log_info("quiet", "{}", 1); }), "");
  EXPECT_NE(captured(LogLevel::debug, [] { log_debug("loud", "{}", 1); }), "");
}

TEST(Log, LevelWords) {
  LogLevel level = LogLevel::error;
  EXPECT_TRUE(parse_log_level("debug", level));
  EXPECT_EQ(level, LogLevel::debug);
  for (const char* bad : {"", "Debug", "warn", "trace", "debug "}) {
    EXPECT_FALSE(parse_log_level(bad, level)) << bad;
    EXPECT_EQ(level, LogLevel::debug) << bad;
  }
}

TEST(Clock, TheSystemsSteadyClockNeverGoesBack) {
  const Ticks before = system_clock().ticks();
  EXPECT_LE(before, system_clock().ticks());
  EXPECT_GT(system_clock().now(), Time(std::chrono::sys_days(std::chrono::year(2024) / 1 / 1)));
}

TEST(Clock, AFakeOneMovesOnlyWhenTold) {
  testing::FakeClock clock{Time(5s)};
  const Ticks ticks = clock.ticks();
  EXPECT_EQ(clock.now(), Time(5s));
  clock.advance(2s);
  EXPECT_EQ(clock.now(), Time(7s));
  EXPECT_EQ(clock.ticks() - ticks, 2s);
  clock.jump_wall(-1h);  // the wall jumps, waits do not
  EXPECT_EQ(clock.now(), Time(7s - 1h));
  EXPECT_EQ(clock.ticks() - ticks, 2s);
}

}  // namespace
}  // namespace tidemark
