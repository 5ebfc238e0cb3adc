// The promise, on random histories of real etcds: whatever was recorded comes back exactly, at every revision.
//
// A history (puts, deletes, range deletes, transactions, leases, empty and large values, compactions) runs on a real
// etcd while `tidemark record` watches. Then, at every revision that the source has not compacted:
//   --keep-history --revision-bump none: the rows are those of the source and HashKV is the source's;
// and with the defaults: live keys, values, leases, create, mod revision and version are the source's, and the store
// comes up at or above the newest revision that was ever published.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "base/testing/scale.h"
#include "bolt/reader.h"
#include "etcd/database.h"
#include "etcd/hashkv.h"
#include "etcd/row.h"
#include "io/file.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/program.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;

#define MUST(declaration, expression)                                                 \
  auto TM_CONCAT(must_, __LINE__) = (expression);                                     \
  ASSERT_TRUE(TM_CONCAT(must_, __LINE__)) << TM_CONCAT(must_, __LINE__).error().what; \
  declaration = *std::move(TM_CONCAT(must_, __LINE__))
#define MUST_DO(expression)                                        \
  do {                                                             \
    const auto done = (expression);                                \
    ASSERT_TRUE(done) << #expression << ": " << done.error().what; \
  } while (false)

// Random writes, biased towards few keys so that versions, deletions and re-creations pile up.
class History {
 public:
  History(EtcdWriter& etcd, std::uint64_t seed) : etcd_(etcd), random_(seed) {}

  Status step() {
    const std::uint64_t dice = random_() % 100;
    if (dice < 55) return said(etcd_.put(key(), value(), lease()));
    if (dice < 70) return said(etcd_.del(key()));
    if (dice < 75) return range_deletion();
    if (dice < 93) return transaction();
    if (dice < 97 && leases_.size() < 6) return grant();
    return revoke();
  }

 private:
  static Status said(const Result<Revision>& answer) {
    if (!answer) return std::unexpected(answer.error());
    return {};
  }

  std::string key() {
    return fmt::format("/registry/{}/ns-{}/o{}", kinds_[random_() % 3], random_() % 3, random_() % 12);
  }

  std::string value() {
    const std::uint64_t dice = random_() % 100;
    if (dice < 8) return {};
    std::size_t size = random_() % 400;
    if (dice == 99) size = 1'000'000;
    if (dice > 95 && dice < 99) size = 4'000 + random_() % 9'000;  // overflow pages
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>(random_());
    return out;
  }

  LeaseId lease() { return leases_.empty() || random_() % 4 != 0 ? LeaseId{} : leases_[random_() % leases_.size()]; }

  Status range_deletion() {
    const std::string from = fmt::format("/registry/{}/ns-{}/", kinds_[random_() % 3], random_() % 3);
    return said(etcd_.del_range(from, from.substr(0, from.size() - 1) + "0"));
  }

