#include "restore/harvest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/testing/scale.h"

namespace tidemark::restore {
namespace {

struct Event {
  std::string key, value;
  std::int64_t mod = 0;
  bool deletion = false;
};

// Whatever fits into memory: each key's last event, once, except for keys that something newer has.
TEST(Harvest, LastEventOfEachKeyInAnyAmountOfMemory) {
  std::mt19937_64 random(testing::seed());
  for (const std::size_t most_keys : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    const auto dir = io::TempDir::create();
    Harvest harvest(dir->path(), 0, most_keys);
    const auto hasher = etcd::KeyHasher::random();
    SeenSet seen;
    seen.insert(hasher(as_bytes("key-3")));
    std::map<std::string, Event> last;
    const std::int64_t events = testing::scaled(400);
    for (std::int64_t mod = 1; mod <= events; ++mod) {
      const Event event{fmt::format("key-{}", random() % 50), std::string(random() % 9000, 'v'), mod,
                        random() % 4 == 0};
      last[event.key] = event;
      etcd::KeyValue kv{.key = as_bytes(event.key), .value = {}, .create = {}, .mod = {}, .version = 0, .lease = {}};
      if (!event.deletion) {
        kv.value = as_bytes(event.value);
        kv.mod = Revision(mod);
      }
      ASSERT_TRUE(harvest.add({Revision(mod), 0, event.deletion}, kv, hasher, seen));
    }
    last.erase("key-3");
    if (most_keys == 7) {
      EXPECT_GT(harvest.sheaves(), 2U);
    }
    std::size_t settled = 0;
    Revision newer(INT64_MAX);
    while (harvest.sheaves() > 0) {
      const auto sheaf = harvest.take();
      ASSERT_TRUE(sheaf) << sheaf.error().what;
      EXPECT_LE(sheaf->size(), most_keys);
      Revision oldest(INT64_MAX);
      for (const Harvest::Last& one : *sheaf) {
        EXPECT_LT(one.id.main, newer) << "sheaves come newest first";
        oldest = std::min(oldest, one.id.main);
        if (!seen.insert(one.hash)) continue;
        ++settled;
        const auto is =
            std::ranges::find_if(last, [&](const auto& e) { return hasher(as_bytes(e.first)) == one.hash; });
        ASSERT_NE(is, last.end());
        EXPECT_EQ(one.id.main, Revision(is->second.mod));
        EXPECT_EQ(one.id.tombstone, is->second.deletion);
        if (one.id.tombstone) continue;
        const auto row = harvest.row(one);
        ASSERT_TRUE(row) << row.error().what;
        EXPECT_EQ(as_text(etcd::decode_key_value(*row)->value), is->second.value);
      }
      newer = oldest;
    }
    EXPECT_EQ(settled, last.size());
  }
}

TEST(Harvest, NoFileToSetAsideTo) {
  Harvest harvest("/nonexistent", 1U << 20U, 1);
  const auto hasher = etcd::KeyHasher::random();
  const SeenSet seen;
  const etcd::KeyValue a{.key = as_bytes("a"), .value = {}, .create = {}, .mod = {}, .version = 0, .lease = {}};
  const etcd::KeyValue b{.key = as_bytes("b"), .value = {}, .create = {}, .mod = {}, .version = 0, .lease = {}};
  ASSERT_TRUE(harvest.add({Revision(2), 0, false}, a, hasher, seen));
  ASSERT_TRUE(harvest.add({Revision(3), 0, false}, a, hasher, seen)) << "the same key again needs no room";
  const auto told = harvest.add({Revision(4), 0, false}, b, hasher, seen);
  ASSERT_FALSE(told);
  EXPECT_NE(told.error().what.find("/nonexistent"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::restore
