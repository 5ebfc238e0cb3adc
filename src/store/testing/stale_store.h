// A store whose lists are behind: an object that was put a short while ago is not listed yet, and one that was removed
// still is. Asked for by its name, each is as it is, and of two puts of one key the second is refused: what stores with
// eventually consistent lists promise (Amazon S3 before December 2020; OpenStack Swift behind an S3 gateway).
// Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>

#include "store/object_store.h"

namespace tidemark::store::testing {

class StaleStore final : public ObjectStore {
 public:
  // Requires: `inner` outlives this. Only what goes through this object is behind.
  explicit StaleStore(ObjectStore& inner) : inner_(inner) {}

  // From now on a change is listed this much later, or with the next catch_up().
  void lag(std::chrono::steady_clock::duration by) { lag_ = by; }
  // All that happened so far is listed from now on.
  void catch_up();

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override {
    return inner_.open(key, offset, length);
  }
  Result<ObjectInfo> stat(std::string_view key) override { return inner_.stat(key); }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return inner_.read_only(); }
  std::string url() const override { return inner_.url(); }

 private:
  class Writer;
  using Moment = std::chrono::steady_clock::time_point;
  struct Change {
    Moment listed_from;
    std::optional<ObjectInfo> before;  // what the lists still show; nothing: not there
  };
  void changed(const std::string& key, std::optional<ObjectInfo> before);

  ObjectStore& inner_;
  std::mutex mutex_;
  std::map<std::string, Change, std::less<>> changes_;
  std::atomic<std::chrono::steady_clock::duration> lag_{};
};

}  // namespace tidemark::store::testing
