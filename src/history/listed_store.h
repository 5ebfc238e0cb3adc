// A store that remembers what its listings told of each object, so that an object can be told from another one that
// took its name, without asking again. Threads: any.
#pragma once

#include <map>
#include <mutex>

#include "store/object_store.h"

namespace tidemark::history {

class ListedStore final : public store::ObjectStore {
 public:
  // Requires: `inner` outlives it.
  explicit ListedStore(store::ObjectStore& inner) : inner_(inner) {}

  // As the last listing told; asks the store when none has.
  Result<store::ObjectInfo> listed(const std::string& key);
  // It turned out to be another one: the store is asked when it is wanted next.
  void forget(const std::string& key);

  Result<std::unique_ptr<store::ObjectWriter>> create(std::string_view key) override { return inner_.create(key); }
  Status put(std::string_view key, Bytes body) override { return inner_.put(key, body); }
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset, std::uint64_t length) override {
    return inner_.open(key, offset, length);
  }
  Result<store::ObjectInfo> stat(std::string_view key) override { return inner_.stat(key); }
  Result<std::vector<store::ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override { return inner_.remove(key); }
  bool read_only() const override { return inner_.read_only(); }
  std::string url() const override { return inner_.url(); }

 private:
  store::ObjectStore& inner_;
  std::mutex mutex_;
  std::map<std::string, store::ObjectInfo, std::less<>> listed_;
};

}  // namespace tidemark::history
