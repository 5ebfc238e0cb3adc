// Azure Blob against azurite, which checks every signature: the contract of every store, in each way of being allowed
// in, and with each request on the way broken once.
#include "kit/azure_process.h"
#include "net/testing/breaking_proxy.h"
#include "store/azure_client.h"
#include "store/azure_store.h"
#include "store/testing/contract.h"

namespace tidemark::store::testing {
namespace {

using net::testing::Break;
using net::testing::BreakingProxy;
using net::testing::Received;
using tidemark::testing::AzureProcess;
using Right = AzureProcess::Right;

// One service a shape for the whole program; each store gets a container of its own.
AzureProcess& service(bool tls = false) {
  static std::map<bool, AzureProcess> services;
  const auto there = services.find(tls);
  if (there != services.end()) return there->second;
  auto started = AzureProcess::start(tls);
  EXPECT_TRUE(started) << started.error().what;
  return services.emplace(tls, std::move(started).value()).first->second;
}

std::string fresh_container(bool tls = false) {
  static int number = 0;
  const std::string name = fmt::format("container-{}", ++number);
  const Status made = service(tls).make_container(name);
  EXPECT_TRUE(made) << made.error().what;
  return name;
}

struct Shape {
  std::string name, prefix;
  bool tls = false;
  Right right = Right::key;
  std::size_t block_bytes = 8UL << 20U;
  std::size_t page_keys = 5000;
};

StoreKind kind_of(const Shape& shape) {
  return {shape.name, [shape]() -> std::unique_ptr<ObjectStore> {
            const AzureProcess& azure = service(shape.tls);
            auto store = AzureStore::open(azure.url(fresh_container(shape.tls) + shape.prefix),
                                          {.environment = azure.environment(shape.right),
                                           .block_bytes = shape.block_bytes,
                                           .page_keys = shape.page_keys});
            EXPECT_TRUE(store) << store.error().what;
            return *std::move(store);
          }};
}

INSTANTIATE_TEST_SUITE_P(
    Azure, StoreContract,
    ::testing::Values(kind_of({.name = "key", .prefix = "/etcd/prod"}),
                      kind_of({.name = "blocks_pages", .prefix = "", .block_bytes = 40'000, .page_keys = 2}),
                      kind_of({.name = "tls_sas", .prefix = "/p", .tls = true, .right = Right::sas}),
                      kind_of({.name = "connection", .prefix = "/p", .right = Right::connection})),
    name_of_kind);

// A store of this container that talks through the proxy, and waits for nothing.
std::unique_ptr<AzureStore> store_behind(const BreakingProxy& proxy, const std::string& container) {
  const std::string url = fmt::format("az://tmaccount/{}/p?endpoint={}", container, proxy.url());
  return AzureStore::open(url, {.environment = service().environment(),
                                .wait = [](std::chrono::nanoseconds, const std::stop_token&) { return true; },
                                .block_bytes = 2'000})
      .value();
}

// Writes, lists, reads and removes; every request of it is broken once, in each way, and nobody notices.
TEST(AzureFaults, EachRequestMayFailOnceInEachWay) {
  BreakingProxy proxy(service().endpoint());
  const std::string container = fresh_container();
  Buffer large(5'000);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::byte>(i * 31 + i / 256);
  const Break ways[] = {{.kind = Break::Kind::drop},
                        {.kind = Break::Kind::lose_answer},
                        {.kind = Break::Kind::answer, .status = 503},
                        {.kind = Break::Kind::answer, .status = 429, .headers = {{"Retry-After", "1"}}},
                        {.kind = Break::Kind::answer, .status = 500, .headers = {{"x-ms-error-code", "InternalError"}}},
                        {.kind = Break::Kind::cut}};
  for (const Break& way : ways) {
    for (int n = 1;; ++n) {
      SCOPED_TRACE(fmt::format("way {} {}, request {}", static_cast<int>(way.kind), way.status, n));
      const auto store = store_behind(proxy, container);
      proxy.break_call(n, way);
      const Status small = store->put("small", as_bytes("0123456789"));
      ASSERT_TRUE(small) << small.error().what;
      const Status blocks = store->put("large", large);
      ASSERT_TRUE(blocks) << blocks.error().what;
      const Status again = store->put("small", as_bytes("0123456789"));
      ASSERT_FALSE(again);
      EXPECT_EQ(again.error().code, Errc::already_exists);
      const auto all = store->list("");
      ASSERT_TRUE(all) << all.error().what;
      ASSERT_EQ(all->size(), 2U);
      EXPECT_EQ(store->stat("large").value_or(ObjectInfo{}).size, large.size());
      EXPECT_EQ(store->get("large"), large);
      EXPECT_EQ(as_text(store->get("small").value_or(Buffer{})), "0123456789");
      auto part = store->open("large", 1'000, 3'000);
      ASSERT_TRUE(part);
      EXPECT_EQ(io::read_all(**part, 5'000), Buffer(large.begin() + 1'000, large.begin() + 4'000));
      EXPECT_TRUE(store->remove("large"));
      EXPECT_TRUE(store->remove("small"));
      EXPECT_EQ(store->stat("small").error().code, Errc::not_found);
      if (proxy.calls() < n) break;
    }
  }
}

// A service that stays away is told in the end, and a blob is there whole or not at all.
TEST(AzureFaults, WhatStaysBrokenIsTold) {
  BreakingProxy proxy(service().endpoint());
  const std::string container = fresh_container();
  const Buffer large(5'000, std::byte{7});
  const auto store = store_behind(proxy, container);
  for (const char* part : {"blockid=", "comp=blocklist"}) {
    proxy.break_all({.kind = Break::Kind::drop},
                    [part](const Received& r) { return r.target.find(part) != std::string::npos; });
    const Status put = store_behind(proxy, container)->put("k", large);
    ASSERT_FALSE(put) << part;
    EXPECT_EQ(put.error().code, Errc::unavailable) << put.error().what;
    EXPECT_NE(put.error().what.find("p/k"), std::string::npos) << put.error().what;
    proxy.heal();
    EXPECT_TRUE(store->list("").value().empty());
  }
  EXPECT_TRUE(store->put("k", large));
}

// The whole program, with what a user types.
TEST(AzureProgram, ChecksTheStore) {
  const AzureProcess& azure = service();
  const auto checked = tidemark::testing::run_program(
      {tidemark::testing::tidemark_program(), "store", "check", azure.url(fresh_container() + "/etcd/prod")},
      {.environment = azure.variables()});
  ASSERT_TRUE(checked) << checked.error().what;
  EXPECT_EQ(checked->exit_code, 0) << checked->out << checked->err;
  EXPECT_NE(checked->out.find("is fit to keep backups"), std::string::npos) << checked->out;
  for (const char* row :
       {"versioning", "soft delete", "immutability", "hierarchical namespace", "clock", "lifecycle"}) {
    EXPECT_NE(checked->out.find(row), std::string::npos) << row << "\n" << checked->out;
  }
}

TEST(Azure, BlocksOfTwoWritersAreNotMixed) {
  const AzureProcess& azure = service();
  auto store = AzureStore::open(azure.url(fresh_container()), {.environment = azure.environment(), .block_bytes = 100});
  ASSERT_TRUE(store);
  auto one = (*store)->create("k").value();
  auto two = (*store)->create("k").value();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(one->write(Buffer(100, std::byte{1})));
    ASSERT_TRUE(two->write(Buffer(100, std::byte{2})));
  }
  EXPECT_TRUE((*store)->list("").value().empty());
  ASSERT_TRUE(one->commit());
  const Status late = two->commit();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::already_exists) << late.error().what;
  EXPECT_EQ((*store)->get("k"), Buffer(500, std::byte{1}));
}

TEST(Azure, RefusalsSayWhatToDo) {
  const AzureProcess& azure = service();
  const auto nowhere = AzureStore::open(azure.url("no-such-container"), {.environment = azure.environment()}).value();
  for (const Error& error : {nowhere->put("k", {}).error(), nowhere->list("").error(), nowhere->get("k").error()}) {
    EXPECT_EQ(error.code, Errc::invalid);
    EXPECT_NE(error.what.find("'no-such-container' does not exist"), std::string::npos) << error.what;
    EXPECT_NE(error.hint.find("az storage container create"), std::string::npos);
  }
  const auto wrong =
      AzureStore::open(
          azure.url(fresh_container()),
          {.environment =
               [](std::string_view name) { return name == "AZURE_STORAGE_KEY" ? std::string("AAAA") : std::string(); }})
          .value();
  const auto listed = wrong->list("");
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Errc::denied) << listed.error().what;
  EXPECT_NE(listed.error().what.find("credentials: AZURE_STORAGE_KEY"), std::string::npos) << listed.error().what;
  EXPECT_EQ(listed.error().what.find("AAAA"), std::string::npos);
}

// What etcd-backup-restore marks is left out; no other tag matters.
TEST(Azure, ExcludedSnapshotsAreNotListed) {
  const AzureProcess& azure = service();
  const std::string container = fresh_container();
  auto store = AzureStore::open(azure.url(container), {.environment = azure.environment()}).value();
  AzureClient client(parse_azure_url(azure.url(container), azure.environment()).value(), azure.environment(),
                     system_clock(), 1);
  const std::pair<const char*, const char*> tags[] = {
      {"x-etcd-snapshot-exclude", "true"}, {"x-etcd-snapshot-exclude", "false"}, {"team", "true"}};
  int number = 0;
  for (const auto& [key, value] : tags) {
    const std::string name = fmt::format("v2/{}", ++number);
    ASSERT_TRUE(store->put(name, as_bytes("x")));
    const std::string xml = fmt::format(
        "<?xml version=\"1.0\"?><Tags><TagSet><Tag><Key>{}</Key><Value>{}</Value></Tag></TagSet></Tags>", key, value);
    const auto tagged = client.demand({.what = "tag",
                                       .method = "PUT",
                                       .key = name,
                                       .query = {{"comp", "tags"}},
                                       .headers = {{"Content-Type", "application/xml"}},
                                       .body = as_bytes(xml)});
    ASSERT_TRUE(tagged) << tagged.error().what;
  }
  std::vector<std::string> keys;
  const std::vector<ObjectInfo> listed = store->list("").value();
  for (const ObjectInfo& object : listed) keys.push_back(object.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"v2/2", "v2/3"}));
}

}  // namespace
}  // namespace tidemark::store::testing
