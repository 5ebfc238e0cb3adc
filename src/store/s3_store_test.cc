// What S3 is told, seen from the other side. A real server is asked in tests/drill_s3*.
#include "store/s3_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "crypto/sign.h"
#include "io/file.h"
#include "net/testing/http_server.h"

namespace tidemark::store {
namespace {

using net::testing::HttpServer;
using net::testing::Received;
using net::testing::Reply;

Environment credentials() {
  return [](std::string_view name) -> std::string {
    return name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY" ? "K" : "";
  };
}

// Takes everything and writes it down.
class Recorder {
 public:
  Reply operator()(const Received& request) {
    const std::scoped_lock lock(mutex_);
    seen_.push_back(request);
    if (request.target.find("versioning") != std::string::npos) return {.body = "<VersioningConfiguration/>"};
    if (request.target.find("uploads") != std::string::npos) return {.body = "<R><UploadId>u&amp;1</UploadId></R>"};
    return {.headers = {{"ETag", "\"e\""}}};
  }
  Received last() {
    const std::scoped_lock lock(mutex_);
    return seen_.back();
  }
  std::vector<std::string> calls() {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> all;
    for (const Received& r : seen_) all.push_back(r.method + " " + r.target);
    return all;
  }

 private:
  std::mutex mutex_;
  std::vector<Received> seen_;
};

class S3Wire : public ::testing::Test {
 protected:
  std::unique_ptr<S3Store> open(const std::string& more, std::stop_token stop = {}) {
    const std::string url = fmt::format("s3://bucket/p?region=r&endpoint={}{}", server_.url(), more);
    auto store =
        S3Store::open(url, {.environment = credentials(), .seed = 1, .stop = std::move(stop), .part_bytes = 10});
    EXPECT_TRUE(store) << store.error().what;
    return *std::move(store);
  }

