// The program in-process: exit codes, output, words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "catalog/lineage.h"
#include "cli/program.h"
#include "cli/testing/run.h"
#include "io/file.h"
#include "store/dir_store.h"

namespace tidemark::cli {
namespace {

using testing::bucket;
using ::testing::HasSubstr;
using testing::Ran;
using testing::run;
using ::testing::StartsWith;

TEST(Cli, ListPrintsATable) {
  const Ran r = run({"list", "--store", bucket("07-missing-middle-delta")});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(r.out, R"(KIND   REVISIONS  CREATED               SIZE       STATE                OBJECT
full   308        2026-11-21T07:32:42Z  32.61 KiB  ok                   v2/Full-00000000-00000308-1795246362.gz
delta  309..434   2026-11-21T07:32:45Z  19.75 KiB  ok                   v2/Incr-00000309-00000434-1795246365.gz
delta  435..560   2026-11-21T07:32:48Z  19.67 KiB  ok                   v2/Incr-00000435-00000560-1795246368.gz
gap    561..686   -                     -          no object covers it
delta  687..812   2026-11-21T07:32:54Z  17.45 KiB  cut off              v2/Incr-00000687-00000812-1795246374.gz
delta  813..938   2026-11-21T07:32:58Z  18.17 KiB  cut off              v2/Incr-00000813-00000938-1795246378.gz

earliest  revision 308  2026-11-21T07:32:42Z
latest    revision 560  2026-11-21T07:32:48Z
)");
}

TEST(Cli, ListPrintsJsonAndYamlOfTheSame) {
  const Ran json = run({"list", "--store", bucket("07-missing-middle-delta"), "-o", "json"});
  ASSERT_EQ(json.code, 0) << json.err;
  const auto all = nlohmann::json::parse(json.out);
  EXPECT_EQ(all["kind"], "Timeline");
  EXPECT_EQ(all["formatVersion"], 1);
  EXPECT_EQ(all["earliest"]["revision"], 308);
  EXPECT_EQ(all["latest"]["revision"], 560);
  EXPECT_EQ(all["latest"]["time"], "2026-11-21T07:32:48Z");
  EXPECT_EQ(all["points"].size(), 5U);
  EXPECT_EQ(all["points"][4]["state"], "cut off");
  EXPECT_EQ(all["gaps"][0]["first"], 561);
  EXPECT_EQ(all["lineage"], nullptr);
  const Ran yaml = run({"list", "--store", bucket("07-missing-middle-delta"), "-o", "yaml", "--kind", "gap"});
  EXPECT_EQ(yaml.code, 0);
  EXPECT_THAT(yaml.out, StartsWith("kind: Timeline\nformatVersion: 1\nstore: \"dir:/"));
  EXPECT_THAT(yaml.out, HasSubstr("\nlatest:\n  revision: 560\n  time: \"2026-11-21T07:32:48Z\"\n"));
  EXPECT_THAT(yaml.out,
              HasSubstr("\npoints: []\ngaps:\n- first: 561\n  last: 686\n  reason: \"no object covers it\"\n"));
}

struct FilterRow {
  std::vector<std::string> options;
  std::vector<std::string> names;  // the last three digits of each object's last revision
};

TEST(Cli, ListFilters) {
  const FilterRow rows[] = {
      {{}, {"308", "434", "560", "686", "812", "938"}},
      {{"--kind", "full"}, {"308"}},
      {{"--kind", "delta"}, {"434", "560", "686", "812", "938"}},
      {{"--kind", "gap"}, {}},
      {{"--since", "rev:561"}, {"686", "812", "938"}},
      {{"--since", "rev:938"}, {"938"}},
      {{"--since", "rev:939"}, {}},
      {{"--since", "latest"}, {"938"}},
      {{"--since", "2026-11-21T07:32:54Z"}, {"812", "938"}},
      {{"--since", "2026-11-21T08:32:54+01:00"}, {"812", "938"}},
      {{"--since", "-3626s"}, {"812", "938"}},
      {{"--since", "-1m"}, {}},
      {{"--since", "-2h", "--kind", "full"}, {"308"}},
  };
  for (const FilterRow& row : rows) {
    std::vector<std::string> args{"list", "--store", bucket("00-control-gz"), "-o", "name"};
    args.insert(args.end(), row.options.begin(), row.options.end());
    const Ran r = run(args);
    EXPECT_EQ(r.code, 0) << r.err;
    std::vector<std::string> lasts;
    std::istringstream lines(r.out);
    for (std::string line; std::getline(lines, line);) lasts.push_back(line.substr(22, 3));
    EXPECT_EQ(lasts, row.names) << ::testing::PrintToString(row.options);
  }
}

struct ExitRow {
  std::vector<std::string> args;
  int code;
  const char* err;
};

TEST(Cli, FailuresHaveTheirExitCodeAndOneLine) {
  const std::string good = bucket("00-control-gz");
  const ExitRow rows[] = {
      {{"show", "latest"}, 2, "tidemark: --store is required\nhint: --store dir:/path"},
      {{"list"}, 2, "tidemark: --store is required\nhint: --store dir:/path, or the variable TIDEMARK_STORE\n"},
      {{"record"}, 2, "hint: --store dir:/path, or the variable TIDEMARK_STORE\n"},
      {{"record", "--bogus"}, 2, "tidemark: unknown flag '--bogus'\n"},
      {{"record", "--bogus=1", "--store", good}, 2, "tidemark: unknown flag '--bogus=1'\n"},
      {{"record", "--delta-perod", "1m"}, 2, "unknown flag '--delta-perod'\nhint: did you mean --delta-period?\n"},
      {{"list", "--bogus"}, 2, "unknown flag '--bogus'"},
      {{"show", "--bogus"}, 2, "unknown flag '--bogus'"},
      {{"restore", "--bogus"}, 2, "unknown flag '--bogus'"},
      {{"restore", "etcd", "--bogus"}, 2, "unknown flag '--bogus'"},
      {{"copy", "--bogus"}, 2, "unknown flag '--bogus'"},
      {{"completion", "--bogus"}, 2, "unknown flag '--bogus'"},
      {{"--bogus"}, 2, "unknown flag '--bogus'"},
      {{"list", "--stroe", good}, 2, "hint: did you mean --store?\n"},
      {{"list", "-o", "jsonpath", "--store", good}, 2, "'jsonpath': table, wide, json, yaml or name expected\n"},
      {{"list", "more", "--store", good}, 2, "unexpected word 'more'"},
      {{"lsit", "--store", good}, 2, "there is no verb 'lsit'\nhint: did you mean list?\n"},
      {{"list", "--store", good, "--nonsense"}, 2, "--nonsense"},
      {{"list", "--store", good, "--kind", "cow"}, 2, "cow"},
      {{"list", "--store", good, "--kind", "volume"}, 1, "volumes"},
      {{"list", "--store", good, "--since", "yesterday"}, 2, "'yesterday' is not a moment"},
      {{"list", "--store", good, "--since", "pin:x"}, 1, "pin:x"},
      {{"list", "--store", good, "-o", "xml"}, 2, "xml"},
      {{"list", "--store", "/does/not/exist"}, 4, "/does/not/exist': No such file or directory\nhint: check the path"},
      {{"verify", "--store", "/does/not/exist"}, 4, "hint: check the path"},
      {{"copy", "--store", "/does/not/exist", "--to", "/does/not/exist/either"}, 4, "hint: check the path"},
      {{"doctor", "--store", "/does/not/exist"}, 4, "hint: check the path"},
      {{"doctor"}, 2, "hint: tidemark doctor --data-dir /var/lib/etcd"},
      {{"list", "--store", "s3://x"}, 2, "no name of a bucket"},
      {{"list", "--store", "ftp://x"}, 2, "unknown scheme"},
      {{"list", "--store", bucket("08-sibling-prefix")}, 4, "nothing can be restored"},
      {{"show", "--store", good}, 2, "POINT is required"},
      {{"show", "rev:939", "--store", good}, 4, "no point 'rev:939'"},
      {{"show", "Full-1-2-3", "--store", good}, 4, "no point 'Full-1-2-3'"},
      {{"show", "", "--store", good}, 4, "no point ''"},
      {{"frobnicate"}, 2, "frobnicate"},
      {{"--log-level", "loud", "list", "--store", good}, 2, "loud"},
      {{"help", "frobnicate"}, 2, "there is no verb 'frobnicate'"},
      {{"completion", "tcsh"}, 2, "tcsh"},
  };
  for (const ExitRow& row : rows) {
    const Ran r = run(row.args);
    SCOPED_TRACE(::testing::PrintToString(row.args));
    EXPECT_EQ(r.code, row.code);
    EXPECT_THAT(r.err, StartsWith("tidemark: "));
    EXPECT_THAT(r.err, HasSubstr(row.err));
    EXPECT_LE(std::ranges::count(r.err, '\n'), 2) << "one line, one hint: " << r.err;
  }
}

// An absolute path is no prefix with an empty part: record gets as far as etcd, which is not there.
TEST(Cli, RecordTakesPathsThatOtherReadersCanRead) {
  const auto dir = io::TempDir::create().value();
  struct Row {
    const char* store;
    int code;
    const char* err;
  };
  for (const Row& row :
       {Row{"a/prod", 8, "hint: nothing listens on unix:"}, Row{"a/prod/", 8, "unix:"}, Row{"a/../prod", 8, "unix:"},
        Row{"shoot-v1/prod", 2, "'shoot-v1'"}, Row{"prod/v2", 2, "'v2'"}}) {
    const Ran r = run({"record", "--store", "dir:" + (dir.path() / row.store).native(), "--endpoints",
                       "unix://" + (dir.path() / "socket").native(), "--spool-dir", (dir.path() / "spool").native(),
                       "--once", "full"});
    EXPECT_EQ(r.code, row.code) << row.store;
    EXPECT_THAT(r.err, HasSubstr(row.err)) << row.store;
  }
}

TEST(Cli, EveryErrcHasAnExitCode) {
  const std::pair<Errc, int> rows[] = {{Errc::invalid, 2},   {Errc::not_found, 4},   {Errc::already_exists, 1},
                                       {Errc::corrupt, 5},   {Errc::torn, 5},        {Errc::unsupported, 1},
                                       {Errc::denied, 6},    {Errc::unavailable, 8}, {Errc::timeout, 7},
                                       {Errc::compacted, 4}, {Errc::conflict, 1},    {Errc::no_space, 1},
                                       {Errc::io, 1},        {Errc::cancelled, 1}};
  for (const auto& [code, exit] : rows) EXPECT_EQ(static_cast<int>(exit_of(code)), exit) << errc_name(code);
}

TEST(Cli, ListOfNothingStillPrintsWhatIsThere) {
  const auto dir = io::TempDir::create().value();
  const Ran empty = run({"list", "--store", dir.path().native()});
  EXPECT_EQ(empty.code, 4);
  EXPECT_EQ(empty.out, "");
  EXPECT_THAT(empty.err, HasSubstr("hint: check the path"));
  const auto store = store::DirStore::open(dir.path(), store::DirStore::Access::read_write).value();
  ASSERT_TRUE(store->put("v2/Incr-00000309-00000434-1795246365.gz", as_bytes("x")));
  const Ran r = run({"list", "--store", dir.path().native()});
  EXPECT_EQ(r.code, 4);
  EXPECT_THAT(r.out, HasSubstr("delta  309..434"));
  EXPECT_THAT(r.out, HasSubstr("cut off"));
}

TEST(Cli, SidecarsShow) {
  const auto dir = io::TempDir::create().value();
  const auto store = store::DirStore::open(dir.path(), store::DirStore::Access::read_write).value();
  const std::string full = "v2/Full-00000000-00000308-1795246362.gz", a = "v2/Incr-00000309-00000434-1795246365.gz",
                    b = "v2/Incr-00000309-00000400-1795246364.gz";
  for (const std::string& key : {full, a, b, std::string("v2/readme")}) ASSERT_TRUE(store->put(key, as_bytes("x")));
  const Time when = Time(std::chrono::seconds(1795246000));
  ASSERT_TRUE(catalog::write_lineage(*store, {ClusterId(0xabc), MemberId(1), Revision(2), when, 1}));
  ASSERT_TRUE(catalog::write_successor(*store, {2, "lineage-2.prod", "etcd went back", when, ClusterId(0xabc)}));
  const catalog::Claim claim{Revision(309), 1, "r", a, when};
  ASSERT_TRUE(store->put(catalog::claim_key(claim.start, 1), as_bytes(catalog::print_sidecar(claim))));
  catalog::State state;
  state.object = full;
  state.revision = Revision(308);
  state.hash_kv = catalog::HashSample{77, Revision(308), Revision(5)};
  state.members.push_back({MemberId(0x8e9e), "default", {}, {}, false});
  state.version = "3.6.1";
  state.raw_sha256 = "00ff";
  ASSERT_TRUE(store->put(catalog::state_key(full), as_bytes(catalog::print_sidecar(state))));
  ASSERT_TRUE(store->put(catalog::seek_key(full), as_bytes("{")));

  const Ran listed = run({"list", "--store", dir.path().native()});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("309..400   2026-11-21T07:32:44Z  1 B   stray  " + b));
  EXPECT_THAT(listed.out, HasSubstr("lineage   1 of cluster abc, recorded from revision 2 on\n"));
  EXPECT_THAT(listed.out, HasSubstr("goes on   in lineage-2.prod since 2026-11-21T07:26:40Z: etcd went back\n"));
  EXPECT_THAT(listed.out, HasSubstr("ignored   1 keys that are no snapshots"));
  EXPECT_THAT(run({"list", "--store", dir.path().native(), "-o", "wide"}).out, HasSubstr("ignored   v2/readme: "));

