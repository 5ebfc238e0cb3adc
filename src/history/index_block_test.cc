// A block gives back what was written into it, and nothing when a single bit of it is another one.
#include "history/index_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/testing/scale.h"
#include "crypto/crc32c.h"
#include "history/event_places.h"
#include "history/version_sorter.h"

namespace tidemark::history {
namespace {

using Content = std::map<std::string, std::vector<StoredVersion>>;

Content content(std::mt19937_64& random, int keys, int most_versions) {
  Content all;
  for (int i = 0; i < keys; i++) {
    std::string key = fmt::format("/registry/pods/ns-{}/", random() % 5);
    for (std::uint64_t n = random() % 12; n > 0; n--) key += static_cast<char>(random());
    std::vector<StoredVersion>& versions = all[key];
    versions.clear();
    std::int64_t main = 1 + static_cast<std::int64_t>(random() % 1'000'000);
    for (std::uint64_t n = 1 + random() % static_cast<std::uint64_t>(most_versions); n > 0; n--) {
      main += static_cast<std::int64_t>(1 + random() % 1000);
      StoredVersion v{.id = {Revision(main), static_cast<std::int64_t>(random() % 4), random() % 4 == 0}};
      if (!v.id.tombstone) {
        v.create = Revision(1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(main)));
        v.version = static_cast<std::int64_t>(random() % 100);
        v.lease = LeaseId(static_cast<std::int64_t>(random()));
        v.place = {
            .offset = random() % 900'000, .bytes = random() % 100'000, .crc = static_cast<std::uint32_t>(random())};
      }
      versions.push_back(v);
    }
  }
  return all;
}

BlockAbout about() {
  return {.identity = "dir:/backups\nv2/Incr-1\n12 bytes",
          .kind = bucket::Kind::delta,
          .span = {Revision(2), Revision(2'000'000)},
          .holed = false,
          .text_in = TextIn::gzip_object,
          .text_bytes = 1'000'000,
          .stored_bytes = 5000,
          .members = {{0, 0}, {1000, 400'000}},
          .receipts = {{Revision(2), Time(std::chrono::seconds(100))},
                       {Revision(500), Time(std::chrono::seconds(200))},
                       {Revision(500), Time(std::chrono::seconds(201)), 3}}};
}

Buffer block_of(const Content& all, const BlockAbout& about, Bytes kept = {}) {
  io::BufferSink sink;
  BlockWriter writer(sink);
  for (const auto& [key, versions] : all) EXPECT_TRUE(writer.add(key, versions));
  EXPECT_TRUE(writer.finish(about, kept));
  return sink.buffer();
}

bool same(const StoredVersion& a, const StoredVersion& b) {
  return a.id == b.id && a.id.tombstone == b.id.tombstone && a.create == b.create && a.version == b.version &&
         a.lease == b.lease && a.place.offset == b.place.offset && a.place.bytes == b.place.bytes &&
         a.place.crc == b.place.crc && a.place.kept == b.place.kept;
}

TEST(IndexBlock, GivesBackWhatWasWritten) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (const auto& [keys, versions] : {std::pair(0, 1), {1, 1}, {40, 5}, {3000, 4}, {3, 5000}}) {
    SCOPED_TRACE(keys);
    const Content all = content(random, keys, versions);
    const Buffer bytes = block_of(all, about());
    const auto block = Block::over(bytes);
    ASSERT_TRUE(block) << block.error().what;
    EXPECT_TRUE(block->check());
    EXPECT_EQ(block->keys(), all.size());
    EXPECT_EQ(block->about().identity, about().identity);
    EXPECT_EQ(block->about().members.size(), 2U);
    EXPECT_EQ(block->about().span, about().span);
    auto wanted = all.begin();
    const std::string none;
    ASSERT_TRUE(block->for_each_below(none, [&](std::string_view key, std::span<const StoredVersion> is) -> Status {
      EXPECT_EQ(key, wanted->first);
      EXPECT_TRUE(std::ranges::equal(is, wanted->second, same)) << key;
      ++wanted;
      return {};
    }));
    EXPECT_EQ(wanted, all.end());
    for (const auto& [key, is] : all) {
      const auto found = block->find(key);
      ASSERT_TRUE(found);
      EXPECT_TRUE(std::ranges::equal(*found, is, same)) << key;
      if (!all.contains(key + "x")) {
        EXPECT_TRUE(block->find(key + "x")->empty());
      }
    }
    for (int ns = 0; ns < 6; ns++) {
      const std::string prefix = fmt::format("/registry/pods/ns-{}/", ns);
      std::size_t count = 0;
      ASSERT_TRUE(block->for_each_below(prefix, [&](std::string_view key, std::span<const StoredVersion>) -> Status {
        EXPECT_TRUE(key.starts_with(prefix));
        count++;
        return {};
      }));
      EXPECT_EQ(count, std::ranges::count_if(all, [&](const auto& one) { return one.first.starts_with(prefix); }));
    }
  }
}

TEST(IndexBlock, KnowsWhenRevisionsWereReceived) {
  const Buffer bytes = block_of({}, about());
  const auto block = Block::over(bytes);
  ASSERT_TRUE(block);
  const auto at = [](std::int64_t unix_s) { return Time(std::chrono::seconds(unix_s)); };
  EXPECT_EQ(block->received(Revision(1)), std::nullopt);
  EXPECT_EQ(block->received(Revision(2)), at(100));
  EXPECT_EQ(block->received(Revision(499)), at(100));
  EXPECT_EQ(block->received(Revision(500), 0), at(200));
  EXPECT_EQ(block->received(Revision(500), 2), at(200));
  EXPECT_EQ(block->received(Revision(500), 3), at(201));
  EXPECT_EQ(block->received(Revision(500)), at(201)) << "the last";
  EXPECT_EQ(block->received(Revision(501), 0), at(201));
  EXPECT_EQ(block->first_after(at(99)), Revision(2));
  EXPECT_EQ(block->first_after(at(100)), Revision(500));
  EXPECT_EQ(block->first_after(at(200)), Revision(500));
  EXPECT_EQ(block->first_after(at(201)), Revision(0));
}

bool sound(Bytes bytes) {
  const auto block = Block::over(bytes);
  return block && block->check();
}

TEST(IndexBlock, EveryFlipAndEveryPrefixIsSeen) {
  std::mt19937_64 random(tidemark::testing::seed());
  Content all = content(random, 30, 3);
  const Buffer kept(50, std::byte{7});
  StoredVersion v{.id = {Revision(9), 0, false}, .create = Revision(9), .version = 1, .lease = {}, .place = {}};
  v.place = {.offset = 0, .bytes = 50, .crc = crypto::crc32c(0, kept), .kept = true};
  all["/kept"] = {v};
  Buffer bytes = block_of(all, about(), kept);
  ASSERT_TRUE(sound(bytes));
  for (std::size_t i = 0; i < bytes.size(); i++) {
    EXPECT_FALSE(sound(Bytes(bytes).first(i))) << "cut at " << i;
    for (unsigned bit = 0; bit < 8; bit++) {
      bytes[i] ^= static_cast<std::byte>(1U << bit);
      EXPECT_FALSE(sound(bytes)) << "bit " << bit << " of byte " << i;
      bytes[i] ^= static_cast<std::byte>(1U << bit);
    }
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(sound(bytes)) << "something behind it";
}

TEST(IndexBlock, AnotherVersionIsRefused) {
  Buffer bytes = block_of({}, about());
  bytes[8] = std::byte{2};
  store_le(bytes.data() + 12, crypto::crc32c(0, Bytes(bytes).first(12)));
  const auto block = Block::over(bytes);
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().code, Errc::unsupported);
}

TEST(VersionSorter, SortsTheSameInMemoryAndByRuns) {
  std::mt19937_64 random(tidemark::testing::seed());
  std::vector<std::pair<std::string, StoredVersion>> added;
  for (std::int64_t main = 2; main < 2000; main++) {
    added.emplace_back(fmt::format("/k{}", random() % 300),
                       StoredVersion{.id = {Revision(main), 0, random() % 2 == 0}});
  }
  const auto temp = io::TempDir::create();
  ASSERT_TRUE(temp);
  const auto sorted = [&](std::size_t most_bytes) {
    VersionSorter sorter(temp->path(), most_bytes);
    for (const auto& [key, version] : added) EXPECT_TRUE(sorter.add(key, version));
    io::BufferSink sink;
    BlockWriter writer(sink);
    EXPECT_TRUE(sorter.drain(writer));
    EXPECT_TRUE(writer.finish(about(), {}));
    return sink.buffer();
  };
  const Buffer in_memory = sorted(1UL << 30U);
  ASSERT_TRUE(sound(in_memory));
  EXPECT_EQ(Block::over(in_memory)->versions(), added.size());
  for (const std::size_t most : {1000UL, 20'000UL, 200'000UL}) EXPECT_EQ(sorted(most), in_memory) << most;
}

TEST(EventPlaces, AreThoseOfTheObjectsHoweverTheTextIsCut) {
  const std::string events[] = {R"({"a":1})", R"({"b":"}]\"{[\\","c":[{"d":[]}]})", R"({})", R"({ "e" : {} })"};
  std::string text = " [";
  std::vector<std::uint64_t> offsets;
  for (const std::string& event : events) {
    if (!offsets.empty()) text += " ,\n";
    offsets.push_back(text.size());
    text += event;
  }
  text += "]" + std::string(32, '{');  // the digest is no text
  for (std::size_t piece = 1; piece <= text.size(); piece++) {
    io::BytesSource source(as_bytes(text));
    EventPlaces places(source);
    Buffer room(piece);
    while (places.read(room).value() > 0) {
    }
    for (std::size_t i = 0; i < std::size(events); i++) {
      const auto place = places.next();
      ASSERT_TRUE(place) << i;
      EXPECT_EQ(place->offset, offsets[i]);
      EXPECT_EQ(place->bytes, events[i].size());
      EXPECT_EQ(place->crc, crypto::crc32c(0, as_bytes(events[i])));
    }
    EXPECT_EQ(places.next().error().code, Errc::corrupt);
    EXPECT_EQ(places.text_bytes(), text.size());
  }
}

}  // namespace
}  // namespace tidemark::history
