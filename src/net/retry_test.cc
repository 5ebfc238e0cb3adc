#include "net/retry.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rfc3339.h"
#include "base/testing/fake_clock.h"
#include "net/caller.h"
#include "net/http_date.h"
#include "net/testing/http_server.h"
#include "net/url.h"

namespace tidemark::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using tidemark::testing::FakeClock;

// Waits that take no time but are counted, on a clock that they move.
struct Bench {
  FakeClock clock{parse_rfc3339("2026-11-21T10:00:00Z").value()};
  std::vector<nanoseconds> waits;
  RetryGate::Wait wait = [this](nanoseconds time, const std::stop_token& stop) {
    waits.push_back(time);
    clock.advance(time);
    return !stop.stop_requested();
  };
};

TEST(Retry, WaitsDoubleWithJitterUntilTheTriesAreUsedUp) {
  Bench bench;
  RetryGate gate({.most_tries = 5, .first_wait = 100ms, .longest_wait = 300ms}, bench.clock, 1, bench.wait);
  Attempts attempts(gate, {});
  const Error why{Errc::unavailable, "refused", {}};
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(attempts.again(why, {Fault::passing})) << i;
  const Status end = attempts.again(why, {Fault::passing});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::unavailable);
  EXPECT_NE(end.error().what.find("tried 5 times"), std::string::npos) << end.error().what;
  const nanoseconds most[] = {100ms, 200ms, 300ms, 300ms};
  ASSERT_EQ(bench.waits.size(), 4U);
  for (int i = 0; i < 4; ++i) {
    EXPECT_GE(bench.waits[i], most[i] / 2) << i;
    EXPECT_LE(bench.waits[i], most[i]) << i;
  }
}

