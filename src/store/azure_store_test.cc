// What no emulator does: refusals of every kind, damaged and cut bodies, encryption. The contract and the drills with a
// real service are in tests/drill_azure.cc.
#include "store/azure_store.h"

#include <gtest/gtest.h>

#include <mutex>

#include "crypto/sign.h"
#include "io/file.h"
#include "net/testing/http_server.h"

namespace tidemark::store {
namespace {

using net::testing::HttpServer;
using net::testing::Received;
using net::testing::Reply;

constexpr const char* kSas = "sv=1&sig=secretsignature";

// A store of container "con", prefix "p", that waits for nothing. `more`: "&encryption-scope=…".
std::unique_ptr<AzureStore> store_at(const HttpServer& server, const std::string& more = "", bool read_only = false) {
  const std::string url = fmt::format("az://acc/con/p?endpoint={}{}", server.url(), more);
  auto store = AzureStore::open(
      url,
      {.read_only = read_only,
       .environment = [](std::string_view name) { return std::string(name == "AZURE_STORAGE_SAS_TOKEN" ? kSas : ""); },
       .wait = [](std::chrono::nanoseconds, const std::stop_token&) { return true; },
       .block_bytes = 4});
  EXPECT_TRUE(store) << store.error().what;
  return *std::move(store);
}

Reply refusal(int status, const std::string& code) {
  return {.status = status,
          .headers = {{"x-ms-error-code", code}, {"x-ms-request-id", "id-7"}},
          .body = "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>" + code +
                  "</Code><Message>What it says.\nRequestId:id-7\nTime:now</Message></Error>"};
}

TEST(AzureStore, RefusalsHaveTheirMeaning) {
  struct Row {
    int status;
    const char* code;
    Errc errc;
    const char* hint;
  };
  const Row rows[] = {
      {404, "BlobNotFound", Errc::not_found, ""},
      {404, "ContainerNotFound", Errc::invalid, "container create"},
      {404, "", Errc::not_found, ""},
      {403, "AuthenticationFailed", Errc::denied, "has expired"},
      {403, "AuthorizationPermissionMismatch", Errc::denied, "Storage Blob Data Contributor"},
      {403, "AuthorizationFailure", Errc::denied, "firewall"},
      {403, "KeyBasedAuthenticationNotPermitted", Errc::denied, "identity"},
      {401, "InvalidAuthenticationInfo", Errc::denied, "has expired"},
      {409, "BlobImmutableDueToPolicy", Errc::denied, "legal hold"},
      {409, "SnapshotsPresent", Errc::denied, "snapshots"},
      {412, "LeaseIdMissing", Errc::denied, "lease break"},
      {409, "BlobArchived", Errc::unavailable, "set-tier"},
      {409, "BlobUsesCustomerSpecifiedEncryption", Errc::denied, "encryption-key-file"},
      {409, "SomethingNew", Errc::conflict, ""},
      {400, "InvalidUri", Errc::invalid, ""},
      {500, "InternalError", Errc::unavailable, ""},
      {503, "ServerBusy", Errc::unavailable, ""},
      {429, "", Errc::unavailable, ""},
      {507, "", Errc::no_space, ""},
  };
  for (const Row& row : rows) {
    const HttpServer server([&](const Received&) { return refusal(row.status, row.code); });
    const auto store = store_at(server);
    for (const Error& error : {store->get("k").error(), store->stat("k").error(), store->remove("k").error(),
                               store->open("k", 0, 0).error()}) {
      EXPECT_EQ(error.code, row.errc) << row.code << ": " << error.what;
      EXPECT_NE(error.hint.find(row.hint), std::string::npos) << row.code << ": " << error.hint;
      EXPECT_EQ(error.what.find("secretsignature"), std::string::npos) << error.what;
    }
    EXPECT_FALSE(store->list(""));
    const bool passing = row.errc == Errc::unavailable && row.status != 409;
    const int tries = server.requests();
    EXPECT_EQ(store->stat("k").error().what.find("(tried") != std::string::npos, passing) << row.code;
    EXPECT_EQ(server.requests() - tries > 1, passing) << row.code;
  }
}

// A policy says "immutable" before the service comes to say "it is there".
TEST(AzureStore, CreatingLooksWhoseBlobIsThere) {
  struct Row {
    int status;
    const char* code;
    int head;  // what HEAD says: 404, or 200 with somebody else's mark
    Errc errc;
  };
  const Row rows[] = {
      {409, "BlobAlreadyExists", 200, Errc::already_exists},
      {412, "ConditionNotMet", 200, Errc::already_exists},
      {412, "LeaseIdMissing", 200, Errc::already_exists},
      {403, "UnauthorizedBlobOverwrite", 200, Errc::already_exists},
      {409, "BlobImmutableDueToPolicy", 200, Errc::already_exists},
      {409, "BlobImmutableDueToPolicy", 404, Errc::denied},
      {400, "InvalidBlockList", 200, Errc::already_exists},
      {400, "InvalidBlockList", 404, Errc::conflict},
      {403, "AuthorizationFailure", 404, Errc::denied},
      {500, "InternalError", 404, Errc::unavailable},
      {409, "BlobAlreadyExists", 500, Errc::unavailable},  // it may be ours: nobody is accused
  };
  for (const Row& row : rows) {
    for (const char* body : {"abc", "more than a block"}) {
      SCOPED_TRACE(fmt::format("{} {} {}", row.code, row.head, body));
      const HttpServer server([&](const Received& r) {
        if (r.method == "HEAD") return Reply{.status = row.head, .headers = {{"x-ms-meta-tidemarkwrite", "0"}}};
        return r.target.find("comp=block&") == std::string::npos ? refusal(row.status, row.code) : Reply{.status = 201};
      });
      const Status put = store_at(server)->put("k", as_bytes(body));
      ASSERT_FALSE(put);
      EXPECT_EQ(put.error().code, row.errc) << put.error().what;
    }
  }
}

TEST(AzureStore, WhatIsSentIsMarkedHashedAndConditional) {
  std::vector<Received> heard;
  std::mutex mutex;
  const HttpServer server([&](const Received& r) {
    const std::scoped_lock lock(mutex);
    heard.push_back(r);
    return Reply{.status = 201};
  });
  const auto dir = io::TempDir::create().value();
  const std::string key = (dir.path() / "key").string();
  ASSERT_TRUE(io::write_file_durably(key, as_bytes(std::string(32, 'k'))));
  ASSERT_TRUE(store_at(server, "&access-tier=Cool&encryption-key-file=" + key)->put("a b", as_bytes("abcdefghij")));
  ASSERT_EQ(heard.size(), 4U);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const Received& r = heard[i];
    EXPECT_TRUE(r.target.starts_with(i < 3 ? "/acc/con/p/a%20b?blockid=" : "/acc/con/p/a%20b?comp=blocklist&"))
        << r.target;
    EXPECT_TRUE(r.target.ends_with(kSas)) << r.target;
    EXPECT_EQ(r.header("x-ms-version"), "2021-12-02");
    EXPECT_EQ(r.header("x-ms-encryption-key"), "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=");
    EXPECT_EQ(r.header("x-ms-encryption-algorithm"), "AES256");
    EXPECT_EQ(r.header("x-ms-encryption-key-sha256"), "XjGPjPnL4kmjCBK4yhMtaR3tepGZFBNVjbV1hXX14B8=");
    EXPECT_EQ(r.header("Content-MD5"), crypto::to_base64(crypto::md5(as_bytes(r.body))));
    EXPECT_EQ(r.header("If-None-Match"), i < 3 ? "" : "*");
    EXPECT_EQ(r.header("x-ms-access-tier"), i < 3 ? "" : "Cool");
  }
  EXPECT_EQ(heard[3].header("x-ms-blob-content-md5"), crypto::to_base64(crypto::md5(as_bytes("abcdefghij"))));
  EXPECT_EQ(heard[3].header("x-ms-meta-tidemarkwrite").size(), 16U);

