#include "etcd/row_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/testing/scale.h"
#include "etcd/database.h"
#include "etcd/testing/sample.h"

namespace tidemark::etcd {
namespace {

using testing::Row;

RowId at(std::int64_t main, std::int64_t sub = 0) { return {Revision(main), sub, false}; }
Row put(RowId id, std::int64_t create, std::int64_t version) { return testing::put_row(id, "a", "", create, version); }

Status check(const std::vector<Row>& rows, Revision compacted, std::size_t cut = SIZE_MAX) {
  RowRun low, high;
  for (std::size_t i = 0; i < rows.size(); i++) {
    RowRun& run = i < cut ? low : high;
    TM_CHECK(run.add({.key = as_bytes(rows[i].key), .value = as_bytes(rows[i].value), .is_bucket = false}));
  }
  TM_CHECK(low.join(high));
  EXPECT_EQ(low.rows(), rows.size());
  return low.whole(compacted);
}

TEST(RowRun, EachFaultInOneRunAndAcrossTwo) {
  const struct {
    std::vector<Row> rows;
    std::int64_t compacted;
    const char* text;  // "": sound
  } rows[] = {
      {{}, -1, ""},
      {{put(at(1), 1, 1)}, -1, ""},
      {{put(at(2), 2, 1), put(at(3), 2, 2), put(at(3, 1), 2, 2)}, -1, ""},
      {{put(at(2), 2, 1), put(at(9), 2, 2)}, 8, ""},
      {{put(at(2), 2, 1), put(at(9), 2, 2)}, 7, "row 9/0: rows before it are missing"},
      {{put(at(2), 2, 1), put(at(3, 1), 2, 2)}, 3, ""},
      {{put(at(2), 2, 1), put(at(3, 1), 2, 2)}, 2, "row 3/1: rows before it are missing"},
      {{put(at(2), 2, 1), put(at(2, 2), 2, 1)}, 1, "row 2/2: rows before it are missing"},
      {{put(at(4), 2, 2)}, 3, ""},
      {{put(at(4), 2, 2)}, 2, "row 4/0: rows before it are missing"},
      {{put(at(4, 1), 2, 2)}, 3, "row 4/1: rows before it are missing"},
      {{{put(at(5), 1, 1).key, ""}}, 5, ""},
      {{{put(at(5), 1, 1).key, ""}}, 4, "row 5/0: empty"},
      {{put(at(2), 2, 1), put(at(2), 2, 1)}, 100, "row 2/0: follows 2/0"},
      {{put(at(3), 3, 1), put(at(2), 2, 1)}, 100, "row 2/0: follows 3/0"},
      {{put(at(2), 2, 1), {"short", "x"}}, 100, "expected 17 or 18"},
      {{put(at(0), 0, 1)}, 100, "revisions begin at 1"},
      {{put(at(2), 3, 1)}, 100, "created at 3, after 2"},
      {{put(at(2), 2, 0)}, 100, "version 0"},
      {{put(at(2), 2, 2)}, 100, "version 2 of a key created at 2"},
      {{testing::put_row(at(2), "", "v", 2, 1)}, 100, "no key"},
      {{{put(at(2), 2, 1).key, "\x0a\x05"}}, 100, "not a well-formed message"},
      {{{testing::tombstone_row(at(3), "a").key, put(at(3), 2, 2).value}}, 100, "more than its key"},
  };
  for (const auto& row : rows) {
    for (std::size_t cut = 0; cut <= row.rows.size() + 1; cut++) {
      const auto whole = check(row.rows, Revision(row.compacted), cut);
      EXPECT_EQ(whole.has_value(), *row.text == '\0') << row.text << (whole ? "" : whole.error().what);
      if (!whole) {
        EXPECT_THAT(whole.error().what, ::testing::HasSubstr(row.text));
      }
    }
  }
}

// The same verdict as check_rows() on histories from which rows were taken.
TEST(RowRun, AgreesWithTheCheckOfFiles) {
  std::mt19937_64 random(tidemark::testing::seed());
  int sound = 0, bad = 0;
  for (int round = tidemark::testing::scaled(100); round > 0; round--) {
    testing::History history;
    for (int i = 0; i < 12; i++) {
      const std::string key(1, static_cast<char>('a' + random() % 3));
      if (history.lives(key) && random() % 3 == 0) {
        history.remove(key);
      } else {
        history.put(key, "v");
      }
      if (random() % 2 == 0) history.put("z", "v");
      history.commit();
    }
    std::vector<Row> rows = history.rows();
    for (auto n = random() % 3; n > 0; n--)
      rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(random() % rows.size()));
    const Revision c(static_cast<std::int64_t>(random() % 16));
    const Buffer file = testing::database_of({rows, c, c, {}});
    const auto report = check_rows(bolt::Reader::over(file, "database").value(), RowRules::shape).value();
    EXPECT_EQ(check(rows, c, random() % rows.size()).has_value(), report.sound());
    (report.sound() ? sound : bad)++;
  }
  EXPECT_GT(sound, 0);
  EXPECT_GT(bad, 0);
}

}  // namespace
}  // namespace tidemark::etcd
