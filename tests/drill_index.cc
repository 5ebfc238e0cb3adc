// The history index over buckets of a real S3 server: the same answers as without it, and of one object from so few
// requests. They are counted by the server.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "base/testing/scale.h"
#include "history/testing/chain.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/program.h"
#include "kit/s3_process.h"
#include "store/s3_store.h"

namespace tidemark::testing {
namespace {

using history::testing::Chain;

constexpr std::size_t kRequests = 6;  // as doc/operate/objects.md counts them

class IndexOverS3 : public ::testing::TestWithParam<S3Process::Kind> {
 protected:
  void SetUp() override {
    auto started = S3Process::start({.access_log = true});
    ASSERT_TRUE(started) << started.error().what;
    s3_.emplace(*std::move(started));
    const Status made = s3_->make_bucket("backups", GetParam());
    ASSERT_TRUE(made) << made.error().what;
    const auto store = open();
    for (const auto& [key, body] : chain_.objects()) ASSERT_TRUE(store->put(key, body));
  }
  std::string url() const { return s3_->url("backups/clusters/" + prefix_); }
  std::unique_ptr<store::S3Store> open() {
    return store::S3Store::open(url(), {.environment = s3_->environment()}).value();
  }
  ProgramResult run(std::vector<std::string> args) {
    args.insert(args.begin(), tidemark_program());
    args.insert(args.end(), {"--store", url(), "--progress", "none"});
    std::vector<std::string> environment = s3_->variables();
    environment.push_back("XDG_CACHE_HOME=" + temp_.path().string());
    environment.push_back("XDG_STATE_HOME=" + temp_.path().string());
    auto ran = run_program(args, {.environment = std::move(environment)});
    EXPECT_TRUE(ran) << ran.error().what;
    return ran.value_or(ProgramResult{});
  }
  // Those that one run of the program took. The server notes a request when it has answered it, so ours is waited for
  // that comes behind them.
  std::vector<std::string> requests_of(const std::vector<std::string>& args, ProgramResult& ran) {
    const std::size_t before = settled();
    ran = run(args);
    const std::size_t after = settled();
    const auto all = s3_->requests();
    if (before == 0 || after == 0) return {};
    return {all.begin() + static_cast<std::ptrdiff_t>(before), all.begin() + static_cast<std::ptrdiff_t>(after) - 1};
  }
  // How many requests the server has noted, the last of them ours.
  std::size_t settled() {
    const std::string mark = fmt::format("mark-{}", ++marks_);
    // One request, also where versions are kept.
    const auto store = store::S3Store::open(url() + "&versions=latest", {.environment = s3_->environment()});
    EXPECT_TRUE(store && !(*store)->get(mark));
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < give_up) {
      const auto all = s3_->requests();
      for (std::size_t i = all.size(); i > 0; i--) {
        if (all[i - 1].find(prefix_ + "/" + mark + " ") != std::string::npos) return i;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "the server does not note its requests";
    return 0;
  }
  // A chain may have deltas that begin at one revision, as two recorders write them: then claims are listed, too.
  std::size_t most_requests() {
    std::multiset<std::string> starts;
    for (const auto& [key, body] : chain_.objects()) {
      const std::size_t name = key.find("/Incr-");
      if (name != std::string::npos) starts.insert(key.substr(0, key.find('-', name + 6)));
    }
    const bool compete = std::ranges::adjacent_find(starts) != starts.end();
    return kRequests + (compete ? 1 : 0);
  }
  // "cm/a7 -n ns-1".
  static std::vector<std::string> words_of(const std::string& key) {
    const std::size_t name = key.rfind('/') + 1, ns = key.rfind('/', name - 2) + 1;
    const std::string kind = key.find("/pods/") != std::string::npos ? "pods" : "cm";
    return {kind + "/" + key.substr(name), "-n", key.substr(ns, name - 1 - ns)};
  }

  io::TempDir temp_ = io::TempDir::create().value();
  Chain chain_{seed(), {.revisions = 120, .value_bytes = 900, .objects = true}};
  std::optional<S3Process> s3_;
  std::string prefix_ = "prod";
  int marks_ = 0;
};

TEST_P(IndexOverS3, OneObjectAtAnyTimeIsSixRequests) {
  ASSERT_EQ(run({"log", "pods,cm", "-A"}).out, run({"log", "pods,cm", "-A", "--no-cache"}).out);
  ASSERT_EQ(run({"get", "pods,cm", "-A"}).out, run({"get", "pods,cm", "-A", "--no-cache"}).out);
  std::size_t found = 0, most = 0;
  for (const std::string& key : chain_.some_keys(60)) {
    if (found == static_cast<std::size_t>(scaled(4))) break;
    const Revision at = std::clamp(chain_.some_revision(), chain_.first(), chain_.last());
    std::vector<std::string> args = words_of(key);
    args.insert(args.begin(), "get");
    args.insert(args.end(), {"-o", "json", "--at", found % 3 == 0 ? "latest" : fmt::format("rev:{}", at)});
    std::vector<std::string> cold = args;
    cold.emplace_back("--no-cache");
    const ProgramResult read = run(cold);
    run(args);  // the index is in place afterwards
    ProgramResult cached;
    const auto requests = requests_of(args, cached);
    EXPECT_EQ(cached.exit_code, read.exit_code) << cached.err;
    EXPECT_EQ(cached.out, read.out);
    EXPECT_EQ(cached.err, read.err);
    EXPECT_LE(requests.size(), most_requests()) << fmt::format("{}", fmt::join(requests, "\n"));
    most = std::max(most, requests.size());
    if (read.exit_code == 0) found++;
  }
  EXPECT_GT(found, 0U) << "seed " << seed();
  EXPECT_EQ(most, most_requests()) << "the documents say how many";
}

TEST_P(IndexOverS3, TheLogOfOneObjectIsARequestForEachObjectThatHoldsIt) {
  ASSERT_EQ(run({"log", "pods,cm", "-A"}).exit_code, 0);
  const std::size_t objects = chain_.objects().size();
  for (const std::string& key : chain_.some_keys(scaled(2))) {
    std::vector<std::string> args = words_of(key);
    args.insert(args.begin(), "log");
    ProgramResult cached;
    const auto requests = requests_of(args, cached);
    args.emplace_back("--no-cache");
    const ProgramResult read = run(args);
    EXPECT_EQ(cached.exit_code, read.exit_code) << cached.err;
    EXPECT_EQ(cached.out, read.out);
    EXPECT_LE(requests.size(), most_requests() - 1 + objects);
  }
}

// What `record` put beside its objects is enough: of these only the bytes of the value are fetched, once.
TEST_P(IndexOverS3, WhatWasIndexedWhileItWasRecordedIsNotRead) {
  prefix_ = "recorded";
  auto etcd = EtcdProcess::start(EtcdVersion::v35);
  ASSERT_TRUE(etcd) << etcd.error().what;
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_TRUE(writer) << writer.error().what;
  const auto write = [&](int round) {
    for (int i = 0; i < 50; i++) {
      ASSERT_TRUE(writer->put(fmt::format("/registry/configmaps/ns/c{}", i),
                              fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c{}",)"
                                          R"("namespace":"ns"}},"data":{{"round":"{}","text":"{}"}}}})",
                                          i, round, std::string(500, 'x'))));
    }
  };
  for (const auto& [round, what] : {std::pair(1, "full"), std::pair(2, "delta")}) {
    write(round);
    const ProgramResult recorded = run({"record", "--endpoints", etcd->client_url(), "--once", what});
    ASSERT_EQ(recorded.exit_code, 0) << recorded.err;
  }
  ProgramResult cold;
  const auto requests = requests_of({"get", "cm/c7", "-n", "ns", "-o", "jsonpath={.data.round}"}, cold);
  ASSERT_EQ(cold.exit_code, 0) << cold.err;
  EXPECT_EQ(cold.out, "2");
  const auto count = [&](const std::string& path) {
    return std::ranges::count_if(requests, [&](const std::string& line) { return line.find(path) != line.npos; });
  };
  EXPECT_EQ(count("/recorded/v2/"), 1) << fmt::format("{}", fmt::join(requests, "\n"));
  EXPECT_EQ(count("/recorded/tidemark/index/"), 2) << fmt::format("{}", fmt::join(requests, "\n"));
}

INSTANTIATE_TEST_SUITE_P(Buckets, IndexOverS3, ::testing::Values(S3Process::Kind::plain, S3Process::Kind::versioned),
                         [](const auto& kind) { return kind.param == S3Process::Kind::plain ? "plain" : "versioned"; });

}  // namespace
}  // namespace tidemark::testing
