#include "etcd/hashkv.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "etcd/testing/sample.h"

namespace tidemark::etcd {
namespace {

using testing::History;
using testing::Row;

const io::Path kSnapshots = io::Path(tidemark::testing::source_dir()) / "testdata/etcd-snapshots";

// The rule as doc/format/etcd.md has it, without a thought for memory: compact, then leave out what was replaced.
std::uint32_t plain_hash(std::vector<Row> rows, Revision at, Revision compact) {
  std::erase_if(rows, [&](const Row& row) { return decode_row_key(as_bytes(row.key))->main > at; });
  if (compact > Revision{}) rows = testing::compacted_rows(rows, compact);
  std::map<std::string, std::string> newest;  // key -> bucket key, of puts
  for (const Row& row : rows) {
    const std::string key(as_text(decode_key_value(as_bytes(row.value))->key));
    if (decode_row_key(as_bytes(row.key))->tombstone)
      newest.erase(key);
    else
      newest[key] = row.key;
  }
  RowHash hash;
  for (const Row& row : rows) {
    const RowId id = *decode_row_key(as_bytes(row.key));
    const std::string key(as_text(decode_key_value(as_bytes(row.value))->key));
    const bool kept = newest.contains(key) && newest[key] == row.key;
    if (id.main <= compact && !newest.empty() && !kept) continue;
    if (id.main == compact && id.tombstone) continue;
    hash.add(as_bytes(row.key), as_bytes(row.value));
  }
  return hash.value();
}

std::uint32_t hash_of(Bytes file, Revision at, std::optional<Revision> compact = {}) {
  const auto reader = bolt::Reader::over(file, "database");
  const auto answer = hash_kv(reader.value(), at, compact);
  EXPECT_TRUE(answer) << answer.error().what;
  return answer ? answer->hash : 0;
}

// final.db and the deletion behind it: what the server held when it answered.
Buffer before_last_compaction(const io::Path& folder) {
  const auto reader = testing::open_snapshot(folder / "final.db").value();
  testing::Store store;
  EXPECT_TRUE(reader.for_each(reader.bucket("key").value(), [&](const bolt::Element& e) -> Status {
    store.rows.push_back({std::string(as_text(e.key)), std::string(as_text(e.value))});
    return {};
  }));
  store.rows.push_back(testing::tombstone_row({Revision(707)}, "/registry/masterleases/x"));
  store.finished = store.scheduled = Revision(300);
  return testing::database_of(store);
}

class ServerAnswers : public ::testing::TestWithParam<const char*> {};

TEST_P(ServerAnswers, EveryOneIsOurs) {
  const io::Path folder = kSnapshots / GetParam();
  const auto before = testing::open_snapshot(folder / "before.db").value();
  const auto compacted = testing::open_snapshot(folder / "after-compact.db").value();
  const auto final = testing::open_snapshot(folder / "final.db").value();
  const Buffer deleted_file = before_last_compaction(folder);
  const auto deleted = bolt::Reader::over(deleted_file, "composed").value();

  std::ifstream lines(folder / "hashkv.jsonl");
  int answers = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line);
    const Revision at(row["asked_rev"].get<std::int64_t>());
    if (row["hash"].is_null()) {
      EXPECT_EQ(hash_kv(compacted, at).error().code, Errc::compacted) << line;
      continue;
    }
    answers++;
    const Revision compact(row["compact_revision"].get<std::int64_t>());
    const auto hash = row["hash"].get<std::uint32_t>();
    const bool never = compact == kNeverCompacted;
    const auto& source = never ? before : at == Revision(707) ? deleted : final;
    const auto answer = hash_kv(source, at, compact);
    ASSERT_TRUE(answer) << line << ": " << answer.error().what;
    EXPECT_EQ(answer->hash, hash) << line;
    EXPECT_EQ(answer->at, at);
    EXPECT_EQ(answer->compact, compact);
    // A store that was never compacted answers for one that was.
    if (at <= Revision(605)) {
      EXPECT_EQ(hash_kv(before, at, compact)->hash, hash) << line;
    }
    if (!never && at <= Revision(605)) {
      EXPECT_EQ(hash_kv(compacted, at)->hash, hash) << line;
    }
  }
  EXPECT_EQ(answers, 14);
}

TEST_P(ServerAnswers, OfflineTools) {
  const io::Path folder = kSnapshots / GetParam();
  std::ifstream lines(folder / "etcdutl.txt");
  int answers = 0;
  for (std::string line; std::getline(lines, line);) {
    char file[64];
    unsigned long hash = 0;
    long long at = 0, compact = 0, asked = 0;
    const char* text = line.c_str();
    if (std::sscanf(text, "%63s etcdutl-%*[0-9.] hashkv: %lu, %lld, %lld", file, &hash, &at, &compact) == 4) {
    } else if (std::sscanf(text, "%63s rev %lld: %lu, %lld, %lld", file, &asked, &hash, &at, &compact) != 5) {
      continue;
    }
    answers++;
    const auto answer = hash_kv(testing::open_snapshot(folder / file).value(), Revision(asked));
    ASSERT_TRUE(answer) << line;
    EXPECT_EQ(answer->hash, hash) << line;
    EXPECT_EQ(answer->at.raw(), at) << line;
    EXPECT_EQ(answer->compact.raw(), compact) << line;
  }
  EXPECT_EQ(answers, 16);
}

