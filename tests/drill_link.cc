// The client against real etcds of every version: what it reads is what etcdctl and plain reads say.
#include <gtest/gtest.h>
#include <signal.h>

#include <map>

#include "crypto/sha256.h"
#include "io/file.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/tls_files.h"
#include "link/etcd_client.h"

namespace tidemark::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ms = milliseconds;

#define ASSERT_OK(expression)                                                    \
  do {                                                                           \
    const auto& tm_ok = (expression);                                            \
    ASSERT_TRUE(tm_ok.has_value()) << #expression << ": " << tm_ok.error().what; \
  } while (false)

link::EtcdOptions options_for(const std::vector<std::string>& endpoints) {
  link::EtcdOptions options;
  options.endpoints = endpoints;
  return options;
}

struct Copy {  // an event that outlives its batch
  bool deletion;
  std::string key, value;
  std::int64_t create, mod, version, lease;
  friend bool operator==(const Copy&, const Copy&) = default;
};
void PrintTo(const Copy& c, std::ostream* os) {
  *os << (c.deletion ? "del " : "put ") << c.key << " mod " << c.mod << " version " << c.version << " value of "
      << c.value.size();
}

// Reads until revision `last` was seen; every batch is checked for whole revisions.
Result<std::vector<Copy>> read_until(etcd::WatchFeed& feed, Revision last, Ms at_most = kPatience) {
  std::vector<Copy> events;
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  Revision seen;
  while (seen < last) {
    if (std::chrono::steady_clock::now() > deadline) return fail(Errc::timeout, "the watch stopped at {}", seen);
    TM_LET(const auto batch, feed.next(Ms(200)));
    if (!batch || batch->events.empty()) continue;
    if (batch->events.front().kv.mod <= seen) return fail(Errc::corrupt, "revision {} is in two batches", seen);
    for (const etcd::Event& e : batch->events) {
      events.push_back({e.deletion, std::string(as_text(e.kv.key)), std::string(as_text(e.kv.value)), e.kv.create.raw(),
                        e.kv.mod.raw(), e.kv.version, e.kv.lease.raw()});
    }
    seen = batch->events.back().kv.mod;
  }
  return events;
}

class EveryEtcd : public ::testing::TestWithParam<EtcdVersion> {};
INSTANTIATE_TEST_SUITE_P(Versions, EveryEtcd, ::testing::ValuesIn(kEtcdVersions),
                         [](const auto& row) { return "v" + std::string(version_name(row.param)).erase(1, 1); });

// The state that the events lead to, as a plain read would show it.
std::map<std::string, StoredKey> replay(const std::vector<Copy>& events) {
  std::map<std::string, StoredKey> state;
  for (const Copy& e : events) {
    if (e.deletion) {
      state.erase(e.key);
    } else {
      state[e.key] = {e.key, e.value, Revision(e.create), Revision(e.mod), e.version, LeaseId(e.lease)};
    }
  }
  return state;
}

