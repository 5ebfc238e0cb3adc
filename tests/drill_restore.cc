// Restored directories on real etcds, 3.4 to 3.7, one and three members: they start, hold exactly what was recorded,
// take writes, compaction, defragmentation, kills, new members; and clients that watched before are told to start
// again.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/testing/source_dir.h"
#include "bolt/reader.h"
#include "etcd/database.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "link/etcd_client.h"
#include "restore/testing/live_state.h"
#include "store/dir_store.h"

namespace tidemark::testing {
namespace {

using restore::EtcdRestore;
using restore::Restored;

const io::Path kFixture =
    io::Path(tidemark::testing::source_dir()) / "testdata" / "etcd-backup-restore" / "00-control-gz";

Result<Restored> restore_fixture(const EtcdRestore& wish) {
  TM_LET(const auto store, store::DirStore::open(kFixture / "bucket", store::DirStore::Access::read_only));
  const auto origin = restore::store_origin(*store);
  restore::testing::Listener listener;
  restore::Steps steps;
  return restore::restore_etcd(wish, *origin, listener, system_clock(), steps, {});
}

restore::testing::LiveState expected() {
  return restore::testing::expected_state(kFixture / "expected" / "kv.jsonl.gz").value();
}

restore::testing::LiveState state_of(const std::vector<StoredKey>& keys) {
  restore::testing::LiveState state;
  for (const StoredKey& key : keys) {
    state[key.key] = {key.value, key.create.raw(), key.mod.raw(), key.version, key.lease.raw()};
  }
  return state;
}

// bbolt's own check of a database that no etcd has open.
void expect_sound(const io::Path& database) {
  const auto reader = bolt::Reader::open(database);
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_EQ(bolt::check_structure(*reader), std::vector<std::string>{});
  const auto program = bbolt_program();
  ASSERT_TRUE(program) << program.error().what;
  const auto checked = run_program({program->string(), "check", database.string()});
  ASSERT_TRUE(checked) << checked.error().what;
  EXPECT_EQ(checked->exit_code, 0) << checked->out << checked->err;
}

// A cluster needs some seconds after it lost a leader or a member came back; until then it says no.
template <class Call>
auto patiently(Call call) {
  auto answer = call();
  for (int i = 0; i < 2000 && !answer; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    answer = call();
  }
  return answer;
}

class RestoreDrill : public ::testing::TestWithParam<EtcdVersion> {};

TEST_P(RestoreDrill, OneMemberWithTheDefaults) {
  const auto temp = io::TempDir::create();
  EtcdRestore wish;
  wish.data_dir = temp->path() / "data";
  wish.target_version = std::string(version_name(GetParam()));
  const auto restored = restore_fixture(wish);
  ASSERT_TRUE(restored) << restored.error().what;
  expect_sound(wish.data_dir / "member" / "snap" / "db");

  EtcdSetup setup;
  setup.name = "default";
  setup.data_dir = wish.data_dir;
  auto etcd = EtcdProcess::start(GetParam(), setup);
  ASSERT_TRUE(etcd) << etcd.error().what;
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_TRUE(writer) << writer.error().what;

  Revision head;
  const auto keys = writer->read_all({}, &head);
  ASSERT_TRUE(keys) << keys.error().what;
  EXPECT_EQ(restore::testing::difference(state_of(*keys), expected()), "");
  EXPECT_EQ(head, restored->header);
  EXPECT_GE(head.raw(), 938 + 1'000'000'000);

  // Every lease that a key refers to exists and expires.
  std::set<LeaseId> leases;
  const auto stored = writer->leases();
  ASSERT_TRUE(stored) << stored.error().what;
  for (const StoredLease& lease : *stored) leases.insert(lease.id);
  std::size_t leased = 0;
  for (const StoredKey& key : *keys) {
    if (key.lease == LeaseId(0)) continue;
    ++leased;
    EXPECT_TRUE(leases.contains(key.lease)) << key.key;
  }
  EXPECT_GT(leased, 0U);

  // A client that watched before the restore.
  link::EtcdOptions options;
  options.endpoints = {etcd->client_url()};
  auto client = link::connect_etcd(options);
  ASSERT_TRUE(client) << client.error().what;
  auto feed = (*client)->watch(Revision(900));
  ASSERT_TRUE(feed) << feed.error().what;
  const auto told = (*feed)->next(std::chrono::seconds(20));
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Errc::compacted) << told.error().what;
  EXPECT_EQ((*feed)->compact_revision(), restored->header);

  const auto put = writer->put("hello", "world");
  ASSERT_TRUE(put) << put.error().what;
  EXPECT_EQ(*put, head.next());
  const auto lease = writer->lease_grant(1);
  ASSERT_TRUE(lease) << lease.error().what;
  ASSERT_TRUE(writer->put("short-lived", "x", *lease));
  const auto compacted = writer->compact(*put);
  ASSERT_TRUE(compacted) << compacted.error().what;
  ASSERT_TRUE(writer->defragment());

  // A second restore keeps its hands off a living etcd.
  EtcdRestore again = wish;
  again.replace = true;
  const auto refused = restore_fixture(again);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::conflict) << refused.error().what;

