#include "cli/grace.h"

#include <gtest/gtest.h>

namespace tidemark::cli {
namespace {

using namespace std::chrono_literals;

TEST(Grace, StopsLaterThanItWasAskedOrNotAtAll) {
  std::stop_source asked;
  const Grace soon(asked.get_token(), 1ms);
  const Grace never(asked.get_token(), 1h);  // its end does not wait for that either
  EXPECT_FALSE(soon.token().stop_requested());
  asked.request_stop();
  std::mutex mutex;
  std::condition_variable_any stopped;
  const std::stop_callback wake(soon.token(), [&] { stopped.notify_all(); });
  std::unique_lock lock(mutex);
  for (int i = 0; i < 60000 && !soon.token().stop_requested(); ++i) stopped.wait_for(lock, 10ms);
  EXPECT_TRUE(soon.token().stop_requested());
  EXPECT_FALSE(never.token().stop_requested());
}

TEST(Grace, WhoeverIsNotAskedIsNotStopped) {
  std::stop_token token;
  {
    const Grace grace({}, 0s);
    token = grace.token();
  }
  EXPECT_FALSE(token.stop_requested());
}

}  // namespace
}  // namespace tidemark::cli
