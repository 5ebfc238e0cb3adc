// get, log and diff print the same with the index of the history as without, byte for byte, whatever became of it.
#include <gtest/gtest.h>

#include <random>

#include "base/rfc3339.h"
#include "base/testing/scale.h"
#include "cli/testing/run.h"
#include "history/testing/chain.h"

namespace tidemark::cli {
namespace {

using history::testing::Chain;
using history::testing::IndexedStore;
using testing::Ran;

// The store of a chain, and a cache beside it.
class IndexedAnswers : public ::testing::Test {
 protected:
  using Args = std::vector<std::string>;
  Ran with(const Args& args, const Args& more) {
    Args all = args;
    all.insert(all.end(), {"--store", "dir:" + store_.root().string(), "--progress", "none"});
    all.insert(all.end(), more.begin(), more.end());
    return testing::run(all);
  }
  // True: it found something to print.
  bool expect_same(const Args& args) {
    const Ran read = with(args, {"--no-cache"});
    const Ran cached = with(args, {"--cache-dir", store_.cache_dir().string()});
    std::string words;
    for (const std::string& arg : args) words += arg + " ";
    EXPECT_EQ(cached.code, read.code) << words << cached.err;
    EXPECT_EQ(cached.out, read.out) << words;
    EXPECT_EQ(cached.err, read.err) << words;
    return !read.out.empty();
  }
  std::string some_moment() {
    if (random_() % 2 == 0) return fmt::format("rev:{}", chain_.some_revision());
    return print_rfc3339(chain_.some_time());
  }
  std::string some_kind() { return random_() % 2 == 0 ? "pods" : "cm"; }
  // "cm/a7": perhaps one that never was.
  Args some_object() {
    const std::string key = chain_.some_keys(1).front();
    const std::size_t name = key.rfind('/') + 1, ns = key.rfind('/', name - 2) + 1;
    const std::string kind = key.find("/pods/") != std::string::npos ? "pods" : "cm";
    return {kind + "/" + key.substr(name), "-n", key.substr(ns, name - 1 - ns)};
  }
  Args some_question() {
    Args args = random_() % 2 == 0 ? some_object() : Args{some_kind(), "-A"};
    const bool all = args.back() == "-A";
    if (all && random_() % 3 == 0) args.insert(args.end(), {"-l", "odd=1"});
    const char* formats[] = {"json", "yaml", "wide", "name"};
    if (random_() % 2 == 0) args.insert(args.end(), {"-o", formats[random_() % 4]});
    switch (random_() % 3) {
      case 0:
        args.insert(args.begin(), "get");
        args.insert(args.end(), {"--at", random_() % 3 == 0 ? "latest" : some_moment()});
        break;
      case 1:
        args.insert(args.begin(), "log");
        if (random_() % 2 == 0) args.insert(args.end(), {"--since", some_moment()});
        if (random_() % 2 == 0) args.insert(args.end(), {"--until", some_moment()});
        if (random_() % 2 == 0) args.emplace_back("-p");
        break;
      default:
        args.insert(args.begin(), "diff");
        args.insert(args.end(), {"--at", some_moment(), "--to", random_() % 3 == 0 ? "latest" : some_moment()});
    }
    return args;
  }

  std::mt19937_64 random_{tidemark::testing::seed()};
  Chain chain_{random_(), {.revisions = 50, .value_bytes = 200, .objects = true}};
  IndexedStore store_{chain_};
};

TEST_F(IndexedAnswers, AreTheSame) {
  ASSERT_TRUE(expect_same({"get", "pods,cm", "-A", "-o", "json"}));
  ASSERT_TRUE(expect_same({"log", "pods,cm", "-A", "-p"}));
  expect_same({"diff", "-A", "--at", fmt::format("rev:{}", chain_.first()), "--to", "latest"});
  EXPECT_FALSE(store_.cache_files().empty());
  for (int i = 0; i < tidemark::testing::scaled(25); i++) expect_same(some_question());
}

TEST_F(IndexedAnswers, AreTheSameWhateverBecomesOfTheCache) {
  expect_same({"log", "pods,cm", "-A"});
  for (int i = 0; i < tidemark::testing::scaled(15); i++) {
    if (!store_.cache_files().empty()) store_.damage_cache(random_);
    expect_same(some_question());
  }
  const io::Path index = store_.cache_dir() / "index";
  // A file where the directory should be, and a directory where a block should be.
  ASSERT_TRUE(io::remove_tree(index));
  ASSERT_TRUE(io::write_file_durably(index, Bytes{}));
  expect_same(some_question());
  ASSERT_TRUE(std::filesystem::remove(index));
  expect_same({"get", "cm", "-A"});
  const auto blocks = store_.cache_files();
  ASSERT_FALSE(blocks.empty());
  for (const io::Path& block : blocks) {
    ASSERT_TRUE(std::filesystem::remove(block));
    ASSERT_TRUE(io::make_dirs(block / "x"));
  }
  expect_same({"get", "cm", "-A"});
}

TEST_F(IndexedAnswers, AreTheSameOverABadStore) {
  for (int i = 0; i < tidemark::testing::scaled(4); i++) {
    store_.replace_all({});
    store_.damage_one(random_());
    expect_same({"get", "pods,cm", "-A", "-o", "name"});
    expect_same({"log", "pods,cm", "-A"});
    for (int k = 0; k < 3; k++) expect_same(some_question());
  }
}

TEST(CacheOptions, AreSaidInFewWords) {
  for (const char* verb : {"get", "log", "diff"}) {
    const Ran ran = testing::run({verb, "--help"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_NE(ran.out.find("--cache-limit SIZE"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("--no-cache"), std::string::npos);
    EXPECT_EQ(ran.out.find("kib"), std::string::npos) << "a list of all units";
  }
  EXPECT_EQ(testing::run({"get", "cm", "--cache-limit", "many", "--store", "dir:/nowhere"}).code, 2);
}

}  // namespace
}  // namespace tidemark::cli
