// A recorded bucket is proven against the HashKV answers of its own etcd; then every object is damaged in turn, and
// found.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/program.h"
#include "kit/record_drill.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Json = nlohmann::json;

class VerifyDrill : public ::testing::TestWithParam<EtcdVersion> {
 protected:
  io::Path store() const { return temp_.path() / "store"; }

  // Two fulls and a few deltas in between, from an etcd that was compacted on the way.
  void record() {
    EtcdSetup setup;
    auto etcd = EtcdProcess::start(GetParam(), setup);
    ASSERT_TRUE(etcd) << etcd.error().what;
    auto writer = EtcdWriter::connect(*etcd).value();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(writer.put(fmt::format("k{}", i), "0"));
    const std::vector<std::string> args{
        tidemark_program(), "record",           "--store",     "dir:" + store().native(),
        "--endpoints",      etcd->client_url(), "--spool-dir", (temp_.path() / "spool").native()};
    auto recorder = args;
    MUST(const int metrics, free_port());
    recorder.insert(recorder.end(), {"--delta-period", "1s", "--metrics-listen", fmt::format("127.0.0.1:{}", metrics)});
    auto child = Child::start(recorder, temp_.path() / "record.log");
    ASSERT_TRUE(child);
    for (int i = 0; i < 180; ++i) {
      ASSERT_TRUE(writer.put(fmt::format("k{}", i % 40), std::string(200, 'v')));
      if (i % 9 == 0) {
        ASSERT_TRUE(writer.del(fmt::format("k{}", i % 40)));
      }
      if (i == 90) {
        ASSERT_TRUE(writer.compact(Revision(100)));
      }
      std::this_thread::sleep_for(20ms);
    }
    // What is on its way to the recorder when that is told to end is not its any more: the next full would be behind a
    // hole.
    MUST(const Revision head, writer.head());
    ASSERT_TRUE(wait_until([&] { return metric(metrics, "acknowledged_revision") >= head.raw(); }))
        << child->log_tail();
    child->signal(SIGTERM);
    ASSERT_EQ(child->wait(kPatience), 0) << child->log_tail();
    auto once = args;
    once.insert(once.end(), {"--once", "full"});
    const auto full = run_program(once);
    ASSERT_TRUE(full);
    ASSERT_EQ(full->exit_code, 0) << full->err;
  }

  Json verify(const std::vector<std::string>& more, int& code) const {
    std::vector<std::string> args{tidemark_program(), "verify", "--all", "--store", store().native(), "-o", "json"};
    args.insert(args.end(), more.begin(), more.end());
    const auto ran = run_program(args);
    EXPECT_TRUE(ran) << ran.error().what;
    code = ran ? ran->exit_code : -1;
    auto json = ran ? Json::parse(ran->out, nullptr, false) : Json();
    EXPECT_TRUE(json.is_object()) << ran->out << ran->err;
    return json;
  }

  static void flip(const io::Path& file, std::streamoff at) {
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    f.seekg(at);
    const char was = static_cast<char>(f.get());
    f.seekp(at);
    f.put(static_cast<char>(was ^ 0x04));
  }
  // At the first byte where it matters: a distance that points to another run of the same bytes is no damage.
  static std::streamoff flip_from_the_middle(const io::Path& file) {
    const auto unpacked = [&] {
      const auto ran = run_program({"gzip", "-dc", file.native()});
      EXPECT_TRUE(ran) << ran.error().what;
      return ran ? std::pair(ran->exit_code, ran->out) : std::pair(-1, std::string());
    };
    const auto sound = unpacked();
    auto at = static_cast<std::streamoff>(fs::file_size(file) / 2);
    for (flip(file, at); unpacked() == sound; flip(file, ++at)) flip(file, at);
    return at;
  }

  io::TempDir temp_ = *io::TempDir::create();
};

TEST_P(VerifyDrill, ProvenThenDamaged) {
  record();
  if (HasFatalFailure()) return;
  int code = -1;
  const Json good = verify({"--level", "replay"}, code);
  EXPECT_EQ(code, 0) << good.dump(1);
  ASSERT_EQ(good["replays"].size(), 2U) << good.dump(1);
  int met = 0;
  for (const Json& replay : good["replays"]) {
    EXPECT_EQ(replay["sound"], true);
    for (const Json& sample : replay["samples"]) {
      EXPECT_NE(sample["verdict"], "different");
      met += sample["verdict"] == "met" ? 1 : 0;
    }
  }
  EXPECT_EQ(met, 3) << "each full by what etcd said of it, and the deltas between by the second's\n" << good.dump(1);

  std::vector<io::Path> objects;
  for (const auto& entry : fs::directory_iterator(store() / "v2")) objects.push_back(entry.path());
  ASSERT_GE(objects.size(), 4U);
  for (const io::Path& object : objects) {
    SCOPED_TRACE(object);
    const std::streamoff at = flip_from_the_middle(object);
    const Json bad = verify({"--level", "digest", "--no-proof"}, code);
    EXPECT_EQ(code, 10);
    ASSERT_EQ(bad["findings"].size(), 1U) << bad.dump(1);
    EXPECT_EQ(bad["findings"][0]["object"], "v2/" + object.filename().native());
    EXPECT_EQ(bad["findings"][0]["level"], "digest");
    flip(object, at);
  }
  const auto listed = output_of({tidemark_program(), "list", "--store", store().native()});
  ASSERT_TRUE(listed);
  EXPECT_NE(listed->find("replay 20"), std::string::npos) << *listed;
}

INSTANTIATE_TEST_SUITE_P(Etcd, VerifyDrill, ::testing::Values(EtcdVersion::v34, EtcdVersion::v36),
                         [](const auto& row) { return row.param == EtcdVersion::v34 ? "v3_4" : "v3_6"; });

}  // namespace
}  // namespace tidemark::testing