  heard.clear();
  ASSERT_TRUE(store_at(server, "&encryption-scope=backups")->put("k", as_bytes("abc")));
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].target, std::string("/acc/con/p/k?") + kSas);
  EXPECT_EQ(heard[0].header("x-ms-encryption-scope"), "backups");
  EXPECT_EQ(heard[0].header("x-ms-blob-type"), "BlockBlob");
  EXPECT_EQ(heard[0].header("If-None-Match"), "*");
  EXPECT_EQ(heard[0].header("x-ms-encryption-key"), "");
}

TEST(AzureStore, ReadOnlyMeansNoWriteIsSent) {
  const HttpServer server([](const Received&) { return Reply{.status = 201}; });
  const auto store = store_at(server, "", true);
  EXPECT_EQ(store->put("k", {}).error().code, Errc::denied);
  EXPECT_EQ(store->create("k").error().code, Errc::denied);
  EXPECT_EQ(store->remove("k").error().code, Errc::denied);
  EXPECT_EQ(server.requests(), 0);
  EXPECT_EQ(store->url(), "az://acc/con/p?endpoint=" + server.url());
}

TEST(AzureStore, BodiesThatAreNotWhatTheServiceSaysAreCorrupt) {
  const std::string md5 = crypto::to_base64(crypto::md5(as_bytes("0123456789")));
  struct Row {
    Reply reply;
    std::uint64_t offset;
    bool good;
  };
  const net::Headers ranged{{"Content-Range", "bytes 2-4/10"}, {"x-ms-blob-content-md5", md5}};
  const Row rows[] = {
      {{.headers = {{"Content-MD5", md5}}, .body = "0123456789"}, 0, true},
      {{.headers = {{"Content-MD5", md5}}, .body = "0123456780"}, 0, false},
      {{.body = "0123456780"}, 0, true},  // nothing is promised
      {{.headers = {{"Content-MD5", "?"}}, .body = "0123456780"}, 0, true},
      {{.status = 206,
        .headers = {{"Content-Range", "bytes 0-9/10"}, {"x-ms-blob-content-md5", md5}},
        .body = "0123456780"},
       0,
       false},
      {{.status = 206, .headers = ranged, .body = "234"}, 2, true},
      {{.status = 206, .headers = {{"Content-Range", "bytes 3-5/10"}}, .body = "345"}, 2, false},
      {{.status = 206, .headers = {{"Content-Range", "bytes=2-4"}}, .body = "234"}, 2, false},
      {{.body = "0123456789"}, 2, false},  // the range was ignored
  };
  for (const Row& row : rows) {
    const HttpServer server([&](const Received&) { return row.reply; });
    auto source = store_at(server)->open("k", row.offset);
    const auto body = source ? io::read_all(**source, 100) : Result<Buffer>(std::unexpected(source.error()));
    EXPECT_EQ(body.has_value(), row.good) << row.reply.body << (body ? "" : body.error().what);
    if (!body) {
      EXPECT_TRUE(body.error().code == Errc::corrupt || body.error().code == Errc::unsupported) << body.error().what;
    }
  }
}

