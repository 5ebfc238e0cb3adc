#include "store/testing/pausing_store.h"

namespace tidemark::store::testing {

class PausingStore::Writer final : public ObjectWriter {
 public:
  Writer(PausingStore& store, std::string key, std::unique_ptr<ObjectWriter> inner)
      : store_(store), key_(std::move(key)), inner_(std::move(inner)) {}
  Status write(Bytes bytes) override { return inner_->write(bytes); }
  Status finish() override { return inner_->finish(); }
  Status commit() override {
    store_.maybe_pause(key_);
    return inner_->commit();
  }

 private:
  PausingStore& store_;
  std::string key_;
  std::unique_ptr<ObjectWriter> inner_;
};

void PausingStore::pause_next(std::string prefix) {
  const std::scoped_lock lock(mutex_);
  prefix_ = std::move(prefix);
  armed_ = true;
}

bool PausingStore::wait_until_paused(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, most, [&] { return paused_; });
}

std::string PausingStore::paused_key() {
  const std::scoped_lock lock(mutex_);
  return key_;
}

void PausingStore::release() {
  const std::scoped_lock lock(mutex_);
  armed_ = false;
  paused_ = false;
  changed_.notify_all();
}

void PausingStore::maybe_pause(const std::string& key) {
  std::unique_lock lock(mutex_);
  if (!armed_ || !key.starts_with(prefix_)) return;
  armed_ = false;
  paused_ = true;
  key_ = key;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !paused_; });
}

Result<std::unique_ptr<ObjectWriter>> PausingStore::create(std::string_view key) {
  TM_LET(std::unique_ptr<ObjectWriter> inner, inner_.create(key));
  return std::make_unique<Writer>(*this, std::string(key), std::move(inner));
}

}  // namespace tidemark::store::testing
