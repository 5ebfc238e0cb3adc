// A store whose n-th call fails, before or after it had its effect. Threads: any.
//
// Calls that count: create, write, commit, open, stat, list, remove, and each read of an opened object. put() counts as
// the create, write and commit it is made of, so a loop over n visits every step of whatever is under test.
#pragma once

#include <atomic>

#include "store/object_store.h"

namespace tidemark::store::testing {

class FaultyStore final : public ObjectStore {
 public:
  enum class When {
    before,  // nothing happened
    after,   // it happened, but the caller is told that it failed: an answer lost on the way
  };

  // Requires: `inner` outlives this.
  explicit FaultyStore(ObjectStore& inner) : inner_(inner) {}

  // The n-th call from now on (the first is 1) fails with `code`; later ones work again.
  void fail_call(int n, Errc code, When when = When::before);
  int calls() const { return calls_; }  // since the last fail_call()
  bool fired() const { return fired_; }

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override;
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return inner_.read_only(); }
  std::string url() const override { return inner_.url(); }

 private:
  class Writer;
  class Reader;
  template <class T, class Call>
  Result<T> counted(std::string_view what, std::string_view key, const Call& call);

  ObjectStore& inner_;
  std::atomic<int> calls_{0}, fail_at_{0};
  std::atomic<Errc> code_{Errc::io};
  std::atomic<When> when_{When::before};
  std::atomic<bool> fired_{false};
};

}  // namespace tidemark::store::testing
