// A run of the verb in a directory of its own, and small buckets to run it on.
#pragma once

#include <gtest/gtest.h>

#include "base/testing/source_dir.h"
#include "bucket/delta.h"
#include "bucket/testing/bucket_fixtures.h"
#include "restore/testing/live_state.h"
#include "store/testing/mem_store.h"

namespace tidemark::restore::testing {

// The bucket that etcd-backup-restore wrote: its one full is of revision 308.
inline const io::Path kControl =
    io::Path(tidemark::testing::source_dir()) / "testdata" / "etcd-backup-restore" / "00-control-gz" / "bucket" / "v2";

struct Attempt {
  io::TempDir dir = *io::TempDir::create();
  Listener listener;
  EtcdRestore wish;
  Result<Restored> restored = fail(Errc::cancelled, "not run");

  Attempt() { wish.data_dir = dir.path() / "data"; }
  io::Path database() const { return wish.data_dir / "member" / "snap" / "db"; }
  void from(Origin& origin) {
    Steps steps;
    restored = restore_etcd(wish, origin, listener, system_clock(), steps, {});
  }
};

struct Made {
  std::string key, value;  // value: of a put
  bool deletion = false;
  std::int64_t create = 0, mod = 0, version = 0, lease = 0;
  Time time;
};

// A store of etcd-backup-restore's control fixture's full (revision 308) and deltas of our own behind it.
class Bucket {
 public:
  Bucket() {
    const auto full = io::read_file(kControl / "Full-00000000-00000308-1795246362.gz", 10U << 20U);
    EXPECT_TRUE(store.put("v2/Full-00000000-00000308-1795246362.gz", *full));
  }
  void add_delta(const std::vector<Made>& events, std::int64_t unix_s) {
    io::BufferSink body;
    bucket::DeltaWriter writer(body);
    for (const Made& e : events) {
      EXPECT_TRUE(writer.add({.deletion = e.deletion,
                              .key = as_bytes(e.key),
                              .value = as_bytes(e.value),
                              .create = e.create,
                              .mod = e.mod,
                              .version = e.version,
                              .lease = e.lease,
                              .time = e.time}));
    }
    EXPECT_TRUE(writer.finish());
    const bucket::SnapshotName name{.kind = bucket::Kind::delta,
                                    .span = {Revision(events.front().mod), Revision(events.back().mod)},
                                    .unix_s = unix_s,
                                    .compression = bucket::Compression::none};
    EXPECT_TRUE(store.put(bucket::v2_key(name), body.buffer()));
  }
  store::testing::MemStore store;
};

inline Made put(std::int64_t mod, Time time, const std::string& key = "k") {
  return {.key = key + std::to_string(mod), .value = "v", .create = mod, .mod = mod, .version = 1, .time = time};
}

}  // namespace tidemark::restore::testing
