#include "etcd/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/testing/source_dir.h"
#include "bolt/testing/sample.h"
#include "etcd/testing/sample.h"

namespace tidemark::etcd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::History;
using testing::put_row;
using testing::Row;
using testing::tombstone_row;

const io::Path kSnapshots = io::Path(tidemark::testing::source_dir()) / "testdata/etcd-snapshots";

class Snapshots : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  io::Path path(const char* extension) const {
    return kSnapshots / std::get<0>(GetParam()) / (std::string(std::get<1>(GetParam())) + extension);
  }
};

TEST_P(Snapshots, StateAndRows) {
  const auto reader = testing::open_snapshot(path(".db")).value();
  std::ifstream file(path(".info.json"));
  const auto expected = nlohmann::json::parse(file);
  const auto state = read_state(reader);
  ASSERT_TRUE(state) << state.error().what;
  const auto compacted = expected["finishedCompactRev"].get<std::int64_t>();
  EXPECT_EQ(state->last_row.raw(), expected["last_row_revision"]);
  EXPECT_EQ(state->finished_compaction.raw(), compacted == 0 ? -1 : compacted);
  EXPECT_EQ(state->scheduled_compaction, state->finished_compaction);
  EXPECT_EQ(state->leases.size(), expected["leases"]);
  EXPECT_EQ(state->revision, std::max(state->last_row, state->finished_compaction));
  EXPECT_TRUE(state->consistent_index.value_or(0) > 600);
  EXPECT_TRUE(state->term.has_value());
  EXPECT_EQ(state->members.size(), 1U);
  EXPECT_FALSE(state->members[0].name.empty());
  EXPECT_FALSE(state->members[0].peer_urls.empty());
  EXPECT_EQ(state->auth_users, 1U);
  EXPECT_GE(state->auth_roles, 1U);
  EXPECT_FALSE(state->auth_enabled);
  EXPECT_TRUE(state->alarms.empty());
  EXPECT_EQ(state->storage_version, std::get<0>(GetParam()) == std::string("3.6") ? "3.6.0" : "");

  for (const RowRules rules : {RowRules::shape, RowRules::chains}) {
    const auto report = check_rows(reader, rules);
    ASSERT_TRUE(report) << report.error().what;
    for (const RowFinding& finding : report->findings) ADD_FAILURE() << finding.text;
    EXPECT_EQ(report->rows, expected["rows"]);
    if (rules == RowRules::chains) {
      EXPECT_EQ(report->live_keys, expected["keys"]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Etcd, Snapshots,
                         ::testing::Combine(::testing::Values("3.5", "3.6"),
                                            ::testing::Values("before", "after-compact", "final",
                                                              "tombstone-head-compacted")));

std::vector<std::string> findings_of(const testing::Store& store, RowRules rules = RowRules::chains) {
  const Buffer file = testing::database_of(store);
  const auto report = check_rows(bolt::Reader::over(file, "database").value(), rules);
  EXPECT_TRUE(report) << report.error().what;
  std::vector<std::string> texts;
  for (const RowFinding& finding : report->findings) texts.push_back(finding.text);
  return texts;
}

RowId at(std::int64_t main, std::int64_t sub = 0) { return {Revision(main), sub, false}; }

TEST(CheckRows, SoundHistories) {
  History history;
  history.put("a", "1").put("b", "1").commit().put("a", "2").commit();
  history.remove("a").remove("b").commit().put("a", "3").commit();
  EXPECT_THAT(findings_of({history.rows(), {}, {}, {}}), ::testing::IsEmpty());
  const Revision c(4);
  EXPECT_THAT(findings_of({testing::compacted_rows(history.rows(), c), c, c, {}}), ::testing::IsEmpty());
  EXPECT_THAT(findings_of({history.rows(), {}, c, {}}), ::testing::IsEmpty()) << "a compaction on its way";
  EXPECT_THAT(findings_of({testing::compacted_rows(history.rows(), Revision(5)), Revision(1000), Revision(1000), {}}),
              ::testing::IsEmpty())
      << "a bump";
  std::vector<Row> bumped = history.rows();
  bumped.push_back({put_row(at(1000), "", "", 0, 0).key, ""});
  EXPECT_THAT(findings_of({bumped, {}, Revision(1000), {}}), ::testing::IsEmpty()) << "etcd's own bump";
  EXPECT_THAT(findings_of({}), ::testing::IsEmpty());
}

TEST(CheckRows, EachFault) {
  const struct {
    std::vector<Row> rows;
    bool shape;  // seen without chains too
    const char* text;
  } rows[] = {
      {{put_row(at(2), "a", "", 2, 1), put_row(at(4), "b", "", 4, 1)}, true, "row 4/0: revisions 3 to 3 are missing"},
      {{put_row(at(5), "a", "", 5, 1)}, true, "row 5/0: revisions 2 to 4 are missing"},
      {{put_row(at(2, 1), "a", "", 2, 1)}, true, "row 2/1: the first 1 rows of the revision are missing"},
      {{put_row(at(2), "a", "", 2, 1), put_row(at(2, 2), "b", "", 2, 1)}, true, "row 2/2: follows 2/0: rows are"},
      {{put_row(at(2), "a", "", 2, 1), tombstone_row(at(2), "a")}, true, "row 2/0: follows 2/0"},
      {{{put_row(at(2), "a", "", 3, 1).key, put_row(at(3), "a", "", 3, 1).value}}, true, "says it is of revision 3"},
      {{put_row(at(2), "a", "", 3, 1)}, true, "row 2/0: created at 3, after 2"},
      {{put_row(at(2), "a", "", 0, 2)}, true, "row 2/0: created at 0"},
      {{put_row(at(2), "a", "", 2, 0)}, true, "row 2/0: version 0"},
      {{put_row(at(2), "a", "", 2, 2)}, true, "row 2/0: version 2 of a key created at 2"},
      {{put_row(at(2), "", "v", 2, 1)}, true, "row 2/0: no key"},
      {{{put_row(at(2), "a", "", 2, 1).key, ""}}, true, "row 2/0: no key"},
      {{{put_row(at(2), "a", "", 2, 1).key, "\x0a\x05"}}, true, "row 2/0: key-value of 2 bytes"},
      {{{"0123456789abcdefg", "x"}}, true, "no '_' between"},
      {{{"short", "x"}}, true, "5 bytes, expected 17 or 18"},
      {{put_row(at(0), "a", "", 0, 1)}, true, "row 0/0: revisions begin at 1"},
      {{put_row(at(2), "a", "", 2, 1), {tombstone_row(at(3), "a").key, put_row(at(3), "a", "", 2, 2).value}},
       true,
       "row 3/0: a deletion holds more than its key"},
      {{tombstone_row(at(2), "a")}, false, "row 2/0: deletes key 'a', which does not exist"},
      {{put_row(at(2), "a", "", 2, 1), put_row(at(3), "a", "", 2, 3)},
       false,
       "row 3/0: version 3 created at 2 of key 'a' follows version 1 created at 2"},
      {{put_row(at(2), "a", "", 2, 1), put_row(at(3), "a", "", 3, 1)}, false, "version 1 created at 3 of key 'a'"},
      {{put_row(at(2), "b", "", 2, 1), put_row(at(3), "a\x01", "", 2, 2)},
       false,
       "row 3/0: version 2 of key 'a\\x01', which does not exist"},
      {{put_row(at(2), "a", "", 2, 1), tombstone_row(at(3), "a"), put_row(at(4), "a", "", 2, 2)},
       false,
       "row 4/0: version 2 of key 'a', which does not exist"},
      {{put_row(at(2), "a", "", 2, 1, 77)}, false, "1 keys name a lease that does not exist"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(findings_of({row.rows, {}, {}, {}}), Contains(HasSubstr(row.text)));
    const auto shape = findings_of({row.rows, {}, {}, {}}, RowRules::shape);
    if (row.shape)
      EXPECT_THAT(shape, Contains(HasSubstr(row.text)));
    else
      EXPECT_THAT(shape, ::testing::IsEmpty()) << row.text;
  }
}

TEST(CheckRows, KeysComeAndGoInAGrowingTable) {
  History history;
  for (int i = 0; i < 3000; i++) {
    history.put("k" + std::to_string(i), "v").commit();
    if (i >= 10) history.remove("k" + std::to_string(i - 10)).commit();
  }
  EXPECT_THAT(findings_of({history.rows(), {}, {}, {}}), ::testing::IsEmpty());
}

TEST(CheckRows, FindingsAreCapped) {
  std::vector<Row> rows;
  for (int i = 0; i < 50; i++) rows.push_back(tombstone_row(at(2 + i), "gone"));
  const Buffer file = testing::database_of({rows, {}, {}, {}});
  const auto report = check_rows(bolt::Reader::over(file, "database").value(), RowRules::chains, 10).value();
  EXPECT_EQ(report.findings.size(), 10U);
  EXPECT_EQ(report.more_fatal, 40U);
  EXPECT_EQ(report.more_harmless, 0U);
  EXPECT_FALSE(report.sound());
}

// What is worth knowing neither makes a database unsound by its number nor hides what does.
TEST(CheckRows, HarmlessFindingsDoNotCrowdOutFatalOnes) {
  std::map<std::string, std::string> leases;
  for (char i = 1; i <= 30; i++) leases[std::string(7, '\0') + i] = std::string{'\x08', i};  // no time to live
  for (const bool fault : {false, true}) {
    for (const std::size_t most : {0U, 1U, 10U, 100U}) {
      SCOPED_TRACE(fmt::format("{} most {}", fault, most));
      History history;
      history.put("a", "1").commit();
      std::vector<Row> rows = history.rows();
      if (fault) rows.push_back(tombstone_row(at(3), "gone"));
      const Buffer file = testing::database_of({rows, {}, {}, {{"lease", leases}}});
      const auto report = check_rows(bolt::Reader::over(file, "database").value(), RowRules::chains, most).value();
      EXPECT_EQ(report.sound(), !fault);
      EXPECT_EQ(report.first_fault().empty(), !fault);
      EXPECT_EQ(report.more_harmless, 30 - std::min<std::size_t>(30, most));
      EXPECT_EQ(report.more_fatal, fault && most == 0 ? 1U : 0U);
      EXPECT_EQ(std::ranges::count_if(report.findings, &RowFinding::fatal), fault && most > 0 ? 1 : 0);
    }
  }
}

TEST(ReadState, BadSmallBuckets) {
  const std::string id8 = std::string("\0\0\0\0\0\0\0\x05", 8);
  const struct {
    const char* bucket;
    std::string key, value;
    bool good;
    const char* why;
  } rows[] = {
      {"lease", id8, "\x08\x05\x10\x0a", true, "lease 5 of 10 s"},
      {"lease", id8, "\x08\x06\x10\x0a", false, "another id inside"},
      {"lease", "short", "\x08\x05", false, "key not 8 bytes"},
      {"lease", id8, "\x08", false, "message cut"},
      {"meta", "term", "short", false, "term not 8 bytes"},
      {"meta", "finishedCompactRev", "short", false, "not a revision"},
      {"meta", "confState", "{}", true, "ignored"},
      {"alarm", "\x08\x07\x10\x01", "", true, "NOSPACE of 7"},
      {"alarm", "\x08", "", false, "message cut"},
      {"members", "ab", R"({"id":171,"name":"m","peerURLs":["http://a:1"]})", true, "a member"},
      {"members", "ab", R"({"id":172})", false, "another id inside"},
      {"members", "00ab", R"({"id":171})", false, "padded"},
      {"members", "ab", R"({"id":"171"})", false, "id as text"},
      {"members", "ab", R"([)", false, "not JSON"},
      {"members_removed", "zz", "removed", false, "not an id"},
  };
  for (const auto& row : rows) {
    testing::Store store;
    store.others[row.bucket][row.key] = row.value;
    const Buffer file = testing::database_of(store);
    const auto state = read_state(bolt::Reader::over(file, "database").value());
    EXPECT_EQ(state.has_value(), row.good) << row.why;
    if (!state) {
      EXPECT_EQ(state.error().code, Errc::corrupt);
      EXPECT_THAT(state.error().what, HasSubstr(row.bucket));
      EXPECT_THAT(findings_of(store), Contains(HasSubstr(row.bucket))) << "check_rows says so too";
    }
  }
}

TEST(ReadState, NotEtcd) {
  const Buffer file = bolt::testing::write_database({{"other", {}}});
  EXPECT_EQ(read_state(bolt::Reader::over(file, "database").value()).error().code, Errc::corrupt);
}

TEST(ReadState, Findings) {
  testing::Store store;
  store.finished = Revision(9);
  store.scheduled = Revision(8);
  store.others["alarm"]["\x08\x07\x10\x01"] = "";
  store.others["members"]["ab"] = R"({"id":171})";
  store.others["members_removed"]["ab"] = "removed";
  const auto findings = findings_of(store);
  EXPECT_THAT(findings, Contains(HasSubstr("finished at 9 but only scheduled at 8")));
  EXPECT_THAT(findings, Contains("alarm NOSPACE of member 7"));
  EXPECT_THAT(findings, Contains("member ab is also among the removed"));
}

}  // namespace
}  // namespace tidemark::etcd
