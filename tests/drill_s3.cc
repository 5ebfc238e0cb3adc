// S3 against a real server (versitygw): the contract of every store, in every shape of bucket and address.
#include <algorithm>
#include <map>

#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "kit/s3_process.h"
#include "store/check.h"
#include "store/s3_client.h"
#include "store/s3_store.h"
#include "store/testing/contract.h"

namespace tidemark::store::testing {
namespace {

using tidemark::testing::S3Process;

// One server a shape for the whole program; each store gets a bucket of its own.
S3Process& server(const std::string& shape) {
  static std::map<std::string, S3Process> servers;
  const auto there = servers.find(shape);
  if (there != servers.end()) return there->second;
  auto started = S3Process::start({.tls = shape == "tls", .virtual_host = shape == "virtual"});
  EXPECT_TRUE(started) << started.error().what;
  return servers.emplace(shape, *std::move(started)).first->second;
}

std::string fresh_bucket() {
  static int number = 0;
  return fmt::format("bucket-{}", ++number);
}

std::unique_ptr<ObjectStore> make_store(const std::string& shape, S3Process::Kind kind, const std::string& prefix) {
  S3Process& s3 = server(shape);
  const std::string bucket = fresh_bucket();
  const Status made = s3.make_bucket(bucket, kind);
  EXPECT_TRUE(made) << made.error().what;
  auto store = S3Store::open(s3.url(bucket + prefix), {.environment = s3.environment(), .part_bytes = 5UL << 20U});
  EXPECT_TRUE(store) << store.error().what;
  return *std::move(store);
}

StoreKind kind_of(const std::string& name, const std::string& shape, S3Process::Kind kind, const std::string& prefix) {
  return {name, [=] { return make_store(shape, kind, prefix); }};
}

INSTANTIATE_TEST_SUITE_P(S3, StoreContract,
                         ::testing::Values(kind_of("plain", "plain", S3Process::Kind::plain, "/etcd/prod"),
                                           kind_of("tls", "tls", S3Process::Kind::plain, "/p"),
                                           kind_of("virtual_host_no_prefix", "virtual", S3Process::Kind::plain, ""),
                                           kind_of("versioned", "plain", S3Process::Kind::versioned, "/p")),
                         name_of_kind);

std::unique_ptr<S3Store> open_bucket(const std::string& bucket, const std::string& more = "") {
  S3Process& s3 = server("plain");
  return S3Store::open(s3.url(bucket + "/p") + more, {.environment = s3.environment(), .part_bytes = 5UL << 20U})
      .value();
}

// What another program does to a key of a store with the prefix "p".
Status by_hand(S3Store& store, const std::string& method, const std::string& key, const net::Query& query = {},
               std::string_view body = {}) {
  TM_CHECK(store.client().demand(
      {.what = "by hand", .method = method, .key = "p/" + key, .query = query, .body = as_bytes(body)}));
  return {};
}

std::string text_of(ObjectStore& store, const std::string& key) {
  const auto body = store.get(key);
  return body ? std::string(as_text(*body)) : std::string(errc_name(body.error().code));
}

TEST(S3Versions, TheOldestCountsWhateverSomebodyDoesToTheKey) {
  S3Process& s3 = server("plain");
  ASSERT_TRUE(s3.make_bucket("versions-1", S3Process::Kind::versioned));
  const auto store = open_bucket("versions-1");
  const auto latest = open_bucket("versions-1", "&versions=latest");
  ASSERT_TRUE(store->put("v2/k", as_bytes("first")));
  ASSERT_TRUE(store->put("v2/k2", as_bytes("other key that begins alike")));
  ASSERT_TRUE(by_hand(*store, "PUT", "v2/k", {}, "overwritten"));
  EXPECT_EQ(text_of(*store, "v2/k"), "first");
  EXPECT_EQ(text_of(*latest, "v2/k"), "overwritten");
  EXPECT_EQ(store->stat("v2/k")->size, 5U);
  ASSERT_TRUE(by_hand(*store, "DELETE", "v2/k"));  // a delete marker
  EXPECT_EQ(text_of(*store, "v2/k"), "first");
  EXPECT_EQ(text_of(*latest, "v2/k"), "not_found");
  EXPECT_EQ(store->list("v2/")->size(), 2U);
  EXPECT_EQ(latest->list("v2/")->size(), 1U);
  // Behind the marker the server would take it, but no reader would see it.
  EXPECT_EQ(store->put("v2/k", as_bytes("second")).error().code, Errc::already_exists);

  ASSERT_TRUE(store->remove("v2/k"));  // every version
  EXPECT_EQ(text_of(*store, "v2/k"), "not_found");
  EXPECT_EQ(store->list("v2/")->size(), 1U);
  ASSERT_TRUE(store->put("v2/k", as_bytes("new")));
  EXPECT_EQ(text_of(*store, "v2/k"), "new");
}

TEST(S3Versions, WhatIsMarkedToBeExcludedBehindADeleteMarkerIsGone) {
  S3Process& s3 = server("plain");
  ASSERT_TRUE(s3.make_bucket("versions-2", S3Process::Kind::versioned));
  const auto store = open_bucket("versions-2");
  const auto tags = [](const std::string& key, const std::string& value) {
    return "<Tagging><TagSet><Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag></TagSet></Tagging>";
  };
  struct Row {
    const char *key, *tag, *value;
    bool marker, there;
  };
  for (const Row& row :
       {Row{"excluded", "x-etcd-snapshot-exclude", "true", true, false},
        Row{"false", "x-etcd-snapshot-exclude", "false", true, true}, Row{"another", "colour", "true", true, true},
        Row{"visible", "x-etcd-snapshot-exclude", "true", false, true}}) {
    ASSERT_TRUE(store->put(row.key, as_bytes("x")));
    ASSERT_TRUE(by_hand(*store, "PUT", row.key, {{"tagging", ""}}, tags(row.tag, row.value)));
    if (row.marker) {
      ASSERT_TRUE(by_hand(*store, "DELETE", row.key));
    }
    EXPECT_EQ(store->stat(row.key).has_value(), row.there) << row.key;
    EXPECT_EQ(store->list(row.key)->size(), row.there ? 1U : 0U) << row.key;
  }
}

TEST(S3Versions, ALockedObjectCannotBeRemoved) {
  S3Process& s3 = server("plain");
  ASSERT_TRUE(s3.make_bucket("locked-1", S3Process::Kind::locked));
  const auto store = open_bucket("locked-1");
  constexpr std::string_view kHold =
      "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
      "<Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
  const auto held = store->client().demand(
      {.what = "hold",
       .method = "PUT",
       .query = {{"object-lock", ""}},
       .headers = {{"x-amz-checksum-sha256", crypto::to_base64(crypto::sha256(as_bytes(kHold)))}},
       .body = as_bytes(kHold)});
  ASSERT_TRUE(held) << held.error().what;
  ASSERT_TRUE(store->put("k", as_bytes("held")));
  const Status removed = store->remove("k");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, Errc::denied) << removed.error().what;
  EXPECT_EQ(text_of(*store, "k"), "held");
  const auto findings = check_store(*store, {.nonce = "n", .large_bytes = 1000}).value();
  EXPECT_TRUE(fit(findings));
  const auto named = [&](std::string_view name) { return std::ranges::find(findings, name, &Finding::name)->detail; };
  EXPECT_NE(named("object lock").find("COMPLIANCE, each backup is held for 1 days"), std::string::npos);
  EXPECT_NE(named("clean-up").find("stay below"), std::string::npos);
}

TEST(S3Memory, AnObjectOfAnySizeTakesOnePartOfMemory) {
  S3Process& s3 = server("plain");
  ASSERT_TRUE(s3.make_bucket("large-1"));
  const auto store = open_bucket("large-1");
  const auto writer = store->create("large").value();
  Buffer piece(1'000'003);
  crypto::Sha256 written;
  for (int i = 0; i < 40; ++i) {
    for (std::size_t at = 0; at < piece.size(); at += 97) piece[at] = static_cast<std::byte>(at * 7 + i);
    written.update(piece);
    ASSERT_TRUE(writer->write(piece));
  }
  ASSERT_TRUE(writer->finish());
  ASSERT_TRUE(writer->commit());
  const auto source = store->open("large").value();
  crypto::Sha256 read;
  std::uint64_t size = 0;
  for (;;) {
    const auto n = source->read(piece);
    ASSERT_TRUE(n) << n.error().what;
    if (*n == 0) break;
    size += *n;
    read.update(Bytes(piece).first(*n));
  }
  EXPECT_EQ(size, 40U * piece.size());
  EXPECT_EQ(read.finish(), written.finish());
}

TEST(S3List, MoreObjectsThanOnePageHolds) {
  S3Process& s3 = server("plain");
  for (const auto kind : {S3Process::Kind::plain, S3Process::Kind::versioned}) {
    const std::string bucket = kind == S3Process::Kind::plain ? "pages-1" : "pages-2";
    ASSERT_TRUE(s3.make_bucket(bucket, kind));
    const auto store = open_bucket(bucket, "&versions=latest");  // a put without a look first
    constexpr int kObjects = 1050;                               // a page holds 1,000
    std::vector<std::jthread> writers;
    std::atomic<int> next{0};
    for (int t = 0; t < 4; ++t) {
      writers.emplace_back([&] {
        for (int i = next++; i < kObjects; i = next++) EXPECT_TRUE(store->put(fmt::format("v2/{:05}", i), {}));
      });
    }
    writers.clear();
    const auto all = open_bucket(bucket)->list("v2/");
    ASSERT_TRUE(all) << all.error().what;
    ASSERT_EQ(all->size(), std::size_t{kObjects});
    for (int i = 0; i < kObjects; ++i) ASSERT_EQ((*all)[i].key, fmt::format("v2/{:05}", i));
  }
}

}  // namespace
}  // namespace tidemark::store::testing
