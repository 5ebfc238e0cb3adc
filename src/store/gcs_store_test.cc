#include "store/gcs_store.h"

#include <gtest/gtest.h>

#include "io/file.h"
#include "store/gcs_client.h"
#include "store/testing/gcs_server.h"

namespace tidemark::store::testing {
namespace {

constexpr std::size_t kChunk = 256UL << 10U;

Environment nothing() {
  return [](std::string_view) { return std::string(); };
}

GcsSurroundings around(bool read_only = false) {
  return {.read_only = read_only,
          .environment = nothing(),
          .seed = 7,
          .wait = [](std::chrono::nanoseconds, const std::stop_token&) { return true; },
          .chunk_bytes = kChunk};
}

std::unique_ptr<GcsStore> store_of(GcsServer& server) { return GcsStore::open(server.url(), around()).value(); }

std::string pattern(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 7 + i / 253);
  return body;
}

// What a recorder and a restore do. Everything must come out as if nothing had happened.
void use(GcsStore& store, const std::string& large) {
  EXPECT_EQ(store.stat("v2/none").error().code, Errc::not_found);  // so that the connection is an old one
  const Status small_put = store.put("v2/small", as_bytes("small"));
  ASSERT_TRUE(small_put) << small_put.error().what;
  const Status large_put = store.put("v2/large", as_bytes(large));
  ASSERT_TRUE(large_put) << large_put.error().what;
  const Status again = store.put("v2/small", as_bytes("small"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::already_exists);
  const auto back = store.get("v2/large");
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_TRUE(as_text(*back) == large);
  auto range = store.open("v2/large", 1000, 50'000);
  ASSERT_TRUE(range) << range.error().what;
  const auto bytes = io::read_all(**range, 1UL << 20U);
  ASSERT_TRUE(bytes) << bytes.error().what;
  EXPECT_TRUE(as_text(*bytes) == large.substr(1000, 50'000));
  const auto info = store.stat("v2/large");
  ASSERT_TRUE(info) << info.error().what;
  EXPECT_EQ(info->size, large.size());
  const auto all = store.list("");
  ASSERT_TRUE(all) << all.error().what;
  EXPECT_EQ(all->size(), 2U);
  const Status removed = store.remove("v2/small");
  ASSERT_TRUE(removed) << removed.error().what;
}

TEST(GcsFaults, TheNthRequestBreaksAndNobodyNotices) {
  const std::string large = pattern(4 * kChunk + 777);
  for (const GcsFault fault : {GcsFault::drop_before, GcsFault::drop_after, GcsFault::busy, GcsFault::too_many,
                               GcsFault::rate_limit, GcsFault::keep_half, GcsFault::cut_body}) {
    for (int n = 1;; ++n) {
      SCOPED_TRACE(fmt::format("request {} with fault {}", n, static_cast<int>(fault)));
      GcsServer server;
      auto store = store_of(server);
      server.break_request(n, fault);
      use(*store, large);
      if (HasFatalFailure()) return;
      const auto objects = server.objects();
      ASSERT_EQ(objects.size(), 1U);
      EXPECT_TRUE(objects.at("etcd/v2/large").body == large);
      // A session whose beginning was not heard of stays, and is forgotten in a week.
      const bool unheard = fault == GcsFault::drop_after || fault == GcsFault::keep_half || fault == GcsFault::cut_body;
      EXPECT_LE(server.open_sessions(), unheard ? 1U : 0U);
      if (!server.fired()) break;
      ASSERT_LT(n, 100);
    }
  }
}

TEST(GcsFaults, ASessionThatIsForgottenFailsAndLeavesNothing) {
  const std::string large = pattern(3 * kChunk);
  for (int n = 2; n <= 4; ++n) {  // after the one that begins it
    GcsServer server;
    auto store = store_of(server);
    server.break_request(n, GcsFault::forget_upload);
    const Status put = store->put("k", as_bytes(large));
    ASSERT_FALSE(put) << n;
    EXPECT_TRUE(server.fired());
    EXPECT_TRUE(server.objects().empty());
    EXPECT_TRUE(store->put("k", as_bytes(large)));
  }
}

TEST(GcsFaults, WhatArrivesDamagedIsRefusedOrRemoved) {
  for (const std::size_t size : {std::size_t{100}, kChunk, 3 * kChunk}) {
    for (int n = 1; n <= 4; ++n) {
      GcsServer server;
      auto store = store_of(server);
      server.break_request(n, GcsFault::flip_upload);
      const std::string body = pattern(size);
      const Status put = store->put("k", as_bytes(body));
      const bool upload = size > kChunk ? n > 1 : n == 1;  // request 1 of a session has no bytes
      EXPECT_EQ(put.has_value(), !upload) << size << " " << n;
      EXPECT_EQ(server.objects().size(), upload ? 0U : 1U) << size << " " << n;
      if (size > kChunk && upload) {
        EXPECT_EQ(put.error().code, Errc::corrupt);
      }
    }
  }
}

TEST(GcsFaults, WhatIsReadDamagedIsCorrupt) {
  GcsServer server;
  auto store = store_of(server);
  const std::string body = pattern(100'000);
  ASSERT_TRUE(store->put("k", as_bytes(body)));
  server.break_request(1, GcsFault::flip_body);
  const auto got = store->get("k");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::corrupt);
  EXPECT_NE(got.error().what.find("CRC-32C"), std::string::npos) << got.error().what;
}

TEST(GcsFaults, AServiceThatIsDownIsSaidToBe) {
  for (const GcsFault fault : {GcsFault::drop_before, GcsFault::busy, GcsFault::too_many, GcsFault::rate_limit}) {
    GcsServer server;
    auto store = store_of(server);
    ASSERT_TRUE(store->put("k", as_bytes("x")));
    auto writer = store->create("large");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(as_bytes(pattern(2 * kChunk))));
    server.break_request(0, fault);
    EXPECT_EQ((*writer)->commit().error().code, Errc::unavailable);
    EXPECT_EQ(store->put("l", as_bytes("x")).error().code, Errc::unavailable);
    EXPECT_EQ(store->get("k").error().code, Errc::unavailable);
    EXPECT_EQ(store->list("").error().code, Errc::unavailable);
    EXPECT_EQ(store->stat("k").error().code, Errc::unavailable);
    EXPECT_EQ(store->remove("k").error().code, Errc::unavailable);
    EXPECT_LT(server.requests(), 100);
  }
}

TEST(GcsStore, AWriterWithoutCommitGivesItsSessionUp) {
  GcsServer server;
  auto store = store_of(server);
  {
    auto writer = store->create("k");
    ASSERT_TRUE((*writer)->write(as_bytes(pattern(3 * kChunk))));
    EXPECT_EQ(server.open_sessions(), 1U);
  }
  EXPECT_EQ(server.open_sessions(), 0U);
  EXPECT_TRUE(server.objects().empty());
}

TEST(GcsStore, ALateUploadLosesAtItsEnd) {
  GcsServer server;
  auto store = store_of(server);
  auto writer = store->create("k");
  ASSERT_TRUE((*writer)->write(as_bytes(pattern(3 * kChunk))));
  ASSERT_TRUE(store->put("k", as_bytes("first")));
  EXPECT_EQ((*writer)->commit().error().code, Errc::already_exists);
  EXPECT_EQ(as_text(store->get("k").value()), "first");
}

TEST(GcsStore, AReplacedObjectIsNotReadOn) {
  GcsServer server;
  auto store = store_of(server);
  const std::string body = pattern(1UL << 20U);
  ASSERT_TRUE(store->put("k", as_bytes(body)));
  server.break_request(1, GcsFault::cut_body);
  auto source = store->open("k");
  ASSERT_TRUE(source);
  server.put("etcd/k", {.body = body, .metadata = "{}", .generation = 5});
  const auto got = io::read_all(**source, 2UL << 20U);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::conflict);
}

TEST(GcsStore, ListsPagesAndLeavesOutWhatIsExcludedOrNoKey) {
  GcsServer server;
  auto store = store_of(server);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(store->put(fmt::format("v2/{}", i), as_bytes("x")));
  server.put("etcd/v2/3", {.body = "x", .metadata = R"({"metadata":{"x-etcd-snapshot-exclude":"true"}})"});
  server.put("etcd/v2/folder/", {.metadata = "{}"});
  server.put("etcdb/v2/other", {.metadata = "{}"});
  const auto all = store->list("v2/");
  ASSERT_TRUE(all) << all.error().what;
  ASSERT_EQ(all->size(), 9U);
  EXPECT_EQ(all->front().key, "v2/0");
  EXPECT_EQ((*all)[3].key, "v2/4");
}

TEST(GcsStore, AHeldObjectSaysWhyItStays) {
  GcsServer server;
  auto store = store_of(server);
  server.put("etcd/k", {.body = "x", .metadata = "{}", .held = true});
  const Status removed = store->remove("k");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, Errc::denied);
  EXPECT_NE(removed.error().hint.find("hold"), std::string::npos);
}

TEST(GcsStore, WhatIsRemovedStaysAsANoncurrentVersion) {
  GcsServer server;
  auto store = store_of(server);
  ASSERT_TRUE(store->put("k", as_bytes("x")));
  ASSERT_TRUE(store->remove("k"));
  EXPECT_TRUE(server.objects().empty());
  EXPECT_TRUE(server.noncurrent("etcd/k"));
}

TEST(GcsUrl, GoodAndBad) {
  const auto dir = io::TempDir::create().value();
  const std::string key_file = (dir.path() / "key").string(), bad_file = (dir.path() / "bad").string();
  ASSERT_TRUE(io::write_file_durably(key_file, as_bytes("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n")));
  ASSERT_TRUE(io::write_file_durably(bad_file, as_bytes("too short")));
  const std::string kms = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
  struct Row {
    std::string url, key_file;
    bool good;
  };
  for (const Row& row : {Row{"gs://backups", "", true},
                         {"gs://backups/etcd/prod/", "", true},
                         {"gs://my_bucket.example.com/p?kms-key=" + kms, "", true},
                         {"gs://backups?endpoint=storage-x.p.googleapis.com", key_file, true},
                         {"gs://backups?endpoint=https://h&anonymous=1&storage-class=NEARLINE", "", true},
                         {"gs://backups?user-project=p&ca-file=/ca.pem", key_file, true},
                         {"gs://", "", false},
                         {"gs://ab", "", false},
                         {"gs://Backups", "", false},
                         {"gs://-backups", "", false},
                         {"gs://back ups", "", false},
                         {"gs:backups", "", false},
                         {"gs://backups/a//b", "", false},
                         {"gs://backups/../b", "", false},
                         {"gs://backups?anonymous=1", "", false},
                         {"gs://backups?endpoint=https://h&anonymous=yes", "", false},
                         {"gs://backups?endpoint=https://h/path", "", false},
                         {"gs://backups?endpoint=ftp://h", "", false},
                         {"gs://backups?token=secret", "", false},
                         {"gs://backups?kms-key=k", "", false},
                         {"gs://backups?kms-key=" + kms + "/cryptoKeyVersions/1", "", false},
                         {"gs://backups?kms-key=" + kms, key_file, false},
                         {"gs://backups?endpoint=http://h", key_file, false},
                         {"gs://backups", bad_file, false},
                         {"gs://backups", "/nowhere/key", false}}) {
    const auto options = parse_gcs_url(
        row.url, [&](std::string_view name) { return name == "TIDEMARK_CSEK_FILE" ? row.key_file : std::string(); });
    EXPECT_EQ(options.has_value(), row.good) << row.url << (options ? "" : options.error().what);
  }
  const auto options = parse_gcs_url("gs://backups/etcd/prod/?endpoint=http://h:1", nothing());
  ASSERT_TRUE(options);
  EXPECT_EQ(options->prefix, "etcd/prod");
  EXPECT_TRUE(options->anonymous);
  EXPECT_FALSE(parse_gcs_url("gs://backups?endpoint=https://h", nothing())->anonymous);
}

TEST(GcsJson, WhatIsNoAnswerIsCorrupt) {
  EXPECT_EQ(
      parse_gcs_object(R"({"name":"k","size":"5","timeCreated":"2026-11-21T10:00:00Z","crc32c":"4waSgw=="})")->crc32c,
      0xe3069283U);
  for (const char* bad :
       {"", "[]", "{}", R"({"name":"k"})", R"({"name":"k","size":"-1","timeCreated":"2026-11-21T10:00:00Z"})",
        R"({"name":"k","size":"1"})", R"({"name":7,"size":"1","timeCreated":"2026-11-21T10:00:00Z"})"}) {
    EXPECT_EQ(parse_gcs_object(bad).error().code == Errc::corrupt || *bad == '{', true) << bad;
    EXPECT_FALSE(parse_gcs_object(bad)) << bad;
  }
  EXPECT_TRUE(parse_gcs_page("{}")->objects.empty());
  for (const char* bad : {"", "x", R"({"items":{}})", R"({"items":[1]})", R"({"items":[{}]})"}) {
    EXPECT_FALSE(parse_gcs_page(bad)) << bad;
  }
}

}  // namespace
}  // namespace tidemark::store::testing