  const Ran shown = run({"show", "308", "--store", dir.path().native()});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out, R"(object      v2/Full-00000000-00000308-1795246362.gz
kind        full
revisions   308
created     2026-11-21T07:32:42Z
size        1 B (1 bytes), compression gzip
state       ok
chain       v2/Full-00000000-00000308-1795246362.gz
etcd        3.6.1
sha256      00ff (uncompressed)
hashkv      77 at revision 308, compacted at 5
leases      0
member      8e9e default
proof       none: tidemark verify reads it back
damaged     tidemark/seek/Full-00000000-00000308-1795246362.gz.json: SeekTable: 1 bytes that are not one JSON value
)");
  const auto json = nlohmann::json::parse(run({"show", "latest", "--store", dir.path().native(), "-o", "json"}).out);
  EXPECT_EQ(json["kind"], "Point");
  EXPECT_EQ(json["point"]["object"], a);
  EXPECT_EQ(json["chain"], (std::vector<std::string>{full, a}));
  EXPECT_EQ(json["state"], nullptr);
}

TEST(Cli, ShowFindsPointsByNameKeyAndRevision) {
  const std::string key = "v2/Incr-00000435-00000560-1795246368.gz";
  for (const std::string& point :
       {key, key.substr(3), std::string("435"), std::string("560"), std::string("rev:500")}) {
    const Ran r = run({"show", point, "--store", bucket("00-control-gz"), "-o", "name"});
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(r.out, key + "\n") << point;
  }
  const Ran cut = run({"show", "700", "--store", bucket("07-missing-middle-delta")});
  EXPECT_THAT(cut.out, HasSubstr("state       cut off\nchain       none: no full leads to it\n"));
}

