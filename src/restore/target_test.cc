#include "restore/target.h"

#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "restore/etcd.h"

namespace tidemark::restore {
namespace {

const Time kNow = *parse_rfc3339("2026-11-21T10:00:00Z");

TEST(Target, Reads) {
  for (const auto& [text, printed] : {
           std::pair("latest", "latest"),
           std::pair("rev:1", "rev:1"),
           std::pair("rev:9223372036854775807", "rev:9223372036854775807"),
           std::pair("-2h", "2026-11-21T08:00:00Z"),
           std::pair("-1h30m", "2026-11-21T08:30:00Z"),
           std::pair("2026-11-21T09:59:59.5Z", "2026-11-21T09:59:59.5Z"),
           std::pair("2026-11-21T11:00:00+02:00", "2026-11-21T09:00:00Z"),
       }) {
    const auto target = parse_target(text, kNow);
    ASSERT_TRUE(target) << text << ": " << target.error().what;
    EXPECT_EQ(print_target(*target), printed);
  }
}

TEST(Target, Refuses) {
  for (const auto& [text, code] : {
           std::pair("", Errc::invalid),
           std::pair("now", Errc::invalid),
           std::pair("rev:", Errc::invalid),
           std::pair("rev:0", Errc::invalid),
           std::pair("rev:-5", Errc::invalid),
           std::pair("rev:12x", Errc::invalid),
           std::pair("rev:9223372036854775808", Errc::invalid),
           std::pair("1234", Errc::invalid),
           std::pair("-", Errc::invalid),
           std::pair("-2", Errc::invalid),
           std::pair("2026-11-21", Errc::invalid),
           std::pair("2026-11-21T10:00:01Z", Errc::invalid),  // has not come yet
           std::pair("pin:before-upgrade", Errc::unsupported),
           std::pair("before:delete:deploy/web", Errc::unsupported),
       }) {
    const auto target = parse_target(text, kNow);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code, code) << text << ": " << target.error().what;
  }
}

TEST(Bump, ReadsAndRefuses) {
  EXPECT_EQ(parse_bump("auto")->kind, RevisionBump::Kind::automatic);
  EXPECT_EQ(parse_bump("none")->kind, RevisionBump::Kind::none);
  EXPECT_EQ(parse_bump("1000")->by, 1000);
  for (const char* bad : {"", "-1", "1e9", "some", "9223372036854775807"}) EXPECT_FALSE(parse_bump(bad)) << bad;
}

}  // namespace
}  // namespace tidemark::restore