TEST(AzureStore, ACutBodyGoesOnAndAReplacedBlobIsTold) {
  const std::string whole = "0123456789abcdefghij";
  std::vector<std::string> asked;
  std::mutex mutex;
  std::atomic<bool> replaced{false};
  const HttpServer server([&](const Received& r) {
    const std::scoped_lock lock(mutex);
    asked.push_back(fmt::format("{} {}", r.header("Range"), r.header("If-Match")));
    if (replaced && !r.header("If-Match").empty()) return refusal(412, "ConditionNotMet");
    const std::string_view range = r.header("Range");
    const std::size_t from = range.empty() ? 0 : std::stoul(std::string(range.substr(6)));
    Reply reply{.status = range.empty() ? 200 : 206,
                .headers = {{"ETag", "\"e1\""}, {"Content-Range", fmt::format("bytes {}-19/20", from)}},
                .body = whole.substr(from),
                .cut_after = 3};
    if (range.empty()) reply.headers.push_back({"Content-MD5", crypto::to_base64(crypto::md5(as_bytes(whole)))});
    return reply;
  });
  const auto store = store_at(server);
  EXPECT_EQ(as_text(store->get("k").value()), whole);
  ASSERT_GE(asked.size(), 3U);
  EXPECT_EQ(asked[0], " ");
  EXPECT_TRUE(asked[1].starts_with("bytes=") && asked[1].ends_with("-19 \"e1\"")) << asked[1];
  auto source = store->open("k").value();
  Buffer first(2);
  ASSERT_TRUE(source->read(first));
  replaced = true;
  const auto rest = io::read_all(*source, 100);
  ASSERT_FALSE(rest);
  EXPECT_EQ(rest.error().code, Errc::conflict) << rest.error().what;
  EXPECT_FALSE(source->read(first));  // and stays so
}

std::string blob(const std::string& name, const std::string& properties = "<Content-Length>5</Content-Length>") {
  return "<Blob><Name>" + name + "</Name><Properties>" + properties + "</Properties></Blob>";
}

std::string listing(const std::string& blobs, const std::string& next = "") {
  return "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"x\"><Blobs>" +
         blobs + "</Blobs><NextMarker>" + next + "</NextMarker></EnumerationResults>";
}

