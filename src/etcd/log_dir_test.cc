#include "etcd/log_dir.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fstream>

#include "base/testing/source_dir.h"
#include "bolt/testing/sample.h"
#include "etcd/data_dir.h"
#include "etcd/raft_snap.h"
#include "etcd/testing/sample.h"
#include "etcd/wal.h"

namespace tidemark::etcd {
namespace {

using ::testing::HasSubstr;

const io::Path kFinal = io::Path(tidemark::testing::source_dir()) / "testdata/etcd-snapshots/3.6/final.db";

mode_t mode_of(const io::Path& path) {
  struct stat s{};
  EXPECT_EQ(::stat(path.c_str(), &s), 0) << path;
  return s.st_mode & 07777;
}

void put_file(const io::Path& path, Bytes bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

class DataDirTest : public ::testing::Test {
 protected:
  void build(std::string_view initial_cluster, std::string_view name) {
    cluster_ = plan_cluster(initial_cluster, kDefaultToken).value();
    const auto base = testing::open_snapshot(kFinal).value();
    const DatabaseState state = read_state(base).value();
    SmallBuckets buckets;
    buckets.cluster = cluster_;
    buckets.compacted = state.finished_compaction;
    buckets.leases = state.leases;
    const auto built = testing::build_data_dir(dir_.root, base, buckets, cluster_.find(name)->id);
    ASSERT_TRUE(built) << built.error().what;
  }
  Status check() { return check_log(dir_.member(), bolt::Reader::open(dir_.database()).value()); }
  std::string complaint() {
    const Status status = check();
    return status ? "none" : status.error().what;
  }
  io::Path segment() const { return dir_.wal() / wal_file_name(0, 0); }
  // The log again, made of other parts.
  void rewrite(const std::function<void(WalSegment&)>& fill) {
    WalSegment out;
    fill(out);
    put_file(segment(), out.bytes());
  }
  void entries(WalSegment& out) const {
    std::uint64_t index = 0;
    for (std::size_t n = cluster_.members.size(); n > 0; n--)
      out.entry({RaftEntry::Kind::conf_change, 1, ++index, as_bytes("x")});
  }
  MemberId self() const { return cluster_.members[0].id; }

  io::TempDir temp_ = io::TempDir::create().value();
  DataDir dir_{temp_.path() / "data"};
  NewCluster cluster_;
};

TEST_F(DataDirTest, WholeAndRight) {
  build("a=http://127.0.0.1:1,b=http://127.0.0.1:2,c=http://127.0.0.1:3", "b");
  EXPECT_EQ(complaint(), "none");
  for (const io::Path& path : {dir_.root, dir_.member(), dir_.snap(), dir_.wal()}) EXPECT_EQ(mode_of(path), 0700U);
  const io::Path snap = dir_.snap() / "0000000000000001-0000000000000003.snap";
  for (const io::Path& path : {snap, segment(), dir_.database()}) EXPECT_EQ(mode_of(path), 0600U);

  const auto log = read_wal(dir_.wal()).value();
  EXPECT_EQ(log.metadata.node, cluster_.find("b")->id);
  EXPECT_EQ(log.metadata.cluster, cluster_.id);
  EXPECT_EQ(log.state.vote, cluster_.members[0].id);
  EXPECT_EQ(log.state.commit, 3U);
  EXPECT_EQ(log.entries, 3U);

  const auto base = testing::open_snapshot(kFinal).value();
  const auto database = bolt::Reader::open(dir_.database()).value();
  EXPECT_EQ(hash_kv(database)->hash, hash_kv(base)->hash);
  EXPECT_THAT(bolt::check_structure(database), ::testing::IsEmpty());
  const auto report = check_rows(database, RowRules::chains).value();
  EXPECT_TRUE(report.findings.empty()) << report.findings[0].text;
  const auto was = read_state(base).value(), is = read_state(database).value();
  EXPECT_EQ(is.consistent_index, 3U);
  EXPECT_EQ(is.term, 1U);
  EXPECT_EQ(is.revision, was.revision);
  EXPECT_EQ(is.auth_users, was.auth_users);
  EXPECT_EQ(is.auth_roles, was.auth_roles);
  EXPECT_EQ(is.cluster_version, "");
  EXPECT_EQ(is.storage_version, "");
  ASSERT_EQ(is.leases.size(), 1U);
  EXPECT_EQ(is.leases[0].id, was.leases[0].id);
  EXPECT_EQ(is.leases[0].granted_ttl_s, was.leases[0].granted_ttl_s);
  EXPECT_THAT(database.bucket_names().value(),
              ::testing::ElementsAre("alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members",
                                     "members_removed", "meta"));
}

TEST_F(DataDirTest, NothingIsOverwritten) {
  build(kDefaultInitialCluster, kDefaultName);
  EXPECT_EQ(make_data_dir(dir_).error().code, Errc::already_exists);
  EXPECT_EQ(write_log(dir_.member(), cluster_, self()).error().code, Errc::already_exists);
  EXPECT_EQ(write_log(temp_.path() / "other", cluster_, MemberId(1)).error().code, Errc::invalid);
}

TEST_F(DataDirTest, EveryTruncationOfTheLogIsNoticed) {
  build(kDefaultInitialCluster, kDefaultName);
  const Buffer whole = io::read_file(segment(), 1000).value();
  for (std::size_t size = 0; size < whole.size(); size++) {
    put_file(segment(), Bytes(whole).first(size));
    EXPECT_NE(complaint(), "none") << size;
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 5) {
    Buffer flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    put_file(segment(), flipped);
    EXPECT_NE(complaint(), "none") << bit;
  }
  put_file(segment(), whole);
  EXPECT_EQ(complaint(), "none");
}

TEST_F(DataDirTest, EveryFaultOfTheLog) {
  build(kDefaultInitialCluster, kDefaultName);
  const std::vector<MemberId> voters{self()};
  using W = WalSegment;
  const struct {
    std::function<void(W&)> fill;
    const char* text;
  } rows[] = {
      {[&](W& w) { w.metadata(self(), cluster_.id), w.snapshot({}), entries(w), w.state({1, self(), 1}); },
       "no snapshot record of a .snap file"},
      {[&](W& w) { w.metadata(self(), cluster_.id), entries(w), w.state({1, self(), 1}), w.snapshot({1, 1, voters}); },
       "no snapshot record of the start"},
      {[&](W& w) { w.metadata(self(), cluster_.id), w.snapshot({}), entries(w), w.snapshot({1, 1, voters}); },
       "no snapshot record of a .snap file"},
      {[&](W& w) {
         w.metadata(self(), cluster_.id), w.snapshot({}), w.state({1, self(), 1}), w.snapshot({1, 1, voters});
       },
       "the entries 1 to 1 are not all there"},
      {[&](W& w) {
         w.metadata(self(), cluster_.id), w.snapshot({}), entries(w), w.state({1, self(), 2});
         w.snapshot({1, 1, voters});
       },
       "commit 2 is outside of [1, 1]"},
      {[&](W& w) {
         w.metadata(MemberId(5), cluster_.id), w.snapshot({}), entries(w), w.state({1, self(), 1});
         w.snapshot({1, 1, voters});
       },
       "its own member 5 is not among"},
      {[&](W& w) {
         w.metadata(self(), cluster_.id), w.snapshot({}), entries(w), w.state({1, self(), 1});
         w.snapshot({1, 1, {MemberId(6)}});
       },
       "names the members 6"},
      {[&](W& w) {
         w.metadata(self(), cluster_.id), w.snapshot({}), entries(w);
         w.entry({RaftEntry::Kind::normal, 1, 2, as_bytes("x")}), w.state({1, self(), 2}), w.snapshot({2, 1, voters});
       },
       "consistent_index 1 is outside of [2, 2]"},
      {[&](W& w) {
         w.metadata(self(), cluster_.id), w.snapshot({}), entries(w), w.state({1, self(), 1});
         w.snapshot({1, 2, voters});
       },
       "0000000000000002-0000000000000001.snap"},
  };
  for (const auto& row : rows) {
    rewrite(row.fill);
    EXPECT_THAT(complaint(), HasSubstr(row.text));
  }
}

TEST_F(DataDirTest, SnapFaults) {
  build(kDefaultInitialCluster, kDefaultName);
  const io::Path snap = dir_.snap() / snap_file_name(1, 1);
  const auto say = [&](const RaftSnapshot& snapshot) {
    put_file(snap, encode_raft_snapshot(snapshot));
    return complaint();
  };
  const std::string store = v2_store_json(cluster_);
  EXPECT_EQ(say({1, 1, {self()}, {}, store}), "none");
  EXPECT_THAT(say({2, 1, {self()}, {}, store}), HasSubstr("is of index 2"));
  EXPECT_THAT(say({1, 1, {MemberId(3)}, {}, store}), HasSubstr("names the members 3"));
  EXPECT_THAT(say({1, 1, {self()}, {}, "{}"}), HasSubstr("no /0/members"));
  const std::string other = v2_store_json(plan_cluster("x=http://x:1", "t").value());
  EXPECT_THAT(say({1, 1, {self()}, {}, other}), HasSubstr("the v2 store names the members"));
  std::filesystem::remove(snap);
  EXPECT_EQ(check().error().code, Errc::not_found);
}

TEST_F(DataDirTest, DatabaseOfAnotherLife) {
  build(kDefaultInitialCluster, kDefaultName);
  const auto foreign = testing::open_snapshot(kFinal).value();
  EXPECT_FALSE(check_log(dir_.member(), foreign)) << "its consistent_index lies far behind the log";
}

TEST_F(DataDirTest, Locks) {
  EXPECT_EQ(held_by_etcd(dir_), false) << "no directory";
  build(kDefaultInitialCluster, kDefaultName);
  EXPECT_EQ(held_by_etcd(dir_), false);
  {
    const io::Fd fd = io::open_file(dir_.database(), O_RDWR).value();
    ASSERT_EQ(::flock(fd.get(), LOCK_EX), 0);
    EXPECT_EQ(held_by_etcd(dir_), true);
  }
  EXPECT_EQ(held_by_etcd(dir_), false);
  {
    const io::Fd fd = io::open_file(segment(), O_RDWR).value();
    struct flock lock{};
    lock.l_type = F_WRLCK;
    ASSERT_EQ(::fcntl(fd.get(), F_OFD_SETLK, &lock), 0);
    EXPECT_EQ(held_by_etcd(dir_), true);
  }
  EXPECT_EQ(held_by_etcd(dir_), false);
}

TEST(RaftSnap, RoundTripTruncationAndFlips) {
  const NewCluster cluster = plan_cluster("a=http://a:1,b=http://b:1", "t").value();
  const RaftSnapshot snapshot{2, 1, {MemberId(4), MemberId(5)}, {MemberId(6)}, v2_store_json(cluster)};
  const Buffer file = encode_raft_snapshot(snapshot);
  const auto back = decode_raft_snapshot(file).value();
  EXPECT_EQ(back.index, 2U);
  EXPECT_EQ(back.term, 1U);
  EXPECT_EQ(back.voters, snapshot.voters);
  EXPECT_EQ(back.learners, snapshot.learners);
  EXPECT_EQ(back.v2_store, snapshot.v2_store);
  EXPECT_EQ(v2_store_members(back.v2_store).value(),
            (std::vector<MemberId>{cluster.members[0].id, cluster.members[1].id}));
  for (std::size_t size = 0; size < file.size(); size++)
    EXPECT_EQ(decode_raft_snapshot(Bytes(file).first(size)).error().code, Errc::torn) << size;
  for (std::size_t bit = 0; bit < file.size() * 8; bit++) {
    Buffer flipped = file;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(decode_raft_snapshot(flipped)) << bit;
  }
}

TEST(RaftSnap, V2StoreMembersBad) {
  for (const char* bad : {"", "[]", "{", R"({"Root":{"Children":{"0":{"Children":{"members":{"Children":null}}}}}})",
                          R"({"Root":{"Children":{"0":{"Children":{"members":{"Children":{"x":{}}}}}}}})"})
    EXPECT_EQ(v2_store_members(bad).error().code, Errc::corrupt) << bad;
}

}  // namespace
}  // namespace tidemark::etcd
