// The whole recorder against an etcd and a store that do what the test says.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "capture/recorder.h"
#include "capture/testing/recorded.h"
#include "etcd/testing/fake_member.h"
#include "store/testing/mem_store.h"

namespace tidemark::capture::testing {

// A name of a lineage's store in memory, so that neighbours can be opened.
class NamedStore : public store::ObjectStore {
 public:
  NamedStore(store::ObjectStore& inner, std::string url) : inner_(inner), url_(std::move(url)) {}
  Result<std::unique_ptr<store::ObjectWriter>> create(std::string_view key) override {
    if (down) return fail(Errc::unavailable, "store is down");
    std::this_thread::sleep_for(std::chrono::milliseconds(slow_ms));
    return inner_.create(key);
  }
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset, std::uint64_t length) override {
    return inner_.open(key, offset, length);
  }
  Result<store::ObjectInfo> stat(std::string_view key) override { return inner_.stat(key); }
  Result<std::vector<store::ObjectInfo>> list(std::string_view prefix) override { return inner_.list(prefix); }
  Status remove(std::string_view key) override { return inner_.remove(key); }
  bool read_only() const override { return false; }
  std::string url() const override { return url_; }
  std::atomic<bool> down{false};  // takes nothing
  std::atomic<int> slow_ms{0};    // what each object waits for

 private:
  store::ObjectStore& inner_;
  const std::string url_;
};

inline bool wait_until(const std::function<bool()>& holds, std::chrono::seconds most = std::chrono::minutes(2)) {
  for (const auto end = std::chrono::steady_clock::now() + most; std::chrono::steady_clock::now() < end;) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

class Recording : public ::testing::Test {
 protected:
  RecorderOptions options() {
    RecorderOptions o;
    o.spool_dir = spool_.path();
    o.full_schedule = Schedule::parse("0 0 * * *").value();
    o.delta_period = std::chrono::hours(1);
    o.retry_first = std::chrono::milliseconds(1);
    o.retry_most = std::chrono::milliseconds(5);
    o.watch_wait = std::chrono::milliseconds(5);
    o.gather = std::chrono::milliseconds(1);
    o.drain_within = std::chrono::seconds(20);
    o.gzip_threads = 1;
    o.open_store = [this](const std::string& url) -> Result<std::unique_ptr<store::ObjectStore>> {
      return std::make_unique<NamedStore>(others_[url], url);
    };
    return o;
  }
  void start(RecorderOptions o) {
    counters_ = std::make_unique<Counters>();
    recorder_ = std::make_unique<Recorder>(etcd_, store_, system_clock(), std::move(o), *counters_);
    stop_ = std::stop_source();
    thread_ = std::jthread([this] { ended_ = recorder_->run(stop_.get_token()); });
  }
  void start() { start(options()); }
  Status stop() {
    stop_.request_stop();
    thread_.join();
    return ended_;
  }
  bool acknowledged(Revision revision) {
    return wait_until([&] { return counters_->acknowledged_revision >= revision.raw(); });
  }
  bool has_full() {
    return wait_until([&] { return counters_->fulls > 0; });
  }
  // Everything etcd ever said from `first` on is in the store, once.
  void expect_complete(store::ObjectStore& store, Revision first) {
    const auto recorded = read_recorded(store);
    for (Revision at = first; at <= etcd_.revision(); at = at.next()) {
      EXPECT_EQ(recorded.count(at), 1U) << "revision " << at.raw();
    }
    if (!recorded.empty()) {
      EXPECT_EQ(recorded.begin()->first, first);
    }
    expect_contract(store);
  }

  io::TempDir spool_ = io::TempDir::create().value();
  etcd::testing::FakeMember etcd_;
  store::testing::MemStore memory_;
  NamedStore store_{memory_, "dir:/backups/prod"};
  std::map<std::string, store::testing::MemStore> others_;
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<Recorder> recorder_;
  std::stop_source stop_;
  std::jthread thread_;
  Status ended_;
};

}  // namespace tidemark::capture::testing
