// The verb `record` against a real etcd, killed in front of its steps (src/capture/kill_test.cc goes through every one
// of them with an etcd in memory; this is the program itself, with gRPC and a disk).
//
// The program under test is this one: started with TM_STEP_JOURNAL in its environment it is `tidemark` with a listener
// that kills it at the step TM_STEP, the TM_STEP_NTH time.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "base/testing/scale.h"
#include "capture/testing/kill_at.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "kit/record_drill.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using capture::testing::Cut;

class RecordSteps : public RecordDrill {
 protected:
  // A recorder that dies at the cut, under load. The newest revision that it acknowledged before.
  void record_and_die(const EtcdProcess& etcd, EtcdWriter& writer, const Cut& cut, std::int64_t& told, bool& died) {
    ProgramOptions options;
    options.environment = {"TM_STEP_JOURNAL=" + journal().native(), "TM_STEP=" + cut.step,
                           "TM_STEP_NTH=" + std::to_string(cut.nth)};
    auto args = record_args(etcd.client_url(), {"--delta-period", "1s", "--delta-limit", "16KiB", "--metrics-listen",
                                                fmt::format("127.0.0.1:{}", metrics_port_)});
    args[0] = "/proc/self/exe";
    args[0] = std::filesystem::read_symlink(args[0]).native();
    MUST(Child recorder, Child::start(args, dir_.path() / "record.log", options));
    const auto end = std::chrono::steady_clock::now() + 20s;
    for (int round = 0; recorder.running() && std::chrono::steady_clock::now() < end; round++) {
      ASSERT_TRUE(writer.put("k" + std::to_string(round % 7), std::string(1000, 'v')));
      if (round % 5 == 4) told = std::max(told, acknowledged());
      if (metric(metrics_port_, "deltas_total") >= 3 && metric(metrics_port_, "fulls_total") >= 1) break;
    }
    if (recorder.running()) recorder.signal(SIGTERM);
    MUST(const int code, recorder.wait(4min));
    died = code == 128 + SIGKILL;
    EXPECT_TRUE(died || code == 0) << code << log();
  }
  io::Path journal() const { return dir_.path() / "journal"; }
};

TEST_P(RecordSteps, KilledInFrontOfThem) {
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam()));
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  std::int64_t told = 0;
  bool died = false;
  ASSERT_NO_FATAL_FAILURE(record_and_die(etcd, writer, {}, told, died));
  EXPECT_FALSE(died);
  std::vector<Cut> cuts;
  for (const auto& [step, times] : capture::testing::read_journal(journal())) {
    cuts.push_back({step, 1});
    if (times > 1) cuts.push_back({step, 2});
  }
  EXPECT_GT(cuts.size(), 20U);
  std::mt19937_64 random(seed());
  std::shuffle(cuts.begin(), cuts.end(), random);
  if (scale() == 1) cuts.resize(6);
  int deaths = 0;
  for (const Cut& cut : cuts) {
    SCOPED_TRACE(fmt::format("killed in front of step '{}', time {}", cut.step, cut.nth));
    for (const char* of_last : {"store", "spool"}) ASSERT_TRUE(io::remove_tree(dir_.path() / of_last));
    told = 0;
    ASSERT_NO_FATAL_FAILURE(record_and_die(etcd, writer, cut, told, died));
    deaths += died ? 1 : 0;
    // What was acknowledged is not asked of etcd again.
    if (told > 1 && !writer.compact(Revision(told))) continue;
    MUST(const Revision head, writer.put("last", cut.step));
    MUST(const ProgramResult again, run_program(record_args(etcd.client_url(), {"--once", "delta"})));
    ASSERT_EQ(again.exit_code, 0) << again.err;
    expect_complete(head);
    const io::Path data = dir_.path() / "data";
    MUST(const ProgramResult back, run_program({tidemark_program(), "restore", "etcd", "--store",
                                                "dir:" + store_dir().native(), "--data-dir", data.native(), "--yes"}));
    EXPECT_EQ(back.exit_code, 0) << back.err;
    ASSERT_TRUE(io::remove_tree(data));
    if (HasFailure()) return;
  }
  EXPECT_GE(deaths * 2, static_cast<int>(cuts.size())) << "most of the steps come up";
}

INSTANTIATE_TEST_SUITE_P(Etcd, RecordSteps, ::testing::Values(EtcdVersion::v36), [](const auto&) { return "v36"; });

int be_tidemark(int argc, char** argv, const io::Path& journal) {
  auto signals = cli::Signals::install().value();
  const char* step = std::getenv("TM_STEP");
  const char* nth = std::getenv("TM_STEP_NTH");
  capture::testing::KillAt steps(journal, {step != nullptr ? step : "", nth != nullptr ? std::atoi(nth) : 0});
  cli::Program program({.in = std::cin, .out = std::cout, .err = std::cerr, .stop = signals.stop(), .steps = &steps});
  return program.run(std::vector<std::string>(argv + 1, argv + argc));
}

}  // namespace
}  // namespace tidemark::testing

int main(int argc, char** argv) {
  if (const char* journal = std::getenv("TM_STEP_JOURNAL"); journal != nullptr) {
    return tidemark::testing::be_tidemark(argc, argv, journal);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
