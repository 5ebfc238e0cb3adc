// `tidemark record` in trouble: authentication with tokens that expire, a full disk under the spool, a long absence
// while etcd compacts itself.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "base/testing/scale.h"
#include "kit/record_drill.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class RecordFaults : public RecordDrill {
 protected:
  static Result<Revision> write(EtcdWriter& writer, int revisions, std::size_t bytes = 10) {
    Result<Revision> last = Revision{};
    for (int i = 0; i < revisions && last; i++) last = writer.put("k" + std::to_string(i), std::string(bytes, 'v'));
    return last;
  }
};

TEST_P(RecordFaults, PasswordAndTokensThatExpire) {
  EtcdSetup setup;
  setup.more_flags = {"--auth-token-ttl=1"};
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam(), setup));
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  const std::string secret = "correct horse battery";
  ASSERT_TRUE(writer.role_add("reader", "k", "l"));
  ASSERT_TRUE(writer.user_add("root", secret, "root"));
  ASSERT_TRUE(writer.user_add("small", "small", "reader"));
  ASSERT_TRUE(writer.auth_enable());
  const io::Path file = dir_.path() / "password";
  ASSERT_TRUE(io::write_file_durably(file, as_bytes(secret + "\n")));

  struct Row {
    std::vector<std::string> flags;
    const char* says;
  };
  for (const Row& row : {Row{{"--user", "root", "--password", "wrong guess"}, "password"}, Row{{}, "user"},
                         Row{{"--user", "nobody", "--password", "wrong guess"}, "password"},
                         Row{{"--user", "small", "--password", "small"}, "permission denied"}}) {
    auto flags = row.flags;
    flags.insert(flags.end(), {"--once", "full"});
    MUST(const ProgramResult denied, run_program(record_args(etcd.client_url(), flags)));
    EXPECT_EQ(denied.exit_code, 6) << denied.err;
    EXPECT_THAT(denied.err, HasSubstr("tidemark: "));
    EXPECT_THAT(denied.err, HasSubstr(row.says));
    EXPECT_THAT(denied.err, Not(HasSubstr("wrong guess")));
  }

  MUST(Child recorder, start_recorder(etcd, {"--delta-period", "1s", "--user", "root", "--password-file", file}));
  ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; })) << log();
  Revision head;
  for (int round = 0; round < 3; round++) {  // each longer than a token lives
    ASSERT_TRUE(writer.authenticate("root", secret));
    MUST(head, write(writer, 20));
    ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "published_revision") >= head.raw(); })) << log();
    std::this_thread::sleep_for(1500ms);
  }
  auto beside = record_args(etcd.client_url(), {"--user", "root:" + secret, "--once", "full"});
  std::ranges::replace(beside, (dir_.path() / "spool").native(), (dir_.path() / "other-spool").native());
  MUST(const ProgramResult again, run_program(beside));
  EXPECT_EQ(again.exit_code, 0) << again.err;
  recorder.signal(SIGTERM);
  MUST(const int code, recorder.wait(4min));
  EXPECT_EQ(code, 0) << log();
  EXPECT_THAT(log(), Not(HasSubstr(secret)));
  expect_complete(head);
}

