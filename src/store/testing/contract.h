// What every ObjectStore must do. Include it in one test file of a program and give it the stores:
//   INSTANTIATE_TEST_SUITE_P(Dir, StoreContract, ::testing::Values(StoreKind{"dir", [] { return …; }}), name_of_kind);
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "store/check.h"
#include "store/object_store.h"

namespace tidemark::store::testing {

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<ObjectStore>()> make;  // an empty one; cleans up after itself
};

inline std::string name_of_kind(const ::testing::TestParamInfo<StoreKind>& info) { return info.param.name; }

class StoreContract : public ::testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override { store_ = GetParam().make(); }

  std::vector<std::string> keys(std::string_view prefix) {
    const auto all = store_->list(prefix);
    EXPECT_TRUE(all) << all.error().what;
    std::vector<std::string> names;
    if (all) {
      for (const ObjectInfo& object : *all) names.push_back(object.key);
    }
    return names;
  }
  std::string text(std::string_view key) {
    const auto body = store_->get(key);
    return body ? std::string(as_text(*body)) : "failed: " + body.error().what;
  }

  std::unique_ptr<ObjectStore> store_;
};

TEST_P(StoreContract, PutThenGet) {
  ASSERT_TRUE(store_->put("v2/a", as_bytes("one")));
  ASSERT_TRUE(store_->put("v2/empty", {}));
  EXPECT_EQ(text("v2/a"), "one");
  EXPECT_EQ(text("v2/empty"), "");
  const auto info = store_->stat("v2/a");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->key, "v2/a");
  EXPECT_EQ(info->size, 3U);
}

TEST_P(StoreContract, EveryByteValueComesBack) {
  Buffer all(100'000);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i * 7 + i / 256);
  ASSERT_TRUE(store_->put("k", all));
  EXPECT_EQ(store_->get("k"), all);
  EXPECT_EQ(store_->get("k", all.size()), all);
  const auto too_much = store_->get("k", all.size() - 1);
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().code, Errc::corrupt);
}

TEST_P(StoreContract, AnObjectIsWrittenOnce) {
  ASSERT_TRUE(store_->put("k", as_bytes("first")));
  for (const char* body : {"first", "second"}) {
    const Status again = store_->put("k", as_bytes(body));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::already_exists);
  }
  EXPECT_EQ(text("k"), "first");
  EXPECT_EQ(keys(""), std::vector<std::string>{"k"});
}

TEST_P(StoreContract, NothingIsVisibleBeforeCommit) {
  {
    auto writer = store_->create("v2/k");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(as_bytes("half")));
    EXPECT_TRUE(keys("").empty());
    EXPECT_EQ(store_->open("v2/k").error().code, Errc::not_found);
    EXPECT_EQ(store_->stat("v2/k").error().code, Errc::not_found);
    ASSERT_TRUE((*writer)->write(as_bytes(" and half")));
    ASSERT_TRUE((*writer)->finish());
    ASSERT_TRUE((*writer)->commit());
  }
  EXPECT_EQ(text("v2/k"), "half and half");
}

TEST_P(StoreContract, AWriterWithoutCommitLeavesNothing) {
  {
    auto writer = store_->create("v2/k");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(as_bytes("half")));
  }
  EXPECT_TRUE(keys("").empty());
  EXPECT_TRUE(store_->put("v2/k", as_bytes("whole")));
}

TEST_P(StoreContract, RangesMayRunPastTheEnd) {
  ASSERT_TRUE(store_->put("k", as_bytes("0123456789")));
  struct Row {
    std::uint64_t offset, length;
    const char* expected;
  };
  for (const Row& row : {Row{0, 4, "0123"}, Row{3, 4, "3456"}, Row{8, 4, "89"}, Row{10, 4, ""}, Row{11, 4, ""},
                         Row{0, 0, ""}, Row{5, UINT64_MAX, "56789"}, Row{UINT64_MAX, UINT64_MAX, ""}}) {
    auto source = store_->open("k", row.offset, row.length);
    ASSERT_TRUE(source) << row.offset;
    const auto body = io::read_all(**source, 100);
    ASSERT_TRUE(body);
    EXPECT_EQ(as_text(*body), row.expected) << row.offset << "+" << row.length;
  }
}

