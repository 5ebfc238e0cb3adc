// An ObjectStore in memory. Threads: any.
#pragma once

#include <map>
#include <mutex>

#include "store/object_store.h"

namespace tidemark::store::testing {

class MemStore final : public ObjectStore {
 public:
  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override;
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return read_only_; }
  std::string url() const override { return "mem:"; }

  // For tests only: from here on every write is denied.
  void make_read_only() { read_only_ = true; }
  // For tests only: what a broken disk does to a stored object.
  void overwrite(std::string_view key, Buffer body);

 private:
  class Writer;
  Status writable(std::string_view key) const;
  Result<std::shared_ptr<const Buffer>> find(std::string_view key);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Buffer>, std::less<>> objects_;
  bool read_only_ = false;
};

}  // namespace tidemark::store::testing
