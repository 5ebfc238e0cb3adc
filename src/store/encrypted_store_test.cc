// The encrypted layout: what stands where, who can read it, and what happens when recipients change.
#include "store/encrypted_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/age_key_file.h"
#include "store/testing/faulty_store.h"
#include "store/testing/mem_store.h"

namespace tidemark::store {
namespace {

using ::testing::ElementsAre;
using testing::FaultyStore;
using ::testing::HasSubstr;
using testing::MemStore;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A store that many EncryptedStores look at, one after the other.
class Shared final : public ObjectStore {
 public:
  explicit Shared(ObjectStore& store) : store_(store) {}
  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override { return store_.create(key); }
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset, std::uint64_t length) override {
    return store_.open(key, offset, length);
  }
  Result<ObjectInfo> stat(std::string_view key) override { return store_.stat(key); }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override { return store_.list(prefix); }
  Status remove(std::string_view key) override { return store_.remove(key); }
  bool read_only() const override { return store_.read_only(); }
  std::string url() const override { return store_.url(); }

 private:
  ObjectStore& store_;
};

class EncryptedStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<EncryptedStore> open(std::vector<age::Recipient> recipients, std::vector<age::Identity> identities) {
    auto store = EncryptedStore::open(std::make_unique<Shared>(below_), {std::move(recipients), std::move(identities)});
    EXPECT_TRUE(store) << store.error().what;
    return *std::move(store);
  }
  std::vector<std::string> keys(ObjectStore& store, std::string_view prefix = "") {
    const auto objects = store.list(prefix);
    std::vector<std::string> all;
    for (const ObjectInfo& object : *objects) all.push_back(object.key);
    return all;
  }
  static std::string text(ObjectStore& store, std::string_view key) {
    const auto body = store.get(key);
    return body ? std::string(as_text(*body)) : "failed: " + body.error().what;
  }

  MemStore below_;
  const age::Identity ann_ = age::Identity::generate(), bob_ = age::Identity::generate(),
                      eve_ = age::Identity::generate();
};

TEST_F(EncryptedStoreTest, ObjectsAreAgeFilesUnderOneFolder) {
  const auto store = open({ann_.recipient(), bob_.recipient()}, {});
  ASSERT_TRUE(store->put("v2/Full-1", as_bytes("the secrets")));
  ASSERT_TRUE(store->put("tidemark/state/Full-1.json", as_bytes("{}")));
  ASSERT_TRUE(store->put("tidemark/claims/1-1.json", as_bytes("a claim")));
  const auto below = keys(below_);
  ASSERT_THAT(below, SizeIs(4));
  EXPECT_THAT(below, ::testing::IsSupersetOf(
                         {"age/v2/Full-1.age", "age/tidemark/state/Full-1.json.age", "tidemark/claims/1-1.json"}));
  EXPECT_THAT(keys(*store), ElementsAre("tidemark/claims/1-1.json", "tidemark/state/Full-1.json", "v2/Full-1"));
  EXPECT_EQ(text(below_, "tidemark/claims/1-1.json"), "a claim");
  const Buffer file = below_.get("age/v2/Full-1.age").value();
  EXPECT_EQ(age::parse_header(file)->size, kAgeHeader);
  for (const age::Identity* identity : {&ann_, &bob_}) {
    EXPECT_EQ(as_text(age::decrypt(file, {identity, 1}).value()), "the secrets");
  }
  EXPECT_EQ(age::decrypt(file, {&eve_, 1}).error().code, Errc::denied);
  EXPECT_EQ(text(*store, "v2/Full-1"), "the secrets") << "who wrote it can read it again, without an identity";
}

