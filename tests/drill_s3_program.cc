// The program with a bucket for a store: recorded from a real etcd, listed, shown, restored, the same.
#include <nlohmann/json.hpp>

#include "kit/s3_process.h"
#include "kit/store_program.h"

namespace tidemark::testing {
namespace {

using ::testing::HasSubstr;

class S3ProgramBase : public StoreProgram {
 protected:
  void prepare(S3Process::Kind kind) {
    auto started = S3Process::start({.tls = true});
    ASSERT_TRUE(started) << started.error().what;
    s3_.emplace(*std::move(started));
    ASSERT_TRUE(s3_->make_bucket("backups", kind));
    store_ = s3_->url("backups/clusters/prod");
    variables_ = s3_->variables();
  }

  std::optional<S3Process> s3_;
};

class S3Program : public S3ProgramBase, public ::testing::WithParamInterface<S3Process::Kind> {
 protected:
  void SetUp() override { prepare(GetParam()); }
};

class S3ProgramPlain : public S3ProgramBase {
 protected:
  void SetUp() override { prepare(S3Process::Kind::plain); }
};

TEST_P(S3Program, RecordListShowRestore) { expect_round_trip("tm-secret-key"); }

TEST_P(S3Program, StoreCheckTellsWhatTheBucketIs) {
  const ProgramResult table = run({"store", "check"});
  EXPECT_EQ(table.exit_code, 0) << table.out << table.err;
  EXPECT_THAT(table.out, HasSubstr("This store is fit to keep backups."));
  const ProgramResult json = run({"store", "check", store_, "-o", "json"});
  ASSERT_EQ(json.exit_code, 0) << json.err;
  const auto document = nlohmann::json::parse(json.out);
  EXPECT_EQ(document["kind"], "StoreCheck");
  std::map<std::string, std::string> results;
  for (const auto& check : document["checks"]) results[check["name"]] = check["result"];
  EXPECT_EQ(results["conditional create"], "good");
  EXPECT_EQ(results["concurrent create"], "good");
  EXPECT_EQ(results["transport"], "good");
  EXPECT_EQ(results["clock"], "good");
  EXPECT_EQ(results["abandoned uploads"], "advice");  // no lifecycle rule
  EXPECT_EQ(results["versioning"], GetParam() == S3Process::Kind::plain ? "advice" : "good");
  EXPECT_EQ(results["unfinished uploads"], "good");
  EXPECT_EQ(json.out.find("tm-secret-key"), std::string::npos);
  const ProgramResult left = run({"list"});
  EXPECT_EQ(left.exit_code, 4) << left.out;
}

TEST_F(S3ProgramPlain, WhatIsWrongEndsWithTheRightCode) {
  struct Row {
    std::vector<std::string> arguments;
    int code;
    const char* words;
  };
  const Row rows[] = {
      {{"list", "--store", s3_->url("no-such-bucket/x")}, 4, "bucket 'no-such-bucket' does not exist"},
      {{"list"}, 4, "nothing can be restored"},
      {{"list", "--store", "s3://backups/x?endpoint=" + s3_->endpoint()}, 6, "certificate"},
      {{"list", "--store", "s3://backups/x?colour=red"}, 2, "unknown option 'colour'"},
      {{"record", "--store", s3_->url("backups/shoot-v1")}, 2, "version folder"},
  };
  for (const Row& row : rows) {
    const ProgramResult ran = run(row.arguments);
    EXPECT_EQ(ran.exit_code, row.code) << row.words << "\n" << ran.out << ran.err;
    EXPECT_THAT(ran.out + ran.err, HasSubstr(row.words));
  }
}

std::string kind_name(const ::testing::TestParamInfo<S3Process::Kind>& tested) {
  if (tested.param == S3Process::Kind::plain) return "plain";
  return tested.param == S3Process::Kind::versioned ? "versioned" : "locked";
}

INSTANTIATE_TEST_SUITE_P(Buckets, S3Program,
                         ::testing::Values(S3Process::Kind::plain, S3Process::Kind::versioned, S3Process::Kind::locked),
                         kind_name);

}  // namespace
}  // namespace tidemark::testing
