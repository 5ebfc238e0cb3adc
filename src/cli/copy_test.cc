// `tidemark copy` in-process: copies restore to what their source restores to; words and exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bolt/reader.h"
#include "catalog/lineage.h"
#include "cli/testing/run.h"
#include "etcd/hashkv.h"
#include "io/file.h"
#include "store/dir_store.h"

namespace tidemark::cli {
namespace {

using testing::bucket;
using ::testing::HasSubstr;
using testing::kNow;
using testing::Ran;
using testing::run;

class CopyVerb : public ::testing::Test {
 protected:
  std::string at(std::string_view name) const { return (dir_.path() / name).native(); }

  // HashKV of the newest state that a store restores to, history included; 0: it does not restore.
  std::uint32_t restored_hash(const std::string& store) {
    const std::string data = at(fmt::format("data-{}", ++restores_));
    const Ran r = run({"restore", "etcd", "--store", store, "--data-dir", data, "--keep-history", "--revision-bump",
                       "none", "--yes"});
    EXPECT_TRUE(r.code == 0 || r.code == 3) << r.err;
    const auto database = bolt::Reader::open(io::Path(data) / "member/snap/db");
    EXPECT_TRUE(database);
    return database ? etcd::hash_kv(*database, Revision{}, etcd::kNeverCompacted)->hash : 0;
  }