TEST_P(EveryEtcd, WatchFromTheFirstRevisionIsTheWholeHistory) {
  auto etcd = EtcdProcess::start(GetParam());
  ASSERT_OK(etcd);
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_OK(writer);
  const auto lease = writer->lease_grant(600, LeaseId(77));
  ASSERT_OK(lease);
  ASSERT_OK(writer->put("a", "1"));         // 2
  ASSERT_OK(writer->put("b", "", *lease));  // 3
  ASSERT_OK(writer->put("a", "2"));         // 4
  const std::string binary("\0\xff\x80", 3);
  ASSERT_OK(writer->txn({{.key = "t/2", .value = "x"},
                         {.kind = WriteOp::Kind::remove, .key = "b"},
                         {.key = binary, .value = binary},
                         {.key = "t/1", .value = "y"}}));  // 5
  ASSERT_OK(writer->del_range("t/", "t0"));                // 6
  const auto last = writer->put("a", "3");                 // 7
  ASSERT_OK(last);
  ASSERT_EQ(last->raw(), 7);

  auto client = link::connect_etcd(options_for({etcd->client_url()}));
  ASSERT_OK(client);
  auto feed = (*client)->watch(Revision(1));
  ASSERT_OK(feed);
  const auto events = read_until(**feed, *last);
  ASSERT_OK(events);
  const std::vector<Copy> want = {
      {false, "a", "1", 2, 2, 1, 0},   {false, "b", "", 3, 3, 1, 77}, {false, "a", "2", 2, 4, 2, 0},
      {false, "t/2", "x", 5, 5, 1, 0}, {true, "b", "", 0, 5, 0, 0},   {false, binary, binary, 5, 5, 1, 0},
      {false, "t/1", "y", 5, 5, 1, 0}, {true, "t/1", "", 0, 6, 0, 0}, {true, "t/2", "", 0, 6, 0, 0},
      {false, "a", "3", 2, 7, 3, 0},
  };
  EXPECT_EQ(*events, want);
  EXPECT_EQ(etcd->etcdctl({"get", "a", "--print-value-only"}).value_or(""), "3\n");

  // What is written while the watch runs comes too, and a second watch can start in the middle.
  const auto more = writer->put("late", "z");
  ASSERT_OK(more);
  const auto later = read_until(**feed, *more);
  ASSERT_OK(later);
  EXPECT_EQ(later->size(), 1U);
  auto middle = (*client)->watch(Revision(6));
  ASSERT_OK(middle);
  const auto tail = read_until(**middle, *more);
  ASSERT_OK(tail);
  EXPECT_EQ(tail->size(), 4U);
  EXPECT_EQ(tail->front().key, "t/1");

  EXPECT_EQ((*client)->head().value_or(Revision()), *more);
}

