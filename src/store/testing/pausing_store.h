// A store that stops one writer between its last byte and its commit, as a suspended machine would, until the test lets
// it go on. Everybody else works as usual. Threads: any.
#pragma once

#include <condition_variable>
#include <mutex>

#include "store/object_store.h"

namespace tidemark::store::testing {

class PausingStore final : public ObjectStore {
 public:
  // Requires: `inner` outlives this, and this outlives every paused writer.
  explicit PausingStore(ObjectStore& inner) : inner_(inner) {}
  ~PausingStore() override { release(); }

  // The next commit of a key that begins with `prefix` stops before it has any effect.
  void pause_next(std::string prefix);
  // True once a writer stands still; false after `most`. Then paused_key() is the key it would have made.
  bool wait_until_paused(std::chrono::milliseconds most = std::chrono::minutes(2));
  std::string paused_key();
  void release();  // also disarms

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override {
    return inner_.open(key, offset, length);
  }
  Result<ObjectInfo> stat(std::string_view key) override { return inner_.stat(key); }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override { return inner_.list(prefix); }
  Status remove(std::string_view key) override { return inner_.remove(key); }
  bool read_only() const override { return inner_.read_only(); }
  std::string url() const override { return inner_.url(); }

 private:
  class Writer;
  void maybe_pause(const std::string& key);

  ObjectStore& inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool armed_ = false, paused_ = false;
  std::string prefix_, key_;
};

}  // namespace tidemark::store::testing