  Recorder recorder_;
  HttpServer server_{[this](const Received& r) { return recorder_(r); }};
};

TEST_F(S3Wire, APutSaysWhatItIsAndThatTheNameMustBeFree) {
  ASSERT_TRUE(open("")->put("a b", as_bytes("text")));
  const Received put = recorder_.last();
  EXPECT_EQ(put.method + " " + put.target, "PUT /bucket/p/a%20b");
  EXPECT_EQ(put.header("If-None-Match"), "*");
  EXPECT_EQ(put.header("x-amz-checksum-sha256"), crypto::to_base64(crypto::sha256(as_bytes("text"))));
  EXPECT_EQ(put.header("x-amz-content-sha256"), to_hex(crypto::sha256(as_bytes("text"))));
  EXPECT_EQ(put.header("x-amz-meta-tidemark-write").size(), 32U);
  EXPECT_NE(put.header("Authorization").find("Credential=K/"), std::string_view::npos);
  EXPECT_NE(put.header("Authorization").find("/r/s3/aws4_request"), std::string_view::npos);
  EXPECT_TRUE(put.header("x-amz-server-side-encryption").empty());
  EXPECT_TRUE(put.header("Expect").empty());
}

TEST_F(S3Wire, OptionsAreSentWithEachObject) {
  ASSERT_TRUE(open("&sse=aws:kms&kms-key-id=k1&storage-class=STANDARD_IA&checksum=0")->put("a", as_bytes("x")));
  const Received put = recorder_.last();
  EXPECT_EQ(put.header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(put.header("x-amz-server-side-encryption-aws-kms-key-id"), "k1");
  EXPECT_EQ(put.header("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_TRUE(put.header("x-amz-checksum-sha256").empty());
}

TEST_F(S3Wire, ACustomersKeyGoesWithEveryCallThatMovesBytes) {
  const auto dir = io::TempDir::create().value();
  const std::string key(32, 'k');
  auto pending = io::PendingFile::create(dir.path() / "key", io::PendingFile::Existing::refuse);
  ASSERT_TRUE(pending && pending->write(as_bytes(key)) && pending->commit());
  const auto store = open("&sse-c-key-file=" + (dir.path() / "key").string());
  const auto has_key = [&] {
    const Received r = recorder_.last();
    return r.header("x-amz-server-side-encryption-customer-algorithm") == "AES256" &&
           r.header("x-amz-server-side-encryption-customer-key") == crypto::to_base64(as_bytes(key)) &&
           r.header("x-amz-server-side-encryption-customer-key-MD5") == crypto::to_base64(crypto::md5(as_bytes(key)));
  };
  ASSERT_TRUE(store->put("a", as_bytes("x")));
  EXPECT_TRUE(has_key());
  ASSERT_TRUE(store->stat("a"));
  EXPECT_TRUE(has_key());
  ASSERT_TRUE(store->open("a"));
  EXPECT_TRUE(has_key());
  ASSERT_TRUE(store->put("large", as_bytes("more than ten bytes")));
  EXPECT_TRUE(has_key());
}

TEST_F(S3Wire, PartsGoOneByOneAndTheirSizeGrowsOnlyWithTheirNumber) {
  ASSERT_TRUE(open("")->put("large", as_bytes("0123456789abcdefghij!")));
  const std::vector<std::string> expected = {"GET /bucket?versioning=",
                                             "POST /bucket/p/large?uploads=",
                                             "PUT /bucket/p/large?partNumber=1&uploadId=u%261",
                                             "PUT /bucket/p/large?partNumber=2&uploadId=u%261",
                                             "PUT /bucket/p/large?partNumber=3&uploadId=u%261",
                                             "POST /bucket/p/large?uploadId=u%261"};
  EXPECT_EQ(recorder_.calls(), expected);
  EXPECT_EQ(recorder_.last().header("If-None-Match"), "*");
  EXPECT_NE(recorder_.last().body.find("<PartNumber>3</PartNumber><ETag>&quot;e&quot;</ETag>"), std::string::npos);
}

TEST_F(S3Wire, AnUploadIsGivenUpEvenWhenAskedToStop) {
  std::stop_source stop;
  const auto store = open("", stop.get_token());
  {
    const auto writer = store->create("large").value();
    ASSERT_TRUE(writer->write(as_bytes("0123456789abc")));
    stop.request_stop();
    const Status late = writer->write(as_bytes("0123456789abcdefghij"));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::cancelled);
    EXPECT_EQ(writer->commit().error().code, Errc::cancelled);  // bytes are missing
  }
  EXPECT_EQ(recorder_.calls().back(), "DELETE /bucket/p/large?uploadId=u%261");
  EXPECT_EQ(store->list("").error().code, Errc::cancelled);
}

// ---- buckets that keep versions

// A bucket of one key, whose versions are listed as the test says.
class S3Versions : public ::testing::Test {
 protected:
  static std::string version(std::string_view id, std::string_view modified, std::size_t size) {
    return fmt::format(
        "<Version><Key>p/a</Key><VersionId>{}</VersionId><LastModified>{}</LastModified><Size>{}</Size></Version>", id,
        modified, size);
  }
  std::unique_ptr<S3Store> open() {
    const S3Surroundings around{.environment = credentials(),
                                .seed = 1,
                                .wait = [](std::chrono::nanoseconds, const std::stop_token&) { return true; }};
    return S3Store::open(fmt::format("s3://bucket/p?region=r&endpoint={}", server_.url()), around).value();
  }
  Reply answer(const Received& r) {
    if (r.target.find("versioning") != std::string::npos) {
      return {.body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"};
    }
    if (r.target.find("versions") != std::string::npos) {
      return {.body = "<ListVersionsResult>" + listed_ + "</ListVersionsResult>"};
    }
    if (r.target.find("tagging") != std::string::npos) return tags_;
    return {.body = "read " + r.target};
  }

  std::string listed_;
  Reply tags_;
  HttpServer server_{[this](const Received& r) { return answer(r); }};
};

TEST_F(S3Versions, TheOldestIsTheLastListedWhateverTheTimes) {
  struct Row {
    const char *newer, *older;
  };
  for (const Row& row : {Row{"2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"},     // as one expects
                         Row{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},     // within one second
                         Row{"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"}}) {  // begun earlier, completed later
    listed_ = version("newest", row.newer, 3) + version("newer", row.newer, 2) + version("oldest", row.older, 1);
    const auto store = open();
    EXPECT_EQ(store->stat("a").value().size, 1U) << row.newer << row.older;
    EXPECT_EQ(store->list("").value().at(0).size, 1U) << row.newer << row.older;
    EXPECT_EQ(as_text(store->get("a").value()), "read /bucket/p/a?versionId=oldest") << row.newer << row.older;
  }
}

TEST_F(S3Versions, OnlyADefiniteAnswerAboutTagsDecides) {
  listed_ = "<DeleteMarker><Key>p/a</Key><VersionId>m</VersionId></DeleteMarker>" +
            version("oldest", "2026-01-01T00:00:00Z", 1);
  const auto tags = [](std::string_view key, std::string_view value) {
    return fmt::format("<Tagging><TagSet><Tag><Key>{}</Key><Value>{}</Value></Tag></TagSet></Tagging>", key, value);
  };
  const auto code = [](std::string_view name) { return fmt::format("<Error><Code>{}</Code></Error>", name); };
  struct Row {
    Reply tags;
    std::optional<Errc> stat;  // nullopt: it is there
  };
  const Row rows[] = {
      {{.body = tags("x-etcd-snapshot-exclude", "true")}, Errc::not_found},
      {{.body = tags("x-etcd-snapshot-exclude", "false")}, {}},
      {{.body = tags("other", "true")}, {}},
      {{.body = "<Tagging><TagSet/></Tagging>"}, {}},
      {{.status = 404, .body = code("NoSuchTagSet")}, {}},
      {{.status = 403, .body = code("AccessDenied")}, {}},  // whoever may not read tags sees what any program sees
      {{.status = 501, .body = code("NotImplemented")}, {}},
      {{.status = 405, .body = code("MethodNotAllowed")}, {}},
      // Nobody knows.
      {{.status = 429}, Errc::unavailable},
      {{.status = 408}, Errc::unavailable},
      {{.status = 500}, Errc::unavailable},
      {{.status = 503, .body = code("SlowDown")}, Errc::unavailable},
      {{.status = 401}, Errc::denied},
      {{.status = 403, .body = code("RequestTimeTooSkewed")}, Errc::denied},
      {{.status = 403, .body = "<html>a proxy's</html>"}, Errc::denied},
      {{.status = 400, .body = code("ExpiredToken")}, Errc::denied},
      {{.status = 400, .body = code("InvalidArgument")}, Errc::invalid},
      {{.body = "<html>a proxy's</html>"}, Errc::corrupt},
  };
  for (const Row& row : rows) {
    tags_ = row.tags;
    const auto store = open();
    const auto info = store->stat("a");
    EXPECT_EQ(info.has_value(), !row.stat) << row.tags.status << row.tags.body;
    if (!info && row.stat) {
      EXPECT_EQ(info.error().code, *row.stat) << row.tags.status << row.tags.body << info.error().what;
    }
    const auto all = store->list("");
    EXPECT_EQ(all.has_value(), !row.stat || row.stat == Errc::not_found) << row.tags.status << row.tags.body;
  }
}

// ---- where the bucket is

TEST(S3Region, ThreadsThatFindItOutAtOnceAllGoOn) {
  constexpr int kThreads = 4;
  std::atomic<int> early{0};
  const HttpServer server([&](const Received& r) -> Reply {
    if (r.header("Authorization").find("/eu-9/s3/") != std::string_view::npos) return {.body = "here"};
    // All of them have signed for the wrong region before one of them learns of the right one.
    for (++early; early < kThreads;) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return {.status = 400, .headers = {{"x-amz-bucket-region", "eu-9"}}};
  });
  const auto store = S3Store::open(fmt::format("s3://bucket/p?versions=latest&endpoint={}", server.url()),
                                   {.environment = credentials(), .seed = 1})
                         .value();
  std::vector<std::string> got(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::string& text : got) {
      threads.emplace_back([&] {
        const auto body = store->get("a");
        text = body ? std::string(as_text(*body)) : body.error().what;
      });
    }
  }
  EXPECT_EQ(got, std::vector<std::string>(kThreads, "here"));
}

}  // namespace
}  // namespace tidemark::store