// Who waits in front of a program shall know why: one line when it takes long, and one more only after a good time.
TEST(Retry, ALongWaitIsToldOnceInEachBadTime) {
  Bench bench;
  RetryGate gate({.first_wait = 1s, .service = "s3://backups/prod", .silent = 2s}, bench.clock, 1, bench.wait);
  const Error why{Errc::unavailable, "connection refused", {}};
  const auto told = [&](int tries) {
    ::testing::internal::CaptureStderr();
    Attempts attempts(gate, {});
    for (int i = 0; i < tries; ++i) EXPECT_TRUE(attempts.again(why, {Fault::passing})) << i;
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(told(1), "");  // at most a second
  const std::string first = told(4);
  EXPECT_NE(first.find("warning no answer yet, trying again service=s3://backups/prod reason=\"connection refused\""),
            std::string::npos)
      << first;
  EXPECT_EQ(std::ranges::count(first, '\n'), 1) << first;
  EXPECT_EQ(told(4), "");
  Attempts(gate, {}).succeeded();
  EXPECT_NE(told(4), "");

  RetryGate nameless({.first_wait = 10s}, bench.clock, 1, bench.wait);
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(Attempts(nameless, {}).again(why, {Fault::passing}));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Retry, EndsForEveryReasonThereIs) {
  struct Row {
    const char* what;
    RetryPolicy policy;
    Verdict verdict;
    int good_retries;
  };
  for (const Row& row :
       {Row{"lasting", {}, {Fault::lasting}, 0}, Row{"one try", {.most_tries = 1}, {Fault::passing}, 0},
        Row{"no time", {.first_wait = 10s, .budget = 4s}, {Fault::passing}, 0},
        Row{"no tokens", {.tokens = 2}, {Fault::passing}, 2},
        Row{"asked to come again", {.tokens = 0}, {Fault::throttled, 1s}, 7},
        Row{"time for some", {.budget = 35s}, {Fault::throttled, 10s}, 3},
        Row{"a wish beyond reason is cut", {.longest_wait = 10s, .budget = 35s}, {Fault::throttled, 1h}, 3}}) {
    Bench bench;
    RetryGate gate(row.policy, bench.clock, 7, bench.wait);
    Attempts attempts(gate, {});
    int good = 0;
    while (good < 50 && attempts.again({Errc::timeout, "slow", {}}, row.verdict)) ++good;
    EXPECT_EQ(good, row.good_retries) << row.what;
  }
}

TEST(Retry, SuccessesBringTokensBack) {
  Bench bench;
  RetryGate gate({.tokens = 1}, bench.clock, 7, bench.wait);
  const Error why{Errc::unavailable, "x", {}};
  EXPECT_TRUE(Attempts(gate, {}).again(why, {Fault::passing}));
  EXPECT_FALSE(Attempts(gate, {}).again(why, {Fault::passing}));
  for (int i = 0; i < 11; ++i) Attempts(gate, {}).succeeded();
  EXPECT_TRUE(Attempts(gate, {}).again(why, {Fault::passing}));
}

TEST(Retry, AThrottledCallMakesTheOthersWait) {
  Bench bench;
  bench.wait = [&](nanoseconds time, const std::stop_token&) {  // time stands still: both calls are in it
    bench.waits.push_back(time);
    return true;
  };
  RetryGate gate({}, bench.clock, 7, bench.wait);
  Attempts one(gate, {}), other(gate, {});
  ASSERT_TRUE(other.ready());
  EXPECT_TRUE(bench.waits.empty());
  ASSERT_TRUE(one.again({Errc::unavailable, "slow down", {}}, {Fault::throttled, 5s}));
  ASSERT_TRUE(other.ready());
  ASSERT_EQ(bench.waits.size(), 2U);
  EXPECT_EQ(bench.waits[1], 5s);
  bench.clock.advance(6s);
  ASSERT_TRUE(other.ready());
  EXPECT_EQ(bench.waits.size(), 2U);
}

TEST(Retry, StopIsNoReasonToTryAgain) {
  Bench bench;
  RetryGate gate({}, bench.clock, 7, bench.wait);
  std::stop_source stop;
  stop.request_stop();
  Attempts attempts(gate, stop.get_token());
  EXPECT_EQ(attempts.ready().error().code, Errc::cancelled);
  EXPECT_EQ(attempts.again({Errc::timeout, "x", {}}, {Fault::passing}).error().code, Errc::cancelled);
}

TEST(Retry, RetryAfterIsSecondsOrADate) {
  const Time now = parse_rfc3339("1994-11-06T08:49:00Z").value();
  EXPECT_EQ(parse_retry_after("120", now), 120s);
  EXPECT_EQ(parse_retry_after("0", now), 0s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 37s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now), 0s);
  for (const char* bad :
       {"", "soon", "-1", "1.5", "99999999999", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 9994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_retry_after(bad, now)) << bad;
  }
  EXPECT_EQ(print_http_date(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").value()), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Caller, TriesAgainAndSignsEachTry) {
  std::atomic<int> asked{0};
  const testing::HttpServer server([&](const testing::Received& r) {
    const int n = ++asked;
    if (n == 1) return testing::Reply{.drop = true};
    if (n == 2) return testing::Reply{.status = 503, .headers = {{"Retry-After", "7"}}};
    if (n == 3) return testing::Reply{.body = "half", .cut_after = 2};
    return testing::Reply{.body = r.body + " " + std::string(r.header("X-Try"))};
  });
  Bench bench;
  Client client({.proxy = ""}, bench.clock);
  RetryGate gate({}, bench.clock, 3, bench.wait);
  int signed_times = 0;
  Caller caller(client, gate, {.prepare = [&](Request& r) -> Status {
                  r.headers.push_back({"X-Try", std::to_string(++signed_times)});
                  return {};
                }});
  const auto answer = caller.call({.method = "PUT", .url = server.url(), .body = as_bytes("it")});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->text(), "it 4");
  EXPECT_EQ(answer->tries, 4);
  EXPECT_EQ(client.traffic().retries, 3U);
  EXPECT_EQ(client.traffic().throttled, 1U);
  EXPECT_NE(std::ranges::find(bench.waits, nanoseconds(7s)), bench.waits.end());
}

TEST(Caller, WhatCannotBeSignedIsNotTriedAgain) {
  Bench bench;
  Client client({.proxy = ""}, bench.clock);
  RetryGate gate({}, bench.clock, 3, bench.wait);
  int asked = 0;
  Caller caller(client, gate, {.prepare = [&](Request&) -> Status {
                  ++asked;
                  return fail(Errc::unavailable, "the token service is down");
                }});
  EXPECT_EQ(caller.call({.url = "http://127.0.0.1:9/"}).error().what, "the token service is down");
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(bench.waits.empty());
}

TEST(Caller, GivesBackTheLastAnswerAndRefusesALargeOne) {
  std::atomic<int> asked{0};
  const testing::HttpServer server([&](const testing::Received& r) {
    ++asked;
    if (r.target == "/large") return testing::Reply{.body = std::string(1000, 'x')};
    return testing::Reply{.status = r.target == "/gone" ? 404 : 500, .body = "its words"};
  });
  Bench bench;
  Client client({.proxy = ""}, bench.clock);
  RetryGate gate({.most_tries = 3}, bench.clock, 3, bench.wait);
  Caller caller(client, gate);
  const auto gone = caller.stream({.url = server.url() + "/gone"});
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->status, 404);
  EXPECT_EQ(gone->text(), "its words");
  EXPECT_EQ(asked, 1);
  const auto broken = caller.call({.url = server.url() + "/broken"});
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->status, 500);
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(caller.call({.url = server.url() + "/large"}, {}, 999).error().code, Errc::corrupt);
  auto large = caller.stream({.url = server.url() + "/large"});
  ASSERT_TRUE(large);
  EXPECT_EQ(io::read_all(*large->stream, 1000)->size(), 1000U);
}

