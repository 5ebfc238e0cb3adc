#include "capture/schedule.h"

#include <gtest/gtest.h>

#include "base/rfc3339.h"

namespace tidemark::capture {
namespace {

TEST(Schedule, NextAfter) {
  struct Row {
    const char* spec;
    const char* now;
    const char* next;  // "": never
  };
  const Row rows[] = {
      {"0 0 * * *", "2026-11-21T10:00:00Z", "2026-11-22T00:00:00Z"},
      {"0 0 * * *", "2026-11-21T23:59:59.999Z", "2026-11-22T00:00:00Z"},
      {"0 0 * * *", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},  // strictly after
      {"* * * * *", "2026-11-21T10:00:00Z", "2026-11-21T10:01:00Z"},
      {"*/15 * * * *", "2026-11-21T10:46:00Z", "2026-11-21T11:00:00Z"},
      {"5/15 * * * *", "2026-11-21T10:46:00Z", "2026-11-21T10:50:00Z"},
      {"0 */6 * * *", "2026-11-21T18:00:01Z", "2026-11-22T00:00:00Z"},
      {"30 2 1 * *", "2026-11-21T10:00:00Z", "2026-12-01T02:30:00Z"},
      {"0 0 29 2 *", "2026-11-21T10:00:00Z", "2028-02-29T00:00:00Z"},
      {"0 12 * * mon-fri", "2026-11-21T10:00:00Z", "2026-11-23T12:00:00Z"},  // the 21st is a Saturday
      {"0 12 * * 7", "2026-11-21T10:00:00Z", "2026-11-22T12:00:00Z"},
      {"0 12 * * 0", "2026-11-21T10:00:00Z", "2026-11-22T12:00:00Z"},
      {"0 0 25 * 1", "2026-11-21T10:00:00Z", "2026-11-23T00:00:00Z"},  // either day
      {"0 0 1 JAN *", "2026-11-21T10:00:00Z", "2027-01-01T00:00:00Z"},
      {"1,2,50-52 10 * * *", "2026-11-21T10:02:00Z", "2026-11-21T10:50:00Z"},
      {"@hourly", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"},
      {"@yearly", "2026-11-21T10:00:00Z", "2027-01-01T00:00:00Z"},
      {"0 0 30 2 *", "2026-11-21T10:00:00Z", ""},
  };
  for (const Row& row : rows) {
    const auto schedule = Schedule::parse(row.spec);
    ASSERT_TRUE(schedule) << row.spec << ": " << schedule.error().what;
    const auto next = schedule->next_after(parse_rfc3339(row.now).value());
    EXPECT_EQ(next ? print_rfc3339(*next) : "", row.next) << row.spec << " after " << row.now;
  }
}

TEST(Schedule, RefusesWhatIsNoSchedule) {
  for (const char* spec : {"",
                           "* * * *",
                           "* * * * * *",
                           "60 * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * 32 * *",
                           "* * * 13 * ",
                           "* * * 0 *",
                           "* * * * 8",
                           "a * * * *",
                           "*/0 * * * *",
                           "*/x * * * *",
                           "5-1 * * * *",
                           "1- * * * *",
                           "-1 * * * *",
                           "1,,2 * * * *",
                           "* * * foo *",
                           "@never",
                           "1.5 * * * *",
                           "99999999999 * * * *"}) {
    const auto schedule = Schedule::parse(spec);
    ASSERT_FALSE(schedule) << spec;
    EXPECT_EQ(schedule.error().code, Errc::invalid) << spec;
    EXPECT_NE(schedule.error().what.find("schedule"), std::string::npos) << schedule.error().what;
  }
}

}  // namespace
}  // namespace tidemark::capture
