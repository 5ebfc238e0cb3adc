#include "store/renewed.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/testing/fake_clock.h"

namespace tidemark::store {
namespace {

using namespace std::chrono_literals;

constexpr Time kBegin{std::chrono::seconds(1'800'000'000)};

struct Ticket {
  int number = 0;
  std::optional<Time> end{};
  std::optional<Time> ends() const { return end; }
};

// A service that gives out tickets for an hour, or does not.
class RenewedTest : public ::testing::Test {
 protected:
  Result<Ticket> get() {
    return ticket_.get([this]() -> Result<Ticket> {
      ++asked_;
      if (failure_) return std::unexpected(*failure_);
      return Ticket{asked_, clock_.now() + 1h};
    });
  }

  tidemark::testing::FakeClock clock_{kBegin};
  Renewed<Ticket> ticket_{clock_, 5min};
  std::optional<Error> failure_;
  int asked_ = 0;
};

const Error kDown{Errc::unavailable, "sts: no answer", "look at it"};

TEST_F(RenewedTest, AFailureIsToldAgainWithoutAsking) {
  failure_ = kDown;
  EXPECT_EQ(get().error().what, "sts: no answer");
  clock_.advance(7s);
  for (int i = 0; i < 100; ++i) {
    const auto again = get();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::unavailable);
    EXPECT_EQ(again.error().what, "sts: no answer (asked 7 s ago; not again for 23 s)");
    EXPECT_EQ(again.error().hint, "look at it");
  }
  EXPECT_EQ(asked_, 1);
  clock_.advance(23s);
  EXPECT_EQ(get().error().what, "sts: no answer");
  EXPECT_EQ(asked_, 2);
  failure_.reset();
  EXPECT_FALSE(get());
  clock_.advance(30s);
  EXPECT_EQ(get()->number, 3);
  EXPECT_EQ(get()->number, 3);
}

TEST_F(RenewedTest, WhatIsHeldServesToItsEndAndNotLonger) {
  ASSERT_EQ(get()->number, 1);
  failure_ = kDown;
  clock_.advance(56min);  // time for another one
  for (int i = 0; i < 100; ++i) EXPECT_EQ(get()->number, 1);
  EXPECT_EQ(asked_, 2);
  clock_.advance(30s);
  EXPECT_EQ(get()->number, 1);
  EXPECT_EQ(asked_, 3);
  clock_.advance(3min + 20s);
  EXPECT_EQ(get()->number, 1);
  EXPECT_EQ(asked_, 4);
  clock_.advance(10s);  // its end, while it is too early to ask
  EXPECT_EQ(get().error().what, "sts: no answer (asked 10 s ago; not again for 20 s)");
  EXPECT_EQ(asked_, 4);
  clock_.advance(20s);
  failure_.reset();
  EXPECT_EQ(get()->number, 5);
}

TEST_F(RenewedTest, BeingStoppedIsNoFailureOfTheService) {
  failure_ = Error{Errc::cancelled, "asked to stop", {}};
  EXPECT_EQ(get().error().code, Errc::cancelled);
  failure_.reset();
  EXPECT_EQ(get()->number, 2);
}

TEST_F(RenewedTest, WhatWasRefusedIsDroppedOnlyIfItIsTheOne) {
  ASSERT_EQ(get()->number, 1);
  EXPECT_FALSE(ticket_.drop([](const Ticket& t) { return t.number == 7; }));
  EXPECT_EQ(get()->number, 1);
  EXPECT_TRUE(ticket_.drop([](const Ticket& t) { return t.number == 1; }));
  EXPECT_FALSE(ticket_.held());
  EXPECT_EQ(get()->number, 2);
}

TEST_F(RenewedTest, OneFetchesForAll) {
  std::vector<int> numbers(8);
  {
    std::vector<std::jthread> threads;
    for (int& number : numbers) threads.emplace_back([&] { number = get()->number; });
  }
  EXPECT_EQ(numbers, std::vector<int>(8, 1));
}

}  // namespace
}  // namespace tidemark::store
