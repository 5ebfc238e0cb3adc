// `restore etcd` in-process: what it prints and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/testing/source_dir.h"
#include "cli/testing/run.h"
#include "io/file.h"

namespace tidemark::cli {
namespace {

using testing::bucket;
using ::testing::HasSubstr;
using testing::Ran;
using testing::run;

class RestoreVerb : public ::testing::Test {
 protected:
  std::vector<std::string> command(std::string_view fixture, std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"restore", "etcd", "--store", bucket(fixture), "--data-dir", data.native()};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  bool restored() const { return std::filesystem::exists(data / "member" / "snap" / "db"); }

  io::TempDir dir = *io::TempDir::create();
  io::Path data = dir.path() / "data";
};

TEST_F(RestoreVerb, PrintsPlanAndResult) {
  const Ran r = run(command("00-control-gz"));
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("base    v2/Full-00000000-00000308-1795246362.gz  revision 308"));
  EXPECT_THAT(r.out, HasSubstr("deltas  5 objects"));
  EXPECT_THAT(r.out, HasSubstr("restored revision 938 into"));
  EXPECT_THAT(r.out, HasSubstr("etcd will come up at revision 1000000938"));
  EXPECT_THAT(r.out, HasSubstr("Fence: stop every kube-apiserver"));
  EXPECT_TRUE(restored());
}

TEST_F(RestoreVerb, DryRunOnlyPrints) {
  const Ran r = run(command("00-control-gz", {"--dry-run"}));
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("result  revision 938"));
  const Ran json = run(command("07-missing-middle-delta", {"--dry-run", "-o", "json"}));
  EXPECT_EQ(json.code, 3) << json.err;
  const auto plan = nlohmann::json::parse(json.out);
  EXPECT_EQ(plan["kind"], "RestorePlan");
  EXPECT_EQ(plan["revision"], 560);
  EXPECT_EQ(plan["lost"][0]["first"], 561);
  EXPECT_FALSE(std::filesystem::exists(data));
}

TEST_F(RestoreVerb, JsonIsTheReport) {
  const Ran r = run(command("00-control-gz", {"-o", "json", "--at", "rev:500"}));
  ASSERT_EQ(r.code, 0) << r.err;
  const auto report = nlohmann::json::parse(r.out);
  EXPECT_EQ(report["kind"], "RestoreReport");
  EXPECT_EQ(report["revision"], 500);
  EXPECT_EQ(report["headerRevision"], 500 + 438 + 1'000'000'000);
}

TEST_F(RestoreVerb, SaysWhatIsMissing) {
  const Ran r = run(command("07-missing-middle-delta"));
  EXPECT_EQ(r.code, 3);
  EXPECT_THAT(r.err, HasSubstr("missing: revisions 561..686: no object covers it"));
  EXPECT_TRUE(restored());
}

TEST_F(RestoreVerb, AsksBeforeItReplaces) {
  ASSERT_EQ(run(command("00-control-gz")).code, 0);
  const Ran refused = run(command("00-control-gz"));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("--replace"));
  const Ran unanswered = run(command("00-control-gz", {"--replace"}));
  EXPECT_EQ(unanswered.code, 2);
  EXPECT_THAT(unanswered.err, HasSubstr("--yes"));
  EXPECT_TRUE(restored());
  const Ran replaced = run(command("00-control-gz", {"--replace", "--yes"}));
  EXPECT_EQ(replaced.code, 0) << replaced.err;
  EXPECT_THAT(replaced.out, HasSubstr("the former member is"));
}

TEST_F(RestoreVerb, RefusesWithItsReason) {
  const struct {
    std::string fixture;
    std::vector<std::string> more;
    int code;
    std::string says;
  } rows[] = {
      {"07-missing-middle-delta", {"--at", "rev:700"}, 4, "hint: --at rev:560"},
      {"00-control-gz", {"--at", "rev:939"}, 4, "nearest before: 938"},
      {"00-control-gz", {"--at", "2026-11-21T07:32:41Z"}, 4, "2026-11-21T07:32:42Z"},
      {"00-control-gz", {"--at", "yesterday"}, 2, "yesterday"},
      {"00-control-gz", {"--at", "2027-01-01T00:00:00Z"}, 2, "has not come yet"},
      {"00-control-gz", {"--revision-bump", "some"}, 2, "some"},
      {"00-control-gz", {"--target-version", "3.3"}, 2, "3.3"},
      {"00-control-gz", {"--threads", "0"}, 2, "threads"},
      {"00-control-gz", {"--lineage", "2"}, 4, "lineage 2"},
      {"00-control-gz", {"--initial-cluster", "a=http://h:1"}, 2, "default"},
      {"05-full-bitflip", {}, 5, "sha256"},
      {"05-full-without-hash", {}, 5, "--skip-digest"},
      {"00-control-gz", {"web"}, 2, "an object of a kind Etcd is etcd/NAME"},
  };
  for (const auto& row : rows) {
    const Ran r = run(command(row.fixture, row.more));
    EXPECT_EQ(r.code, row.code) << row.says << "\n" << r.err;
    EXPECT_THAT(r.err, HasSubstr(row.says));
    EXPECT_FALSE(std::filesystem::exists(data)) << row.says;
  }
  EXPECT_EQ(run({"restore"}).code, 2);
  const Ran nowhere = run({"restore", "deploy/web"});
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("--store is required"));
  const Ran mixed =
      run({"restore", "--prune", "etcd", "--store", bucket("00-control-gz"), "--data-dir", data.native()});
  EXPECT_EQ(mixed.code, 2);
  EXPECT_THAT(mixed.err, HasSubstr("--prune does not go with restore etcd"));
}

TEST_F(RestoreVerb, OneSnapshotFile) {
  const std::string file = (io::Path(tidemark::testing::source_dir()) /
                            "testdata/etcd-backup-restore/00-control-gz/bucket/v2/Full-00000000-00000308-1795246362.gz")
                               .native();
  const Ran r = run({"restore", "etcd", "--store", "file:" + file, "--data-dir", data.native()});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("revision 308"));
  EXPECT_TRUE(restored());
  const Ran missing = run({"restore", "etcd", "--store", "file:/nonexistent/x.db", "--data-dir", data.native()});
  EXPECT_EQ(missing.code, 4);
}

}  // namespace
}  // namespace tidemark::cli