TEST_F(EncryptedStoreTest, NamesAndSizesNeedNoIdentity) {
  for (std::size_t recipients : {1UL, 7UL, kMostRecipients}) {
    const auto store = open(std::vector(recipients, ann_.recipient()), {});
    for (const std::size_t size : {0UL, 1UL, age::kChunk, age::kChunk + 1}) {
      const std::string key = fmt::format("v2/{}-{}", recipients, size);
      ASSERT_TRUE(store->put(key, Buffer(size)));
      const auto stranger = open({ann_.recipient()}, {});
      EXPECT_EQ(stranger->stat(key)->size, size);
      EXPECT_EQ(stranger->list(key)->front().size, size);
    }
  }
  EXPECT_FALSE(
      EncryptedStore::open(std::make_unique<Shared>(below_), {std::vector(kMostRecipients + 1, ann_.recipient()), {}}));
}

TEST_F(EncryptedStoreTest, WithoutTheRightIdentityItSaysWhatIsNeeded) {
  ASSERT_TRUE(open({ann_.recipient()}, {})->put("v2/k", as_bytes("x")));
  const auto nobody = open({ann_.recipient()}, {})->get("v2/k");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Errc::denied);
  EXPECT_THAT(nobody.error().what, HasSubstr("age/v2/k.age: it is encrypted, and no identity was given"));
  EXPECT_THAT(nobody.error().hint, HasSubstr("--age-identity"));
  const auto stranger = open({ann_.recipient()}, {eve_})->get("v2/k");
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().code, Errc::denied);
  EXPECT_THAT(stranger.error().what, HasSubstr("none of 1 identities opens it; it is encrypted to 2 x X25519"));
}

TEST_F(EncryptedStoreTest, NothingIsWrittenOpenlyBesideEncryptedObjects) {
  ASSERT_TRUE(open({ann_.recipient()}, {})->put("v2/k", as_bytes("x")));
  const auto careless = EncryptedStore::open(std::make_unique<Shared>(below_), {{}, {ann_}});
  ASSERT_FALSE(careless);
  EXPECT_EQ(careless.error().code, Errc::invalid);
  EXPECT_THAT(careless.error().hint, HasSubstr("--age-recipients"));
  below_.make_read_only();
  EXPECT_TRUE(EncryptedStore::open(std::make_unique<Shared>(below_), {{}, {ann_}})) << "readers need none";
}

TEST_F(EncryptedStoreTest, WhatWasOpenBeforeStaysReadable) {
  ASSERT_TRUE(open({}, {})->put("v2/a", as_bytes("open")));
  ASSERT_TRUE(open({ann_.recipient()}, {})->put("v2/b", as_bytes("closed")));
  const auto store = open({ann_.recipient()}, {ann_});
  EXPECT_EQ(text(*store, "v2/a"), "open");
  EXPECT_EQ(text(*store, "v2/b"), "closed");
  EXPECT_THAT(keys(*store), ElementsAre("v2/a", "v2/b"));
  EXPECT_EQ(store->put("v2/a", as_bytes("again")).error().code, Errc::already_exists) << "whichever layout has it";
  ASSERT_TRUE(store->remove("v2/a"));
  ASSERT_TRUE(store->remove("v2/b"));
  EXPECT_THAT(keys(*store), ElementsAre());
}

TEST_F(EncryptedStoreTest, RekeyOpensEveryStoreKeyBeforeItSealsOne) {
  const auto both = std::vector{ann_.recipient(), bob_.recipient()};
  ASSERT_TRUE(open({ann_.recipient()}, {})->put("v2/1", as_bytes("one")));
  ASSERT_TRUE(open({eve_.recipient()}, {})->put("v2/2", as_bytes("two")));
  const auto before = keys(below_, kAgeKeyFiles);
  EXPECT_EQ(open(both, {ann_})->rewrap(both).error().code, Errc::denied);
  EXPECT_EQ(keys(below_, kAgeKeyFiles), before);
  EXPECT_EQ(open(both, {ann_, eve_})->rewrap(both)->changed, 2U);
}

