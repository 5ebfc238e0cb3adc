// A name that nobody answers for: getaddrinfo() takes as long as it likes, and nothing can end it.
#include <dlfcn.h>
#include <netdb.h>

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "net/http.h"

namespace {

constexpr const char* kSlowName = "slow.tidemark.test";

// Holds up who asks for kSlowName until the test is over.
class SlowNames {
 public:
  void hold() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::minutes(5), [this] { return open_; });
    --inside_;
    changed_.notify_all();
  }
  bool wait_for_one() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return inside_ > 0; });
  }
  int inside() {
    const std::scoped_lock lock(mutex_);
    return inside_;
  }
  void open() {
    std::unique_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds(10), [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool open_ = false;
};
SlowNames slow_names;

}  // namespace

// In front of the C library's, for this program and the libraries in it.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  if (node != nullptr && std::strcmp(node, kSlowName) == 0) {
    slow_names.hold();
    return EAI_AGAIN;
  }
  using Resolve = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Resolve>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, result);
}

namespace tidemark::net {
namespace {

using namespace std::chrono_literals;

TEST(Resolve, AStopAndADeadlineDoNotWaitForANameServer) {
  Client client({.proxy = ""});
  const std::string url = fmt::format("http://{}/", kSlowName);
  std::stop_source stop;
  std::jthread stopper([&] {
    EXPECT_TRUE(slow_names.wait_for_one());
    stop.request_stop();
  });
  const auto stopped = client.send({.url = url}, stop.get_token());
  stopper.join();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::cancelled);
  EXPECT_EQ(slow_names.inside(), 1) << "the name server has not answered, and nobody waits for it";
  const auto late = client.send({.url = url, .deadline = 100ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timeout);
  EXPECT_EQ(slow_names.inside(), 2);
  slow_names.open();
}

}  // namespace
}  // namespace tidemark::net
