#include "base/queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "base/testing/scale.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, FirstInFirstOut) {
  BoundedQueue<int> queue(10);
  for (int i = 0; i < 5; i++) EXPECT_TRUE(queue.push(i, 2));
  EXPECT_EQ(queue.used(), 10U);
  for (int i = 0; i < 5; i++) EXPECT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.used(), 0U);
}

TEST(BoundedQueue, CloseDrainsThenEnds) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.push(1, 1));
  queue.close();
  EXPECT_FALSE(queue.push(2, 1));
  EXPECT_FALSE(queue.closed());  // something is left
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.closed());
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, AbortDropsWhatIsLeft) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.push(1, 10));
  queue.abort();
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_EQ(queue.used(), 0U);
  EXPECT_TRUE(queue.closed());
}

TEST(BoundedQueue, PopForGivesUp) {
  BoundedQueue<int> queue(10);
  EXPECT_EQ(queue.pop_for(1ms), std::nullopt);
  EXPECT_FALSE(queue.closed());  // which tells it from the end
  EXPECT_TRUE(queue.push(1, 1));
  EXPECT_EQ(queue.pop_for(1ms), 1);
}

TEST(BoundedQueue, AnItemLargerThanTheQueueGoesAlone) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.push(1, 1000));
  EXPECT_EQ(queue.used(), 1000U);
  std::atomic<bool> second = false;
  const std::jthread producer([&] {
    EXPECT_TRUE(queue.push(2, 1));
    second = true;
  });
  EXPECT_FALSE(second);  // can only be true after the pop below
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
}

TEST(BoundedQueue, HoldsWhatCannotBeCopied) {
  BoundedQueue<std::unique_ptr<int>> queue(10);
  EXPECT_TRUE(queue.push(std::make_unique<int>(7), 1));
  EXPECT_EQ(**queue.pop(), 7);
}

// Whoever waits is woken, whichever side and whichever way the queue ends.
TEST(BoundedQueue, EndingWakesEverybody) {
  for (const bool abort : {false, true}) {
    BoundedQueue<int> full(1), empty(1);
    EXPECT_TRUE(full.push(0, 1));
    std::latch started(4);
    std::vector<std::jthread> waiting;
    for (int i = 0; i < 2; i++) {
      waiting.emplace_back([&] {
        started.count_down();
        EXPECT_FALSE(full.push(1, 1));
      });
      waiting.emplace_back([&] {
        started.count_down();
        EXPECT_EQ(empty.pop(), std::nullopt);
      });
    }
    started.wait();
    for (BoundedQueue<int>* queue : {&full, &empty}) abort ? queue->abort() : queue->close();
  }
}

TEST(BoundedQueue, ManyProducersManyConsumersLoseNothing) {
  constexpr int kThreads = 3;
  constexpr std::size_t kCapacity = 64;
  const int each = testing::scaled(5000);
  BoundedQueue<int> queue(kCapacity);
  std::atomic<std::int64_t> sum = 0, count = 0;
  std::atomic<bool> over = false;
  {
    std::vector<std::jthread> consumers;
    for (int c = 0; c < kThreads; c++) {
      consumers.emplace_back([&] {
        while (const auto item = queue.pop()) {
          sum += *item;
          count++;
          if (queue.used() > kCapacity) over = true;
        }
      });
    }
    {
      std::vector<std::jthread> producers;
      for (int p = 0; p < kThreads; p++) {
        producers.emplace_back([&] {
          for (int i = 1; i <= each; i++) EXPECT_TRUE(queue.push(i, static_cast<std::size_t>(i % 40)));
        });
      }
    }
    queue.close();
  }
  EXPECT_EQ(count, std::int64_t{kThreads} * each);
  EXPECT_EQ(sum, std::int64_t{kThreads} * each * (each + 1) / 2);
  EXPECT_FALSE(over);
}

}  // namespace
}  // namespace tidemark