TEST(Url, PartsAndEscapes) {
  const Url url = parse_url("https://host:443/a/b?x=1&y").value();
  EXPECT_EQ(url.host, "host:443");
  EXPECT_EQ(url.host_header(), "host");
  EXPECT_EQ(parse_url("http://host:443").value().host_header(), "host:443");
  EXPECT_EQ(url.path, "/a/b");
  EXPECT_EQ(url.query, "x=1&y");
  for (const char* bad : {"", "host", "ftp://h", "http://", "http:///x", "http://u:p@h/", "http://h/#x", "//h"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
  for (const char* here : {"localhost", "localhost:80", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:8080"}) {
    EXPECT_TRUE(is_loopback(here) && is_address(here)) << here;
    EXPECT_TRUE(is_private(fmt::format("http://{}/x", here))) << here;
  }
  for (const char* other : {"localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "[::2]", "[::10]", "h", ""}) {
    EXPECT_FALSE(is_loopback(other)) << other;
    EXPECT_FALSE(is_private(fmt::format("http://{}/x", other))) << other;
  }
  EXPECT_TRUE(is_private("https://h/x"));
  EXPECT_FALSE(is_private("http://localhost@h/x"));
  EXPECT_EQ(percent_encode("a b/c~\xff"), "a%20b%2Fc~%FF");
  EXPECT_EQ(percent_encode("a b/c", true), "a%20b/c");
  EXPECT_EQ(percent_decode("a%20b%2fc+"), "a b/c+");
  for (const char* bad : {"%", "%2", "%2x", "%x2", "a%"}) EXPECT_FALSE(percent_decode(bad)) << bad;
  EXPECT_EQ(print_query({{"b", "x y"}, {"a", ""}, {"b-c", "1"}}), "a=&b=x%20y&b-c=1");
  EXPECT_EQ(parse_query("a=1&b&c=%20").value(), (Query{{"a", "1"}, {"b", ""}, {"c", " "}}));
}

}  // namespace
}  // namespace tidemark::net