TEST_P(StoreContract, ListsByPlainPrefixInByteOrder) {
  for (const char* key : {"v2/b", "v2/a", "v2-x", "v2/a.b", "v2/c/d/e", "v20", "w", "V2/a"}) {
    ASSERT_TRUE(store_->put(key, as_bytes(key))) << key;
  }
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(""), (Keys{"V2/a", "v2-x", "v2/a", "v2/a.b", "v2/b", "v2/c/d/e", "v20", "w"}));
  EXPECT_EQ(keys("v2/"), (Keys{"v2/a", "v2/a.b", "v2/b", "v2/c/d/e"}));
  EXPECT_EQ(keys("v2"), (Keys{"v2-x", "v2/a", "v2/a.b", "v2/b", "v2/c/d/e", "v20"}));
  EXPECT_EQ(keys("v2/a"), (Keys{"v2/a", "v2/a.b"}));
  EXPECT_EQ(keys("v2/c"), (Keys{"v2/c/d/e"}));
  EXPECT_EQ(keys("v2/c/d/e"), (Keys{"v2/c/d/e"}));
  for (const char* none : {"x", "v2/c/d/e/", "v2/a/", "v2//", "/", "../", "v2/../v2/", "./"}) {
    EXPECT_EQ(keys(none), Keys{}) << none;
  }
}

TEST_P(StoreContract, RemoveForgetsOneObject) {
  ASSERT_TRUE(store_->put("v2/a", as_bytes("a")));
  ASSERT_TRUE(store_->put("v2/b", as_bytes("b")));
  ASSERT_TRUE(store_->remove("v2/a"));
  EXPECT_EQ(store_->remove("v2/a").error().code, Errc::not_found);
  EXPECT_EQ(store_->remove("v2").error().code, Errc::not_found);
  EXPECT_EQ(keys(""), std::vector<std::string>{"v2/b"});
  EXPECT_TRUE(store_->put("v2/a", as_bytes("again")));
}

TEST_P(StoreContract, MissingObjectsAreNotFound) {
  ASSERT_TRUE(store_->put("v2/a", as_bytes("a")));
  for (const char* key : {"b", "v2", "v2/b", "v2/a/b", "v3/a"}) {
    EXPECT_EQ(store_->open(key).error().code, Errc::not_found) << key;
    EXPECT_EQ(store_->stat(key).error().code, Errc::not_found) << key;
    EXPECT_EQ(store_->get(key).error().code, Errc::not_found) << key;
    EXPECT_EQ(store_->remove(key).error().code, Errc::not_found) << key;
  }
}

TEST_P(StoreContract, BadKeysAreRefusedByEveryCall) {
  using namespace std::string_view_literals;
  for (const std::string_view key : {""sv, "/"sv, "/a"sv, "a/"sv, "a//b"sv, "."sv, ".."sv, "../a"sv, "a/../b"sv,
                                     "a/."sv, "a\0b"sv, ".tm-00.tmp"sv, "v2/.tm-00.tmp"sv}) {
    EXPECT_EQ(store_->put(key, {}).error().code, Errc::invalid) << key;
    EXPECT_EQ(store_->create(key).error().code, Errc::invalid) << key;
    EXPECT_EQ(store_->open(key).error().code, Errc::invalid) << key;
    EXPECT_EQ(store_->stat(key).error().code, Errc::invalid) << key;
    EXPECT_EQ(store_->remove(key).error().code, Errc::invalid) << key;
  }
  for (const char* key : {"a", "...", "a b", "Full-1-2-3.gz.final", "\u00e4", "a:b", ".hidden", "b/.b"}) {
    EXPECT_TRUE(store_->put(key, as_bytes("x"))) << key;
  }
}

TEST_P(StoreContract, OfConcurrentPutsExactlyOneWins) {
  constexpr int kThreads = 8, kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    const std::string key = "tidemark/claims/" + std::to_string(round);
    std::atomic<int> won{0}, lost{0}, winner{-1}, ready{0};
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
          for (++ready; ready < kThreads;) std::this_thread::yield();
          const Status put = store_->put(key, as_bytes(std::to_string(t)));
          if (put) {
            ++won;
            winner = t;
          } else if (put.error().code == Errc::already_exists) {
            ++lost;
          }
        });
      }
    }
    ASSERT_EQ(won, 1) << round;
    ASSERT_EQ(lost, kThreads - 1) << round;
    ASSERT_EQ(text(key), std::to_string(winner));
  }
}

// What `tidemark store check` tries out for the users of a store.
TEST_P(StoreContract, IsFitToKeepBackups) {
  const auto findings = check_store(*store_, {.nonce = "0123", .large_bytes = 6UL << 20U});
  ASSERT_TRUE(findings) << findings.error().what;
  for (const Finding& finding : *findings) {
    EXPECT_NE(finding.verdict, Finding::Verdict::unfit) << finding.name << ": " << finding.detail;
  }
  EXPECT_GE(findings->size(), 10U);
  EXPECT_EQ(keys(""), std::vector<std::string>{});  // nothing is left
}

}  // namespace tidemark::store::testing
