// Manual pages and --version: what they must say. tools/check_man shows the pages to man and mandoc.
#include "cli/man_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/program.h"
#include "cli/version.h"
#include "io/file.h"

namespace tidemark::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class Pages : public ::testing::Test {
 protected:
  int run(const std::vector<std::string>& args) {
    Program program({.in = in_, .out = out_, .err = err_});
    return program.run(args);
  }
  std::string page(const std::string& name) {
    out_.str("");
    EXPECT_EQ(run({"man", name}), 0) << err_.str();
    return out_.str();
  }
  std::istringstream in_;
  std::ostringstream out_, err_;
};

TEST_F(Pages, EveryVerbHasOne) {
  Program program({.in = in_, .out = out_, .err = err_});
  std::set<std::string> names;
  for (const ManPage& page : man_pages(program, program.root())) {
    EXPECT_TRUE(names.insert(page.name).second) << page.name;
    for (const char* part : {".TH ", ".SH NAME\n", ".SH SYNOPSIS\n", ".SH EXIT STATUS\n", ".SH SEE ALSO\n.BR "}) {
      EXPECT_THAT(page.text, HasSubstr(part)) << page.name;
    }
    EXPECT_THAT(page.text, Not(HasSubstr("\n\n"))) << page.name;
  }
  for (const char* name : {"tidemark", "tidemark-record", "tidemark-list", "tidemark-restore", "tidemark-restore-etcd",
                           "tidemark-store-check", "tidemark-verify", "tidemark-doctor", "tidemark-copy"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_FALSE(names.contains("tidemark-man")) << "a tool of packagers";
}

TEST_F(Pages, SayWhatTheHelpSays) {
  const std::string list = page("tidemark-list");
  EXPECT_THAT(list, StartsWith(".TH TIDEMARK\\-LIST 1 "));
  EXPECT_THAT(list, HasSubstr("\\fB\\-\\-since\\fR \\fIWHEN\\fR\nonly points made since"));
  EXPECT_THAT(list, HasSubstr("Variable: TIDEMARK_STORE"));
  EXPECT_THAT(list, HasSubstr("\ntidemark list \\-\\-store dir:/backups/prod\n"));
  EXPECT_THAT(page("tidemark-show"), HasSubstr("\\fBtidemark show\\fR [options] \\fIPOINT\\fR\n"));
  EXPECT_THAT(page("tidemark-restore"), HasSubstr(".SH VERBS\n.TP\n\\fBetcd\\fR\n"));
  EXPECT_THAT(page("tidemark"), HasSubstr(".BR tidemark\\-record (1) ,\n.BR tidemark\\-list (1) ,\n"));
  EXPECT_THAT(page("tidemark"), Not(HasSubstr("(1) ,\n.SH")));
}

TEST_F(Pages, EveryExitCodeIsExplained) {
  const std::string text = page("tidemark");
  for (const Exit exit : {Exit::done, Exit::failed, Exit::usage, Exit::partly, Exit::not_found, Exit::corrupt,
                          Exit::denied, Exit::timed_out, Exit::unreachable, Exit::findings}) {
    EXPECT_THAT(text, HasSubstr(fmt::format("\n.TP\n{}\n", static_cast<int>(exit))));
  }
}

TEST_F(Pages, GoIntoADirectory) {
  const auto dir = io::TempDir::create().value();
  EXPECT_EQ(run({"man", "--dir", (dir.path() / "a/man1").native()}), 0) << err_.str();
  const auto text = io::read_file(dir.path() / "a/man1/tidemark-restore-etcd.1", 1 << 20);
  ASSERT_TRUE(text);
  EXPECT_EQ(as_text(*text), page("tidemark-restore-etcd"));
}

TEST_F(Pages, FailuresHaveTheirExitCode) {
  const auto dir = io::TempDir::create().value();
  ASSERT_TRUE(io::write_file_durably(dir.path() / "file", as_bytes("x")));
  EXPECT_EQ(run({"man", "tidemark-frobnicate"}), 4);
  EXPECT_THAT(err_.str(), HasSubstr("no page 'tidemark-frobnicate'\nhint: "));
  EXPECT_EQ(run({"man", "a", "b"}), 2);
  EXPECT_NE(run({"man", "--dir", (dir.path() / "file/man1").native()}), 0);
  EXPECT_EQ(run({"version", "-o", "xml"}), 2);
  EXPECT_EQ(run({"version", "more"}), 2);
}

TEST_F(Pages, VersionInOneLineAndWhole) {
  EXPECT_EQ(run({"--version"}), 0);
  const std::string line = out_.str();
  EXPECT_THAT(line, MatchesRegex("tidemark [0-9]+\\.[0-9]+\\.[0-9]+ \\([-.0-9a-z]*,? ?(gcc|clang) [0-9.]+, "
                                 "(not )?optimised\\)\n"));
  out_.str("");
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_THAT(out_.str(), StartsWith(line));
  EXPECT_THAT(out_.str(), HasSubstr("\nformat      etcd data directory: reads 3.4 to 3.7; writes 3.4 to 3.7\n"));
  out_.str("");
  EXPECT_EQ(run({"version", "-o", "json"}), 0);
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["kind"], "Version");
  EXPECT_EQ(json["formatVersion"], 1);
  EXPECT_EQ(json["version"], version_number());
  // A library whose version the build did not find is left out there; it would be missed here.
  for (const char* library : {"gRPC", "protobuf", "OpenSSL", "libcurl", "expat", "ISA-L", "prometheus-cpp", "spdlog",
                              "fmt", "CLI11", "nlohmann-json"}) {
    ASSERT_TRUE(json["libraries"].contains(library)) << library;
    EXPECT_THAT(json["libraries"][library].get<std::string>(), MatchesRegex("[0-9]+\\.[0-9]+.*")) << library;
  }
}

}  // namespace
}  // namespace tidemark::cli
