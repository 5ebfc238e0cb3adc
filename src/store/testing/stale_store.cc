#include "store/testing/stale_store.h"

#include <algorithm>

namespace tidemark::store::testing {

using std::chrono::steady_clock;

class StaleStore::Writer final : public ObjectWriter {
 public:
  Writer(StaleStore& store, std::string key, std::unique_ptr<ObjectWriter> inner)
      : store_(store), key_(std::move(key)), inner_(std::move(inner)) {}
  Status write(Bytes bytes) override { return inner_->write(bytes); }
  Status finish() override { return inner_->finish(); }
  Status commit() override {
    // Before the commit: a list that is made between the two must not show it either.
    store_.changed(key_, std::nullopt);
    return inner_->commit();
  }

 private:
  StaleStore& store_;
  std::string key_;
  std::unique_ptr<ObjectWriter> inner_;
};

void StaleStore::changed(const std::string& key, std::optional<ObjectInfo> before) {
  const std::lock_guard lock(mutex_);
  const Moment listed_from = steady_clock::now() + lag_.load();
  const auto [it, fresh] = changes_.try_emplace(key, Change{listed_from, before});
  if (fresh) return;
  // Lists go on showing the oldest state that they have not left yet.
  if (it->second.listed_from <= steady_clock::now()) it->second.before = std::move(before);
  it->second.listed_from = listed_from;
}

void StaleStore::catch_up() {
  const std::lock_guard lock(mutex_);
  changes_.clear();
}

Result<std::unique_ptr<ObjectWriter>> StaleStore::create(std::string_view key) {
  TM_LET(auto inner, inner_.create(key));
  return std::make_unique<Writer>(*this, std::string(key), std::move(inner));
}

Result<std::vector<ObjectInfo>> StaleStore::list(std::string_view prefix) {
  TM_LET(auto all, inner_.list(prefix));
  const std::lock_guard lock(mutex_);
  for (const auto& [key, change] : changes_) {
    if (!key.starts_with(prefix) || change.listed_from <= steady_clock::now()) continue;
    std::erase_if(all, [&](const ObjectInfo& object) { return object.key == key; });
    if (change.before) all.push_back(*change.before);
  }
  std::ranges::sort(all, {}, &ObjectInfo::key);
  return all;
}

Status StaleStore::remove(std::string_view key) {
  auto before = inner_.stat(key);
  Status removed = inner_.remove(key);
  if (removed && before) changed(std::string(key), *std::move(before));
  return removed;
}

}  // namespace tidemark::store::testing
