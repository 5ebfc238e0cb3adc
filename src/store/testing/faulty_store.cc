#include "store/testing/faulty_store.h"

namespace tidemark::store::testing {

void FaultyStore::fail_call(int n, Errc code, When when) {
  calls_ = 0;
  fired_ = false;
  code_ = code;
  when_ = when;
  fail_at_ = n;
}

template <class T, class Call>
Result<T> FaultyStore::counted(std::string_view what, std::string_view key, const Call& call) {
  if (++calls_ != fail_at_) return call();
  fired_ = true;
  if (when_ == When::after) {
    [[maybe_unused]] const auto happened = call();
  }
  return fail(code_, "{} '{}': injected failure", what, key);
}

class FaultyStore::Writer final : public ObjectWriter {
 public:
  Writer(FaultyStore& store, std::string key, std::unique_ptr<ObjectWriter> inner)
      : store_(store), key_(std::move(key)), inner_(std::move(inner)) {}
  Status write(Bytes bytes) override {
    return store_.counted<void>("write", key_, [&] { return inner_->write(bytes); });
  }
  Status finish() override { return inner_->finish(); }
  Status commit() override {
    return store_.counted<void>("commit", key_, [&] { return inner_->commit(); });
  }

 private:
  FaultyStore& store_;
  std::string key_;
  std::unique_ptr<ObjectWriter> inner_;
};

class FaultyStore::Reader final : public io::Source {
 public:
  Reader(FaultyStore& store, std::string key, std::unique_ptr<io::Source> inner)
      : store_(store), key_(std::move(key)), inner_(std::move(inner)) {}
  Result<std::size_t> read(MutableBytes into) override {
    return store_.counted<std::size_t>("read", key_, [&] { return inner_->read(into); });
  }

 private:
  FaultyStore& store_;
  std::string key_;
  std::unique_ptr<io::Source> inner_;
};

Result<std::unique_ptr<ObjectWriter>> FaultyStore::create(std::string_view key) {
  using Made = std::unique_ptr<ObjectWriter>;
  TM_LET(Made inner, counted<Made>("create", key, [&] { return inner_.create(key); }));
  return std::make_unique<Writer>(*this, std::string(key), std::move(inner));
}

Result<std::unique_ptr<io::Source>> FaultyStore::open(std::string_view key, std::uint64_t offset,
                                                      std::uint64_t length) {
  using Opened = std::unique_ptr<io::Source>;
  TM_LET(Opened inner, counted<Opened>("open", key, [&] { return inner_.open(key, offset, length); }));
  return std::make_unique<Reader>(*this, std::string(key), std::move(inner));
}

Result<ObjectInfo> FaultyStore::stat(std::string_view key) {
  return counted<ObjectInfo>("stat", key, [&] { return inner_.stat(key); });
}

Result<std::vector<ObjectInfo>> FaultyStore::list(std::string_view prefix) {
  return counted<std::vector<ObjectInfo>>("list", prefix, [&] { return inner_.list(prefix); });
}

Status FaultyStore::remove(std::string_view key) {
  return counted<void>("remove", key, [&] { return inner_.remove(key); });
}

}  // namespace tidemark::store::testing
