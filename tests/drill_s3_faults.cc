// S3 behind a proxy that breaks: every call of every operation, in every way, once and for ever.
#include <gmock/gmock.h>

#include "base/rfc3339.h"
#include "kit/s3_process.h"
#include "net/testing/breaking_proxy.h"
#include "net/url.h"
#include "store/s3_client.h"
#include "store/s3_store.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

using net::testing::Break;
using net::testing::BreakingProxy;
using net::testing::Received;
using tidemark::testing::S3Process;

constexpr std::size_t kPart = 5UL << 20U;  // the smallest that S3 takes

struct NamedBreak {
  const char* name;
  Break how;
};

const std::vector<NamedBreak>& breaks() {
  static const std::vector<NamedBreak> all = {
      {"dropped", {Break::Kind::drop}},
      {"answer lost", {Break::Kind::lose_answer}},
      {"cut", {Break::Kind::cut}},
      {"429", {Break::Kind::answer, 429, "", {{"Retry-After", "1"}}}},
      {"500", {Break::Kind::answer, 500, "<Error><Code>InternalError</Code></Error>"}},
      {"503", {Break::Kind::answer, 503, "<Error><Code>SlowDown</Code></Error>"}},
      {"a proxy's page", {Break::Kind::answer, 502, "<html>bad gateway"}},
  };
  return all;
}

// One server for the program; a proxy and a bucket for each test.
class S3Faults : public ::testing::Test {
 protected:
  static S3Process& s3() {
    static Result<S3Process> started = S3Process::start();
    EXPECT_TRUE(started) << started.error().what;
    return *started;
  }
  void SetUp() override {
    static int number = 0;
    bucket_ = fmt::format("faults-{}", ++number);
    ASSERT_TRUE(s3().make_bucket(bucket_, kind_));
    proxy_.emplace(s3().endpoint());
    store_ = open(proxy_->url());
    direct_ = open(s3().endpoint());
  }
  std::unique_ptr<S3Store> open(const std::string& endpoint, const std::string& more = "") const {
    const std::string url = fmt::format("s3://{}/p?endpoint={}&region=eu-test-1{}", bucket_, endpoint, more);
    return S3Store::open(url, {.environment = s3().environment(),
                               .seed = 42,
                               .wait = [](auto, const std::stop_token& stop) { return !stop.stop_requested(); },
                               .part_bytes = kPart})
        .value();
  }
  // Parts of multipart uploads that are neither completed nor given up. An upload without parts may stay behind when
  // the answer that named it got lost: it holds nothing and costs nothing.
  std::size_t parts_left() {
    const auto answer = direct_->client().demand({.what = "list uploads", .query = {{"uploads", ""}}});
    EXPECT_TRUE(answer) << answer.error().what;
    std::size_t parts = 0;
    EXPECT_TRUE(read_xml(answer->text(), [&](const XmlElement& e) -> Status {
      if (e.path != "Upload/UploadId") return {};
      const net::Query query{{"uploadId", std::string(e.text)}};
      TM_LET(const auto listed, direct_->client().demand({.what = "list parts", .key = "p/k", .query = query}));
      for (std::size_t at = 0; (at = listed.text().find("<Part>", at)) != std::string_view::npos; ++at) ++parts;
      TM_CHECK(direct_->client().demand({.what = "abort", .method = "DELETE", .key = "p/k", .query = query}));
      return {};
    }));
    return parts;
  }
  std::string text(const std::string& key) {
    const auto body = direct_->get(key);
    return body ? std::string(as_text(*body)) : "failed: " + body.error().what;
  }

  S3Process::Kind kind_ = S3Process::Kind::plain;
  std::string bucket_;
  std::optional<BreakingProxy> proxy_;
  std::unique_ptr<S3Store> store_, direct_;
};

std::string pattern(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 31 + i / 1000);
  return body;
}

struct Operation {
  const char* name;
  std::function<Status(ObjectStore&)> prepare;  // with the unbroken store
  std::function<Status(ObjectStore&)> run;
  std::function<Status(ObjectStore&)> check;  // with the unbroken store
  std::function<Status(ObjectStore&)> clean;
};

Status expect_text(ObjectStore& store, const std::string& key, const std::string& text) {
  TM_LET(const Buffer body, store.get(key));
  if (as_text(body) != text) return fail(Errc::corrupt, "'{}' holds other bytes", key);
  return {};
}

