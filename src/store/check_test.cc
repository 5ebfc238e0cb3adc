#include "store/check.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "store/s3_check.h"
#include "store/testing/faulty_store.h"
#include "store/testing/mem_store.h"

namespace tidemark::store {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::MemStore;

// A store that breaks one promise.
class Liar : public ObjectStore {
 public:
  enum class Lie {
    none,
    overwrites,
    overwrites_large,
    forgets_bytes,
    lists_late,
    lists_in_disorder,
    ignores_ranges,
    keeps_removed,
    shows_early,
    invents_objects,
    wrong_size,
    no_conditions
  };
  explicit Liar(Lie lie) : lie_(lie) {}

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset, std::uint64_t length) override {
    if (lie_ == Lie::invents_objects && key.ends_with("none")) return std::make_unique<io::BytesSource>(Bytes{});
    return lie_ == Lie::ignores_ranges ? inner_.open(key) : inner_.open(key, offset, length);
  }
  Result<ObjectInfo> stat(std::string_view key) override {
    auto info = inner_.stat(key);
    if (info && lie_ == Lie::wrong_size) ++info->size;
    return info;
  }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override {
    auto all = inner_.list(prefix);
    if (lie_ == Lie::lists_late && all->size() == 1) all->clear();
    if (lie_ == Lie::lists_in_disorder) std::ranges::reverse(*all);
    return all;
  }
  Status remove(std::string_view key) override {
    return lie_ == Lie::keeps_removed && key.ends_with("removed") ? Status{} : inner_.remove(key);
  }
  bool read_only() const override { return false; }
  std::string url() const override { return "liar:"; }

  MemStore inner_;
  const Lie lie_;
};

class LyingWriter final : public ObjectWriter {
 public:
  LyingWriter(Liar& store, std::string key) : store_(store), key_(std::move(key)) {}
  Status write(Bytes bytes) override {
    body_.insert(body_.end(), bytes.begin(), bytes.end());
    if (store_.lie_ == Liar::Lie::shows_early) store_.inner_.overwrite(key_, body_);
    return {};
  }
  Status commit() override {
    using Lie = Liar::Lie;
    const bool large = body_.size() > 1'000'000;
    if (store_.lie_ == Lie::no_conditions && store_.inner_.stat(key_))
      return fail(Errc::unsupported, "not implemented");
    if (store_.lie_ == Lie::forgets_bytes && large) body_.back() ^= std::byte{1};
    if ((store_.lie_ == Lie::overwrites && !large) || (store_.lie_ == Lie::overwrites_large && large) ||
        store_.lie_ == Lie::shows_early) {
      store_.inner_.overwrite(key_, body_);
      return {};
    }
    return store_.inner_.put(key_, body_);
  }

 private:
  Liar& store_;
  std::string key_;
  Buffer body_;
};

Result<std::unique_ptr<ObjectWriter>> Liar::create(std::string_view key) {
  return std::make_unique<LyingWriter>(*this, std::string(key));
}

TEST(StoreCheck, EveryBrokenPromiseIsSeen) {
  using Lie = Liar::Lie;
  struct Row {
    Lie lie;
    std::vector<std::string> unfit;
  };
  for (const Row& row : std::vector<Row>{{Lie::none, {}},
                                         {Lie::overwrites, {"conditional create", "concurrent create"}},
                                         {Lie::no_conditions, {"conditional create", "large objects"}},
                                         {Lie::overwrites_large, {"large objects"}},
                                         {Lie::forgets_bytes, {"large objects"}},
                                         {Lie::shows_early, {"large objects", "giving up"}},
                                         {Lie::invents_objects, {"put and get"}},
                                         {Lie::wrong_size, {"put and get"}},
                                         {Lie::ignores_ranges, {"ranges"}},
                                         {Lie::lists_late, {"list"}},
                                         {Lie::lists_in_disorder, {"list"}},
                                         {Lie::keeps_removed, {"remove"}}}) {
    SCOPED_TRACE(static_cast<int>(row.lie));
    Liar store(row.lie);
    const auto findings = check_store(store, {.nonce = "n", .large_bytes = 2'000'000, .writers = 4});
    ASSERT_TRUE(findings) << findings.error().what;
    EXPECT_EQ(fit(*findings), row.unfit.empty());
    std::vector<std::string> unfit;
    for (const Finding& f : *findings) {
      if (f.verdict == Finding::Verdict::unfit) unfit.push_back(f.name);
    }
    for (const std::string& name : row.unfit) EXPECT_THAT(unfit, Contains(name));
    EXPECT_EQ(unfit.empty(), row.unfit.empty());
  }
}

TEST(StoreCheck, AStoreThatDoesNotAnswerGetsNoVerdict) {
  for (const Errc code : {Errc::unavailable, Errc::denied, Errc::timeout, Errc::no_space}) {
    MemStore inner;
    testing::FaultyStore store(inner);
    store.fail_call(1, code);
    const auto findings = check_store(store, {.nonce = "n", .large_bytes = 1000});
    ASSERT_FALSE(findings);
    EXPECT_EQ(findings.error().code, code);
    EXPECT_THAT(findings.error().what, HasSubstr("put and get"));
    EXPECT_TRUE(inner.list("")->empty());
  }
  MemStore read_only;
  read_only.make_read_only();
  EXPECT_EQ(check_store(read_only, {.nonce = "n"}).error().code, Errc::denied);
  std::stop_source stop;
  stop.request_stop();
  MemStore store;
  EXPECT_EQ(check_store(store, {.nonce = "n", .stop = stop.get_token()}).error().code, Errc::cancelled);
}

TEST(Lifecycle, WhatRulesDoToBackups) {
  const auto rule = [](const std::string& inside, const std::string& prefix = "",
                       const std::string& status = "Enabled") {
    return "<Rule><ID>r</ID><Status>" + status + "</Status><Filter><Prefix>" + prefix + "</Prefix></Filter>" + inside +
           "</Rule>";
  };
  const std::string abort =
      "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
  const std::string expire = "<Expiration><Days>30</Days></Expiration>";
  const std::string old =
      "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
  const std::string archive = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>";
  struct Row {
    std::string rules;
    std::size_t warnings;
    bool aborts;
  };
  for (const Row& row :
       {Row{"", 0, false}, Row{rule(abort), 0, true}, Row{rule(abort, "clusters/"), 0, true},
        Row{rule(abort, "other/"), 0, false}, Row{rule(abort, "", "Disabled"), 0, false},
        Row{rule(abort, "clusters/prod/v2/"), 0, false}, Row{rule(expire), 1, false},
        Row{rule(expire, "clusters/prod/v2/") + rule(abort), 1, true}, Row{rule(expire, "other/"), 0, false},
        Row{rule(expire, "", "Disabled"), 0, false}, Row{rule(old), 1, false}, Row{rule(archive), 1, false},
        Row{rule(expire + old + archive), 3, false}}) {
    const auto findings =
        lifecycle_findings("<LifecycleConfiguration>" + row.rules + "</LifecycleConfiguration>", "clusters/prod/");
    ASSERT_TRUE(findings) << row.rules;
    ASSERT_EQ(findings->size(), row.warnings + 1) << row.rules;
    EXPECT_EQ(findings->back().verdict == Finding::Verdict::good, row.aborts) << row.rules;
  }
  EXPECT_FALSE(lifecycle_findings("<LifecycleConfiguration>", "p/"));
}

}  // namespace
}  // namespace tidemark::store