  io::TempDir dir_ = io::TempDir::create().value();
  int restores_ = 0;
};

TEST_F(CopyVerb, ACopyRestoresToWhatItsSourceDoes) {
  for (const char* name : {"00-control-gz", "07-missing-middle-delta", "09-v1", "09-suffix-Z"}) {
    const std::string to = at(std::string(name) + ".copy");
    const Ran r = run({"copy", "--store", bucket(name), "--to", to});
    EXPECT_EQ(r.code, 0) << name << r.err;
    EXPECT_EQ(run({"list", "--store", to}).out, run({"list", "--store", bucket(name)}).out) << name;
    EXPECT_EQ(restored_hash(to), restored_hash(bucket(name))) << name;
  }
}

TEST_F(CopyVerb, PartsAreRestorableToo) {
  const std::string from = bucket("00-control-gz");
  ASSERT_EQ(run({"copy", "rev:600", "--store", from, "--to", at("part")}).code, 0);
  EXPECT_THAT(run({"list", "--store", at("part")}).out, HasSubstr("latest    revision 686"));
  const Ran rest = run({"copy", "--since", "rev:687", "--store", from, "--to", at("part")});
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_THAT(rest.out, HasSubstr("copied 2 objects"));
  EXPECT_THAT(rest.out, HasSubstr("; 4 were there already"));
  EXPECT_EQ(restored_hash(at("part")), restored_hash(from));
}

TEST_F(CopyVerb, ADryRunWritesNothing) {
  const std::string to = at("copy");
  const Ran table = run({"copy", "--store", bucket("00-control-gz"), "--to", to, "--dry-run"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("full   32.61 KiB  to copy  v2/Full-00000000-00000308-1795246362.gz\n"));
  EXPECT_THAT(table.out, HasSubstr("\nto copy   6 objects, 126.61 KiB\n"));
  const Ran json = run({"copy", "--store", bucket("00-control-gz"), "--to", to, "--dry-run", "-o", "json"});
  const auto document = nlohmann::json::parse(json.out);
  EXPECT_EQ(document["kind"], "Copy");
  EXPECT_EQ(document["dryRun"], true);
  EXPECT_EQ(document["stores"][0]["objects"].size(), 6U);
  EXPECT_EQ(document["stores"][0]["objects"][0]["outcome"], "pending");
  EXPECT_FALSE(std::filesystem::exists(to));
}

TEST_F(CopyVerb, WhatDiffersIsNamedAndStays) {
  const std::string from = bucket("00-control-gz"), to = at("copy");
  ASSERT_EQ(run({"copy", "--store", from, "--to", to}).code, 0);
  const std::string key = "v2/Incr-00000435-00000560-1795246368.gz";
  ASSERT_TRUE(io::write_file_durably(io::Path(to) / key, as_bytes("torn")));
  const Ran r = run({"copy", "--store", from, "--to", to});
  EXPECT_EQ(r.code, 3);
  EXPECT_THAT(r.err, HasSubstr("tidemark: not copied: " + key));
  EXPECT_THAT(r.err, HasSubstr("tidemark: 1 of 6 objects are not in dir:"));
  EXPECT_EQ(io::size_of_file(io::Path(to) / key), 4U);
}

struct CopyExit {
  const char* name;
  std::vector<std::string> args;  // behind copy; @ is the scratch directory
  int code;
  const char* err;
};

TEST_F(CopyVerb, FailuresHaveTheirExitCode) {
  const std::string good = bucket("00-control-gz");
  ASSERT_EQ(run({"copy", "--store", good, "--to", at("prod")}).code, 0);
  const CopyExit rows[] = {
      {"no target", {"--store", good}, 2, "--to is required"},
      {"no source", {"--store", "@/none", "--to", "@/x"}, 4, "none"},
      {"an empty source", {"--store", "@", "--to", "@/x"}, 4, "nothing to copy"},
      {"onto itself", {"--store", "@/prod", "--to", "@/prod/"}, 2, "is the source itself"},
      {"a place that misleads others", {"--store", good, "--to", "@/prod-2"}, 2, "begin with the same name"},
      {"a place called v2", {"--store", good, "--to", "@/v2"}, 2, "--to: "},
      {"another history", {"--store", bucket("09-v1"), "--to", "@/prod"}, 1, "holds another history"},
      {"no such point", {"rev:5000", "--store", good, "--to", "@/x"}, 4, "no point 'rev:5000'"},
      {"nothing so young", {"--since", "-1s", "--store", good, "--to", "@/x"}, 4, "no point is that young"},
      {"no moment", {"--since", "soon", "--store", good, "--to", "@/x"}, 2, "--since"},
      {"points and a moment", {"latest", "--since", "-1h", "--store", good, "--to", "@/x"}, 2, "xcludes"},
      {"no store at all", {"--store", good, "--to", "gopher:/x"}, 2, "unknown scheme"},
  };
  for (const CopyExit& row : rows) {
    std::vector<std::string> args{"copy"};
    for (std::string arg : row.args) {
      if (arg.starts_with('@')) arg.replace(0, 1, dir_.path().native());
      args.push_back(arg);
    }
    const Ran r = run(args);
    EXPECT_EQ(r.code, row.code) << row.name << ": " << r.err;
    EXPECT_THAT(r.err, HasSubstr(row.err)) << row.name;
    EXPECT_EQ(r.out, "") << row.name;
  }
  EXPECT_FALSE(std::filesystem::exists(at("x")));
}

void put(store::ObjectStore& store, std::string_view key, std::string_view body) {
  ASSERT_TRUE(store.put(key, as_bytes(body))) << key;
}

TEST_F(CopyVerb, HistoriesThatFollowGoBesideTheTarget) {
  const auto open = [&](std::string_view name) {
    return store::DirStore::open(at(name), store::DirStore::Access::read_write).value();
  };
  const auto first = open("from/prod"), second = open("from/lineage-2.prod");
  const catalog::Lineage lineage{ClusterId(7), MemberId(1), Revision(2), kNow, 1};
  put(*first, "v2/Full-00000000-00000308-1000.gz", "x");
  ASSERT_TRUE(catalog::write_lineage(*first, lineage));
  ASSERT_TRUE(catalog::write_successor(*first, {2, "lineage-2.prod", "went back", kNow, ClusterId(7)}));
  catalog::Lineage next = lineage;
  next.number = 2;
  put(*second, "v2/Full-00000000-00000200-2000.gz", "y");
  ASSERT_TRUE(catalog::write_lineage(*second, next));

  // One point stays in its own history, and says that there is more.
  const Ran one = run({"copy", "latest", "--store", at("from/prod"), "--to", at("one/prod")});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.err, HasSubstr("note: this history goes on in " + at("from/lineage-2.prod")));
  EXPECT_FALSE(std::filesystem::exists(at("one/lineage-2.prod")));

  const Ran all = run({"copy", "--store", at("from/prod"), "--to", at("to/other")});
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_THAT(all.out, HasSubstr("copied 5 objects"));
  const auto there = open("to/other"), beside = open("to/lineage-2.prod");
  EXPECT_EQ(catalog::read_successors(*there)->size(), 1U);
  EXPECT_EQ(catalog::read_lineage(*beside)->value().number, 2U);
  EXPECT_TRUE(beside->stat("v2/Full-00000000-00000200-2000.gz"));
  EXPECT_THAT(run({"copy", "--store", at("from/prod"), "--to", at("to/other")}).out, HasSubstr("copied 0 objects"));

  // A neighbour of the target that is somebody else's is named, and nothing is copied.
  const auto taken = open("taken/lineage-2.prod");
  catalog::Lineage stranger = next;
  stranger.cluster = ClusterId(9);
  ASSERT_TRUE(catalog::write_lineage(*taken, stranger));
  const Ran refused = run({"copy", "--store", at("from/prod"), "--to", at("taken/other")});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("lineage 2 ("));
  EXPECT_THAT(refused.err, HasSubstr(at("taken/lineage-2.prod") + " holds another history"));
  EXPECT_THAT(refused.err, HasSubstr("lineage 2 of cluster 9"));
  EXPECT_THAT(refused.err, HasSubstr("neighbours of --to"));
  EXPECT_FALSE(std::filesystem::exists(at("taken/other/v2")));
}

}  // namespace
}  // namespace tidemark::cli