TEST_F(EncryptedStoreTest, ALaterRecipientReadsEverythingAfterRekey) {
  ASSERT_TRUE(open({ann_.recipient()}, {})->put("v2/1", as_bytes("one")));
  ASSERT_TRUE(open({ann_.recipient()}, {})->put("v2/2", as_bytes("two")));  // another run, another store key
  const auto objects = keys(below_, "age/");
  EXPECT_THAT(text(*open({bob_.recipient()}, {bob_}), "v2/1"), StartsWith("failed: "));

  const auto both = std::vector{ann_.recipient(), bob_.recipient()};
  EXPECT_EQ(open(both, {bob_})->rewrap(both).error().code, Errc::denied) << "who cannot read cannot let others";
  const auto done = open(both, {ann_})->rewrap(both);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->changed, 2U);
  EXPECT_EQ(open(both, {ann_})->rewrap({bob_.recipient(), ann_.recipient()})->unchanged, 2U);
  for (const age::Identity& who : {ann_, bob_}) {
    EXPECT_EQ(text(*open(both, {who}), "v2/1"), "one");
    EXPECT_EQ(text(*open(both, {who}), "v2/2"), "two");
  }
  EXPECT_EQ(keys(below_, "age/"), objects) << "no object was written anew";
  EXPECT_THAT(text(*open(both, {eve_}), "v2/1"), StartsWith("failed: "));
}

TEST_F(EncryptedStoreTest, ARemovedRecipientReadsWhatWasWrittenBeforeAndNothingAfter) {
  ASSERT_TRUE(open({ann_.recipient(), bob_.recipient()}, {})->put("v2/before", as_bytes("old")));
  ASSERT_TRUE(open({ann_.recipient()}, {ann_})->rewrap({ann_.recipient()}));
  ASSERT_TRUE(open({ann_.recipient()}, {})->put("v2/after", as_bytes("new")));
  EXPECT_EQ(text(*open({ann_.recipient()}, {bob_}), "v2/before"), "old");
  EXPECT_THAT(text(*open({ann_.recipient()}, {bob_}), "v2/after"), StartsWith("failed: "));
  EXPECT_EQ(text(*open({ann_.recipient()}, {ann_}), "v2/after"), "new");
}

TEST_F(EncryptedStoreTest, AForgedKeyFileIsPassedOver) {
  ASSERT_TRUE(open({ann_.recipient()}, {})->put("v2/k", as_bytes("x")));
  ASSERT_TRUE(open({ann_.recipient()}, {ann_})->rewrap({bob_.recipient()}));
  const auto name = parse_store_key_name(keys(below_, kAgeKeyFiles).front());
  ASSERT_TRUE(name);
  // Whoever may write into the store can seal a key of his own to our recipients.
  const std::string forged = print_store_key({eve_, {bob_.recipient()}});
  const age::Recipient bob = bob_.recipient();
  ASSERT_TRUE(below_.put(store_key_name(name->first, 9), age::encrypt(as_bytes(forged), {&bob, 1})));
  EXPECT_EQ(text(*open({bob}, {bob_}), "v2/k"), "x");
}

TEST_F(EncryptedStoreTest, AFailureAtAnyCallLeavesNothingHalf) {
  for (const auto when : {FaultyStore::When::before, FaultyStore::When::after}) {
    bool fired = true;
    for (int n = 1; fired; ++n) {
      MemStore below;
      FaultyStore faulty(below);
      const auto store = EncryptedStore::open(std::make_unique<Shared>(faulty), {{ann_.recipient()}, {ann_}}).value();
      faulty.fail_call(n, Errc::unavailable, when);
      const Status put = store->put("v2/k", as_bytes("x"));
      const auto got = store->get("v2/k");
      fired = faulty.fired();
      EXPECT_EQ(put && got, !fired) << n;
      faulty.fail_call(0, Errc::io);
      const Status again = store->put("v2/k", as_bytes("x"));
      EXPECT_TRUE(again || again.error().code == Errc::already_exists) << n;
      EXPECT_EQ(text(*store, "v2/k"), "x") << n;
    }
  }
}

}  // namespace
}  // namespace tidemark::store
