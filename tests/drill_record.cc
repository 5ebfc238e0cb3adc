// `tidemark record` as a program against real etcds: what it acknowledged is published, whatever ends it.
//
// "Acknowledged" is read where the program says it: its metric tidemark_record_acknowledged_revision. After the last
// restart every revision from the first recorded one on must be in a delta that counts (or in the one recorded gap),
// the store must keep the contract with etcd-backup-restore, and fulls must be sound.
#include <gtest/gtest.h>
#include <signal.h>

#include <random>
#include <thread>

#include "base/testing/scale.h"
#include "kit/record_drill.h"
#include "kit/tls_files.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;

// Small writes until told to stop, in a thread of their own.
class Load {
 public:
  explicit Load(const EtcdProcess& etcd, std::uint64_t seed)
      : writer_(EtcdWriter::connect(etcd).value()),
        random_(seed),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}
  void stop() {
    thread_.request_stop();
    thread_.join();
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::string key = fmt::format("/registry/pods/ns-{}/p{}", random_() % 3, random_() % 40);
      const std::uint64_t dice = random_() % 20;
      if (dice == 0) {
        (void)writer_.del(key);
      } else if (dice == 1) {
        (void)writer_.txn({{WriteOp::Kind::put, key, "a", "", {}}, {WriteOp::Kind::put, key + "/status", "b", "", {}}});
      } else {
        (void)writer_.put(key, std::string(random_() % 2000, 'x'));
      }
      std::this_thread::sleep_for(1ms);
    }
  }
  EtcdWriter writer_;
  std::mt19937_64 random_;
  std::jthread thread_;
};

TEST_P(RecordDrill, SigtermPublishesEverything) {
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam()));
  MUST(Child recorder, start_recorder(etcd, {"--delta-period", "1s"}));
  ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; })) << log();
  Load load(etcd, seed());
  std::this_thread::sleep_for(3s);
  load.stop();
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  MUST(const Revision head, writer.head());
  ASSERT_TRUE(wait_until([&] { return acknowledged() >= head.raw(); })) << log();
  const auto count = [&](const char* name) { return metric(metrics_port_, name); };
  EXPECT_TRUE(wait_until([&] { return count(R"(store_calls_total{operation="put",outcome="ok"})") > 0; })) << log();
  EXPECT_GT(count(R"(store_call_bytes_total{operation="put"})"), 0);
  EXPECT_EQ(count(R"(store_calls_total{operation="put",outcome="failed"})"), 0);
  recorder.signal(SIGTERM);
  MUST(const int code, recorder.wait(4min));
  EXPECT_EQ(code, 0) << log();
  expect_complete(head);
  EXPECT_GE(catalog::read_timeline(*store())->deltas.size(), 2U);
}

TEST_P(RecordDrill, KilledAtRandomNothingAcknowledgedIsLost) {
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam()));
  std::mt19937_64 random(seed());
  Load load(etcd, random());
  std::int64_t told = 0;
  for (int kill = 0; kill < scaled(5); kill++) {
    MUST(Child recorder, start_recorder(etcd, {"--delta-period", "1s", "--delta-limit", "64KiB"}));
    ASSERT_TRUE(wait_until([&] { return acknowledged() > told; })) << log();
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1500));
    told = std::max(told, acknowledged());
    recorder.signal(SIGKILL);
    ASSERT_TRUE(recorder.wait(4min));
    const auto timeline = catalog::read_timeline(*store());
    ASSERT_TRUE(timeline) << timeline.error().what;
    for (const catalog::Gap& gap : timeline->gaps) EXPECT_EQ(gap.reason, "") << "after kill " << kill;
  }
  load.stop();
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  MUST(const Revision head, writer.head());
  EXPECT_LE(told, head.raw());
  MUST(const ProgramResult last, run_program(record_args(etcd.client_url(), {"--once", "delta"})));
  ASSERT_EQ(last.exit_code, 0) << last.err;
  expect_complete(head);
}

