// The fixture of the drills of the program with somebody's service for a store: recorded from a real etcd, listed,
// shown, restored, the same.
#pragma once

#include <gmock/gmock.h>

#include <functional>

#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/program.h"

namespace tidemark::testing {

class StoreProgram : public ::testing::Test {
 protected:
  // Runs the program with the store and the right to it in its environment.
  ProgramResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), tidemark_program());
    auto environment = variables_;
    environment.push_back("TIDEMARK_STORE=" + store_);
    environment.push_back("XDG_STATE_HOME=" + temp_.path().string());
    auto ran = run_program(arguments, {.environment = environment});
    EXPECT_TRUE(ran) << ran.error().what;
    return *std::move(ran);
  }

  // A full, a delta, and back. `step` is told what comes next: "full", "delta", "read". No output has `secret` in it.
  void expect_round_trip(
      const std::string& secret, const std::function<void(std::string_view)>& step = [](std::string_view) {}) {
    auto etcd = EtcdProcess::start(EtcdVersion::v35);
    ASSERT_TRUE(etcd) << etcd.error().what;
    auto writer = EtcdWriter::connect(*etcd);
    ASSERT_TRUE(writer) << writer.error().what;
    step("full");
    write(*writer, 1);
    const ProgramResult full = run({"record", "--endpoints", etcd->client_url(), "--once", "full"});
    ASSERT_EQ(full.exit_code, 0) << full.err;
    step("delta");
    write(*writer, 2);
    const ProgramResult delta = run({"record", "--endpoints", etcd->client_url(), "--once", "delta"});
    ASSERT_EQ(delta.exit_code, 0) << delta.err;
    const auto source = writer->read_all();
    ASSERT_TRUE(source) << source.error().what;

    step("read");
    const ProgramResult list = run({"list", "-o", "json"});
    ASSERT_EQ(list.exit_code, 0) << list.err;
    EXPECT_THAT(list.out, ::testing::HasSubstr("\"delta\""));
    const ProgramResult show = run({"show", "latest"});
    ASSERT_EQ(show.exit_code, 0) << show.err;
    EXPECT_THAT(show.out, ::testing::HasSubstr("state       ok"));
    const io::Path data = temp_.path() / "data";
    const ProgramResult restored =
        run({"restore", "etcd", "--at", "latest", "--data-dir", data.string(), "--revision-bump", "none", "--yes"});
    ASSERT_EQ(restored.exit_code, 0) << restored.err;
    auto back = EtcdProcess::start(EtcdVersion::v35, {.name = "default", .data_dir = data});
    ASSERT_TRUE(back) << back.error().what;
    auto reader = EtcdWriter::connect(*back);
    ASSERT_TRUE(reader) << reader.error().what;
    const auto copy = reader->read_all();
    ASSERT_TRUE(copy) << copy.error().what;
    EXPECT_EQ(*copy, *source);
    for (const std::string& output : {full.err, delta.err, list.out, list.err, show.out, restored.out, restored.err}) {
      EXPECT_EQ(output.find(secret), std::string::npos) << output;
    }
  }

  io::TempDir temp_ = io::TempDir::create().value();
  std::string store_;
  std::vector<std::string> variables_;

 private:
  static void write(EtcdWriter& writer, int round) {
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(
          writer.put(fmt::format("/registry/things/{}", i), fmt::format("{} {}", round, std::string(500, 'x'))));
    }
    ASSERT_TRUE(writer.del(fmt::format("/registry/things/{}", round)));
  }
};

}  // namespace tidemark::testing
