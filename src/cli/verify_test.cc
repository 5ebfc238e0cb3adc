// `verify`, its proofs in `list` and `show`, and `doctor`, in-process: output and exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/testing/run.h"
#include "io/file.h"

namespace tidemark::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ran;
using testing::run;

class VerifyVerb : public ::testing::Test {
 protected:
  // A copy of a fixture's bucket: verify writes its proofs into it.
  std::string bucket(std::string_view fixture) {
    const io::Path from = testing::bucket(fixture);
    const io::Path to = dir.path() / fixture;
    fs::copy(from, to, fs::copy_options::recursive);
    return to.native();
  }
  io::TempDir dir = *io::TempDir::create();
};

TEST_F(VerifyVerb, ProofsOfAGoodBucketAreShown) {
  const std::string store = bucket("00-control-gz");
  const Ran verified = run({"verify", "--store", store, "--level", "replay", "--scratch", dir.path()});
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("full   308        32.61 KiB  replay  sound    v2/Full-"));
  EXPECT_THAT(verified.out, HasSubstr("rebuilt     from v2/Full-00000000-00000308-1795246362.gz up to revision 938"));
  EXPECT_THAT(verified.out, HasSubstr("restorable  1..938\n"));
  const Ran listed = run({"list", "--store", store});
  EXPECT_THAT(listed.out, HasSubstr("STATE  PROOF                        OBJECT"));
  EXPECT_THAT(listed.out, HasSubstr("ok     replay 2026-11-21T08:33:20Z  v2/Full-"));
  const auto json = nlohmann::json::parse(run({"list", "--store", store, "-o", "json"}).out);
  EXPECT_EQ(json["points"][5]["proof"]["level"], "replay");
  EXPECT_EQ(json["points"][5]["proof"]["sound"], true);
  const Ran shown = run({"show", "latest", "--store", store});
  EXPECT_THAT(shown.out, HasSubstr("proof       replay 2026-11-21T08:33:20Z"));
  EXPECT_THAT(shown.out, HasSubstr("rebuilt up to revision 938"));
}

TEST_F(VerifyVerb, AFindingIsTenAndNamesTheObject) {
  const std::string store = bucket("05-full-bitflip");
  const Ran r = run({"verify", "--all", "--store", store, "--level", "digest"});
  EXPECT_EQ(r.code, 10) << r.err;
  EXPECT_THAT(r.out, HasSubstr("BAD      v2/Full-"));
  EXPECT_THAT(r.out, HasSubstr("finding     v2/Full-00000000-00000308-1795246362.gz: full: the"));
  EXPECT_THAT(r.out, HasSubstr("restorable  nothing"));
  EXPECT_THAT(run({"list", "--store", store}).out, HasSubstr("BAD digest 2026-11-21T08:33:20Z  v2/Full-"));
  EXPECT_THAT(run({"show", "rev:308", "--store", store}).out, HasSubstr("finding     full: the"));
  const Ran names = run({"verify", "--all", "--store", store, "-o", "name"});
  EXPECT_EQ(names.out, "v2/Full-00000000-00000308-1795246362.gz\n");
  const auto json = nlohmann::json::parse(run({"verify", "--all", "--store", store, "-o", "json"}).out);
  EXPECT_EQ(json["kind"], "Verification");
  EXPECT_EQ(json["sound"], false);
  EXPECT_EQ(json["findings"][0]["object"], "v2/Full-00000000-00000308-1795246362.gz");
}

TEST_F(VerifyVerb, NoProofLeavesTheStoreAlone) {
  const std::string store = bucket("00-control-gz");
  EXPECT_EQ(run({"verify", "--store", store, "--no-proof"}).code, 0);
  EXPECT_FALSE(fs::exists(io::Path(store) / "tidemark"));
  EXPECT_THAT(run({"list", "--store", store}).out, Not(HasSubstr("PROOF")));
}

TEST_F(VerifyVerb, Failures) {
  const std::string store = bucket("00-control-gz");
  const std::pair<std::vector<std::string>, int> rows[] = {
      {{"verify", "--store", (dir.path() / "nowhere").native()}, 4},
      {{"verify", "--store", store, "rev:5000"}, 4},
      {{"verify", "--store", store, "--all", "latest"}, 2},
      {{"verify", "--store", store, "--level", "boot"}, 2},
      {{"verify", "--store", store, "--scratch", (dir.path() / "nowhere").native()}, 4},
      {{"verify"}, 2},
      {{"doctor"}, 2},
      {{"doctor", "--data-dir", (dir.path() / "nowhere").native()}, 4},
      {{"doctor", "--data-dir", dir.path().native()}, 4},
  };
  for (const auto& [args, code] : rows) {
    const Ran r = run(args);
    EXPECT_EQ(r.code, code) << ::testing::PrintToString(args) << r.err;
    EXPECT_THAT(r.err, ::testing::StartsWith("tidemark: "));
  }
}

