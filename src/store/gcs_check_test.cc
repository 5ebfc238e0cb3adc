#include "store/gcs_check.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "net/testing/http_server.h"
#include "store/gcs_store.h"

namespace tidemark::store {
namespace {

using ::testing::HasSubstr;
using Verdict = Finding::Verdict;

std::map<std::string, Finding> rows_of(std::string_view json, std::string_view prefix = "clusters/prod/") {
  const auto findings = gcs_bucket_findings(json, prefix);
  EXPECT_TRUE(findings) << json;
  std::map<std::string, Finding> rows;
  for (const Finding& finding : *findings) rows.insert_or_assign(finding.name, finding);
  return rows;
}

TEST(GcsCheck, WhatABucketsSettingsMean) {
  struct Row {
    const char *json, *name;
    Verdict verdict;
    const char* words;
  };
  const Row rows[] = {
      {R"({})", "versioning", Verdict::advice, "deletes backups"},
      {R"({"versioning":{"enabled":false}})", "versioning", Verdict::advice, "off"},
      {R"({"versioning":{"enabled":"true"}})", "versioning", Verdict::advice, "off"},  // not what Google writes
      {R"({"versioning":{"enabled":true}})", "versioning", Verdict::good, "noncurrent"},
      {R"({"softDeletePolicy":{"retentionDurationSeconds":"604800"}})", "versioning", Verdict::good, "off"},
      {R"({"softDeletePolicy":{"retentionDurationSeconds":"604800"}})", "soft delete", Verdict::good, "paid for"},
      {R"({"softDeletePolicy":{"retentionDurationSeconds":"0"}})", "soft delete", Verdict::good, "off"},
      {R"({"softDeletePolicy":{"retentionDurationSeconds":"-1"}})", "soft delete", Verdict::good, "off"},
      {R"({"softDeletePolicy":{"retentionDurationSeconds":"99999999999999999999"}})", "soft delete", Verdict::good,
       "off"},
      {R"({})", "retention policy", Verdict::advice, "none"},
      {R"({"retentionPolicy":{"retentionPeriod":"86400"}})", "retention policy", Verdict::advice, "may end that"},
      {R"({"retentionPolicy":{"retentionPeriod":"86400","isLocked":true}})", "retention policy", Verdict::good,
       "locked"},
      {R"({"retentionPolicy":[]})", "retention policy", Verdict::advice, "none"},
      {R"({})", "object holds", Verdict::good, "none"},
      {R"({"defaultEventBasedHold":true})", "object holds", Verdict::advice, "held"},
      {R"({})", "encryption", Verdict::good, "Google's"},
      {R"({"encryption":{"defaultKmsKeyName":"k"}})", "encryption", Verdict::good, "default: k"},
      {R"({})", "lifecycle", Verdict::good, "no rule"},
      {R"({})", "abandoned uploads", Verdict::good, "a week"},
  };
  for (const Row& row : rows) {
    const Finding found = rows_of(row.json)[row.name];
    EXPECT_EQ(found.verdict, row.verdict) << row.json << row.name << found.detail;
    EXPECT_THAT(found.detail, HasSubstr(row.words)) << row.json;
    EXPECT_EQ(found.hint.empty(), row.verdict == Verdict::good) << row.json << row.name;
  }
  for (const char* bad : {"", "[]", "{", "<html>", "null"}) EXPECT_FALSE(gcs_bucket_findings(bad, "")) << bad;
}

TEST(GcsCheck, LifecycleRulesThatDeleteBackupsAreNamed) {
  const auto warnings = [](const std::string& rules, std::string_view prefix = "clusters/prod/") {
    const auto findings = gcs_bucket_findings(R"({"lifecycle":{"rule":)" + rules + "}}", prefix);
    EXPECT_TRUE(findings) << rules;
    return std::ranges::count_if(
        *findings, [](const Finding& f) { return f.name == "lifecycle" && f.verdict == Verdict::advice; });
  };
  const auto rule = [](std::string_view type, std::string_view condition) {
    return fmt::format(R"({{"action":{{"type":"{}"}},"condition":{{{}}}}})", type, condition);
  };
  struct Row {
    std::string rules;
    int warned;
  };
  const Row rows[] = {
      {"[]", 0},
      {"{}", 0},
      {"[7, null, []]", 0},
      {"[" + rule("Delete", R"("age":30)") + "]", 1},
      {"[" + rule("Delete", R"("age":"30")") + "]", 1},
      {"[" + rule("Delete", "") + "]", 1},
      {"[" + rule("Delete", R"("age":30,"isLive":true)") + "]", 1},
      {"[" + rule("Delete", R"("age":30,"isLive":false)") + "]", 0},
      {"[" + rule("Delete", R"("numNewerVersions":3)") + "]", 0},
      {"[" + rule("Delete", R"("daysSinceNoncurrentTime":3)") + "]", 0},
      {"[" + rule("SetStorageClass", R"("age":30)") + "]", 0},
      {"[" + rule("AbortIncompleteMultipartUpload", R"("age":3)") + "]", 0},
      {"[" + rule("Delete", R"("age":30,"matchesPrefix":["logs/"])") + "]", 0},
      {"[" + rule("Delete", R"("age":30,"matchesPrefix":["logs/","clusters/"])") + "]", 1},
      {"[" + rule("Delete", R"("age":30,"matchesPrefix":["clusters/prod/v2/Incr"])") + "]", 1},
      {"[" + rule("Delete", R"("age":30)") + "," + rule("Delete", R"("createdBefore":"2026-01-01")") + "]", 2},
  };
  for (const Row& row : rows) EXPECT_EQ(warnings(row.rules), row.warned) << row.rules;
  EXPECT_EQ(warnings("[" + rule("Delete", R"("age":30,"matchesPrefix":["logs/"])") + "]", ""), 1) << "the whole bucket";
}

TEST(GcsCheck, SettingsThatAreNotOursToReadAreNoReasonToFail) {
  std::atomic<int> status{200};
  const net::testing::HttpServer server([&](const net::testing::Received& r) -> net::testing::Reply {
    EXPECT_THAT(r.target, HasSubstr("/storage/v1/b/bkt?"));
    if (status == 200) return {.body = R"({"location":"EU","storageClass":"STANDARD"})"};
    return {.status = status, .body = "{}"};
  });
  const auto store = GcsStore::open("gs://bkt/p?endpoint=" + server.url(),
                                    {.environment = [](std::string_view) { return std::string(); },
                                     .seed = 1,
                                     .wait = [](auto, const std::stop_token&) { return true; }})
                         .value();
  const auto rows = [&] { return inspect_gcs_bucket(*store, system_clock()); };
  ASSERT_TRUE(rows());
  EXPECT_GT(rows()->size(), 8U);
  EXPECT_THAT(rows()->front().detail, HasSubstr("location EU"));
  for (const int refused : {401, 403, 404}) {
    status = refused;
    ASSERT_TRUE(rows()) << refused;
    EXPECT_EQ(rows()->back().name, "settings") << refused;
    EXPECT_EQ(rows()->back().verdict, Verdict::advice) << refused;
  }
  for (const int broken : {500, 503, 429}) {
    status = broken;
    EXPECT_EQ(rows().error().code, Errc::unavailable) << broken;
  }
}

}  // namespace
}  // namespace tidemark::store
