#include "proc/program.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "io/file.h"

namespace tidemark::proc {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> shell(const std::string& text) { return {"sh", "-c", text}; }

TEST(Program, WhatItPrintsAndHowItEnds) {
  struct Row {
    const char* script;
    int exit_code;
    const char *out, *err;
  };
  const Row rows[] = {
      {"echo one; echo two >&2", 0, "one\n", "two\n"}, {"exit 7", 7, "", ""}, {"kill -TERM $$", 143, "", ""},
      {"printf %s \"$TM_WORD\"", 0, "a b", ""},        {"cat", 0, "", ""},  // nothing to read
      {"sleep 3 & echo gone", 0, "gone\n", ""},                             // it holds our pipes, and is not waited for
  };
  for (const Row& row : rows) {
    const auto end = run_program({.argv = shell(row.script), .environment = {{"TM_WORD", "a b"}}, .within = 60s});
    ASSERT_TRUE(end) << row.script << ": " << end.error().what;
    EXPECT_EQ(end->exit_code, row.exit_code) << row.script;
    EXPECT_EQ(end->out, row.out) << row.script;
    EXPECT_EQ(end->err, row.err) << row.script;
  }
}

TEST(Program, OfTheStandardErrorTheEnd) {
  const auto end = run_program({.argv = shell("seq 1 20000 >&2; echo last >&2")});
  ASSERT_TRUE(end) << end.error().what;
  EXPECT_EQ(end->err.size(), 4096U);
  EXPECT_TRUE(end->err.ends_with("20000\nlast\n"));
}

TEST(Program, WhatDoesNotRunIsTold) {
  struct Row {
    Program program;
    Errc code;
    const char* text;
  };
  const Row rows[] = {
      {{.argv = {}}, Errc::invalid, "no program"},
      {{.argv = {"no-such-program-of-ours"}}, Errc::not_found, "no-such-program-of-ours"},
      {{.argv = {"/nowhere/plugin"}}, Errc::not_found, "/nowhere/plugin"},
      {{.argv = {"/etc"}}, Errc::denied, "/etc"},
      {{.argv = shell("while :; do echo yes; done"), .most_output = 1000}, Errc::corrupt, "1000 B"},
      {{.argv = shell("sleep 100 & wait"), .within = 50ms}, Errc::timeout, "0.05 s"},
  };
  for (const Row& row : rows) {
    const auto end = run_program(row.program);
    ASSERT_FALSE(end) << row.text;
    EXPECT_EQ(end.error().code, row.code) << end.error().what;
    EXPECT_NE(end.error().what.find(row.text), std::string::npos) << end.error().what;
  }
}

// With the group goes what the program started.
TEST(Program, AStopEndsItAtOnce) {
  const auto dir = io::TempDir::create();
  ASSERT_TRUE(dir);
  const io::Path pids = dir->path() / "pids";
  std::stop_source source;
  std::jthread stopper([&] {
    while (!io::size_of_file(pids) || *io::size_of_file(pids) == 0) std::this_thread::sleep_for(5ms);
    source.request_stop();
  });
  const auto end = run_program({.argv = shell("sleep 1000 & echo $! > " + pids.string() + ".new; mv " + pids.string() +
                                              ".new " + pids.string() + "; wait"),
                                .within = 10min},
                               source.get_token());
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::cancelled);
  const auto text = io::read_file(pids, 100);
  ASSERT_TRUE(text);
  const int left = std::stoi(std::string(as_text(*text)));
  // Whoever reaps orphans here may take a moment; until then it is a zombie, which runs nothing.
  const auto runs = [&] {
    const auto stat = io::read_file(fmt::format("/proc/{}/stat", left), 4096);
    return stat && as_text(*stat).find(") Z") == std::string_view::npos;
  };
  for (int i = 0; i < 2000 && runs(); i++) std::this_thread::sleep_for(5ms);
  EXPECT_FALSE(runs());
}

}  // namespace
}  // namespace tidemark::proc
