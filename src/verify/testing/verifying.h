// Verifying copies of the buckets in testdata, which a test may damage; nothing may stay in the scratch directory.
#pragma once

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "base/testing/source_dir.h"
#include "store/dir_store.h"
#include "store/testing/mem_store.h"
#include "verify/verify.h"

namespace tidemark::verify::testing {

// A bucket's objects in memory, where they can be damaged.
inline std::unique_ptr<store::testing::MemStore> load(const std::string& fixture) {
  const io::Path buckets = io::Path(tidemark::testing::source_dir()) / "testdata/etcd-backup-restore";
  const auto from = store::DirStore::open(buckets / fixture, store::DirStore::Access::read_only).value();
  auto store = std::make_unique<store::testing::MemStore>();
  const auto objects = from->list("").value();
  for (const store::ObjectInfo& object : objects) {
    EXPECT_TRUE(store->put(object.key, from->get(object.key).value()));
  }
  return store;
}

class Verify : public ::testing::Test {
 protected:
  Result<Verification> run(store::ObjectStore& store, catalog::ProofLevel level,
                           std::optional<catalog::Point> point = {}) {
    const tidemark::testing::FakeClock clock(Time(std::chrono::seconds(1795250000)));
    return verify({store}, {.point = std::move(point), .level = level, .scratch = scratch_.path(), .threads = 2}, clock,
                  {}, {});
  }
  static Result<Verification> verify(std::reference_wrapper<store::ObjectStore> store, const Wish& wish,
                                     const Clock& clock, const Progress& progress, const std::stop_token& stop) {
    auto done = tidemark::verify::verify(store.get(), wish, clock, progress, stop);
    EXPECT_TRUE(std::filesystem::is_empty(wish.scratch)) << "something was left in scratch";
    return done;
  }
  io::TempDir scratch_ = *io::TempDir::create();
};

}  // namespace tidemark::verify::testing
