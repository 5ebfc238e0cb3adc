#include "store/metered_store.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "store/testing/faulty_store.h"
#include "store/testing/mem_store.h"

namespace tidemark::store {
namespace {

using enum StoreOutcome;
using namespace std::chrono_literals;

// Each call into it takes a second.
class Slow final : public ObjectStore {
 public:
  Slow(ObjectStore& inner, tidemark::testing::FakeClock& clock) : inner_(inner), clock_(clock) {}
  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override { return after(inner_.create(key)); }
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset, std::uint64_t length) override {
    return after(inner_.open(key, offset, length));
  }
  Result<ObjectInfo> stat(std::string_view key) override { return after(inner_.stat(key)); }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override { return after(inner_.list(prefix)); }
  Status remove(std::string_view key) override { return after(inner_.remove(key)); }
  bool read_only() const override { return inner_.read_only(); }
  std::string url() const override { return inner_.url(); }

 private:
  template <class T>
  T after(T result) {
    clock_.advance(1s);
    return result;
  }
  ObjectStore& inner_;
  tidemark::testing::FakeClock& clock_;
};

class Metered : public ::testing::Test {
 protected:
  std::uint64_t seconds(StoreCall call) { return tally_.of(call).ns / 1'000'000'000; }
  std::uint64_t bytes(StoreCall call) { return tally_.of(call).bytes; }

  tidemark::testing::FakeClock clock_{Time{}};
  testing::MemStore mem_;
  testing::FaultyStore faulty_{mem_};
  StoreTally tally_;
  MeteredStore store_{std::make_unique<Slow>(faulty_, clock_), clock_, tally_};
};

TEST_F(Metered, EveryCallCountsOnceByItsOutcome) {
  ASSERT_TRUE(store_.put("a", as_bytes("four")));
  EXPECT_EQ(store_.put("a", as_bytes("four")).error().code, Errc::already_exists);
  {
    const auto writer = store_.create("b").value();
    ASSERT_TRUE(writer->write(as_bytes("123")));
    clock_.advance(1h);  // the caller's
    ASSERT_TRUE(writer->write(as_bytes("45")));
    ASSERT_TRUE(writer->finish());
    ASSERT_TRUE(writer->commit());
  }
  {
    const auto given_up = store_.create("c").value();
  }
  EXPECT_EQ(tally_.calls(StoreCall::put, ok), 2U);
  EXPECT_EQ(tally_.calls(StoreCall::put, taken), 1U);
  EXPECT_EQ(tally_.calls(StoreCall::put, failed), 0U);
  EXPECT_EQ(bytes(StoreCall::put), 9U);
  EXPECT_EQ(seconds(StoreCall::put), 4U);

  EXPECT_EQ(store_.get("a").value().size(), 4U);
  EXPECT_FALSE(store_.get("nothing"));
  {
    const auto half = store_.open("b").value();
  }
  EXPECT_EQ(tally_.calls(StoreCall::get, ok), 2U);
  EXPECT_EQ(tally_.calls(StoreCall::get, missing), 1U);
  EXPECT_EQ(bytes(StoreCall::get), 4U);

  EXPECT_TRUE(store_.stat("a") && !store_.stat("nothing") && store_.list("") && store_.remove("a"));
  EXPECT_FALSE(store_.remove("a"));
  EXPECT_EQ(tally_.calls(StoreCall::stat, ok), 1U);
  EXPECT_EQ(tally_.calls(StoreCall::stat, missing), 1U);
  EXPECT_EQ(tally_.calls(StoreCall::list, ok), 1U);
  EXPECT_EQ(tally_.calls(StoreCall::remove, ok), 1U);
  EXPECT_EQ(tally_.calls(StoreCall::remove, missing), 1U);
  EXPECT_EQ(seconds(StoreCall::stat) + seconds(StoreCall::list) + seconds(StoreCall::remove), 5U);
}

TEST_F(Metered, AFailureInAnyStepOfACallFailsItOnce) {
  ASSERT_TRUE(mem_.put("a", as_bytes("x")));
  for (int n = 1; n <= 3; ++n) {  // create, write, commit
    const std::uint64_t before = tally_.calls(StoreCall::put, failed);
    faulty_.fail_call(n, Errc::unavailable, testing::FaultyStore::When::before);
    const std::string key = fmt::format("k{}", n);
    const auto put = [&]() -> Status {
      TM_LET(const auto writer, store_.create(key));
      TM_CHECK(writer->write(as_bytes("x")));
      TM_CHECK(writer->finish());
      return writer->commit();
    };
    EXPECT_FALSE(put()) << n;
    EXPECT_EQ(tally_.calls(StoreCall::put, failed), before + 1) << n;
  }
  EXPECT_EQ(tally_.calls(StoreCall::put, ok), 0U);
  for (int n = 1; n <= 2; ++n) {  // open, read
    faulty_.fail_call(n, Errc::unavailable, testing::FaultyStore::When::before);
    EXPECT_FALSE(store_.get("a")) << n;
    EXPECT_EQ(tally_.calls(StoreCall::get, failed), static_cast<std::uint64_t>(n));
  }
  EXPECT_EQ(tally_.calls(StoreCall::get, ok), 0U);
}

}  // namespace
}  // namespace tidemark::store