  Status transaction() {
    std::set<std::string> used;
    std::vector<WriteOp> ops;
    for (auto n = 2 + random_() % 6; n > 0; n--) {
      WriteOp op{.kind = random_() % 3 == 0 ? WriteOp::Kind::remove : WriteOp::Kind::put,
                 .key = key(),
                 .value = {},
                 .range_end = {},
                 .lease = {}};
      if (!used.insert(op.key).second) continue;  // etcd refuses a key twice in one transaction
      if (op.kind == WriteOp::Kind::put) {
        op.value = value().substr(0, 3'000);
        op.lease = lease();
      }
      ops.push_back(std::move(op));
    }
    return said(etcd_.txn(ops));
  }

  Status grant() {
    TM_LET(const LeaseId id, etcd_.lease_grant(36'000));
    leases_.push_back(id);
    return {};
  }

  Status revoke() {
    if (leases_.empty()) return {};
    const std::size_t n = random_() % leases_.size();
    TM_CHECK(etcd_.lease_revoke(leases_[n]));
    leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(n));
    return {};
  }

  EtcdWriter& etcd_;
  std::mt19937_64 random_;
  std::vector<LeaseId> leases_;
  static constexpr const char* kinds_[] = {"pods", "secrets", "events"};
};

using Rows = std::map<std::string, std::string>;  // bucket key -> value

Result<Rows> rows_of(const bolt::Reader& database, Revision up_to) {
  Rows rows;
  TM_LET(const bolt::Bucket bucket, database.bucket("key"));
  TM_CHECK(database.for_each(bucket, [&](const bolt::Element& row) -> Status {
    TM_LET(const etcd::RowId id, etcd::decode_row_key(row.key));
    if (id.main <= up_to) rows.emplace(as_text(row.key), as_text(row.value));
    return {};
  }));
  return rows;
}

// The live keys of a database at its end, as a client would read them.
Result<std::vector<StoredKey>> live_keys(const bolt::Reader& database) {
  std::map<std::string, StoredKey> live;
  TM_LET(const bolt::Bucket bucket, database.bucket("key"));
  TM_CHECK(database.for_each(bucket, [&](const bolt::Element& row) -> Status {
    TM_LET(const etcd::RowId id, etcd::decode_row_key(row.key));
    TM_LET(const etcd::KeyValue kv, etcd::decode_key_value(row.value));
    const std::string key(as_text(kv.key));
    live.erase(key);
    if (!id.tombstone)
      live.emplace(key, StoredKey{key, std::string(as_text(kv.value)), kv.create, kv.mod, kv.version, kv.lease});
    return {};
  }));
  std::vector<StoredKey> keys;
  for (auto& [key, stored] : live) keys.push_back(std::move(stored));
  return keys;
}

Result<Child> start_recorder(const EtcdProcess& etcd, const io::Path& dir) {
  return Child::start(
      {tidemark_program(), "record", "--endpoints", etcd.client_url(), "--store", "dir:" + (dir / "store").native(),
       "--spool-dir", (dir / "spool").native(), "--delta-period", "1s"},
      dir / "record.log");
}

Status restore(const io::Path& dir, Revision at, const io::Path& to, std::vector<std::string> more) {
  std::vector<std::string> argv = {
      tidemark_program(),        "restore",    "etcd",      "--store", "dir:" + (dir / "store").native(), "--at",
      fmt::format("rev:{}", at), "--data-dir", to.native(), "--yes"};
  argv.insert(argv.end(), more.begin(), more.end());
  TM_LET(const ProgramResult result, run_program(argv));
  if (result.exit_code != 0) return fail(Errc::invalid, "exit code {}: {}{}", result.exit_code, result.out, result.err);
  return {};
}

// Waits until the store holds everything up to `head`.
Status published(const io::Path& dir, Revision head, Child& recorder) {
  for (int tries = 0; tries < 300; tries++) {
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(dir / "store/v2", ec)) {
      const std::string name = entry.path().filename();
      if (name.starts_with("Incr-") && name.find(fmt::format("-{:08}-", head.raw()), 5) != std::string::npos) return {};
    }
    if (!recorder.running()) return fail(Errc::unavailable, "the recorder ended: {}", recorder.log_tail());
    std::this_thread::sleep_for(100ms);
  }
  return fail(Errc::timeout, "revision {} was never published: {}", head, recorder.log_tail());
}

class Property : public ::testing::TestWithParam<EtcdVersion> {};

// Rows above the source's compaction are exactly the source's; below it, the source's are a part of ours (it may have
// thrown away what our base still holds), and equal HashKV as compacted there says the rest.
void expect_same_rows(const bolt::Reader& ours, const Rows& source, Revision at, Revision compacted) {
  MUST(const Rows rows, rows_of(ours, at));
  for (const auto& [key, value] : rows) {
    MUST(const etcd::RowId id, etcd::decode_row_key(as_bytes(key)));
    if (id.main <= compacted) continue;
    const auto found = source.find(key);
    ASSERT_TRUE(found != source.end()) << "row " << id.main.raw() << "/" << id.sub
                                       << " is not the source's, at revision " << at.raw();
    ASSERT_TRUE(found->second == value) << "row " << id.main.raw() << "/" << id.sub << " differs, at revision "
                                        << at.raw();
  }
  for (const auto& [key, value] : source) {
    MUST(const etcd::RowId id, etcd::decode_row_key(as_bytes(key)));
    // A tombstone at or below the compaction is only a trace of how compaction went.
    if (id.main > at || (id.tombstone && id.main <= compacted)) continue;
    ASSERT_TRUE(rows.contains(key)) << "row " << id.main.raw() << "/" << id.sub << " is missing, at revision "
                                    << at.raw();
  }
}

TEST_P(Property, EveryRevisionComesBack) {
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam()));
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  MUST(const io::TempDir temp, io::TempDir::create());
  const std::uint64_t round = seed() + static_cast<std::uint64_t>(GetParam());
  std::mt19937_64 random(round);
  History history(writer, round);

  for (auto n = random() % 30; n > 0; n--) MUST_DO(history.step());
  MUST(Child recorder, start_recorder(etcd, temp.path()));
  const int steps = scaled(90);
  const int compact_after = static_cast<int>(random() % static_cast<std::uint64_t>(steps));
  for (int n = 0; n < steps; n++) {
    MUST_DO(history.step());
    if (n == 3) std::this_thread::sleep_for(1500ms);  // the first full falls somewhere into the history
    if (random() % 12 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 250));
    if (n == compact_after) {
      MUST(const Revision head, writer.head());
      if (head > Revision{3})
        MUST_DO(writer.compact(Revision(head.raw() - 1 - static_cast<std::int64_t>(random() % 3))));
    }
  }
  MUST_DO(writer.put("/registry/last", "one"));
  MUST(const Revision head, writer.head());
  MUST_DO(published(temp.path(), head, recorder));
  recorder.signal(SIGTERM);
  MUST(const int code, recorder.wait(4min));
  ASSERT_EQ(code, 0) << recorder.log_tail();

  // What the source says of itself.
  MUST_DO(etcd.etcdctl({"snapshot", "save", (temp.path() / "source.db").native()}));
  MUST(const std::uint64_t size, io::size_of_file(temp.path() / "source.db"));
  MUST(const bolt::Reader source, bolt::Reader::open(temp.path() / "source.db", size - 32));
  MUST(const etcd::DatabaseState state, etcd::read_state(source));
  ASSERT_EQ(state.revision, head);
  MUST(const Rows source_rows, rows_of(source, head));

  Revision first = std::max(state.compacted(), Revision{2});
  for (const auto& entry : std::filesystem::directory_iterator(temp.path() / "store/v2")) {
    const std::string name = entry.path().filename();
    if (name.starts_with("Full-")) first = std::max(first, Revision(std::atoll(name.substr(14).c_str())));
  }
  ASSERT_LT(first, head);
  int compared = 0;
  for (Revision at = first; at <= head; at = at.next()) {
    const io::Path kept = temp.path() / "kept";
    MUST_DO(restore(temp.path(), at, kept, {"--keep-history", "--revision-bump", "none"}));
    {
      MUST(const bolt::Reader ours, bolt::Reader::open(kept / "member/snap/db"));
      expect_same_rows(ours, source_rows, at, state.compacted());
      if (HasFatalFailure()) return;
      if (at > state.compacted()) {  // at the compaction itself a server may answer from its cache
        MUST(const EtcdWriter::Hash hash, writer.hash_kv(at));
        MUST(const etcd::HashKvAnswer mine, etcd::hash_kv(ours, at, hash.compact));
        ASSERT_EQ(mine.hash, hash.hash) << "revision " << at.raw() << " compacted at " << hash.compact.raw();
        compared++;
      }
    }
    MUST_DO(io::remove_tree(kept));

    const io::Path plain = temp.path() / "plain";
    MUST_DO(restore(temp.path(), at, plain, {}));
    MUST(const bolt::Reader ours, bolt::Reader::open(plain / "member/snap/db"));
    MUST(const etcd::DatabaseState restored, etcd::read_state(ours));
    ASSERT_GE(restored.revision, head);
    MUST(const std::vector<StoredKey> live, live_keys(ours));
    MUST(const std::vector<StoredKey> wanted, writer.read_all(at));
    ASSERT_TRUE(live == wanted) << "live state at revision " << at.raw();
    std::set<LeaseId> leases;
    for (const etcd::LeaseState& lease : restored.leases) leases.insert(lease.id);
    for (const StoredKey& key : live) {
      ASSERT_TRUE(key.lease == LeaseId{} || leases.contains(key.lease))
          << key.key << " has a lease that was not restored";
    }
    MUST_DO(io::remove_tree(plain));
  }
  EXPECT_GT(compared, 0);
  std::printf("etcd %s: revisions %lld to %lld restored twice each, %d hashes compared\n",
              std::string(version_name(GetParam())).c_str(), static_cast<long long>(first.raw()),
              static_cast<long long>(head.raw()), compared);
}

INSTANTIATE_TEST_SUITE_P(Etcd, Property, ::testing::ValuesIn(kEtcdVersions), [](const auto& test) {
  std::string name = "v" + std::string(version_name(test.param));
  std::erase(name, '.');
  return name;
});

}  // namespace
}  // namespace tidemark::testing
