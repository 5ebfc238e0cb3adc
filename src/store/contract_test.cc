#include "store/testing/contract.h"

#include "io/file.h"
#include "store/dir_store.h"
#include "store/encrypted_store.h"
#include "store/gcs_store.h"
#include "store/testing/faulty_store.h"
#include "store/testing/gcs_server.h"
#include "store/testing/mem_store.h"
#include "store/testing/pausing_store.h"

namespace tidemark::store::testing {
namespace {

// Owns what a store needs beneath it and passes every call on.
template <class Under, class Store>
class Owning final : public ObjectStore {
 public:
  Owning(Under under, std::unique_ptr<Store> store) : under_(std::move(under)), store_(std::move(store)) {}
  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override { return store_->create(key); }
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset, std::uint64_t length) override {
    return store_->open(key, offset, length);
  }
  Result<ObjectInfo> stat(std::string_view key) override { return store_->stat(key); }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override { return store_->list(prefix); }
  Status remove(std::string_view key) override { return store_->remove(key); }
  bool read_only() const override { return store_->read_only(); }
  std::string url() const override { return store_->url(); }

 private:
  Under under_;
  std::unique_ptr<Store> store_;
};

std::unique_ptr<ObjectStore> make_dir() {
  auto dir = io::TempDir::create().value();
  auto store = DirStore::open(dir.path() / "deep" / "root", DirStore::Access::read_write).value();
  return std::make_unique<Owning<io::TempDir, DirStore>>(std::move(dir), std::move(store));
}

std::unique_ptr<ObjectStore> make_gcs() {
  auto server = std::make_unique<GcsServer>();
  auto store = GcsStore::open(server->url(), {.environment = [](std::string_view) { return std::string(); }}).value();
  return std::make_unique<Owning<std::unique_ptr<GcsServer>, GcsStore>>(std::move(server), std::move(store));
}

// The decorators must not change what a store does as long as they are not told to.
template <class Decorator>
std::unique_ptr<ObjectStore> make_decorated() {
  auto inner = std::make_unique<MemStore>();
  auto store = std::make_unique<Decorator>(*inner);
  return std::make_unique<Owning<std::unique_ptr<MemStore>, Decorator>>(std::move(inner), std::move(store));
}

// An encrypted store, whose plain side must do all that an open one does.
template <class Make>
std::unique_ptr<ObjectStore> make_encrypted(const Make& make) {
  const age::Identity identity = age::Identity::generate();
  return EncryptedStore::open(make(), {{identity.recipient()}, {identity}}).value();
}

INSTANTIATE_TEST_SUITE_P(
    Stores, StoreContract,
    ::testing::Values(StoreKind{"memory", [] { return std::make_unique<MemStore>(); }},
                      StoreKind{"directory", make_dir}, StoreKind{"gcs", make_gcs},
                      StoreKind{"encrypted_memory", [] { return make_encrypted(std::make_unique<MemStore>); }},
                      StoreKind{"encrypted_directory", [] { return make_encrypted(make_dir); }},
                      StoreKind{"encrypted_nothing",
                                [] { return EncryptedStore::open(std::make_unique<MemStore>(), {}).value(); }},
                      StoreKind{"faulty", make_decorated<FaultyStore>},
                      StoreKind{"pausing", make_decorated<PausingStore>}),
    name_of_kind);

TEST(FaultyStore, FailsTheNthCallBeforeOrAfterItsEffect) {
  for (const auto when : {FaultyStore::When::before, FaultyStore::When::after}) {
    for (int n = 1; n <= 4; ++n) {  // create, write, commit; the 4th call is none
      MemStore inner;
      FaultyStore store(inner);
      store.fail_call(n, Errc::unavailable, when);
      const Status put = store.put("k", as_bytes("x"));
      EXPECT_EQ(put.has_value(), n == 4) << n;
      EXPECT_EQ(store.fired(), n < 4) << n;
      if (!put) {
        EXPECT_EQ(put.error().code, Errc::unavailable);
      }
      const bool there = n == 4 || (n == 3 && when == FaultyStore::When::after);
      EXPECT_EQ(inner.stat("k").has_value(), there) << n;
    }
  }
}

TEST(FaultyStore, FailsReads) {
  MemStore inner;
  ASSERT_TRUE(inner.put("k", as_bytes("x")));
  FaultyStore store(inner);
  store.fail_call(2, Errc::io);
  EXPECT_EQ(store.get("k").error().code, Errc::io);
  EXPECT_TRUE(store.get("k"));
}

TEST(PausingStore, TheOneWhoSleptLosesToTheOneWhoDidNot) {
  MemStore inner;
  PausingStore store(inner);
  store.pause_next("v2/");
  Status late;
  std::jthread sleeper([&] { late = store.put("v2/k", as_bytes("late")); });
  ASSERT_TRUE(store.wait_until_paused());
  EXPECT_EQ(store.paused_key(), "v2/k");
  EXPECT_FALSE(inner.stat("v2/k"));
  EXPECT_TRUE(store.put("v2/k", as_bytes("in time")));  // only one writer is paused
  store.release();
  sleeper.join();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::already_exists);
}

}  // namespace
}  // namespace tidemark::store::testing
