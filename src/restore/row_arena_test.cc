#include "restore/row_arena.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>

#include "base/testing/scale.h"
#include "restore/seen_set.h"

namespace tidemark::restore {
namespace {

std::string text_of(std::uint64_t id, std::size_t size) {
  std::string text(size, static_cast<char>('a' + id % 26));
  return text;
}

// Rows of random sizes, most of them rewritten, with a cap that forces most chunks into the file.
TEST(RowArena, GivesBackWhatWasPutIn) {
  constexpr std::size_t kNoCap = std::size_t{1} << 40U;
  for (const std::size_t cap : {std::size_t{0}, std::size_t{2} << 20U, kNoCap}) {
    const auto dir = io::TempDir::create();
    RowArena arena(dir->path(), cap);
    std::mt19937_64 random(testing::seed());
    struct Kept {
      RowArena::Place place;
      std::string text;
    };
    std::vector<Kept> rows;
    for (int i = 0; i < testing::scaled(3000); ++i) {
      const std::size_t size = 2 + random() % (random() % 50 == 0 ? 3'000'000 : 5'000);
      const std::string text = text_of(random(), size);
      const bool again = !rows.empty() && random() % 2 == 0;
      Kept& kept = again ? rows[random() % rows.size()] : rows.emplace_back();
      const auto room = arena.room(size, again ? &kept.place : nullptr);
      ASSERT_TRUE(room) << room.error().what;
      std::memcpy(room->bytes, text.data(), size);
      kept = {room->place, text};
    }
    EXPECT_LE(arena.in_memory(), std::max<std::size_t>(cap, 4U << 20U));
    EXPECT_EQ(arena.spilled() > 0, cap < kNoCap);
    for (const Kept& kept : rows) {
      const auto bytes = arena.read(kept.place);
      ASSERT_TRUE(bytes) << bytes.error().what;
      ASSERT_EQ(as_text(*bytes), kept.text);
    }
  }
}

TEST(RowArena, ARewrittenRowKeepsItsPlace) {
  RowArena arena("/tmp", 1U << 30U);
  auto place = arena.room(100)->place;
  for (int i = 0; i < 100'000; ++i) place = arena.room(static_cast<std::size_t>(50 + i % 50), &place)->place;
  EXPECT_LE(arena.in_memory(), 1U << 20U);
}

TEST(RowArena, NoFileToSpillTo) {
  RowArena arena("/nonexistent", 0);
  ASSERT_TRUE(arena.room(10));
  Status told;
  for (int i = 0; i < 10 && told; ++i) {
    const auto room = arena.room(1U << 20U);
    if (!room) told = std::unexpected(room.error());
  }
  ASSERT_FALSE(told);
  EXPECT_NE(told.error().what.find("/nonexistent"), std::string::npos);
}

// Of all threads that insert a key exactly one is told that it is new.
TEST(SeenSet, EachKeyIsNewOnce) {
  SeenSet seen;
  const auto hasher = etcd::KeyHasher::random();
  const int keys = testing::scaled(20'000);
  std::atomic<int> fresh{0}, missing{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < keys; ++i) {
          const auto hash = hasher(as_bytes(fmt::format("/registry/pods/default/web-{}", i)));
          if (seen.insert(hash)) ++fresh;
          if (!seen.contains(hash)) ++missing;
        }
      });
    }
  }
  EXPECT_EQ(fresh, keys);
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(keys));
  EXPECT_FALSE(seen.contains(hasher(as_bytes("/registry/pods/default/other"))));
  // 16 bytes a slot, 64 shards that grow by doubling.
  EXPECT_LE(seen.memory(), std::max<std::size_t>(64 * 1024, static_cast<std::size_t>(keys) * 40));
}

}  // namespace
}  // namespace tidemark::restore
