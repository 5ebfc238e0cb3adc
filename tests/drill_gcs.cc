// Google Cloud Storage against a look-alike (fake-gcs-server): the contract of every store, in every shape of bucket.
#include "kit/gcs_process.h"
#include "store/gcs_store.h"
#include "store/open.h"
#include "store/testing/contract.h"

namespace tidemark::store::testing {
namespace {

using tidemark::testing::GcsProcess;

Environment nothing() {
  return [](std::string_view) { return std::string(); };
}

// One server a shape for the whole program; each store gets a bucket of its own.
GcsProcess& server(bool tls) {
  static std::map<bool, GcsProcess> servers;
  const auto there = servers.find(tls);
  if (there != servers.end()) return there->second;
  auto started = GcsProcess::start({.tls = tls});
  EXPECT_TRUE(started) << started.error().what;
  return servers.emplace(tls, *std::move(started)).first->second;
}

std::string fresh_bucket(GcsProcess& gcs, bool versioned) {
  static int number = 0;
  std::string name = fmt::format("bucket-{}", ++number);
  const Status made = gcs.make_bucket(name, versioned);
  EXPECT_TRUE(made) << made.error().what;
  return name;
}

std::unique_ptr<ObjectStore> make_store(bool tls, bool versioned, const std::string& prefix) {
  GcsProcess& gcs = server(tls);
  auto store = GcsStore::open(gcs.url(fresh_bucket(gcs, versioned) + prefix),
                              {.environment = nothing(), .chunk_bytes = 256UL << 10U});
  EXPECT_TRUE(store) << store.error().what;
  return *std::move(store);
}

INSTANTIATE_TEST_SUITE_P(Gcs, StoreContract,
                         ::testing::Values(StoreKind{"plain", [] { return make_store(false, false, "/etcd/prod"); }},
                                           StoreKind{"no_prefix", [] { return make_store(false, false, ""); }},
                                           StoreKind{"tls", [] { return make_store(true, false, "/p"); }},
                                           StoreKind{"versioned", [] { return make_store(false, true, "/p"); }}),
                         name_of_kind);

TEST(Gcs, ManyChunksComeBack) {
  auto store = make_store(false, false, "/p");
  Buffer body((3UL << 20U) + 12'345);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::byte>(i * 7 + i / 251);
  for (const std::size_t size : {body.size(), std::size_t{256UL << 10U}, std::size_t{512UL << 10U}}) {
    const std::string key = std::to_string(size);
    const Bytes part = Bytes(body).first(size);
    ASSERT_TRUE(store->put(key, part));
    const auto back = store->get(key);
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_TRUE(std::ranges::equal(*back, part));
    EXPECT_EQ(store->put(key, part).error().code, Errc::already_exists);
  }
  auto source = store->open(std::to_string(body.size()), 1'000'000, 500'000);
  ASSERT_TRUE(source);
  const auto range = io::read_all(**source, 1UL << 20U);
  ASSERT_TRUE(range);
  EXPECT_TRUE(std::ranges::equal(*range, Bytes(body).subspan(1'000'000, 500'000)));
}

TEST(Gcs, OpensByItsUrl) {
  GcsProcess& gcs = server(false);
  const std::string url = gcs.url(fresh_bucket(gcs, false) + "/p");
  auto store = open_store(url, false);
  ASSERT_TRUE(store) << store.error().what;
  EXPECT_EQ((*store)->url(), url);
  EXPECT_TRUE((*store)->put("v2/k", as_bytes("x")));
  EXPECT_TRUE((*store)->stat("v2/k"));
}

TEST(Gcs, SettingsOfABucketAreRows) {
  for (const bool versioned : {false, true}) {
    auto store = make_store(true, versioned, "/p");
    const auto findings = check_store(*store, {.nonce = "1", .large_bytes = 300'000});
    ASSERT_TRUE(findings) << findings.error().what;
    std::map<std::string, Finding::Verdict> rows;
    for (const Finding& finding : *findings) rows[finding.name] = finding.verdict;
    EXPECT_EQ(rows.at("versioning"), versioned ? Finding::Verdict::good : Finding::Verdict::advice);
    EXPECT_EQ(rows.at("retention policy"), Finding::Verdict::advice);
    EXPECT_EQ(rows.at("lifecycle"), Finding::Verdict::good);
    EXPECT_EQ(rows.at("transport"), Finding::Verdict::good);
    EXPECT_EQ(rows.at("clock"), Finding::Verdict::good);
  }
}

TEST(Gcs, WhatIsNotThereIsSaid) {
  GcsProcess& gcs = server(false);
  auto store = GcsStore::open(gcs.url("no-such-bucket/p"), {.environment = nothing()});
  ASSERT_TRUE(store);
  for (const Error& error : {(*store)->list("").error(), (*store)->put("k", as_bytes("x")).error()}) {
    EXPECT_EQ(error.code, Errc::not_found);
    EXPECT_NE(error.what.find("no-such-bucket"), std::string::npos) << error.what;
  }
  auto reader = GcsStore::open(gcs.url(fresh_bucket(gcs, false)), {.read_only = true, .environment = nothing()});
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->put("k", {}).error().code, Errc::denied);
  EXPECT_EQ((*reader)->remove("k").error().code, Errc::denied);
}

}  // namespace
}  // namespace tidemark::store::testing