std::vector<Operation> operations() {
  static const std::string small = pattern(3000), large = pattern(kPart + 1000);
  const auto put = [](const std::string& body) {
    return [&body](ObjectStore& s) { return s.put("k", as_bytes(body)); };
  };
  const auto holds = [](const std::string& body) {
    return [&body](ObjectStore& s) { return expect_text(s, "k", body); };
  };
  const auto nothing = [](ObjectStore&) -> Status { return {}; };
  const auto remove = [](ObjectStore& s) { return s.remove("k"); };
  const auto list = [](ObjectStore& s) -> Status {
    TM_LET(const auto all, s.list(""));
    if (all.size() != 1 || all[0].key != "k" || all[0].size != 3000) return fail(Errc::corrupt, "a wrong list");
    return {};
  };
  const auto stat = [](ObjectStore& s) -> Status {
    TM_LET(const auto info, s.stat("k"));
    return info.size == 3000 ? Status{} : fail(Errc::corrupt, "a wrong size");
  };
  const auto range = [](ObjectStore& s) -> Status {
    TM_LET(const auto source, s.open("k", 1000, 3'000'000));
    TM_LET(const Buffer body, io::read_all(*source, 4'000'000));
    return as_text(body) == large.substr(1000, 3'000'000) ? Status{} : fail(Errc::corrupt, "a wrong range");
  };
  return {
      {"put", nothing, put(small), holds(small), remove},
      {"multipart put", nothing, put(large), holds(large), remove},
      {"get", put(large), holds(large), nothing, remove},
      {"range", put(large), range, nothing, remove},
      {"list", put(small), list, nothing, remove},
      {"stat", put(small), stat, nothing, remove},
      {"remove", put(small), remove,
       [](ObjectStore& s) -> Status {
         TM_LET(const auto all, s.list(""));
         return all.empty() ? Status{} : fail(Errc::corrupt, "it is still there");
       },
       nothing},
  };
}

TEST_F(S3Faults, EveryCallBrokenOnceIsSurvived) {
  ASSERT_TRUE(store_->put("warm-up", {}));  // the bucket has been asked about versions
  ASSERT_TRUE(direct_->remove("warm-up"));
  for (const Operation& operation : operations()) {
    for (const NamedBreak& broken : breaks()) {
      for (int n = 1;; ++n) {
        SCOPED_TRACE(fmt::format("{}, call {} {}", operation.name, n, broken.name));
        ASSERT_TRUE(operation.prepare(*direct_));
        proxy_->break_call(n, broken.how);
        const Status ran = operation.run(*store_);
        const bool reached = proxy_->calls() >= n;
        ASSERT_TRUE(ran) << ran.error().what;
        const Status right = operation.check(*direct_);
        ASSERT_TRUE(right) << right.error().what;
        ASSERT_LE(proxy_->calls(), 16) << "more than the operation and a retry or two";
        ASSERT_EQ(parts_left(), 0U);
        ASSERT_TRUE(operation.clean(*direct_));
        if (!reached) {
          ASSERT_GT(n, 1);
          break;
        }
      }
    }
  }
}

TEST_F(S3Faults, BrokenForEverIsToldWithinTheBudgetAndLeavesNoHalfObject) {
  ASSERT_TRUE(store_->put("warm-up", {}));
  ASSERT_TRUE(direct_->remove("warm-up"));
  for (const Operation& operation : operations()) {
    for (const NamedBreak& broken : breaks()) {
      SCOPED_TRACE(fmt::format("{}, {}", operation.name, broken.name));
      ASSERT_TRUE(operation.prepare(*direct_));
      auto store = open(proxy_->url(), "&versions=latest");  // tokens of its own
      proxy_->break_all(broken.how);
      const Status ran = operation.run(*store);
      ASSERT_FALSE(ran);
      EXPECT_EQ(ran.error().code, Errc::unavailable) << ran.error().what;
      EXPECT_LE(proxy_->calls(), 40) << "retries are bounded";
      proxy_->heal();
      store.reset();
      const auto left = direct_->list("");
      ASSERT_TRUE(left);
      for (const ObjectInfo& object : *left) {  // a put whose answer got lost may be there, but then whole
        ASSERT_EQ(object.key, "k");
        ASSERT_TRUE(object.size == 3000 || object.size == kPart + 1000) << object.size;
        ASSERT_TRUE(direct_->remove("k"));
      }
    }
  }
}