TEST(Cli, TheStoreMayComeFromTheEnvironment) {
  std::istringstream in;
  std::ostringstream out, err;
  ::setenv("TIDEMARK_STORE", bucket("00-control-gz").c_str(), 1);
  Program program({.in = in, .out = out, .err = err});
  EXPECT_EQ(program.run(std::vector<std::string>{"list"}), 0) << err.str();
  ::unsetenv("TIDEMARK_STORE");
}

TEST(Cli, ListingChangesNothing) {
  const auto dir = io::TempDir::create().value();
  ASSERT_TRUE(io::make_dirs(dir.path() / "v2"));
  ASSERT_TRUE(io::write_file_durably(dir.path() / "v2/Full-00000000-00000308-1795246362.gz", as_bytes("x")));
  const auto before = std::filesystem::last_write_time(dir.path());
  EXPECT_EQ(run({"list", "--store", dir.path().native()}).code, 0);
  EXPECT_EQ(run({"show", "latest", "--store", dir.path().native()}).code, 0);
  EXPECT_EQ(std::filesystem::last_write_time(dir.path()), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(Cli, HelpHasExamplesFirst) {
  for (const auto& args : std::vector<std::vector<std::string>>{{"help", "list"}, {"list", "--help"}, {"list", "-h"}}) {
    const Ran r = run(args);
    EXPECT_EQ(r.code, 0);
    EXPECT_LT(r.out.find("Examples:\n  tidemark list --store"), r.out.find("Usage:")) << r.out;
    EXPECT_THAT(r.out, StartsWith("tidemark list: "));
    EXPECT_THAT(r.out, HasSubstr("--since"));
  }
  const Ran root = run({"--help"});
  EXPECT_EQ(root.code, 0);
  for (const char* verb : {"list", "show", "help", "completion"}) EXPECT_THAT(root.out, HasSubstr(verb));
  EXPECT_EQ(run({"help"}).out, root.out);
  EXPECT_EQ(run({}).code, 2) << "nothing was asked for";
  EXPECT_EQ(run({}).out, root.out);
}

TEST(Cli, CompletionNamesVerbsAndOptions) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran r = run({"completion", shell});
    EXPECT_EQ(r.code, 0) << shell;
    EXPECT_THAT(r.out, HasSubstr("show")) << shell;
    EXPECT_THAT(r.out, HasSubstr("since")) << shell;
  }
}

