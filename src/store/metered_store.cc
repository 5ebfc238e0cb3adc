#include "store/metered_store.h"

namespace tidemark::store {
namespace {

StoreOutcome outcome_of(Errc code) {
  if (code == Errc::not_found) return StoreOutcome::missing;
  return code == Errc::already_exists ? StoreOutcome::taken : StoreOutcome::failed;
}

}  // namespace

template <class Work>
auto MeteredStore::Meter::timed(StoreCall call, const Work& work) const {
  const Ticks begun = clock.ticks();
  auto result = work();
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(clock.ticks() - begun);
  tally.of(call).ns += static_cast<std::uint64_t>(took.count());
  return result;
}

template <class T>
void MeteredStore::Meter::ended(StoreCall call, const Result<T>& how) const {
  const StoreOutcome outcome = how ? StoreOutcome::ok : outcome_of(how.error().code);
  ++tally.of(call).calls[static_cast<std::size_t>(outcome)];
}

class MeteredStore::Writer final : public ObjectWriter {
 public:
  Writer(std::unique_ptr<ObjectWriter> inner, const Meter& meter) : inner_(std::move(inner)), meter_(meter) {}
  Status write(Bytes bytes) override {
    Status written = meter_.timed(StoreCall::put, [&] { return inner_->write(bytes); });
    if (written) meter_.tally.of(StoreCall::put).bytes += bytes.size();
    return noted(std::move(written));
  }
  Status finish() override {
    return noted(meter_.timed(StoreCall::put, [&] { return inner_->finish(); }));
  }
  Status commit() override {
    Status committed = meter_.timed(StoreCall::put, [&] { return inner_->commit(); });
    if (committed) end(committed);
    return noted(std::move(committed));
  }

 private:
  Status noted(Status status) {
    if (!status) end(status);
    return status;
  }
  void end(const Status& how) {
    if (!std::exchange(ended_, true)) meter_.ended(StoreCall::put, how);
  }
  std::unique_ptr<ObjectWriter> inner_;
  const Meter meter_;
  bool ended_ = false;
};

class MeteredStore::Reader final : public io::Source {
 public:
  Reader(std::unique_ptr<io::Source> inner, const Meter& meter) : inner_(std::move(inner)), meter_(meter) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() override { meter_.ended(StoreCall::get, how_); }
  Result<std::size_t> read(MutableBytes into) override {
    auto n = meter_.timed(StoreCall::get, [&] { return inner_->read(into); });
    if (n) {
      meter_.tally.of(StoreCall::get).bytes += *n;
    } else {
      how_ = std::unexpected(n.error());
    }
    return n;
  }

 private:
  std::unique_ptr<io::Source> inner_;
  const Meter meter_;
  Status how_;
};

Result<std::unique_ptr<ObjectWriter>> MeteredStore::create(std::string_view key) {
  auto inner = meter_.timed(StoreCall::put, [&] { return inner_->create(key); });
  if (!inner) {
    meter_.ended(StoreCall::put, inner);
    return inner;
  }
  return std::make_unique<Writer>(*std::move(inner), meter_);
}

Status MeteredStore::put(std::string_view key, Bytes body) {
  Status done = meter_.timed(StoreCall::put, [&] { return inner_->put(key, body); });
  if (done) meter_.tally.of(StoreCall::put).bytes += body.size();
  meter_.ended(StoreCall::put, done);
  return done;
}

Result<std::unique_ptr<io::Source>> MeteredStore::open(std::string_view key, std::uint64_t offset,
                                                       std::uint64_t length) {
  auto inner = meter_.timed(StoreCall::get, [&] { return inner_->open(key, offset, length); });
  if (!inner) {
    meter_.ended(StoreCall::get, inner);
    return inner;
  }
  return std::make_unique<Reader>(*std::move(inner), meter_);
}

Result<ObjectInfo> MeteredStore::stat(std::string_view key) {
  auto info = meter_.timed(StoreCall::stat, [&] { return inner_->stat(key); });
  meter_.ended(StoreCall::stat, info);
  return info;
}

Result<std::vector<ObjectInfo>> MeteredStore::list(std::string_view prefix) {
  auto all = meter_.timed(StoreCall::list, [&] { return inner_->list(prefix); });
  meter_.ended(StoreCall::list, all);
  return all;
}

Status MeteredStore::remove(std::string_view key) {
  Status removed = meter_.timed(StoreCall::remove, [&] { return inner_->remove(key); });
  meter_.ended(StoreCall::remove, removed);
  return removed;
}

}  // namespace tidemark::store