// The spool is a file system of its own, made in a mount namespace of the recorder's, so that nothing is left behind.
TEST_P(RecordFaults, DiskFullUnderTheSpool) {
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam()));
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  const io::Path spool = dir_.path() / "spool";
  ASSERT_TRUE(io::make_dirs(spool));
  std::vector<std::string> args = {"unshare", "--mount", "--propagation", "private"};
  if (::geteuid() != 0) args.emplace_back("--map-root-user");
  for (const char* word : {"sh", "-ec", "mount -t tmpfs -o size=8m tidemark-drill \"$0\"; exec \"$@\""}) {
    args.emplace_back(word);
  }
  args.push_back(spool);
  for (std::string& arg : record_args(etcd.client_url(), {"--delta-period", "1s", "--metrics-listen",
                                                          fmt::format("127.0.0.1:{}", metrics_port_)})) {
    args.push_back(std::move(arg));
  }
  MUST(Child recorder, Child::start(args, dir_.path() / "record.log"));
  ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; })) << log();

  Revision head;
  for (int round = 0; round < 2; round++) {
    // What is still to be published would give room back.
    ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "spill_bytes") == 0; })) << log();
    const io::Path filler = fmt::format("/proc/{}/root{}/filler", recorder.pid(), spool.native());
    MUST(io::Fd full, io::open_file(filler, O_WRONLY | O_CREAT));
    const std::string block(4096, 'x');
    while (::write(full.get(), block.data(), block.size()) > 0) {
    }
    MUST(head, write(writer, 100, 3000));
    ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "blocked") == 1; })) << log();
    EXPECT_LT(acknowledged(), head.raw());
    EXPECT_THAT(log(), HasSubstr("behind: the spill is full"));
    std::this_thread::sleep_for(1s);
    EXPECT_TRUE(recorder.running());
    EXPECT_LE(metric(metrics_port_, "spill_failures_total"), 20 * (round + 1)) << "it backs off";
    ASSERT_TRUE(std::filesystem::remove(filler));
    full = io::Fd();
    ASSERT_TRUE(wait_until([&] { return acknowledged() >= head.raw(); })) << log();
    EXPECT_EQ(metric(metrics_port_, "blocked"), 0);
  }
  recorder.signal(SIGTERM);
  MUST(const int code, recorder.wait(4min));
  EXPECT_EQ(code, 0) << log();
  expect_complete(head);
}

// With a five-minute compaction, killed just before a flush, started again ten minutes later: what was delivered is
// there, the rest is one gap, and a full closes it. With TM_SCALE=20 and more the minutes are minutes, else seconds.
TEST_P(RecordFaults, TenMinutesAwayFromAFiveMinuteCompaction) {
  const std::chrono::milliseconds minute = scale() >= 20 ? std::chrono::milliseconds(1min) : 1s;
  EtcdSetup setup;
  setup.auto_compaction = fmt::format("periodic:{}ms", (5 * minute).count());
  MUST(EtcdProcess etcd, EtcdProcess::start(GetParam(), setup));
  MUST(EtcdWriter writer, EtcdWriter::connect(etcd));
  Revision delivered, head;
  {
    MUST(Child recorder, start_recorder(etcd, {"--delta-period", "1h"}));
    ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; })) << log();
    MUST(delivered, write(writer, 50));
    ASSERT_TRUE(wait_until([&] { return acknowledged() >= delivered.raw(); })) << log();
    recorder.signal(SIGKILL);
    ASSERT_TRUE(recorder.wait(4min));
  }
  EXPECT_TRUE(catalog::read_timeline(*store())->deltas.empty());
  const auto back = std::chrono::steady_clock::now() + 10 * minute;
  while (std::chrono::steady_clock::now() < back) {
    MUST(head, write(writer, 2));
    std::this_thread::sleep_for(minute / 20);
  }
  // The compactor's own pace is not ours. Once it has come to the head it stays there: while it moves, there may be
  // two gaps side by side.
  ASSERT_TRUE(wait_until([&] { return !writer.read_all(head.prev()); }, scale() >= 20 ? 600s : 60s));
  MUST(Child recorder, start_recorder(etcd));
  ASSERT_TRUE(wait_until([&] { return metric(metrics_port_, "fulls_total") >= 1; })) << log();
  MUST(head, write(writer, 5));
  ASSERT_TRUE(wait_until([&] { return acknowledged() >= head.raw(); })) << log();
  recorder.signal(SIGTERM);
  MUST(const int code, recorder.wait(4min));
  EXPECT_EQ(code, 0) << log();
  expect_complete(head, 1);
  EXPECT_EQ(capture::read_gaps(*store())->front().span.first, delivered.next());
}

INSTANTIATE_TEST_SUITE_P(Etcd, RecordFaults, ::testing::Values(EtcdVersion::v36), [](const auto&) { return "v36"; });

}  // namespace
}  // namespace tidemark::testing