INSTANTIATE_TEST_SUITE_P(Etcd, ServerAnswers, ::testing::Values("3.5", "3.6"),
                         [](const auto& row) { return row.index == 0 ? "v3_5" : "v3_6"; });

TEST(HashKv, Empty) {
  EXPECT_EQ(hash_of(testing::database_of({}), Revision{}), RowHash().value());
  const Buffer file = testing::database_of({});
  const auto answer = hash_kv(bolt::Reader::over(file, "database").value()).value();
  EXPECT_EQ(answer.at, Revision(1));
  EXPECT_EQ(answer.compact, kNeverCompacted);
}

TEST(HashKv, OutOfReach) {
  History history;
  for (int i = 0; i < 10; i++) history.put("k", std::to_string(i)).commit();
  const Buffer file = testing::database_of({history.rows(), Revision(5), Revision(5), {}});
  const auto reader = bolt::Reader::over(file, "database").value();
  EXPECT_TRUE(hash_kv(reader, Revision(5)));
  EXPECT_EQ(hash_kv(reader, Revision(4)).error().code, Errc::compacted);
  EXPECT_EQ(hash_kv(reader, Revision(12)).error().code, Errc::invalid);
  EXPECT_EQ(hash_kv(reader, Revision(7), Revision(8)).error().code, Errc::compacted);
}

TEST(HashKv, ABumpIsTheCurrentRevision) {
  History history;
  history.put("k", "v").commit();
  const Buffer file = testing::database_of({history.rows(), Revision(1000), Revision(1000), {}});
  const auto answer = hash_kv(bolt::Reader::over(file, "database").value()).value();
  EXPECT_EQ(answer.at, Revision(1000));
  EXPECT_EQ(answer.rows, 1U);
}

TEST(HashKv, BadRowsAreCorrupt) {
  testing::Store store;
  store.rows = {{"short", "x"}};
  Buffer file = testing::database_of(store);
  EXPECT_EQ(hash_kv(bolt::Reader::over(file, "database").value()).error().code, Errc::corrupt);
  store.rows = {{std::string(as_text(encode_row_key({Revision(2), 0, false}).view())), "\x0a"}};
  store.finished = Revision(2);
  file = testing::database_of(store);
  EXPECT_EQ(hash_kv(bolt::Reader::over(file, "database").value()).error().code, Errc::corrupt);
}

// Any history, any compaction, any revision: the same as the plain rule, and the same whether the database was
// compacted there or not. Few keys and many deletions, so that states without a live key occur.
TEST(HashKv, RandomHistories) {
  std::mt19937_64 random(tidemark::testing::seed());
  int without_live_keys = 0;
  for (int round = 0; round < tidemark::testing::scaled(15); round++) {
    History history;
    const int keys = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < 30; i++) {
      std::set<std::string> touched;
      for (int n = 1 + static_cast<int>(random() % 3); n > 0; n--) {
        const std::string key = "k" + std::to_string(random() % static_cast<unsigned>(keys));
        if (!touched.insert(key).second) continue;
        if (history.lives(key) && random() % 2 == 0)
          history.remove(key);
        else
          history.put(key, std::to_string(random() % 1000));
      }
      history.commit();
    }
    const Buffer whole = testing::database_of({history.rows(), {}, {}, {}});
    for (int probe = 0; probe < 5; probe++) {
      const Revision compact(2 + static_cast<std::int64_t>(random() % 30));
      const Revision at(compact.raw() +
                        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(32 - compact.raw())));
      const std::uint32_t expected = plain_hash(history.rows(), at, compact);
      EXPECT_EQ(hash_of(whole, at, compact), expected) << at.raw() << " " << compact.raw();
      const auto left = testing::compacted_rows(history.rows(), compact);
      EXPECT_EQ(hash_of(testing::database_of({left, compact, compact, {}}), at), expected)
          << at.raw() << " " << compact.raw();
      if (plain_hash(testing::compacted_rows(history.rows(), at), at, at) == RowHash().value()) without_live_keys++;
    }
    EXPECT_EQ(hash_of(whole, Revision(20)), plain_hash(history.rows(), Revision(20), kNeverCompacted));
  }
  EXPECT_GT(without_live_keys, 0) << "the edge was not met";
}

}  // namespace
}  // namespace tidemark::etcd