// Killed just before a flush, started again after the cluster was compacted: what was delivered is there, the rest is
// one gap, and a full closes it.
TEST_P(RecordDrill, CompactedWhileDown) {
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam()));
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  Revision delivered;
  {
    MUST(Child recorder, start_recorder(etcd, {"--delta-period", "10m"}));
    ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; })) << log();
    for (int i = 0; i < 50; i++) {
      MUST(delivered, writer.put("k", std::to_string(i)));
    }
    ASSERT_TRUE(wait_until([&] { return acknowledged() >= delivered.raw(); })) << log();
    recorder.signal(SIGKILL);
    ASSERT_TRUE(recorder.wait(4min));
  }
  EXPECT_TRUE(catalog::read_timeline(*store())->deltas.empty());
  Revision compacted, head;
  for (int i = 0; i < 50; i++) {
    MUST(compacted, writer.put("lost", std::to_string(i)));
  }
  ASSERT_TRUE(writer.compact(compacted));
  for (int i = 0; i < 20; i++) {
    MUST(head, writer.put("later", std::to_string(i)));
  }
  MUST(Child recorder, start_recorder(etcd));
  ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; })) << log();
  ASSERT_TRUE(wait_until([&] { return acknowledged() >= head.raw(); })) << log();
  recorder.signal(SIGTERM);
  MUST(const int code, recorder.wait(4min));
  EXPECT_EQ(code, 0) << log();
  expect_complete(head, 1);
  const auto gaps = capture::read_gaps(*store());
  EXPECT_EQ(gaps->front().span, (RevisionSpan{delivered.next(), compacted}));
}

TEST_P(RecordDrill, EtcdRestartsUnderneath) {
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam()));
  MUST(Child recorder, start_recorder(etcd));
  ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; })) << log();
  Revision head;
  for (int round = 0; round < 2; round++) {
    {
      MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
      for (int i = 0; i < 30; i++) {
        MUST(head, writer.put("k", std::to_string(i)));
      }
    }
    ASSERT_TRUE(wait_until([&] { return acknowledged() >= head.raw(); })) << log();
    etcd.kill();
    const auto restarted = etcd.restart();
    ASSERT_TRUE(restarted) << restarted.error().what;
  }
  recorder.signal(SIGTERM);
  MUST(const int code, recorder.wait(4min));
  EXPECT_EQ(code, 0) << log();
  expect_complete(head);
}

INSTANTIATE_TEST_SUITE_P(Etcd, RecordDrill, ::testing::ValuesIn(kEtcdVersions), [](const auto& version) {
  return "v" + std::string(1, version_name(version.param)[0]) + std::string(1, version_name(version.param)[2]);
});

class RecordOnce : public RecordDrill {};

TEST_P(RecordOnce, TlsAndExitCodes) {
  MUST(const TlsFiles tls, make_tls_files(dir_.path()));
  EtcdSetup setup;
  setup.tls = EtcdTls{tls.ca, tls.server_cert, tls.server_key, true};
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam(), setup));
  const std::vector<std::string> good = {"--cacert", tls.ca.native(),        "--cert", tls.client_cert.native(),
                                         "--key",    tls.client_key.native()};
  const auto once = [&](std::vector<std::string> more, const std::string& what) {
    more.insert(more.end(), {"--once", what});
    return run_program(record_args(etcd.client_url(), more));
  };
  MUST(const ProgramResult full, once(good, "full"));
  EXPECT_EQ(full.exit_code, 0) << full.err;
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  MUST(const Revision head, writer.put("a", "1"));
  MUST(const ProgramResult delta, once(good, "delta"));
  EXPECT_EQ(delta.exit_code, 0) << delta.err;
  expect_complete(head);
  MUST(const ProgramResult nothing, once(good, "delta"));
  EXPECT_EQ(nothing.exit_code, 0) << nothing.err;

  MUST(const ProgramResult stranger,
       once({"--cacert", tls.ca.native(), "--cert", tls.other_cert.native(), "--key", tls.other_key.native()}, "full"));
  EXPECT_TRUE(stranger.exit_code == 6 || stranger.exit_code == 8) << stranger.exit_code << stranger.err;
  MUST(const ProgramResult word, once(good, "weekly"));
  EXPECT_EQ(word.exit_code, 2) << word.err;
  MUST(const ProgramResult nobody, run_program(record_args("http://127.0.0.1:1", {"--once", "full"})));
  EXPECT_EQ(nobody.exit_code, 8) << nobody.err;
  MUST(const ProgramResult bad_prefix,
       run_program({tidemark_program(), "record", "--store", "dir:" + (dir_.path() / "x-v1").native(), "--endpoints",
                    etcd.client_url(), "--once", "full"}));
  EXPECT_EQ(bad_prefix.exit_code, 2) << bad_prefix.err;
}

INSTANTIATE_TEST_SUITE_P(Etcd, RecordOnce, ::testing::Values(EtcdVersion::v36), [](const auto&) { return "v36"; });

}  // namespace
}  // namespace tidemark::testing
