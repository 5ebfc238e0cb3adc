// Buckets that etcd-backup-restore wrote, whole and broken: each comes back exactly, or as far as it can be proven, or
// is refused with its reason. Right answers: expected/ beside each bucket.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/testing/source_dir.h"
#include "etcd/hashkv.h"
#include "restore/testing/live_state.h"
#include "store/dir_store.h"

namespace tidemark::restore {
namespace {

const io::Path kFixtures = io::Path(tidemark::testing::source_dir()) / "testdata" / "etcd-backup-restore";

struct Outcome {
  Result<Restored> restored = fail(Errc::cancelled, "not run");
  io::TempDir dir;
  testing::Listener listener{};
  io::Path database() const { return dir.path() / "data" / "member" / "snap" / "db"; }
};

Outcome run(const io::Path& bucket, const EtcdRestore& base) {
  Outcome outcome{.dir = *io::TempDir::create()};
  EtcdRestore wish = base;
  wish.data_dir = outcome.dir.path() / "data";
  auto store = store::DirStore::open(bucket, store::DirStore::Access::read_only);
  if (!store) {
    outcome.restored = std::unexpected(store.error());
    return outcome;
  }
  const auto origin = store_origin(**store);
  Steps steps;
  outcome.restored = restore_etcd(wish, *origin, outcome.listener, system_clock(), steps, {});
  return outcome;
}

nlohmann::json meta_of(const std::string& fixture) {
  const auto bytes = io::read_file(kFixtures / fixture / "expected" / "meta.json", 1U << 20U);
  return nlohmann::json::parse(as_text(*bytes));
}

struct Case {
  std::string name;         // of the fixture
  std::string prefix = "";  // inside bucket/
  std::int64_t reach = 0;   // 0: final_revision; otherwise only this far, and told as incomplete
  bool complete = true;
  bool skip_digest = false;
  Errc refused = Errc::cancelled;  // cancelled: not refused
  std::string reason = "";         // in the refusal or in the hole's reason
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name << (c.skip_digest ? " --skip-digest" : ""); }

class Foreign : public ::testing::TestWithParam<Case> {};

TEST_P(Foreign, LatestComesBackOrSaysWhyNot) {
  const Case& c = GetParam();
  EtcdRestore wish;
  wish.skip_digest = c.skip_digest;
  const Outcome outcome = run(kFixtures / c.name / "bucket" / c.prefix, wish);
  if (c.refused != Errc::cancelled) {
    ASSERT_FALSE(outcome.restored);
    EXPECT_EQ(outcome.restored.error().code, c.refused) << outcome.restored.error().what;
    EXPECT_NE(outcome.restored.error().what.find(c.reason), std::string::npos) << outcome.restored.error().what;
    EXPECT_FALSE(std::filesystem::exists(outcome.dir.path() / "data" / "member"));
    return;
  }
  ASSERT_TRUE(outcome.restored) << outcome.restored.error().what;
  const auto meta = meta_of(c.name);
  const Revision reach(c.reach != 0 ? c.reach : meta["final_revision"].get<std::int64_t>());
  EXPECT_EQ(outcome.restored->plan.reach, reach);
  EXPECT_EQ(outcome.restored->plan.complete(), c.complete);
  EXPECT_EQ(outcome.restored->plan.holes.empty(), c.complete);
  if (!c.complete) {
    EXPECT_NE(outcome.restored->plan.holes.front().reason.find(c.reason), std::string::npos)
        << outcome.restored->plan.holes.front().reason;
  } else {
    const auto database = bolt::Reader::open(outcome.database());
    ASSERT_TRUE(database) << database.error().what;
    const auto is = testing::live_state(*database, reach);
    ASSERT_TRUE(is) << is.error().what;
    const auto should = testing::expected_state(kFixtures / c.name / "expected" / "kv.jsonl.gz");
    ASSERT_TRUE(should) << should.error().what;
    EXPECT_EQ(testing::difference(*is, *should), "");
    EXPECT_FALSE(should->empty() && c.name.find("963") == std::string::npos);
  }
  EXPECT_GE(outcome.restored->header.raw(), reach.raw() + 1'000'000'000);
  EXPECT_TRUE(std::filesystem::exists(outcome.dir.path() / "data" / "tidemark-restore-report.txt"));
  EXPECT_FALSE(std::filesystem::exists(outcome.dir.path() / "data" / ".tidemark-partial"));
}

TEST_P(Foreign, EveryListedRevisionHasItsHash) {
  const Case& c = GetParam();
  const auto meta = meta_of(c.name);
  if (c.refused != Errc::cancelled) {  // then its last revision is not to be had by name either
    EtcdRestore wish;
    wish.target = Target::at(Revision(meta["final_revision"].get<std::int64_t>()));
    wish.skip_digest = c.skip_digest;
    EXPECT_FALSE(run(kFixtures / c.name / "bucket" / c.prefix, wish).restored);
    return;
  }
  std::map<std::int64_t, std::uint32_t> hashes{
      {meta["final_revision"].get<std::int64_t>(), meta["hashkv_at_final_whole_history"].get<std::uint32_t>()}};
  if (meta.contains("revisions")) {
    for (const auto& [name, at] : meta["revisions"].items()) hashes[at["rev"]] = at["hashkv"];
  }
  const std::int64_t reach = c.reach != 0 ? c.reach : meta["final_revision"].get<std::int64_t>();
  // All of them where the chain itself is special; elsewhere one in the middle and the last.
  const bool all = c.name.starts_with("00") || c.name.starts_with("01") || c.name.starts_with("02-") || !c.complete;
  if (!all && hashes.size() > 2)
    std::erase_if(hashes, [](const auto& at) { return at.first != 620 && at.first < 900; });
  for (const auto& [revision, hash] : hashes) {
    EtcdRestore wish;
    wish.target = Target::at(Revision(revision));
    wish.keep_history = true;
    wish.bump.kind = RevisionBump::Kind::none;
    wish.skip_digest = c.skip_digest;
    const Outcome outcome = run(kFixtures / c.name / "bucket" / c.prefix, wish);
    if (revision > reach) {
      ASSERT_FALSE(outcome.restored);
      EXPECT_EQ(outcome.restored.error().code, Errc::not_found) << outcome.restored.error().what;
      EXPECT_NE(outcome.restored.error().what.find(fmt::format("nearest before: {}", reach)), std::string::npos)
          << outcome.restored.error().what;
      continue;
    }
    ASSERT_TRUE(outcome.restored) << revision << ": " << outcome.restored.error().what;
    EXPECT_EQ(outcome.restored->header, Revision(revision));
    const auto database = bolt::Reader::open(outcome.database());
    ASSERT_TRUE(database) << database.error().what;
    const auto answer = etcd::hash_kv(*database, Revision(revision), etcd::kNeverCompacted);
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->hash, hash) << "at revision " << revision;
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* whole : {"00-control-gz",
                            "01-issue1044-full-ahead-overlap-ok",
                            "01-issue1044-full-equals-d1",
                            "01-issue1044-full-equals-d2",
                            "02-issue1043-duplicate-delta",
                            "02-issue1043-overlap",
                            "03-issue1045-lease-expires-before-first-delta",
                            "03-lease-ids-in-delta",
                            "04-issue963-delete-10000-long-keys-one-revision",
                            "04-issue963-delete-12000-keys-one-revision",
                            "09-final",
                            "09-suffix-Z",
                            "09-suffix-none",
                            "09-suffix-zlib",
                            "09-v1",
                            "10-source-etcd-3.6",
                            "50-multimember-full",
                            "51-fextra-each-member",
                            "51-fextra-head-65535",
                            "51-fextra-tail-4096",
                            "51-fextra-tail-64",
                            "51-fextra-tail-65535",
                            "52-sibling-dir-tidemark",
                            "53-multimember-deltas",
                            "54-json-extra-fields",
                            "54-stray-nonparsing"}) {
    all.push_back({.name = whole});
  }
  all.push_back({.name = "05-full-bitflip", .refused = Errc::corrupt, .reason = "Full-00000000-00000308"});
  all.push_back({.name = "05-full-without-hash", .refused = Errc::corrupt, .reason = "SHA-256"});
  all.push_back({.name = "05-full-without-hash", .skip_digest = true});
  all.push_back({.name = "06-empty-last-delta", .reach = 812, .complete = false, .reason = "Incr-00000813"});
  all.push_back({.name = "06-truncated-last-delta", .reach = 812, .complete = false, .reason = "Incr-00000813"});
  all.push_back({.name = "07-missing-first-delta", .reach = 308, .complete = false, .reason = "no object"});
  all.push_back({.name = "07-missing-middle-delta", .reach = 560, .complete = false, .reason = "no object"});
  all.push_back({.name = "08-prefix-ending-v1", .prefix = "shoot-v1/etcd"});
  all.push_back({.name = "08-sibling-prefix", .prefix = "foo"});
  all.push_back({.name = "51-trailing-junk", .refused = Errc::corrupt, .reason = "Full-00000000-00000308"});
  all.push_back({.name = "52-sibling-dir-tidemark-prefix", .prefix = "pre"});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Buckets, Foreign, ::testing::ValuesIn(cases()), [](const auto& tested) {
  std::string name = tested.param.name + (tested.param.skip_digest ? "_skip" : "");
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
});

// No fixture may be left out by mistake.
TEST(Foreign, EveryFixtureHasItsCase) {
  std::set<std::string> there, told;
  for (const auto& entry : std::filesystem::directory_iterator(kFixtures)) {
    if (entry.is_directory()) there.insert(entry.path().filename().string());
  }
  for (const Case& c : cases()) told.insert(c.name);
  EXPECT_EQ(there, told);
}

}  // namespace
}  // namespace tidemark::restore
