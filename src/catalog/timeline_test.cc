#include "catalog/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "base/testing/source_dir.h"
#include "catalog/chain.h"
#include "catalog/sidecar.h"
#include "store/dir_store.h"
#include "store/testing/faulty_store.h"
#include "store/testing/mem_store.h"

namespace tidemark::catalog {
namespace {

using store::testing::MemStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kF308 = "v2/Full-00000000-00000308-1795246362.gz";
constexpr const char* kD309 = "v2/Incr-00000309-00000434-1795246365.gz";
constexpr const char* kD435 = "v2/Incr-00000435-00000560-1795246368.gz";
constexpr const char* kD561 = "v2/Incr-00000561-00000686-1795246371.gz";

void put(MemStore& store, std::string_view key, std::string_view body = "x") {
  ASSERT_TRUE(store.put(key, as_bytes(body))) << key;
}

void put_claim(MemStore& store, std::int64_t start, std::uint32_t epoch, const std::string& object) {
  const Claim claim{Revision(start), epoch, "recorder", object, {}};
  put(store, claim_key(claim.start, epoch), print_sidecar(claim));
}

void put_gap(MemStore& store, std::int64_t first, std::int64_t last, const std::string& reason) {
  const GapRecord gap{{Revision(first), Revision(last)}, reason, {}};
  put(store, gap_key(gap.span), print_sidecar(gap));
}

std::vector<std::string> print_gaps(const Timeline& timeline) {
  std::vector<std::string> all;
  for (const Gap& gap : timeline.gaps) {
    all.push_back(fmt::format("{}..{} {}", gap.span.first, gap.span.last, gap.reason));
  }
  return all;
}

std::vector<std::string> strays(const Timeline& timeline) {
  std::vector<std::string> all;
  for (const Point& p : timeline.deltas) {
    if (p.stray) all.push_back(p.key);
  }
  return all;
}

std::int64_t raw(std::optional<Revision> r) { return r ? r->raw() : -1; }

struct Row {
  const char* name;
  std::vector<std::string> keys;
  std::int64_t earliest, latest;  // -1: none
  std::vector<std::string> gaps;
  std::vector<std::string> ignored;  // beginnings
};

TEST(Timeline, FromNamesAlone) {
  const Row rows[] = {
      {"empty", {}, -1, -1, {}, {}},
      {"one full", {kF308}, 308, 308, {}, {}},
      {"full and deltas", {kF308, kD309, kD435}, 308, 560, {}, {}},
      {"deltas without a full are not restorable", {kD309, kD435}, -1, -1, {}, {}},
      {"a hole between deltas without a full", {kD309, kD561}, -1, -1, {"435..560 no object covers it"}, {}},
      {"missing middle", {kF308, kD309, kD561}, 308, 434, {"435..560 no object covers it"}, {}},
      {"a hole of one revision behind a full",
       {kF308, "v2/Incr-00000310-00000434-1795246365.gz"},
       308,
       308,
       {"309..309 no object covers it"},
       {}},
      {"a hole of one revision between deltas",
       {kF308, kD309, "v2/Incr-00000436-00000560-1795246366.gz"},
       308,
       434,
       {"435..435 no object covers it"},
       {}},
      {"missing first", {kF308, kD435}, 308, 308, {"309..434 no object covers it"}, {}},
      {"numbers, not letters: 100000001 comes after 99999999",
       {"v2/Full-00000000-99999999-1.gz", "v2/Incr-100000000-100000001-2.gz", "v2/Incr-100000002-100000005-3.gz"},
       99999999,
       100000005,
       {},
       {}},
      {"unpadded", {"v2/Full-0-5-1", "v2/Incr-6-9-2"}, 5, 9, {}, {}},
      {"overlap", {kF308, kD309, "v2/Incr-00000400-00000500-1795246366.gz"}, 308, 500, {}, {}},
      {"the longer of two", {kF308, kD309, "v2/Incr-00000309-00000600-1795246366.gz"}, 308, 600, {}, {}},
      {"a delta from before the full", {kF308, "v2/Incr-00000100-00000320-1795246366.gz"}, 308, 320, {}, {}},
      {"a delta wholly before the full", {kF308, "v2/Incr-00000100-00000200-1795246366.gz"}, 308, 308, {}, {}},
      {"two fulls, deltas through", {kF308, kD309, "v2/Full-00000000-00000400-1795246366.gz", kD435}, 308, 560, {}, {}},
      {"two fulls with a hole before the second",
       {kF308, kD309, "v2/Full-00000000-00000500-1795246369.gz", "v2/Incr-00000501-00000510-1795246370.gz"},
       308,
       510,
       {"435..500 no object covers it"},
       {}},
      {"the newest full bounds latest although an older delta reaches further without joining",
       {kF308, "v2/Full-00000000-00000500-1795246369.gz", "v2/Incr-00000600-00000700-1795246370.gz"},
       308,
       500,
       {"309..599 no object covers it"},
       {}},
      {"v1 and v2 are one timeline",
       {"v1/Backup-1795246362/Full-00000000-00000308-1795246362.gz", kD309},
       308,
       434,
       {},
       {}},
      {"final", {"v2/Full-00000000-00000308-1795246362.gz.final"}, 308, 308, {}, {}},
      {"chunks",
       {kF308, std::string(kF308) + "/0000000001"},
       308,
       308,
       {},
       {std::string(kF308) + "/0000000001: a part of a multi-part upload"}},
      {"strange names under v2",
       {kF308, "v2/tidemark-index", "v2/Full-00000000-00000999-1795246999.zst", "v2/sub/Full-00000000-00000999-9.gz",
        "v2/Full-00000009-00000001-9.gz", "v1/Full-00000000-00000999-9.gz"},
       308,
       308,
       {},
       {"v2/Full-00000000-00000999-1795246999.zst: ", "v2/Full-00000009-00000001-9.gz: ",
        "v2/sub/Full-00000000-00000999-9.gz: not in a place",
        "v2/tidemark-index: ", "v1/Full-00000000-00000999-9.gz: not in a place"}},
      {"other folders are not looked at",
       {kF308, "v20/Full-00000000-00000999-9.gz", "v2-old/Full-00000000-00000999-9.gz",
        "tidemark/Full-00000000-00000999-9.gz", "foobar/v2/Full-00000000-00000999-9.gz", "Full-00000000-00000999-9.gz"},
       308,
       308,
       {},
       {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    MemStore store;
    for (const std::string& key : row.keys) put(store, key);
    const auto timeline = read_timeline(store);
    ASSERT_TRUE(timeline) << timeline.error().what;
    EXPECT_EQ(raw(timeline->earliest()), row.earliest);
    EXPECT_EQ(raw(timeline->latest()), row.latest);
    EXPECT_EQ(print_gaps(*timeline), row.gaps);
    ASSERT_EQ(timeline->ignored.size(), row.ignored.size()) << ::testing::PrintToString(timeline->ignored);
    for (std::size_t i = 0; i < row.ignored.size(); ++i) {
      EXPECT_THAT(timeline->ignored[i], ::testing::StartsWith(row.ignored[i]));
    }
    EXPECT_THAT(strays(*timeline), IsEmpty()) << "no claims, no strays";
  }
}

TEST(Timeline, PointsAreInOrderWithSizeAndTime) {
  MemStore store;
  put(store, kD435, "12345");
  put(store, kD309, "1");
  put(store, "v2/Full-00000000-00000400-1795246367.gz");
  put(store, kF308, "123");
  const auto timeline = read_timeline(store);
  ASSERT_TRUE(timeline);
  ASSERT_EQ(timeline->fulls.size(), 2U);
  ASSERT_EQ(timeline->deltas.size(), 2U);
  EXPECT_EQ(timeline->fulls[0].key, kF308);
  EXPECT_EQ(timeline->fulls[0].size, 3U);
  EXPECT_EQ(timeline->deltas[1].key, kD435);
  EXPECT_EQ(timeline->deltas[1].size, 5U);
  EXPECT_EQ(print_rfc3339(timeline->earliest_time().value()), "2026-11-21T07:32:42Z");
  EXPECT_EQ(print_rfc3339(timeline->latest_time().value()), "2026-11-21T07:32:48Z");
}

TEST(Timeline, ATimeBeyondTheClockIsTheLastOne) {
  bucket::SnapshotName name;
  name.unix_s = INT64_MAX;
  EXPECT_GT(created(name), Time(std::chrono::hours(24 * 365 * 200)));
}

struct ClaimRow {
  const char* name;
  std::vector<std::tuple<std::int64_t, std::uint32_t, std::string>> claims;
  std::vector<std::string> strays;
  std::int64_t latest;
};

TEST(Timeline, ClaimsDecideBetweenObjectsOfOneStart) {
  const std::string a = kD309, b = "v2/Incr-00000309-00000500-1795246399.gz", gone = "v2/Incr-00000309-00000999-1.gz";
  const ClaimRow rows[] = {
      {"none: both count", {}, {}, 500},
      {"one for the shorter", {{309, 1, a}}, {b}, 434},
      {"the higher epoch", {{309, 1, a}, {309, 2, b}}, {a}, 500},
      {"the higher epoch, not the later file", {{309, 2, a}, {309, 1, b}}, {b}, 434},
      {"epochs are numbers", {{309, 9, b}, {309, 10, a}}, {b}, 434},
      {"the winner never published: the next lower counts", {{309, 1, a}, {309, 2, gone}}, {b}, 434},
      {"nobody who claimed published", {{309, 1, gone}}, {}, 500},
      {"claims of another start", {{310, 1, a}}, {}, 500},
  };
  for (const ClaimRow& row : rows) {
    SCOPED_TRACE(row.name);
    MemStore store;
    put(store, kF308);
    put(store, a);
    put(store, b);
    for (const auto& [start, epoch, object] : row.claims) put_claim(store, start, epoch, object);
    const auto timeline = read_timeline(store);
    ASSERT_TRUE(timeline) << timeline.error().what;
    EXPECT_EQ(strays(*timeline), row.strays);
    EXPECT_EQ(raw(timeline->latest()), row.latest);
  }
}

TEST(Timeline, ALoneObjectCountsWhateverIsClaimed) {
  MemStore store;
  put(store, kF308);
  put(store, kD309);
  put_claim(store, 309, 2, "v2/Incr-00000309-00000999-1.gz");
  const auto timeline = read_timeline(store);
  ASSERT_TRUE(timeline);
  EXPECT_THAT(strays(*timeline), IsEmpty());
  EXPECT_EQ(raw(timeline->latest()), 434);
}

TEST(Timeline, AStrayIsUsedWhereNothingElseContinues) {
  const std::string winner = kD309, loser = "v2/Incr-00000309-00000560-1795246399.gz";
  MemStore store;
  put(store, kF308);
  put(store, winner);
  put(store, loser);
  put_claim(store, 309, 1, winner);
  put(store, kD561);
  const auto timeline = read_timeline(store);
  ASSERT_TRUE(timeline);
  EXPECT_EQ(strays(*timeline), std::vector<std::string>{loser});
  EXPECT_THAT(print_gaps(*timeline), IsEmpty());
  EXPECT_EQ(raw(timeline->latest()), 686);
  std::vector<std::string> chain;
  for (const Point* p : newest_chain(*timeline)) chain.push_back(p->key);
  EXPECT_THAT(chain, ElementsAre(kF308, winner, loser, kD561));
}

struct GapRow {
  const char* name;
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> recorded;
  std::vector<std::string> gaps;
};

TEST(Timeline, RecordedGapsExplainHoles) {
  // The hole is 435..560.
  const GapRow rows[] = {
      {"exactly", {{435, 560, "compacted"}}, {"435..560 compacted"}},
      {"inside", {{440, 450, "a"}}, {"435..439 no object covers it", "440..450 a", "451..560 no object covers it"}},
      {"wider than the hole", {{400, 600, "a"}}, {"435..560 a"}},
      {"two", {{435, 500, "a"}, {501, 560, "b"}}, {"435..500 a", "501..560 b"}},
      {"overlapping", {{435, 500, "a"}, {490, 560, "b"}}, {"435..500 a", "501..560 b"}},
      {"covered by an object after all", {{309, 400, "a"}}, {"435..560 no object covers it"}},
      {"before everything", {{2, 100, "a"}}, {"435..560 no object covers it"}},
      {"after everything: its full is not there yet",
       {{687, 900, "a"}},
       {"435..560 no object covers it", "687..900 a"}},
  };
  for (const GapRow& row : rows) {
    SCOPED_TRACE(row.name);
    MemStore store;
    for (const char* key : {kF308, kD309, kD561}) put(store, key);
    for (const auto& [first, last, reason] : row.recorded) put_gap(store, first, last, reason);
    const auto timeline = read_timeline(store);
    ASSERT_TRUE(timeline) << timeline.error().what;
    EXPECT_EQ(print_gaps(*timeline), row.gaps);
    EXPECT_EQ(raw(timeline->latest()), 434);
  }
}

TEST(Timeline, DamagedSidecarsAreToldAndLeftOut) {
  MemStore store;
  put(store, kF308);
  put(store, kD309);
  put(store, "v2/Incr-00000309-00000500-1795246399.gz");
  put(store, claim_key(Revision(309), 1), "{\"kind\":\"Claim\"");
  put(store, "tidemark/claims/readme.txt");
  put(store, gap_key({Revision(1), Revision(2)}), "");
  const auto timeline = read_timeline(store);
  ASSERT_TRUE(timeline) << timeline.error().what;
  EXPECT_THAT(strays(*timeline), IsEmpty());
  EXPECT_THAT(timeline->damaged, ElementsAre(HasSubstr("readme.txt"), HasSubstr("00309-000001.json: Claim: "),
                                             HasSubstr("tidemark/gaps/")));
}

TEST(Timeline, NewerSidecarsAreRefused) {
  for (const char* kind : {"Claim", "Gap"}) {
    MemStore store;
    put(store, kF308);
    put(store, kD309);
    put(store, "v2/Incr-00000309-00000500-1795246399.gz");
    const std::string key =
        kind == std::string_view("Gap") ? gap_key({Revision(1), Revision(2)}) : claim_key(Revision(309), 1);
    put(store, key, fmt::format("{{\"kind\":\"{}\",\"formatVersion\":2}}", kind));
    const auto timeline = read_timeline(store);
    ASSERT_FALSE(timeline) << kind;
    EXPECT_EQ(timeline.error().code, Errc::unsupported);
    EXPECT_THAT(timeline.error().what, HasSubstr(key));
  }
}

TEST(Timeline, EveryStoreFailureIsReported) {
  MemStore inner;
  put(inner, kF308);
  put(inner, kD309);
  put(inner, "v2/Incr-00000309-00000500-1795246399.gz");
  put_claim(inner, 309, 1, kD309);
  put_gap(inner, 2000, 2001, "a");
  store::testing::FaultyStore store(inner);
  store.fail_call(0, Errc::io);
  ASSERT_TRUE(read_timeline(store));
  const int calls = store.calls();
  ASSERT_GT(calls, 6);
  for (int n = 1; n <= calls; ++n) {
    store.fail_call(n, Errc::unavailable);
    const auto timeline = read_timeline(store);
    ASSERT_FALSE(timeline) << n;
    EXPECT_EQ(timeline.error().code, Errc::unavailable) << n;
  }
}

struct FixtureRow {
  const char* prefix;  // below testdata/etcd-backup-restore
  std::size_t fulls, deltas, ignored;
  std::int64_t earliest, latest;
  std::vector<std::string> gaps;
};

TEST(Timeline, BucketsOfEtcdBackupRestore) {
  const FixtureRow rows[] = {
      {"00-control-gz/bucket", 1, 5, 0, 308, 938, {}},
      {"02-issue1043-duplicate-delta/bucket", 1, 6, 0, 308, 938, {}},
      {"02-issue1043-overlap/bucket", 1, 6, 0, 308, 938, {}},
      {"07-missing-first-delta/bucket", 1, 4, 0, 308, 308, {"309..434 no object covers it"}},
      {"07-missing-middle-delta/bucket", 1, 4, 0, 308, 560, {"561..686 no object covers it"}},
      {"08-prefix-ending-v1/bucket/shoot-v1/etcd", 1, 5, 0, 308, 938, {}},
      {"08-sibling-prefix/bucket/foo", 1, 2, 0, 308, 560, {}},
      {"08-sibling-prefix/bucket/foobar", 1, 0, 0, 938, 938, {}},
      {"08-sibling-prefix/bucket", 0, 0, 0, -1, -1, {}},
      {"09-final/bucket", 1, 5, 0, 308, 938, {}},
      {"09-suffix-Z/bucket", 1, 5, 0, 308, 938, {}},
      {"09-suffix-none/bucket", 1, 5, 0, 308, 938, {}},
      {"09-suffix-zlib/bucket", 1, 5, 0, 308, 938, {}},
      {"09-v1/bucket", 1, 5, 0, 308, 938, {}},
      {"52-sibling-dir-tidemark/bucket", 1, 5, 0, 308, 938, {}},
      {"52-sibling-dir-tidemark-prefix/bucket/pre", 1, 5, 0, 308, 938, {}},
      {"54-stray-nonparsing/bucket", 1, 5, 1, 308, 938, {}},
  };
  for (const FixtureRow& row : rows) {
    SCOPED_TRACE(row.prefix);
    const io::Path root = io::Path(tidemark::testing::source_dir()) / "testdata/etcd-backup-restore" / row.prefix;
    const auto store = store::DirStore::open(root, store::DirStore::Access::read_only);
    ASSERT_TRUE(store) << store.error().what;
    const auto timeline = read_timeline(**store);
    ASSERT_TRUE(timeline) << timeline.error().what;
    EXPECT_EQ(timeline->fulls.size(), row.fulls);
    EXPECT_EQ(timeline->deltas.size(), row.deltas);
    EXPECT_EQ(timeline->ignored.size(), row.ignored);
    EXPECT_EQ(raw(timeline->earliest()), row.earliest);
    EXPECT_EQ(raw(timeline->latest()), row.latest);
    EXPECT_EQ(print_gaps(*timeline), row.gaps);
    EXPECT_THAT(timeline->damaged, IsEmpty());
  }
}

}  // namespace
}  // namespace tidemark::catalog