TEST_P(EveryEtcd, LargeAnswersComeInFragmentsAndArePutTogether) {
  auto etcd = EtcdProcess::start(GetParam());
  ASSERT_OK(etcd);
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_OK(writer);
  Revision last;
  for (int i = 0; i < 12; i++) {
    const auto r = writer->put(fmt::format("big/{:02}", i % 5), std::string(1'000'000, static_cast<char>('a' + i)));
    ASSERT_OK(r);
    std::vector<WriteOp> ops;
    for (int k = 0; k < 100; k++) ops.push_back({.key = fmt::format("small/{}", k), .value = std::string(13'000, 's')});
    const auto t = writer->txn(ops);
    ASSERT_OK(t);
    last = *t;
  }
  ASSERT_OK(writer->del_range(std::string(1, '\0'), std::string(1, '\0')));
  last = last.next();

  link::EtcdOptions options = options_for({etcd->client_url()});
  options.watch_buffer = 1 << 20;  // smaller than one answer: the reader waits for us
  auto client = link::connect_etcd(options);
  ASSERT_OK(client);
  auto feed = (*client)->watch(Revision(1));
  ASSERT_OK(feed);
  const auto events = read_until(**feed, last);
  ASSERT_OK(events);
  EXPECT_EQ(events->size(), 12 * 101 + 105U);
  const auto before = writer->read_all(last.prev());
  ASSERT_OK(before);
  std::vector<Copy> puts(events->begin(), events->end() - 105);
  const auto state = replay(puts);
  ASSERT_EQ(state.size(), before->size());
  for (const StoredKey& key : *before) EXPECT_EQ(state.at(key.key), key) << key.key;
}

TEST_P(EveryEtcd, CompactedStartIsToldWithItsRevision) {
  auto etcd = EtcdProcess::start(GetParam());
  ASSERT_OK(etcd);
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_OK(writer);
  for (int i = 0; i < 10; i++) ASSERT_OK(writer->put("k", std::to_string(i)));
  ASSERT_OK(writer->compact(Revision(8)));
  auto client = link::connect_etcd(options_for({etcd->client_url()}));
  ASSERT_OK(client);

  auto gone = (*client)->watch(Revision(3));
  if (gone) {
    Result<std::optional<etcd::WatchBatch>> answer = std::nullopt;
    for (int i = 0; i < 3000 && answer && !*answer; i++) answer = (*gone)->next(Ms(200));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Errc::compacted) << answer.error().what;
    EXPECT_EQ((*gone)->compact_revision().raw(), 8);
  } else {
    EXPECT_EQ(gone.error().code, Errc::compacted) << gone.error().what;
  }
  auto there = (*client)->watch(Revision(9));
  ASSERT_OK(there);
  const auto events = read_until(**there, Revision(11));
  ASSERT_OK(events);
  EXPECT_EQ(events->size(), 3U);
}

// Etcd's hash of all buckets, and the numbers beside it; the size of the file may differ by free pages.
std::string contents_of(EtcdVersion version, const io::Path& snapshot) {
  const auto program = version == EtcdVersion::v34 ? etcdctl_program(version) : etcdutl_program(version);
  if (!program) return program.error().what;
  ProgramOptions options;
  options.environment = {"ETCDCTL_API=3"};
  const auto out = output_of({program->string(), "snapshot", "status", snapshot.string(), "-w", "json"}, options);
  if (!out) return out.error().what;
  EXPECT_NE(out->find("\"hash\""), std::string::npos) << *out;
  return out->substr(0, out->find(",\"totalSize\""));
}

TEST_P(EveryEtcd, SnapshotEqualsEtcdctls) {
  auto etcd = EtcdProcess::start(GetParam());
  ASSERT_OK(etcd);
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_OK(writer);
  for (int i = 0; i < 50; i++) ASSERT_OK(writer->put(fmt::format("k{}", i), std::string(20'000, 'x')));
  auto temp = io::TempDir::create();
  ASSERT_OK(temp);
  const io::Path theirs = temp->path() / "theirs.db";
  auto client = link::connect_etcd(options_for({etcd->client_url()}));
  ASSERT_OK(client);

  io::BufferSink ours;
  std::uint64_t told = 0, in_all = 0;
  const auto size = (*client)->snapshot(ours, [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_GE(done, told);
    told = done;
    in_all = total;
  });
  ASSERT_OK(size);
  EXPECT_EQ(*size, ours.buffer().size());
  EXPECT_EQ(*size % 512, 32U);
  EXPECT_EQ(told, *size);
  EXPECT_EQ(in_all, *size);
  const auto body = Bytes(ours.buffer()).first(*size - 32);
  EXPECT_EQ(to_hex(crypto::sha256(body)), to_hex(Bytes(ours.buffer()).last(32)));

  // Etcd's own programs read our copy and find in it what they find in theirs.
  const io::Path mine = temp->path() / "ours.db";
  ASSERT_OK(io::write_file_durably(mine, ours.buffer()));
  std::string in_theirs = "nothing yet";
  for (int i = 0; i < 5; i++) {  // etcd settles its cluster version in the first seconds: a quiet moment is needed
    std::error_code ignored;
    std::filesystem::remove(theirs, ignored);
    ASSERT_OK(etcd->etcdctl({"snapshot", "save", theirs.string()}));
    in_theirs = contents_of(GetParam(), theirs);
    if (in_theirs == contents_of(GetParam(), mine)) break;
    io::BufferSink again;
    ASSERT_OK((*client)->snapshot(again, nullptr));
    ASSERT_OK(io::write_file_durably(mine, again.buffer()));
  }
  EXPECT_EQ(contents_of(GetParam(), mine), in_theirs);

  struct Full final : io::Sink {
    Status write(Bytes) override { return fail(Errc::no_space, "disk is full"); }
    Status finish() override { return {}; }
  } full;
  const auto refused = (*client)->snapshot(full, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::no_space);
}

TEST_P(EveryEtcd, StatusHashMembersAndLeases) {
  auto etcd = EtcdProcess::start(GetParam(), {.name = "solo"});
  ASSERT_OK(etcd);
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_OK(writer);
  for (int i = 0; i < 200; i++) ASSERT_OK(writer->lease_grant(1000 + i, LeaseId(1000 + i)));
  ASSERT_OK(writer->lease_grant(500, LeaseId(-5 & 0x7fffffff)));
  Revision last;
  for (int i = 0; i < 9; i++) last = writer->put("k", std::to_string(i), LeaseId(1003)).value_or(Revision());
  ASSERT_OK(writer->compact(Revision(5)));
  auto client = link::connect_etcd(options_for({etcd->client_url()}));
  ASSERT_OK(client);

  const auto status = (*client)->status();
  ASSERT_OK(status);
  EXPECT_TRUE(status->version.starts_with(version_name(GetParam()))) << status->version;
  EXPECT_EQ(status->revision, last);
  EXPECT_EQ(status->leader, status->member);
  EXPECT_EQ(status->endpoint, etcd->client_url());
  EXPECT_GT(status->db_size, 0);
  EXPECT_GT(status->raft_index, 9U);

  const auto members = (*client)->members();
  ASSERT_OK(members);
  ASSERT_EQ(members->size(), 1U);
  EXPECT_EQ(members->front().name, "solo");
  EXPECT_EQ(members->front().id, status->member);
  EXPECT_EQ(members->front().peer_urls, std::vector{etcd->peer_url()});

  const auto hash = (*client)->hash_kv(last.prev(), {});
  ASSERT_OK(hash);
  EXPECT_EQ(hash->at, last.prev());
  EXPECT_EQ(hash->compact.raw(), 5);
  EXPECT_EQ(hash->header, last);
  const auto theirs = writer->hash_kv(last.prev());
  ASSERT_OK(theirs);
  EXPECT_EQ(hash->hash, theirs->hash);
  EXPECT_EQ((*client)->hash_kv(Revision(), {}).value_or(etcd::HashKv{}).at, last);
  const auto gone = (*client)->hash_kv(Revision(2), {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::compacted) << gone.error().what;
  std::stop_source nobody_waits;
  nobody_waits.request_stop();
  const auto cancelled = (*client)->hash_kv(last.prev(), nobody_waits.get_token());
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Errc::cancelled) << cancelled.error().what;

  const auto leases = (*client)->leases();
  ASSERT_OK(leases);
  ASSERT_EQ(leases->size(), 201U);
  EXPECT_EQ((*leases)[3].id, LeaseId(1003));
  EXPECT_EQ((*leases)[3].granted_ttl_s, 1003);
  EXPECT_GT((*leases)[3].remaining_ttl_s, 900);
}

TEST_P(EveryEtcd, UnixSocket) {
  EtcdSetup setup;
  setup.unix_socket = true;
  auto etcd = EtcdProcess::start(GetParam(), setup);
  ASSERT_OK(etcd);
  auto client = link::connect_etcd(options_for({etcd->unix_url()}));
  ASSERT_OK(client);
  EXPECT_EQ((*client)->head().value_or(Revision()).raw(), 1);
}

TEST_P(EveryEtcd, ProgressComesAsAnEmptyBatch) {
  EtcdSetup setup;
  setup.progress_notify = Ms(300);
  auto etcd = EtcdProcess::start(GetParam(), setup);
  ASSERT_OK(etcd);
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_OK(writer);
  ASSERT_OK(writer->put("k", "v"));
  auto client = link::connect_etcd(options_for({etcd->client_url()}));
  ASSERT_OK(client);
  auto feed = (*client)->watch(Revision(2));
  ASSERT_OK(feed);
  bool progress = false;
  for (int i = 0; i < 3000 && !progress; i++) {
    const auto batch = (*feed)->next(Ms(200));
    ASSERT_OK(batch);
    if (!*batch || !(*batch)->events.empty()) continue;
    EXPECT_EQ((*batch)->header.raw(), 2);
    progress = true;
  }
  EXPECT_TRUE(progress);
  (*feed)->cancel();
  const auto cancelled = (*feed)->next(Ms(10));
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Errc::cancelled);
}

}  // namespace
}  // namespace tidemark::testing