TEST_F(S3Faults, ALostAnswerIsToldFromSomebodyElsesObject) {
  // Ours: the first try did it, nobody heard.
  proxy_->break_all({Break::Kind::none});
  ASSERT_TRUE(store_->stat("x").error().code == Errc::not_found);
  proxy_->break_call(1, {Break::Kind::lose_answer});
  EXPECT_TRUE(store_->put("k", as_bytes("ours")));
  EXPECT_EQ(text("k"), "ours");
  // Somebody else's came between our two tries.
  ASSERT_TRUE(direct_->put("other", as_bytes("theirs")));
  proxy_->break_call(1, {Break::Kind::answer, 500, ""});
  const Status late = store_->put("other", as_bytes("theirs"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::already_exists);
}

TEST_F(S3Faults, AFailureInsideAnAnswerOf200IsAFailure) {
  ASSERT_TRUE(store_->put("warm-up", {}));
  proxy_->break_all({Break::Kind::garble, 200, "<Error><Code>InternalError</Code></Error>"}, [](const Received& r) {
    return r.method == "POST" && r.target.find("uploadId") != std::string::npos;
  });
  // The server did complete it, so our mark is found and the put is right after all.
  EXPECT_TRUE(store_->put("k", as_bytes(pattern(kPart + 1))));
  proxy_->break_all({Break::Kind::answer, 200, "<Error><Code>InternalError</Code></Error>"}, [](const Received& r) {
    return r.method == "POST" && r.target.find("uploadId") != std::string::npos;
  });
  const Status lost = store_->put("k2", as_bytes(pattern(kPart + 1)));
  ASSERT_FALSE(lost);
  EXPECT_EQ(direct_->stat("k2").error().code, Errc::not_found);
}

TEST_F(S3Faults, AStaleListDoesNotLetAKeyBeWrittenTwice) {
  ASSERT_TRUE(store_->put("v2/a", as_bytes("a")));
  proxy_->freeze_answers_to([](const Received& r) { return r.target.find("list-type=2") != std::string::npos; });
  ASSERT_EQ(store_->list("")->size(), 1U);
  ASSERT_TRUE(direct_->put("v2/b", as_bytes("b")));
  EXPECT_EQ(store_->list("")->size(), 1U);  // stale
  EXPECT_EQ(store_->put("v2/b", as_bytes("mine")).error().code, Errc::already_exists);
  EXPECT_EQ(as_text(store_->get("v2/b").value()), "b");
}

TEST_F(S3Faults, EveryRefusalHasItsCodeAndItsWords) {
  struct Row {
    int status;
    const char* body;
    net::Headers headers;
    Errc code;
    const char* words;
  };
  const Row rows[] = {
      {403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>", {}, Errc::denied, "AccessDenied: no"},
      {403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", {}, Errc::denied, "SignatureDoesNotMatch"},
      {403, "<Error><Code>InvalidAccessKeyId</Code></Error>", {}, Errc::denied, "InvalidAccessKeyId"},
      {403,
       "<Error><Code>RequestTimeTooSkewed</Code></Error>",
       {{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}},
       Errc::denied,
       "ahead of the server's (1994-11-06T08:49:37Z)"},
      {404, "<Error><Code>NoSuchBucket</Code></Error>", {}, Errc::not_found, "bucket 'faults-"},
      {404, "<Error><Code>NoSuchKey</Code></Error>", {}, Errc::not_found, "NoSuchKey"},
      {400, "<Error><Code>ExpiredToken</Code></Error>", {}, Errc::denied, "ExpiredToken"},
      {400, "<Error><Code>InvalidArgument</Code><Message>x</Message></Error>", {}, Errc::invalid, "InvalidArgument: x"},
      {501, "<Error><Code>NotImplemented</Code></Error>", {}, Errc::unsupported, "NotImplemented"},
      {507, "", {}, Errc::no_space, "status 507"},
      {412, "<Error><Code>PreconditionFailed</Code></Error>", {}, Errc::already_exists, "taken"},
      {301, "<Error><Code>PermanentRedirect</Code></Error>", {}, Errc::invalid, "PermanentRedirect"},
      {403, "no XML at all", {}, Errc::denied, "status 403"},
      {403, "<!DOCTYPE x [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>", {}, Errc::denied, "status 403"},
  };
  ASSERT_TRUE(store_->put("warm-up", {}));
  for (const Row& row : rows) {
    proxy_->break_all({Break::Kind::answer, row.status, row.body, row.headers});
    const Status put = store_->put("k", as_bytes("x"));
    ASSERT_FALSE(put) << row.body;
    EXPECT_EQ(put.error().code, row.code) << put.error().what;
    EXPECT_THAT(put.error().what, ::testing::HasSubstr(row.words));
    EXPECT_LE(proxy_->calls(), 2) << row.body;
  }
}

TEST_F(S3Faults, TheRegionIsLearned) {
  proxy_->break_call(1, {Break::Kind::answer,
                         301,
                         "<Error><Code>PermanentRedirect</Code></Error>",
                         {{"x-amz-bucket-region", "eu-test-1"}}});
  const std::string url = fmt::format("s3://{}/p?endpoint={}&region=mars-1", bucket_, proxy_->url());
  const auto store = S3Store::open(url, {.environment = s3().environment(), .seed = 1}).value();
  const Status put = store->put("k", as_bytes("x"));
  EXPECT_TRUE(put) << put.error().what;
  EXPECT_EQ(store->client().region(), "eu-test-1");
}

TEST_F(S3Faults, NonsenseForAnAnswerIsCorrupt) {
  ASSERT_TRUE(store_->put("k", as_bytes("x")));
  const std::string loop =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
      "</ListBucketResult>";
  for (const std::string& body :
       {std::string("{}"), std::string("<ListBucketResult>"), std::string(""), loop,
        std::string("<L><EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents></L>"),
        std::string("<L><Contents><Key>a</Key><Size>many</Size></Contents></L>"),
        std::string("<L><IsTruncated>true</IsTruncated></L>")}) {
    proxy_->break_all({Break::Kind::answer, 200, body});
    const auto list = store_->list("");
    if (list && body.empty()) continue;
    ASSERT_FALSE(list) << body;
    EXPECT_TRUE(list.error().code == Errc::corrupt || list.error().code == Errc::invalid) << list.error().what;
  }
  proxy_->break_all({Break::Kind::answer, 200, ""});
  EXPECT_EQ(store_->put("k3", as_bytes(pattern(kPart + 1))).error().code, Errc::corrupt);  // no UploadId
}

}  // namespace
}  // namespace tidemark::store
