#include "store/testing/mem_store.h"

#include <algorithm>

namespace tidemark::store::testing {
namespace {

class SharedSource final : public io::Source {
 public:
  SharedSource(std::shared_ptr<const Buffer> body, Bytes part) : body_(std::move(body)), source_(part) {}
  Result<std::size_t> read(MutableBytes into) override { return source_.read(into); }

 private:
  std::shared_ptr<const Buffer> body_;  // keeps the bytes while somebody reads, even when the object is removed
  io::BytesSource source_;
};

}  // namespace

class MemStore::Writer final : public ObjectWriter {
 public:
  Writer(MemStore& store, std::string key) : store_(store), key_(std::move(key)) {}
  Status write(Bytes bytes) override {
    body_.insert(body_.end(), bytes.begin(), bytes.end());
    return {};
  }
  Status commit() override {
    const std::scoped_lock lock(store_.mutex_);
    const bool made = store_.objects_.try_emplace(key_, std::make_shared<const Buffer>(body_)).second;
    if (!made) return fail(Errc::already_exists, "put '{}': the key is taken", key_);
    return {};
  }

 private:
  MemStore& store_;
  std::string key_;
  Buffer body_;
};

Status MemStore::writable(std::string_view key) const {
  TM_CHECK(check_key(key));
  if (read_only_) return fail(Errc::denied, "write '{}': the store is read-only", key);
  return {};
}

Result<std::unique_ptr<ObjectWriter>> MemStore::create(std::string_view key) {
  TM_CHECK(writable(key));
  return std::make_unique<Writer>(*this, std::string(key));
}

Result<std::shared_ptr<const Buffer>> MemStore::find(std::string_view key) {
  TM_CHECK(check_key(key));
  const std::scoped_lock lock(mutex_);
  const auto object = objects_.find(key);
  if (object == objects_.end()) return fail(Errc::not_found, "no object '{}'", key);
  return object->second;
}

Result<std::unique_ptr<io::Source>> MemStore::open(std::string_view key, std::uint64_t offset, std::uint64_t length) {
  TM_LET(std::shared_ptr<const Buffer> body, find(key));
  Bytes part(*body);
  part = part.subspan(std::min<std::uint64_t>(offset, part.size()));
  part = part.first(std::min<std::uint64_t>(length, part.size()));
  return std::make_unique<SharedSource>(std::move(body), part);
}

Result<ObjectInfo> MemStore::stat(std::string_view key) {
  TM_LET(const std::shared_ptr<const Buffer> body, find(key));
  return ObjectInfo{std::string(key), body->size(), {}};
}

Result<std::vector<ObjectInfo>> MemStore::list(std::string_view prefix) {
  const std::scoped_lock lock(mutex_);
  std::vector<ObjectInfo> all;
  for (auto it = objects_.lower_bound(prefix); it != objects_.end() && it->first.starts_with(prefix); ++it) {
    all.push_back({it->first, it->second->size(), {}});
  }
  return all;
}

Status MemStore::remove(std::string_view key) {
  TM_CHECK(writable(key));
  const std::scoped_lock lock(mutex_);
  const auto object = objects_.find(key);
  if (object == objects_.end()) return fail(Errc::not_found, "no object '{}'", key);
  objects_.erase(object);
  return {};
}

void MemStore::overwrite(std::string_view key, Buffer body) {
  const std::scoped_lock lock(mutex_);
  objects_.insert_or_assign(std::string(key), std::make_shared<const Buffer>(std::move(body)));
}

}  // namespace tidemark::store::testing
