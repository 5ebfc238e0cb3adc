// Counts what a store is asked and how that goes, around any ObjectStore: calls by kind and outcome, the time that the
// store took for them, the bytes that went in and out.
//
// A put counts when it is committed or fails; a get when its reading ends or is given up. Time is the store's own: what
// a caller does between two writes is not in it. Threads: any.
#pragma once

#include <array>
#include <atomic>

#include "base/clock.h"
#include "store/object_store.h"

namespace tidemark::store {

enum class StoreCall { put, get, stat, list, remove };
// missing: it is not there. taken: a put came second. Both are answers, and no fault of the store.
enum class StoreOutcome { ok, missing, taken, failed };
inline constexpr std::array kStoreCalls = {"put", "get", "stat", "list", "remove"};
inline constexpr std::array kStoreOutcomes = {"ok", "missing", "taken", "failed"};

struct StoreTally {
  struct Row {
    std::array<std::atomic<std::uint64_t>, kStoreOutcomes.size()> calls{};
    std::atomic<std::uint64_t> ns{0}, bytes{0};  // bytes: of puts and gets
  };
  std::array<Row, kStoreCalls.size()> rows{};

  Row& of(StoreCall call) { return rows[static_cast<std::size_t>(call)]; }
  std::uint64_t calls(StoreCall call, StoreOutcome outcome) const {
    return rows[static_cast<std::size_t>(call)].calls[static_cast<std::size_t>(outcome)];
  }
};

class MeteredStore final : public ObjectStore {
 public:
  // Requires: clock and tally outlive it, its readers and its writers.
  MeteredStore(std::unique_ptr<ObjectStore> inner, const Clock& clock, StoreTally& tally)
      : inner_(std::move(inner)), meter_{clock, tally} {}

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Status put(std::string_view key, Bytes body) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override;
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return inner_->read_only(); }
  std::string url() const override { return inner_->url(); }
  ObjectStore& inner() { return *inner_; }
  const ObjectStore& inner() const { return *inner_; }

 private:
  class Writer;
  class Reader;
  struct Meter {
    const Clock& clock;
    StoreTally& tally;
    // What `work` returns; its time is added.
    template <class Work>
    auto timed(StoreCall call, const Work& work) const;
    template <class T>
    void ended(StoreCall call, const Result<T>& how) const;
  };

  std::unique_ptr<ObjectStore> inner_;
  Meter meter_;
};

}  // namespace tidemark::store
