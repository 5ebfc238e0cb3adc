// The index that a recorder puts beside its objects is the one that is made by reading them.
#include "cli/record_index.h"

#include <gtest/gtest.h>

#include <random>

#include "base/testing/scale.h"
#include "capture/testing/recording.h"
#include "catalog/sidecar.h"
#include "history/index_build.h"
#include "history/index_published.h"

namespace tidemark::cli {
namespace {

// Its stores take everything but blocks of the index.
class NoBlocks final : public capture::testing::NamedStore {
 public:
  using NamedStore::NamedStore;
  Result<std::unique_ptr<store::ObjectWriter>> create(std::string_view key) override {
    if (key.starts_with(catalog::kIndexPrefix)) return fail(Errc::denied, "no blocks here");
    return NamedStore::create(key);
  }
};

class RecordIndex : public capture::testing::Recording {
 protected:
  capture::RecorderOptions indexing(bool values = true) {
    capture::RecorderOptions o = options();
    o.witness = index_witness(values);
    return o;
  }
  void write(int count) {
    for (int i = 0; i < count; i++) {
      const std::string key = fmt::format("/registry/configmaps/ns-{}/c{}", random_() % 3, random_() % 20);
      switch (random_() % 6) {
        case 0: etcd_.del(key); break;
        case 1:
          etcd_.txn({{.key = key, .value = "a"},
                     {.key = "/registry/apiextensions.k8s.io/customresourcedefinitions/w.x", .value = "definition"},
                     {.key = key + "/more", .value = std::string(random_() % 5000, 'm')}});
          break;
        default:
          etcd_.put(key, std::string(random_() % 3000, static_cast<char>(random_())),
                    random_() % 4 == 0 ? static_cast<std::int64_t>(random_() % 1000) : 0);
      }
    }
  }
  // Fulls and deltas, in one go.
  void record(const capture::RecorderOptions& o) {
    for (int round = 0; round < 3; round++) {
      start(o);
      ASSERT_TRUE(round > 0 || has_full());
      write(30);
      ASSERT_TRUE(acknowledged(etcd_.revision()));
      const Status stopped = stop();
      ASSERT_TRUE(stopped) << stopped.error().what;
      capture::Recorder again(etcd_, store_, system_clock(), o, *counters_);
      ASSERT_TRUE(again.once_full({}));
      if (round == 0) etcd_.compact(Revision(etcd_.revision().raw() - 5));
    }
  }
  std::mt19937_64 random_{tidemark::testing::seed()};
  io::TempDir temp_ = io::TempDir::create().value();
};

TEST_F(RecordIndex, IsWhatReadingTheObjectsGives) {
  record(indexing());
  auto cache = history::IndexCache::open({.dir = temp_.path() / "cache"}).value();
  const auto origin = restore::store_origin(store_);
  const catalog::Timeline timeline = origin->timeline().value();
  ASSERT_GE(timeline.fulls.size(), 4U);
  ASSERT_GE(timeline.deltas.size(), 3U);
  for (const auto* points : {&timeline.fulls, &timeline.deltas}) {
    for (const catalog::Point& point : *points) {
      SCOPED_TRACE(point.key);
      const auto listed = store_.stat(point.key).value();
      const auto built =
          history::build_block(store_, *origin, point, listed, cache, {.scratch = temp_.path(), .stop = {}});
      ASSERT_TRUE(built) << built.error().what;
      const history::Block wanted = cache.find(history::identity_of(store_.url(), listed)).value();
      io::BufferSink as_published;
      ASSERT_TRUE(history::write_as(wanted, history::published_identity(point.key, point.size), as_published));
      const auto published = store_.get(catalog::index_key(point.key), 64UL << 20U);
      ASSERT_TRUE(published) << published.error().what;
      EXPECT_EQ(*published, as_published.buffer());
    }
  }
}

TEST_F(RecordIndex, KeepsNoValuesWhereItMayNot) {
  record(indexing(/*values=*/false));
  const auto blocks = store_.list(catalog::kIndexPrefix).value();
  ASSERT_FALSE(blocks.empty());
  for (const store::ObjectInfo& info : blocks) {
    const Buffer bytes = store_.get(info.key, 64UL << 20U).value();
    EXPECT_EQ(history::Block::over(bytes)->kept_bytes(), 0U) << info.key;
  }
}

TEST_F(RecordIndex, CountsWhatItPut) {
  start(indexing());
  ASSERT_TRUE(has_full());
  write(20);
  ASSERT_TRUE(acknowledged(etcd_.revision()));
  ASSERT_TRUE(stop());
  std::uint64_t bytes = 0;
  const auto blocks = store_.list(catalog::kIndexPrefix).value();
  for (const store::ObjectInfo& info : blocks) bytes += info.size;
  EXPECT_EQ(counters_->index_blocks, blocks.size());
  EXPECT_EQ(counters_->index_bytes, bytes);
  EXPECT_EQ(counters_->index_failures, 0U);
}

// A store that takes no block: recording goes on.
TEST_F(RecordIndex, IsDoneWithoutWhereItCannotBe) {
  NoBlocks store(memory_, "mem:/prod");
  capture::Counters counters;
  const capture::RecorderOptions o = indexing();
  write(10);
  capture::Recorder recorder(etcd_, store, system_clock(), o, counters);
  ASSERT_TRUE(recorder.once_full({}));
  write(10);
  ASSERT_TRUE(recorder.once_delta({}));
  EXPECT_EQ(counters.index_blocks, 0U);
  EXPECT_GE(counters.index_failures, 2U);
  expect_complete(store, Revision(counters.full_revision + 1));
}

}  // namespace
}  // namespace tidemark::cli
