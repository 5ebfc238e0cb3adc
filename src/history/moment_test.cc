#include "history/moment.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "restore/testing/attempt.h"
#include "store/dir_store.h"

namespace tidemark::history {
namespace {

using restore::Target;
using restore::testing::Bucket;
using restore::testing::Made;

const io::Path kFixtures = io::Path(tidemark::testing::source_dir()) / "testdata" / "etcd-backup-restore";

// All that was below the prefixes at a moment.
struct Look {
  Result<Rows> rows = fail(Errc::cancelled, "not run");
  Revision revision;
  Time time;
  bool complete = false;
};

Look look(store::ObjectStore& store, const Target& target, const std::vector<std::string>& prefixes) {
  Look look;
  const io::TempDir scratch = io::TempDir::create().value();
  const auto origin = restore::store_origin(store);
  auto moment = Moment::open(*origin, target, {.scratch = scratch.path(), .stop = {}, .progress = {}});
  if (!moment) {
    look.rows = std::unexpected(moment.error());
    return look;
  }
  look.rows = (*moment)->below(prefixes);
  look.revision = (*moment)->revision();
  look.time = (*moment)->time();
  look.complete = (*moment)->plan().complete();
  return look;
}

// The buckets that etcd-backup-restore wrote, sound ones: all rows are what etcd itself held.
TEST(Moment, HoldsWhatEtcdHeld) {
  for (const char* fixture : {"00-control-gz", "01-issue1044-full-ahead-overlap-ok", "02-issue1043-overlap",
                              "03-issue1045-lease-expires-before-first-delta", "09-suffix-Z", "09-suffix-none",
                              "10-source-etcd-3.6", "53-multimember-deltas"}) {
    auto store = store::DirStore::open(kFixtures / fixture / "bucket", store::DirStore::Access::read_only);
    ASSERT_TRUE(store) << fixture;
    const auto expected = restore::testing::expected_state(kFixtures / fixture / "expected" / "kv.jsonl.gz");
    ASSERT_TRUE(expected) << fixture;
    const Look all = look(**store, Target::newest(), {""});
    ASSERT_TRUE(all.rows) << fixture << ": " << all.rows.error().what;
    restore::testing::LiveState is;
    for (const auto& [key, row] : *all.rows) {
      is[key] = {row.value, row.create.raw(), row.mod.raw(), row.version, row.lease.raw()};
    }
    EXPECT_EQ(restore::testing::difference(is, *expected), "") << fixture;
    EXPECT_TRUE(all.complete);
  }
}

constexpr Time at(std::int64_t unix_s) { return Time(std::chrono::seconds(unix_s)); }

Made made(const std::string& key, std::int64_t mod, const std::string& value, bool deletion = false) {
  return {.key = key,
          .value = value,
          .deletion = deletion,
          .create = mod,
          .mod = mod,
          .version = 1,
          .time = at(1795247000 + mod)};
}

class Moments : public ::testing::Test {
 protected:
  Moments() {
    bucket_.add_delta({made("/a/x", 309, "one"), made("/a/y", 310, "one"), made("/ab", 310, "no")}, 1795247311);
    bucket_.add_delta({made("/a/x", 311, "", true), made("/a/y", 312, "two"), made("/a/x", 313, "back")}, 1795247314);
  }
  std::string words(const Target& target, const std::vector<std::string>& prefixes = {"/a/"}) {
    const Look seen = look(bucket_.store, target, prefixes);
    if (!seen.rows) return std::string(errc_name(seen.rows.error().code));
    std::string text;
    for (const auto& [key, row] : *seen.rows) text += fmt::format("{}={}@{} ", key, row.value, row.mod);
    return text;
  }
  Bucket bucket_;
};

TEST_F(Moments, EachRevision) {
  EXPECT_EQ(words(Target::at(Revision(308))), "");
  EXPECT_EQ(words(Target::at(Revision(309))), "/a/x=one@309 ");
  EXPECT_EQ(words(Target::at(Revision(310))), "/a/x=one@309 /a/y=one@310 ");
  EXPECT_EQ(words(Target::at(Revision(311))), "/a/y=one@310 ");
  EXPECT_EQ(words(Target::at(Revision(312))), "/a/y=two@312 ");
  EXPECT_EQ(words(Target::at(Revision(313))), "/a/x=back@313 /a/y=two@312 ");
  EXPECT_EQ(words(Target::newest()), "/a/x=back@313 /a/y=two@312 ");
  EXPECT_EQ(words(Target::newest(), {"/ab", "/a/y"}), "/a/y=two@312 /ab=no@310 ");
  EXPECT_EQ(words(Target::newest(), {}), "");
  EXPECT_EQ(words(Target::newest(), {"/none/"}), "");
}

TEST_F(Moments, TimeIsTheLastChangeReceived) {
  EXPECT_EQ(look(bucket_.store, Target::at(Revision(311)), {"/"}).time, at(1795247311));
  EXPECT_EQ(look(bucket_.store, Target::at(Revision(308)), {"/"}).time, at(1795246362));
  EXPECT_EQ(look(bucket_.store, Target::at(at(1795247312)), {"/"}).time, at(1795247312));
  EXPECT_EQ(words(Target::at(at(1795247312))), "/a/y=two@312 ");
}

TEST_F(Moments, WhatCannotBeShown) {
  EXPECT_EQ(words(Target::at(Revision(314))), "not_found");
  EXPECT_EQ(words(Target::at(Revision(1))), "");  // nothing was compacted: the full holds what was before it, too
  EXPECT_EQ(words(Target::at(at(1))), "not_found");
  store::testing::MemStore empty;
  EXPECT_EQ(look(empty, Target::newest(), {"/"}).rows.error().code, Errc::not_found);
}

TEST_F(Moments, ABadDeltaEndsTheNewestMoment) {
  Buffer body = bucket_.store.get("v2/Incr-00000311-00000313-1795247314", 1U << 20U).value();
  body[10] ^= std::byte{1};
  ASSERT_TRUE(bucket_.store.remove("v2/Incr-00000311-00000313-1795247314"));
  ASSERT_TRUE(bucket_.store.put("v2/Incr-00000311-00000313-1795247314", body));
  const Look newest = look(bucket_.store, Target::newest(), {"/a/"});
  ASSERT_TRUE(newest.rows) << newest.rows.error().what;
  EXPECT_EQ(newest.revision, Revision(310));
  EXPECT_FALSE(newest.complete);
  EXPECT_EQ(newest.rows->size(), 2U);
  EXPECT_EQ(words(Target::at(Revision(312))), "not_found");
}

TEST_F(Moments, ADamagedFullIsRefused) {
  const std::string key = "v2/Full-00000000-00000308-1795246362.gz";
  Buffer body = bucket_.store.get(key, 10U << 20U).value();
  body[body.size() / 2] ^= std::byte{1};
  ASSERT_TRUE(bucket_.store.remove(key));
  ASSERT_TRUE(bucket_.store.put(key, body));
  EXPECT_EQ(words(Target::newest()), "corrupt");
}

}  // namespace
}  // namespace tidemark::history
