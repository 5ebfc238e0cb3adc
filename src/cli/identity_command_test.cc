// The program that prints an age identity: its ends, good and bad, and that nothing of it is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/store_access.h"
#include "io/file.h"

namespace tidemark::cli {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class IdentityCommand : public ::testing::Test {
 protected:
  // The command that runs this as a shell script.
  std::string script(const std::string& text) {
    const io::Path file = dir_.path() / "script.sh";
    std::ofstream(file) << text;
    return "sh " + file.native();
  }
  pid_t noted_pid() const {
    pid_t pid = 0;
    std::ifstream(dir_.path() / "pid") >> pid;
    return pid;
  }
  // Gone, or a zombie that somebody else will reap.
  static bool runs(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name, state;
    stat >> number >> name >> state;
    return !state.empty() && state != "Z";
  }
  io::TempDir dir_ = io::TempDir::create().value();
};

struct EndRow {
  const char* script;
  std::optional<Errc> code;  // nullopt: good
  const char* text;          // the output, or part of the error
};

TEST_F(IdentityCommand, ItsEnds) {
  const EndRow rows[] = {
      {"echo AGE-SECRET-KEY-1", {}, "AGE-SECRET-KEY-1\n"},
      {"exec >&-; exit 0", {}, ""},
      {"printf a; exec >&-; sleep 0.2; exit 0", {}, "a"},
      {"printf a; sleep 0.2; printf b", {}, "ab"},
      {"printf a; exit 3", Errc::denied, "ended with code 3"},
      {"printf a; exec >&-; sleep 0.2; exit 3", Errc::denied, "ended with code 3"},
      {"kill -9 $$", Errc::denied, "ended by signal 9"},
      {"kill -15 $$", Errc::denied, "ended by signal 15"},
      {"head -c 70000 /dev/zero", Errc::invalid, "prints more than 65536 bytes"},
  };
  for (const EndRow& row : rows) {
    SCOPED_TRACE(row.script);
    const auto out = run_identity_command(script(row.script));
    ASSERT_EQ(out.has_value(), !row.code);
    if (out) {
      EXPECT_EQ(as_text(*out), row.text);
    } else {
      EXPECT_EQ(out.error().code, *row.code);
      EXPECT_THAT(out.error().what, HasSubstr(row.text));
    }
  }
  EXPECT_EQ(run_identity_command(" ").error().code, Errc::invalid);
  EXPECT_EQ(run_identity_command("/nowhere/at-all").error().code, Errc::not_found);
}

// Also one that has closed its output, that ignores being asked, or that only waits for another program.
TEST_F(IdentityCommand, OneThatDoesNotEndIsEnded) {
  const std::string note = "echo $$ > " + (dir_.path() / "pid").native() + "\n";
  const std::string child = "sleep 60 & echo $! > " + (dir_.path() / "pid").native() + "\nwait\n";
  for (const std::string& text :
       {note + "sleep 60", note + "exec >&-; sleep 60", note + "trap '' TERM; sleep 60", child, "printf x\n" + child}) {
    milliseconds longest(300);
    for (bool stop = true, again = true; again; stop = false) {
      again = stop;
      SCOPED_TRACE(text + (stop ? " stop" : ""));
      std::filesystem::remove(dir_.path() / "pid");
      std::stop_source source;
      const std::jthread stopper([&](const std::stop_token& over) {
        while (stop && !over.stop_requested() && noted_pid() == 0) std::this_thread::sleep_for(milliseconds(10));
        source.request_stop();
      });
      const IdentityWait wait{.stop = stop ? source.get_token() : std::stop_token(),
                              .longest = stop ? milliseconds(60000) : longest};
      const auto out = run_identity_command(script(text), wait);
      ASSERT_FALSE(out);
      EXPECT_EQ(out.error().code, stop ? Errc::cancelled : Errc::timeout);
      EXPECT_EQ(out.error().hint.empty(), stop);
      if (!stop) {
        EXPECT_THAT(out.error().what, HasSubstr("did not end within"));
      }
      // A busy machine may not have come to the script's first line.
      if (noted_pid() == 0 && !stop && longest < std::chrono::minutes(1)) {
        longest *= 4;
        again = true;
        continue;
      }
      ASSERT_GT(noted_pid(), 0);
      for (int i = 0; i < 200 && runs(noted_pid()); ++i) std::this_thread::sleep_for(milliseconds(10));
      EXPECT_FALSE(runs(noted_pid()));
    }
  }
}

// An agent that it leaves behind keeps its output open: that is no reason to wait until time is up.
TEST_F(IdentityCommand, WhatItLeavesBehindIsNotWaitedFor) {
  const auto out =
      run_identity_command(script("sleep 600 & echo $! > " + (dir_.path() / "pid").native() + "\necho key\n"),
                           {.stop = {}, .longest = milliseconds(60000)});
  ASSERT_TRUE(out) << out.error().what;
  EXPECT_EQ(as_text(*out), "key\n");
  ::kill(noted_pid(), SIGKILL);
}

}  // namespace
}  // namespace tidemark::cli
