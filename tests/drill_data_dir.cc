// A data directory written without etcd, started by every etcd: the same rows by HashKV, writes, compaction, a kill and
// a restart; and its log and database read back by us. Needs the testbed (see tests/CMakeLists.txt).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/testing/source_dir.h"
#include "etcd/data_dir.h"
#include "etcd/hashkv.h"
#include "etcd/log_dir.h"
#include "etcd/testing/sample.h"
#include "etcd/wal.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"

namespace tidemark::testing {
namespace {

struct Case {
  EtcdVersion version;
  std::int64_t bump;
};

class DataDirDrill : public ::testing::TestWithParam<Case> {};

// hash and compact revision as the server says.
std::pair<std::uint32_t, std::int64_t> server_hash(const EtcdProcess& etcd) {
  const auto answer = etcd.etcdctl({"endpoint", "hashkv", "-w", "json"});
  EXPECT_TRUE(answer) << answer.error().what;
  if (!answer) return {};
  const auto json = nlohmann::json::parse(*answer).at(0).at("HashKV");
  return {json.at("hash").get<std::uint32_t>(), json.at("compact_revision").get<std::int64_t>()};
}

TEST_P(DataDirDrill, StartsServesAndSurvivesAKill) {
  const auto [version, bump] = GetParam();
  auto temp = io::TempDir::create().value();
  const etcd::DataDir dir{temp.path() / "data"};
  const auto base = etcd::testing::open_snapshot(io::Path(tidemark::testing::source_dir()) /
                                                 "testdata/etcd-snapshots/3.5/tombstone-head-compacted.db")
                        .value();
  const auto state = etcd::read_state(base).value();
  etcd::SmallBuckets buckets;
  buckets.cluster = etcd::plan_cluster(etcd::kDefaultInitialCluster, etcd::kDefaultToken).value();
  buckets.compacted = Revision(state.revision.raw() + bump);
  buckets.leases = state.leases;
  const auto built = etcd::testing::build_data_dir(dir.root, base, buckets, buckets.cluster.members[0].id);
  ASSERT_TRUE(built) << built.error().what;
  const auto expected = etcd::hash_kv(bolt::Reader::open(dir.database()).value()).value();
  EXPECT_EQ(expected.at.raw(), 707 + bump);

  EtcdSetup setup;
  setup.name = "default";
  setup.data_dir = dir.root;
  auto etcd = EtcdProcess::start(version, setup);
  ASSERT_TRUE(etcd) << etcd.error().what;
  EXPECT_EQ(etcd::held_by_etcd(dir), true);
  EXPECT_EQ(server_hash(*etcd), std::pair(expected.hash, expected.compact.raw()));

  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_TRUE(writer) << writer.error().what;
  const auto put = writer->put("hello", "world");
  ASSERT_TRUE(put) << put.error().what;
  EXPECT_EQ(put->raw(), expected.at.raw() + 1);
  ASSERT_TRUE(writer->put("hello", "again"));
  const auto compacted = writer->compact(*put);
  ASSERT_TRUE(compacted) << compacted.error().what;
  ASSERT_TRUE(writer->defragment());
  const auto before_kill = server_hash(*etcd);
  etcd->kill();
  EXPECT_EQ(etcd::held_by_etcd(dir), false);
  ASSERT_TRUE(etcd->restart());
  EXPECT_EQ(server_hash(*etcd), before_kill);
  ASSERT_TRUE(etcd->stop());

  const auto log = etcd::read_wal(dir.wal());
  ASSERT_TRUE(log) << log.error().what;
  EXPECT_EQ(log->first_index, 1U);
  EXPECT_GT(log->entries, 5U);
  EXPECT_GE(log->last_index, log->state.commit);
  const auto database = bolt::Reader::open(dir.database()).value();
  const auto ours = etcd::hash_kv(database).value();
  EXPECT_EQ(std::pair(ours.hash, ours.compact.raw()), before_kill);
  const auto report = etcd::check_rows(database, etcd::RowRules::chains).value();
  EXPECT_TRUE(report.sound()) << report.findings[0].text;
}

INSTANTIATE_TEST_SUITE_P(Etcd, DataDirDrill,
                         ::testing::Values(Case{EtcdVersion::v34, 0}, Case{EtcdVersion::v34, 1'000'000'000},
                                           Case{EtcdVersion::v35, 0}, Case{EtcdVersion::v35, 1'000'000'000},
                                           Case{EtcdVersion::v36, 0}, Case{EtcdVersion::v36, 1'000'000'000},
                                           Case{EtcdVersion::v37, 0}, Case{EtcdVersion::v37, 1'000'000'000}),
                         [](const auto& row) {
                           std::string name = "v" + std::string(version_name(row.param.version));
                           name.replace(name.find('.'), 1, "_");
                           return name + (row.param.bump == 0 ? "" : "_bumped");
                         });

}  // namespace
}  // namespace tidemark::testing