TEST(AzureStore, ListsPagesWithoutFoldersAndExcludedBlobs) {
  std::vector<std::string> asked;
  std::mutex mutex;
  const HttpServer server([&](const Received& r) {
    const std::scoped_lock lock(mutex);
    asked.push_back(r.target.substr(0, r.target.find("&sv=")));
    if (r.target.find("comp=tags") != std::string::npos) {
      if (r.target.find("/denied") != std::string::npos) return refusal(403, "AuthorizationPermissionMismatch");
      if (r.target.find("/gone") != std::string::npos) return refusal(404, "BlobNotFound");
      const char* value = r.target.find("/out") != std::string::npos ? "true" : "no";
      return Reply{.body = fmt::format("<Tags><TagSet><Tag><Key>a</Key><Value>true</Value></Tag><Tag><Key>x-etcd-"
                                       "snapshot-exclude</Key><Value>{}</Value></Tag></TagSet></Tags>",
                                       value)};
    }
    if (r.target.find("marker=") == std::string::npos) {
      return Reply{.body = listing(blob("p/z&amp;1",
                                        "<Last-Modified>Sun, 06 Nov 1994 08:49:37 GMT</Last-Modified>"
                                        "<Content-Length>7</Content-Length>") +
                                       blob("p/v2", "<ResourceType>directory</ResourceType>") + blob("pq/k"),
                                   "2!m/=")};
    }
    const std::string tagged = "<Content-Length>5</Content-Length><TagCount>1</TagCount>";
    return Reply{.body = listing(blob("p/out", tagged) + blob("p/in", tagged) + blob("p/denied", tagged) +
                                 blob("p/gone", tagged) + blob("p/a"))};
  });
  const auto all = store_at(server)->list("");
  ASSERT_TRUE(all) << all.error().what;
  std::vector<std::string> keys;
  for (const ObjectInfo& o : *all) keys.push_back(o.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "denied", "in", "z&1"}));
  EXPECT_EQ(all->back().size, 7U);
  EXPECT_EQ(all->back().modified, Time(std::chrono::seconds(784'111'777)));
  EXPECT_EQ(asked.at(0), "/acc/con?comp=list&maxresults=5000&prefix=p%2F&restype=container");
  EXPECT_EQ(asked.at(1), "/acc/con?comp=list&marker=2%21m%2F%3D&maxresults=5000&prefix=p%2F&restype=container");
}

TEST(AzureStore, ListingsThatMakeNoSenseAreCorrupt) {
  const std::string good = listing(blob("p/a"));
  for (const std::string& body :
       {std::string(), std::string("<html></html>"), good.substr(0, good.size() - 30),
        listing(blob("p/a", "<Content-Length>x</Content-Length>")),
        listing(blob("p/a", "<Last-Modified>today</Last-Modified>")), listing(blob("p/a"), "same")}) {
    const HttpServer server([&](const Received&) { return Reply{.body = body}; });
    const auto all = store_at(server)->list("");
    ASSERT_FALSE(all) << body;
    EXPECT_EQ(all.error().code, Errc::corrupt) << all.error().what;
  }
}

// A token may be taken back before it ends: another one is fetched, once.
TEST(AzureStore, ARefusedTokenIsRenewedOnce) {
  std::atomic<int> tokens{0};
  std::atomic<bool> never{false};
  const HttpServer server([&](const Received& r) {
    if (r.target.starts_with("/metadata/")) {
      return Reply{.body = fmt::format(R"({{"access_token":"t{}","expires_in":3600}})", ++tokens)};
    }
    if (never || r.header("Authorization") == "Bearer t1") return refusal(401, "InvalidAuthenticationInfo");
    return Reply{.body = "x"};
  });
  const auto store =
      AzureStore::open("az://acc/con?endpoint=" + server.url(),
                       {.environment =
                            [&](std::string_view name) {
                              return name == "AZURE_POD_IDENTITY_AUTHORITY_HOST" ? server.url() : std::string();
                            }})
          .value();
  EXPECT_EQ(as_text(store->get("k").value()), "x");
  EXPECT_EQ(tokens, 2);
  never = true;
  const auto denied = store->get("k");
  EXPECT_EQ(denied.error().code, Errc::denied);
  EXPECT_NE(denied.error().what.find("managed identity"), std::string::npos) << denied.error().what;
  EXPECT_EQ(tokens, 3);
}

}  // namespace
}  // namespace tidemark::store
