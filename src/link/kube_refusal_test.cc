#include "link/kube_refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::link {
namespace {

using ::testing::StartsWith;

std::string status(int code, const std::string& reason, const std::string& more = "") {
  return fmt::format(
      R"({{"kind":"Status","apiVersion":"v1","status":"Failure","message":"m","reason":"{}","code":{}{}}})", reason,
      code, more);
}

TEST(KubeRefusal, WhatTheCallerMayDo) {
  struct Row {
    int http;
    std::string body;
    Errc code;
    std::string what;
    const char* hint;  // begins so
  };
  const Row rows[] = {
      {400, status(400, "BadRequest"), Errc::invalid, "x: 400 BadRequest: m", ""},
      {401, status(401, "Unauthorized"), Errc::denied, "x: 401 Unauthorized: m", "the server does not believe"},
      {403, status(403, "Forbidden"), Errc::denied, "x: 403 Forbidden: m", "grant it"},
      {404, status(404, "NotFound"), Errc::not_found, "x: 404 NotFound: m", ""},
      {405, status(405, "MethodNotAllowed"), Errc::unsupported, "x: 405 MethodNotAllowed: m", ""},
      {409, status(409, "AlreadyExists"), Errc::already_exists, "x: 409 AlreadyExists: m", ""},
      {409, status(409, "Conflict"), Errc::conflict, "x: 409 Conflict: m", "it has changed meanwhile"},
      {409,
       status(
           409, "Conflict",
           R"(,"details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"a\"","field":".d"}]})"),
       Errc::conflict, R"(x: 409 Conflict: m; .d: conflict with "a")", "others own these fields"},
      {410, status(410, "Expired"), Errc::compacted, "x: 410 Expired: m", "list again"},
      {415, "", Errc::unsupported, "x: 415", ""},
      {422,
       status(
           422, "Invalid",
           R"(,"details":{"causes":[{"message":"m","field":"a"},{"message":"too long","field":"spec.b"},{"message":"c"}]})"),
       Errc::invalid, "x: 422 Invalid: m; spec.b: too long; c", ""},
      {429, status(429, "TooManyRequests"), Errc::unavailable, "x: 429 TooManyRequests: m", "the server is asked"},
      {500, status(500, "InternalError"), Errc::unavailable, "x: 500 InternalError: m", ""},
      {500, status(500, "StorageReadError"), Errc::corrupt, "x: 500 StorageReadError: m", ""},
      {504, status(504, "Timeout", R"(,"details":{"causes":[{"reason":"ResourceVersionTooLarge"}]})"), Errc::timeout,
       "x: 504 Timeout: m", "the server's past is shorter"},
      // An error in a watch.
      {200, status(410, "Gone"), Errc::compacted, "x: 410 Gone: m", "list again"},
      // What a proxy says, and nonsense.
      {502, "<html>\r\n<h1>Bad Gateway</h1>\n", Errc::unavailable, "x: 502: <html>  <h1>Bad Gateway</h1>", ""},
      {301, "", Errc::invalid, "x: 301", ""},
      {403, R"({"kind":"Other","reason":"r"})", Errc::denied, R"(x: 403: {"kind":"Other","reason":"r"})", "grant"},
      {404, R"({"kind":"Status","reason":7,"message":[],"details":[],"code":"no"})", Errc::not_found, "x: 404", ""},
      {409, R"({"kind":"Status","details":{"causes":[1,{"reason":2}],"retryAfterSeconds":"x"}})", Errc::conflict,
       "x: 409", ""},
      {500, std::string(100'000, '['), Errc::unavailable, "x: 500: [[[[", ""},
  };
  for (const Row& row : rows) {
    const Error error = error_of(read_refusal(row.http, row.body), "x");
    EXPECT_EQ(error.code, row.code) << error.what;
    if (row.body.size() < 1000) {
      EXPECT_EQ(error.what, row.what);
    }
    EXPECT_THAT(error.what, StartsWith(row.what));
    EXPECT_LT(error.what.size(), 1000U);
    EXPECT_THAT(error.hint, StartsWith(row.hint)) << error.what;
  }
}

TEST(KubeRefusal, WhenToAskAgain) {
  const std::pair<const char*, int> rows[] = {{"5", 5}, {"-5", 0}, {"1000000000000", 3600}};
  for (const auto& [seconds, wanted] : rows) {
    const KubeRefusal refusal =
        read_refusal(429, status(429, "x", fmt::format(R"(,"details":{{"retryAfterSeconds":{}}})", seconds)));
    EXPECT_EQ(refusal.after, std::chrono::seconds(wanted)) << seconds;
  }
  EXPECT_FALSE(read_refusal(429, status(429, "x")).after);
}

}  // namespace
}  // namespace tidemark::link