class DoctorVerb : public VerifyVerb {
 protected:
  void SetUp() override {
    const Ran restored = run({"restore", "etcd", "--store", bucket("00-control-gz"), "--data-dir", data.native(),
                              "--revision-bump", "none", "--keep-history"});
    ASSERT_EQ(restored.code, 0) << restored.err;
  }
  io::Path data = dir.path() / "data";
};

TEST_F(DoctorVerb, ARestoredDirectoryIsHealthy) {
  const Ran r = run({"doctor", "--data-dir", data.native()});
  EXPECT_EQ(r.code, 0) << r.out << r.err;
  EXPECT_THAT(r.out, HasSubstr("verdict     healthy\netcd starts yes\nmember      8e9e05c52164694d of cluster"));
  EXPECT_THAT(r.out, HasSubstr("revision 938"));
}

TEST_F(DoctorVerb, FindingsNameFileAndOffset) {
  std::fstream f(data / "member/snap/db", std::ios::in | std::ios::out | std::ios::binary);
  f.seekp(64);
  f.put('x');
  f.close();
  const Ran r = run({"doctor", "--data-dir", data.native() + "/"});
  EXPECT_EQ(r.code, 10) << r.err;
  EXPECT_THAT(r.out, HasSubstr("repairable  member/snap/db at 0: meta page 0 is damaged"));
  EXPECT_THAT(r.out, HasSubstr("-> start etcd"));
  const auto json = nlohmann::json::parse(run({"doctor", "--data-dir", data.native(), "-o", "json"}).out);
  EXPECT_EQ(json["verdict"], "repairable");
  EXPECT_EQ(json["etcdStarts"], "yes");
  EXPECT_EQ(json["findings"][0]["file"], "member/snap/db");
  EXPECT_EQ(json["findings"][0]["offset"], 0);
  fs::remove_all(data / "member/wal");
  EXPECT_EQ(run({"doctor", "--data-dir", data.native(), "-o", "name"}).out, "corrupt\n");
}

TEST_F(DoctorVerb, AStoppedDirectoryIsATimeline) {
  const std::string store = "etcd:" + data.native();
  const Ran listed = run({"list", "--store", store});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("full  938"));
  EXPECT_THAT(run({"show", "latest", "--store", store}).out, HasSubstr("revisions   938"));
  const Ran again = run({"restore", "etcd", "--store", store, "--data-dir", (dir.path() / "again").native()});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("restored revision 938"));
  EXPECT_EQ(
      run({"restore", "etcd", "--store", store, "--at", "rev:500", "--data-dir", (dir.path() / "earlier").native()})
          .code,
      0);
  EXPECT_EQ(run({"list", "--store", "etcd:" + (dir.path() / "nowhere").native()}).code, 4);
}

TEST_F(DoctorVerb, ASnapshotFileIsListed) {
  const io::Path full = dir.path() / "00-control-gz/v2/Full-00000000-00000308-1795246362.gz";
  const Ran listed = run({"list", "--store", "file:" + full.native()});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("full  308"));
}

// ---- doctor --store

TEST_F(VerifyVerb, DoctorAsksWhereTheKeysAre) {
  const std::string store = bucket("00-control-gz");
  const Ran none = run({"doctor", "--store", store});
  EXPECT_EQ(none.code, 10) << none.out << none.err;
  EXPECT_THAT(none.out, HasSubstr("looked at   v2/Full-"));
  EXPECT_THAT(none.out, HasSubstr("missing     cluster-ca is not known to be kept anywhere"));
  EXPECT_THAT(none.out, HasSubstr("37 Secrets are readable"));
  EXPECT_EQ(run({"doctor", "--store", store, "-o", "name"}).out, "service-account-key\ncluster-ca\n");
  fs::create_directories(io::Path(store) / "tidemark");
  std::ofstream(io::Path(store) / "tidemark/keys.json")
      << R"({"kind":"KeysKept","formatVersion":1,"keys":[{"name":"cluster-ca","kept":"safe 4"},)"
      << R"({"name":"service-account-key","kept":"safe 4"}]})";
  const Ran kept = run({"doctor", "--store", store});
  EXPECT_EQ(kept.code, 0) << kept.out << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("kept        cluster-ca: safe 4"));

  // The same of a stopped etcd, which keeps no such file.
  const io::Path data = dir.path() / "data";
  ASSERT_EQ(run({"restore", "etcd", "--store", store, "--data-dir", data.native()}).code, 0);
  const Ran etcd = run({"doctor", "--store", "etcd:" + data.native(), "-o", "json"});
  EXPECT_EQ(etcd.code, 10) << etcd.err;
  EXPECT_EQ(nlohmann::json::parse(etcd.out)["kubernetes"], true);
}

TEST_F(VerifyVerb, DoctorRefusesAKeysFileItDoesNotUnderstand) {
  const std::string store = bucket("00-control-gz");
  fs::create_directories(io::Path(store) / "tidemark");
  std::ofstream(io::Path(store) / "tidemark/keys.json") << "{}";
  const Ran r = run({"doctor", "--store", store});
  EXPECT_EQ(r.code, 5);
  EXPECT_THAT(r.err, HasSubstr("tidemark/keys.json: KeysKept"));
}

}  // namespace
}  // namespace tidemark::cli