// The shell itself is the judge of its script.
TEST(Cli, BashTakesItsCompletion) {
  const auto dir = io::TempDir::create().value();
  const io::Path script = dir.path() / "completion.bash";
  ASSERT_TRUE(io::write_file_durably(script, as_bytes(run({"completion", "bash"}).out)));
  struct Row {
    const char* words;
    const char* completed;  // up to what begins it all
  };
  for (const Row& row :
       {Row{"list --si", "--since"}, Row{"sh", "show"}, Row{"record --once f", "full"}, Row{"list --progress b", "bar"},
        Row{"list -o js", "json"}, Row{"diff --output d", "diff"}, Row{"get -o jsonpath-a", "jsonpath-as-json="},
        Row{"restore etcd --as-", ""}, Row{"list --store --si", ""}, Row{"list --store /dev/nul", "/dev/null"}}) {
    const std::string command = fmt::format(
        "bash -c \"source '{}'; COMP_WORDS=(tidemark {}); COMP_CWORD=\\$((\\${{#COMP_WORDS[@]}} - 1)); "
        "_tidemark; [ \\\"\\${{COMPREPLY[*]}}\\\" = '{}' ]\"",
        script.native(), row.words, row.completed);
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
}

TEST(Cli, QuestionsNeedSomebodyWhoAnswers) {
  struct Row {
    bool terminal;
    const char* typed;
    bool failed, yes;
  };
  for (const Row& row : {Row{false, "y\n", true, false}, Row{true, "y\n", false, true}, Row{true, "yes\n", false, true},
                         Row{true, "\n", false, false}, Row{true, "", false, false}, Row{true, "Y\n", false, false},
                         Row{true, "no\n", false, false}}) {
    std::istringstream in(row.typed);
    std::ostringstream out, err;
    Program program({.in = in, .out = out, .err = err, .in_is_terminal = row.terminal});
    const auto answer = program.confirm("sure?");
    EXPECT_EQ(!answer, row.failed) << row.typed;
    if (answer) {
      EXPECT_EQ(*answer, row.yes) << row.typed;
    }
  }
}

}  // namespace
}  // namespace tidemark::cli