  etcd->kill();
  ASSERT_TRUE(etcd->restart());
  writer = EtcdWriter::connect(*etcd);
  ASSERT_TRUE(writer) << writer.error().what;
  for (int i = 0; i < 100; ++i) {
    const auto now = writer->read_all();
    ASSERT_TRUE(now) << now.error().what;
    if (now->size() == keys->size() + 1) break;  // "hello" is there, "short-lived" expired
    ASSERT_LT(i, 99) << "the lease did not expire";
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  ASSERT_TRUE(etcd->stop());
  expect_sound(wish.data_dir / "member" / "snap" / "db");

  // Replace what this etcd left, and keep it as the former member.
  const auto replaced = restore_fixture(again);
  ASSERT_TRUE(replaced) << replaced.error().what;
  EXPECT_TRUE(std::filesystem::exists(replaced->former / "snap" / "db"));
  ASSERT_TRUE(etcd->restart());
  writer = EtcdWriter::connect(*etcd);
  ASSERT_TRUE(writer) << writer.error().what;
  const auto back = writer->read_all();
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(restore::testing::difference(state_of(*back), expected()), "");
}

TEST_P(RestoreDrill, HistoryKeptAnswersEveryRevision) {
  const auto temp = io::TempDir::create();
  EtcdRestore wish;
  wish.data_dir = temp->path() / "data";
  wish.keep_history = true;
  wish.bump.kind = restore::RevisionBump::Kind::none;
  const auto restored = restore_fixture(wish);
  ASSERT_TRUE(restored) << restored.error().what;
  EtcdSetup setup;
  setup.name = "default";
  setup.data_dir = wish.data_dir;
  auto etcd = EtcdProcess::start(GetParam(), setup);
  ASSERT_TRUE(etcd) << etcd.error().what;
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_TRUE(writer) << writer.error().what;
  const auto meta =
      nlohmann::json::parse(as_text(io::read_file(kFixture / "expected" / "meta.json", 1U << 20U).value()));
  for (const auto& [name, at] : meta["revisions"].items()) {
    const auto hash = writer->hash_kv(Revision(at["rev"].get<std::int64_t>()));
    ASSERT_TRUE(hash) << hash.error().what;
    EXPECT_EQ(hash->hash, at["hashkv"].get<std::uint32_t>()) << "revision " << at["rev"];
    EXPECT_EQ(hash->compact, Revision(-1));
  }
}

TEST_P(RestoreDrill, ThreeMembers) {
  const auto temp = io::TempDir::create();
  std::vector<EtcdSetup> setups;
  std::string members;
  for (const char* name : {"m0", "m1", "m2"}) {
    EtcdSetup setup;
    setup.name = name;
    setup.data_dir = temp->path() / name;
    setup.peer_port = free_port().value();
    members += fmt::format("{}{}=http://127.0.0.1:{}", members.empty() ? "" : ",", name, setup.peer_port);
    setups.push_back(setup);
  }
  for (EtcdSetup& setup : setups) {
    setup.initial_cluster = members;
    setup.initial_cluster_token = "after-the-fire";
    EtcdRestore wish;
    wish.data_dir = setup.data_dir;
    wish.name = setup.name;
    wish.initial_cluster = members;
    wish.token = setup.initial_cluster_token;
    const auto restored = restore_fixture(wish);
    ASSERT_TRUE(restored) << restored.error().what;
  }
  auto cluster = EtcdCluster::start(GetParam(), setups);
  ASSERT_TRUE(cluster) << cluster.error().what;
  auto writer = EtcdWriter::connect((*cluster)[0]);
  ASSERT_TRUE(writer) << writer.error().what;
  const auto keys = writer->read_all();
  ASSERT_TRUE(keys) << keys.error().what;
  EXPECT_EQ(restore::testing::difference(state_of(*keys), expected()), "");

  // One is lost for a while, and comes back.
  (*cluster)[2].kill();
  Revision last;
  for (int i = 0; i < 20; ++i) {
    const auto put = patiently([&] { return writer->put(fmt::format("while-away-{}", i), "x"); });
    ASSERT_TRUE(put) << put.error().what;
    last = *put;
  }
  ASSERT_TRUE((*cluster)[2].restart());

  // A new one gets the database, not an empty store.
  const int port = free_port().value();
  const auto added =
      patiently([&] { return writer->member_add("m3", fmt::format("http://127.0.0.1:{}", port), true); });
  ASSERT_TRUE(added) << added.error().what;
  EtcdSetup fourth;
  fourth.name = "m3";
  fourth.peer_port = port;
  fourth.initial_cluster = added->initial_cluster;
  fourth.initial_cluster_token = "after-the-fire";
  fourth.initial_cluster_state = "existing";
  fourth.wait_ready = false;
  auto learner = EtcdProcess::start(GetParam(), fourth);
  ASSERT_TRUE(learner) << learner.error().what;
  const Status promoted = patiently([&] { return writer->member_promote(added->id); });
  ASSERT_TRUE(promoted) << promoted.error().what;
  ASSERT_TRUE(learner->wait_ready(std::chrono::seconds(30)));

  std::set<std::uint32_t> hashes;
  for (std::size_t i = 0; i < 4; ++i) {
    auto one = EtcdWriter::connect(i < 3 ? (*cluster)[i] : *learner);
    ASSERT_TRUE(one) << one.error().what;
    const auto hash = patiently([&] { return one->hash_kv(last); });  // it may still be catching up
    ASSERT_TRUE(hash) << hash.error().what;
    hashes.insert(hash->hash);
  }
  EXPECT_EQ(hashes.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Etcd, RestoreDrill, ::testing::ValuesIn(kEtcdVersions), [](const auto& tested) {
  std::string name = "v" + std::string(version_name(tested.param));
  name.replace(name.find('.'), 1, "_");
  return name;
});

}  // namespace
}  // namespace tidemark::testing
