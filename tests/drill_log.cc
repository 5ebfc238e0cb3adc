// `tidemark log` and `tidemark diff` over a chain recorded from a real etcd, held against what was written and what
// that etcd itself answers; over a lost stretch; and over the objects of a real cluster. patch(1) judges the diffs.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "cli/testing/run.h"
#include "io/file.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/program.h"
#include "kube/yaml_text.h"

namespace tidemark::testing {
namespace {

using cli::testing::Ran;
using nlohmann::json;

const io::Path kFixture = io::Path(source_dir()) / "testdata/kubernetes-1.36";
const std::string kSnapshot = "file:" + (kFixture / "snapshot.db.gz").string();

Ran tidemark(const std::string& store, std::vector<std::string> args) {
  args.insert(args.end(), {"--store", store, "--progress", "none"});
  return cli::testing::run(args);
}

json answer(const std::string& store, std::vector<std::string> args, const std::set<int>& codes = {0}) {
  args.insert(args.end(), {"-o", "json"});
  const Ran ran = tidemark(store, args);
  EXPECT_TRUE(codes.contains(ran.code)) << ran.code << ": " << ran.err;
  json read = json::parse(ran.out, nullptr, false);
  EXPECT_FALSE(read.is_discarded()) << ran.out;
  return read;
}

const std::string kMaps = "/registry/configmaps/shop/", kSecrets = "/registry/secrets/shop/";

json config_map(const std::string& name, const json& data, const std::string& label) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", "shop"}, {"uid", "u-" + name}, {"labels", {{"text", label}}}}},
          {"data", data}};
}

// An etcd that is recorded into a store in a folder of its own.
class Recorded : public ::testing::Test {
 protected:
  void SetUp() override {
    auto etcd = EtcdProcess::start(EtcdVersion::v36);
    ASSERT_TRUE(etcd) << etcd.error().what;
    etcd_.emplace(*std::move(etcd));
    auto writer = EtcdWriter::connect(*etcd_);
    ASSERT_TRUE(writer) << writer.error().what;
    writer_.emplace(*std::move(writer));
  }
  io::Path root() const { return temp_.path() / "store"; }
  std::string store() const { return "dir:" + root().string(); }
  void record(const std::string& kind) {
    const auto ran = run_program(
        {tidemark_program(), "record", "--endpoints", etcd_->client_url(), "--store", store(), "--once", kind},
        {.environment = {"XDG_STATE_HOME=" + temp_.path().string()}});
    ASSERT_TRUE(ran && ran->exit_code == 0) << kind << ": " << (ran ? ran->err : ran.error().what);
  }
  Revision put(const std::string& name, const json& data, const std::string& label = "x") {
    return writer_->put(kMaps + name, config_map(name, data, label).dump()).value();
  }
  Revision del(const std::string& name) { return writer_->del(kMaps + name).value(); }

  // The state of shop's config maps at a revision, by name, with resourceVersion; and who wrote each.
  std::map<std::string, json> held(Revision at) {
    std::map<std::string, json> objects;
    const std::vector<StoredKey> all = writer_->read_all(at).value();
    for (const StoredKey& stored : all) {
      if (!stored.key.starts_with(kMaps)) continue;
      json object = json::parse(stored.value);
      object["metadata"]["resourceVersion"] = std::to_string(stored.mod.raw());
      objects[stored.key.substr(kMaps.size())] = std::move(object);
    }
    return objects;
  }

  io::TempDir temp_ = io::TempDir::create().value();
  std::optional<EtcdProcess> etcd_;
  std::optional<EtcdWriter> writer_;
};

// What was done to one key: "17 created", "18 updated", "20 deleted".
using Journal = std::map<std::string, std::vector<std::string>>;

std::vector<std::string> lines_of(const json& log) {
  std::vector<std::string> lines;
  for (const json& item : log.at("items")) {
    lines.push_back(
        fmt::format("{} {}", item.at("revision").get<std::int64_t>(), item.at("operation").get<std::string>()));
  }
  return lines;
}

void write(const io::Path& file, const std::string& text) {
  std::ofstream to(file);
  to << text;
  ASSERT_TRUE(to.good());
}

TEST_F(Recorded, EveryVersionAndEveryDifference) {
  std::mt19937_64 dice(seed());
  Journal journal;
  Revision first, last;
  const auto change = [&](int count) {
    for (int i = 0; i < count; i++) {
      const std::string name = fmt::format("x{}", dice() % 7);
      auto& lines = journal[name];
      const bool there = !lines.empty() && !lines.back().ends_with("deleted");
      if (there && dice() % 4 == 0) {
        last = del(name);
        lines.push_back(fmt::format("{} deleted", last));
      } else {
        json data{{"text", fmt::format("{}", dice() % 3)}};
        for (std::uint64_t n = dice() % 30; n > 0; n--) data[fmt::format("key{}", n)] = fmt::format("{}", dice() % 2);
        last = put(name, data);
        lines.push_back(fmt::format("{} {}", last, there ? "updated" : "created"));
      }
      if (first == Revision(0)) first = last;
    }
  };
  change(15);
  record("full");
  for (int round = 0; round < 3; round++) {
    change(20);
    record("delta");
    if (round == 1) record("full");
  }
  // The log of each, whole and in part.
  for (const auto& [name, lines] : journal) {
    EXPECT_EQ(lines_of(answer(store(), {"log", "cm/" + name, "-n", "shop"})), lines) << name << ", seed " << seed();
  }
  const auto span = static_cast<std::uint64_t>(last.raw() - first.raw() + 1);
  const auto any_revision = [&] { return Revision(first.raw() + static_cast<std::int64_t>(dice() % span)); };
  for (int i = 0; i < scaled(3); i++) {
    const auto [from, until] = std::minmax({any_revision(), any_revision()});
    const json log = answer(store(), {"log", "cm", "-n", "shop", "--since", fmt::format("rev:{}", from), "--until",
                                      fmt::format("rev:{}", until)});
    std::map<std::int64_t, std::string> expected;
    for (const auto& [name, lines] : journal) {
      for (const std::string& line : lines) {
        const std::int64_t revision = std::stoll(line);
        if (revision < from.raw() || revision > until.raw()) continue;
        expected[revision] = fmt::format("{} {}", name, line);
      }
    }
    std::vector<std::string> should, is;
    for (const auto& [revision, line] : expected) should.push_back(line);
    const std::vector<std::string> lines = lines_of(log);
    for (std::size_t k = 0; k < lines.size(); k++) {
      is.push_back(log.at("items")[k].at("name").get<std::string>() + " " + lines[k]);
    }
    EXPECT_EQ(is, should) << from.raw() << ".." << until.raw() << ", seed " << seed();
    for (const json& item : log.at("items")) {
      // The recorder came a moment later: what it received itself it knows to the instant.
      EXPECT_TRUE(item.at("time").at("received").is_null() || item.at("time").at("notBefore").is_null());
      EXPECT_TRUE(item.at("time").at("notAfter").is_string());
    }
  }
  // What two moments differ in, and that patch(1) makes the one of the other.
  for (int i = 0; i < scaled(4); i++) {
    const Revision from = any_revision(), until = any_revision();
    const auto before = held(from), after = held(until);
    std::map<std::string, std::string> expected;
    for (const auto& [name, object] : before) {
      if (!after.contains(name)) expected[name] = "deleted";
    }
    for (const auto& [name, object] : after) {
      if (!before.contains(name)) {
        expected[name] = "created";
      } else if (before.at(name) != object) {
        expected[name] = "changed";
      }
    }
    const std::vector<std::string> span_args{"--at", fmt::format("rev:{}", from), "--to", fmt::format("rev:{}", until),
                                             "--all-fields"};
    std::vector<std::string> args{"diff", "-n", "shop"};
    args.insert(args.end(), span_args.begin(), span_args.end());
    const json differences = answer(store(), args, {expected.empty() ? 0 : 10});
    std::map<std::string, std::string> is;
    for (const json& item : differences.at("items")) is[item.at("name")] = item.at("change");
    EXPECT_EQ(is, expected) << from.raw() << " " << until.raw() << ", seed " << seed();
    for (const auto& [name, word] : expected) {
      args = {"diff", "cm/" + name, "-n", "shop"};
      args.insert(args.end(), span_args.begin(), span_args.end());
      const Ran diff = tidemark(store(), args);
      EXPECT_EQ(diff.code, 10) << diff.err;
      std::string was, becomes;
      if (before.contains(name)) kube::print_yaml(before.at(name), was);
      if (after.contains(name)) kube::print_yaml(after.at(name), becomes);
      const io::Path file = temp_.path() / "object.yaml", patch = temp_.path() / "object.patch";
      write(file, was);
      write(patch, diff.out);
      const auto ran = run_program({"patch", "--posix", "--fuzz=0", "-s", file.string(), patch.string()});
      ASSERT_TRUE(ran && ran->exit_code == 0) << (ran ? ran->out + ran->err : ran.error().what) << diff.out;
      const auto made = io::read_file(file, 1UL << 20U);
      EXPECT_EQ(made ? std::string(as_text(*made)) : "", becomes) << diff.out;
    }
  }
  // No difference, no finding.
  const Ran same = tidemark(store(), {"diff", "-A", "--at", "latest", "--to", fmt::format("rev:{}", last)});
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(same.out, "");
}

TEST_F(Recorded, AStretchThatNothingHoldsIsTold) {
  put("stays", {{"a", "1"}});
  put("goes", {{"a", "1"}});
  const Revision before = put("changes", {{"a", "1"}});
  record("full");
  const Revision recorded = put("stays", {{"a", "2"}});
  record("delta");
  del("goes");
  put("changes", {{"a", "2"}});
  put("comes", {{"a", "1"}});
  const Revision again = put("changes", {{"a", "3"}});
  record("delta");
  ASSERT_TRUE(writer_->compact(again));
  record("full");
  const Revision later = put("comes", {{"a", "2"}});
  record("delta");
  // The delta between the two fulls is lost, and compaction took what the second full could have known.
  for (const auto& file : std::filesystem::recursive_directory_iterator(root())) {
    const std::string name = file.path().filename().string();
    if (name.starts_with(fmt::format("Incr-{:08}", recorded.next().raw()))) std::filesystem::remove(file.path());
  }
  const auto log = [&](const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"log", "cm/" + name, "-n", "shop"});
    return answer(store(), more, {3});
  };
  const json goes = log("goes");
  ASSERT_EQ(goes.at("items").size(), 2U) << goes.dump(2);
  const json& gone = goes.at("items")[1];
  EXPECT_EQ(gone.at("operation"), "deleted");
  EXPECT_TRUE(gone.at("revision").is_null());
  EXPECT_EQ(gone.at("between"), json::array({recorded.next().raw(), again.raw()}));
  EXPECT_EQ(gone.at("lastState").at("data").at("a"), "1");
  EXPECT_TRUE(gone.at("time").at("received").is_null());
  EXPECT_LE(gone.at("time").at("notBefore").get<std::string>(), gone.at("time").at("notAfter").get<std::string>());
  EXPECT_EQ(goes.at("lost"), json::parse(fmt::format(
                                 R"([{{"first":{},"last":{},"reason":"no object holds them; the next full follows"}}])",
                                 recorded.next(), again)));
  EXPECT_EQ(lines_of(log("stays")).size(), 2U);
  // The version in between is lost; the newest is known by its revision.
  EXPECT_EQ(lines_of(log("changes")),
            (std::vector<std::string>{fmt::format("{} created", before), fmt::format("{} updated", again)}));
  const std::vector<std::string> comes = lines_of(log("comes"));
  ASSERT_EQ(comes.size(), 2U);
  EXPECT_EQ(comes[1], fmt::format("{} updated", later));
  const Ran table = tidemark(store(), {"log", "cm", "-n", "shop"});
  EXPECT_EQ(table.code, 3);
  EXPECT_NE(table.out.find(fmt::format("-- revisions {}..{} are missing", recorded.next(), again)), std::string::npos)
      << table.out;
  // Behind the stretch nothing is missing.
  const Ran after = tidemark(store(), {"log", "cm/comes", "-n", "shop", "--since", fmt::format("rev:{}", later)});
  EXPECT_EQ(after.code, 0) << after.err;
  EXPECT_NE(after.out.find("updated"), std::string::npos);
}

TEST_F(Recorded, SecretsAreNeverPlain) {
  const auto secret = [](const std::string& password) {
    return json{{"apiVersion", "v1"},
                {"kind", "Secret"},
                {"metadata",
                 {{"name", "db"},
                  {"namespace", "shop"},
                  {"annotations",
                   {{"kubectl.kubernetes.io/last-applied-configuration", "{\"data\":{\"p\":\"" + password + "\"}}"}}}}},
                {"type", "Opaque"},
                {"data", {{"p", password}, {"same", "c2FtZXNhbWU="}}}}
        .dump();
  };
  const Revision born = writer_->put(kSecrets + "db", secret("Zmlyc3Q=")).value();
  record("full");
  const Revision changed = writer_->put(kSecrets + "db", secret("c2Vjb25k")).value();
  ASSERT_TRUE(writer_->del(kSecrets + "db"));
  record("delta");
  const std::string at = fmt::format("rev:{}", born), to = fmt::format("rev:{}", changed);
  for (const char* format : {"json", "yaml", "table"}) {
    for (const char* fields : {"--status", "--all-fields"}) {
      for (std::vector<std::string> args :
           std::vector<std::vector<std::string>>{{"log", "secret/db", "-p"},
                                                 {"log", "secrets", "-p"},
                                                 {"diff", "secret/db", "--at", at, "--to", to},
                                                 {"diff", "--at", at, "--to", "latest"}}) {
        args.insert(args.end(), {"-n", "shop", "-o", format, fields});
        const Ran ran = tidemark(store(), args);
        EXPECT_TRUE(ran.code == 0 || ran.code == 10) << ran.err;
        for (const char* plain : {"Zmlyc3Q", "c2Vjb25k", "c2FtZXNhbWU"}) {
          EXPECT_EQ((ran.out + ran.err).find(plain), std::string::npos) << args[0] << " " << args[1] << ran.out;
        }
      }
    }
  }
  const Ran diff = tidemark(store(), {"diff", "secret/db", "-n", "shop", "--at", at, "--to", to});
  EXPECT_NE(diff.out.find("\n-  p: hash:"), std::string::npos) << diff.out;
  EXPECT_NE(diff.out.find("\n+  p: hash:"), std::string::npos) << diff.out;
  EXPECT_NE(diff.out.find("\n   same: hash:"), std::string::npos) << diff.out;
}

TEST_F(Recorded, NoiseIsLeftOut) {
  const auto deployment = [](int replicas, int ready, int generation) {
    return json{{"apiVersion", "shop.example.com/v1"},
                {"kind", "Deployment"},
                {"metadata", {{"name", "web"}, {"namespace", "shop"}, {"generation", generation}}},
                {"spec", {{"replicas", replicas}}},
                {"status", {{"ready", ready}}}}
        .dump();
  };
  const std::string key = "/registry/configmaps/shop/web";
  const Revision one = writer_->put(key, deployment(1, 0, 1)).value();
  record("full");
  const Revision two = writer_->put(key, deployment(1, 1, 2)).value();
  const Revision three = writer_->put(key, deployment(2, 1, 3)).value();
  ASSERT_TRUE(
      writer_->put("/registry/leases/shop/x", "{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\"}"));
  record("delta");
  const auto diff = [&](Revision from, Revision to, std::vector<std::string> more) {
    more.insert(more.begin(),
                {"diff", "-n", "shop", "--at", fmt::format("rev:{}", from), "--to", fmt::format("rev:{}", to)});
    return tidemark(store(), more);
  };
  const Ran quiet = diff(one, two, {});
  EXPECT_EQ(quiet.code, 0) << quiet.out;
  EXPECT_NE(quiet.err.find("note: 1 more were written"), std::string::npos) << quiet.err;
  EXPECT_EQ(diff(one, two, {"--status"}).code, 10);
  EXPECT_NE(diff(one, two, {"--all-fields"}).out.find("generation"), std::string::npos);
  const Ran replicas = diff(two, three.next(), {});
  EXPECT_EQ(replicas.out, fmt::format("diff configmap/web -n shop\n--- rev:{}\n+++ rev:{}\n"
                                      "@@ -4,4 +4,4 @@\n   name: web\n   namespace: shop\n spec:\n-  replicas: 1\n"
                                      "+  replicas: 2\n",
                                      two, three));
  EXPECT_NE(replicas.err.find("note: 1 changed events and leases are left out"), std::string::npos) << replicas.err;
  const json changes = answer(store(), {"diff", "cm/web", "-n", "shop", "--at", fmt::format("rev:{}", one)}, {10});
  EXPECT_EQ(changes.at("items")[0].at("changes"), json::parse(R"([{"path":".spec.replicas","from":1,"to":2}])"));
  EXPECT_NE(tidemark(store(), {"log", "cm/web", "-n", "shop", "-p"}).out.find("(no change in what is compared"),
            std::string::npos);
  const json log = answer(store(), {"log", "cm/web", "-n", "shop"});
  EXPECT_EQ(log.at("items")[1].at("changes"), json::array());
  EXPECT_EQ(log.at("items")[2].at("changes").size(), 1U);
}

// ---- a real cluster's objects

TEST(LogOfACluster, VersionsInOneSnapshotAndWhoWroteThem) {
  // The newest version of each object is the one that get shows.
  const Ran shown = tidemark(kSnapshot, {"get", "deploy,cm,nodes,pods", "-A", "-o", "json", "--show-managed-fields"});
  const json objects = json::parse(shown.out);
  const json log = answer(kSnapshot, {"log", "deploy,cm,nodes,pods", "-A"});
  std::map<std::string, json> newest;
  for (const json& item : log.at("items")) {
    newest[fmt::format("{} {}/{}", item.at("kind").get<std::string>(), item.value("namespace", ""),
                       item.at("name").get<std::string>())] = item;
  }
  std::size_t with_managers = 0;
  for (const json& object : objects.at("items")) {
    const json& metadata = object.at("metadata");
    const std::string id = fmt::format("{} {}/{}", object.at("kind").get<std::string>(),
                                       metadata.value("namespace", ""), metadata.at("name").get<std::string>());
    ASSERT_TRUE(newest.contains(id)) << id;
    const json& item = newest.at(id);
    EXPECT_EQ(metadata.at("resourceVersion"), std::to_string(item.at("revision").get<std::int64_t>())) << id;
    // Everyone who is named stands in the object's own list.
    for (const json& manager : item.at("managers")) {
      const json& fields = metadata.at("managedFields");
      EXPECT_TRUE(std::ranges::any_of(fields, [&](const json& entry) {
        return entry.at("manager") == manager.at("manager") && entry.at("operation") == manager.at("operation");
      })) << id;
      with_managers++;
    }
  }
  EXPECT_GT(with_managers, 20U);
}

TEST(LogOfACluster, DefinitionsOfTheSnapshotAreKnown) {
  const Ran widgets = tidemark(kSnapshot, {"log", "wd", "-A", "-o", "name"});
  EXPECT_EQ(widgets.code, 0) << widgets.err;
  EXPECT_NE(widgets.out.find("widget.shop.example.com/"), std::string::npos) << widgets.out;
  // What -o name prints is what get takes.
  const std::string line = widgets.out.substr(0, widgets.out.find('\n'));
  std::vector<std::string> words{"get"};
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  const Ran got = tidemark(kSnapshot, words);
  EXPECT_EQ(got.code, 0) << line << ": " << got.err;
}

TEST(LogOfACluster, Refuses) {
  struct Row {
    std::vector<std::string> args;
    int code;
    const char* says;
  };
  const Row rows[] = {
      {{"log", "cm/none", "-n", "shop"},
       4,
       "configmaps 'none': no version of it in namespace shop up to revision 1940"},
      {{"log", "cm", "none", "cm-3", "-n", "shop"}, 3, "configmaps 'none': no version"},
      {{"log", "node/none"}, 4, "nodes 'none': no version of it up to revision 1940"},
      {{"log", "gadgets"}, 4, "there was no kind 'gadgets' at any moment"},
      {{"log", "deploymnet"}, 4, "did you mean deployment?"},
      {{"log"}, 2, "WHAT"},
      {{"log", "cm/cm-3", "-A"}, 2, "a name does not go with -A"},
      {{"log", "cm/cm-3", "-l", "a=b"}, 2, "a name does not go with -l"},
      {{"log", "cm/a/b"}, 2, "KIND/NAME expected"},
      {{"log", "cm", "-n", ""}, 2, "-n: the name of a namespace expected"},
      {{"log", "cm", "--since", "yesterday"}, 2, "--since"},
      {{"log", "cm", "--until", "yesterday"}, 2, "--until"},
      {{"log", "cm", "--since", "latest"}, 2, "nothing can have changed since the latest moment"},
      {{"log", "cm", "--until", "rev:99999999"}, 4, "99999999"},
      {{"log", "cm", "--since", "rev:1900", "--until", "rev:1800"}, 2, "--since is behind --until"},
      {{"log", "cm", "--encryption-config", "/nowhere"}, 2, "/nowhere"},
      {{"log", "cm", "-o", "patch"}, 2, "--output"},
      {{"diff", "--at", "rev:1900"}, 2, "diff of what?"},
      {{"diff", "-A"}, 2, "--at"},
      {{"diff", "cm/none", "-n", "shop", "--at", "rev:1940"}, 4, "there was none in namespace shop at revision 1940"},
      {{"diff", "cm", "none", "cm-3", "-n", "shop", "--at", "rev:1940"}, 4, "configmaps 'none'"},
      {{"diff", "gadgets", "--at", "rev:1940"}, 4, "there was no kind 'gadgets'"},
      {{"diff", "cm/cm-3", "-A", "--at", "rev:1940"}, 2, "a name does not go with -A"},
      {{"diff", "-A", "--at", "rev:99999999"}, 4, "--at rev:99999999"},
      {{"diff", "-A", "--at", "rev:1940", "--to", "rev:99999999"}, 4, "--to rev:99999999"},
      {{"diff", "-A", "--at", "yesterday"}, 2, "--at"},
      {{"diff", "-A", "--at", "rev:1940", "--to", "never"}, 2, "--to"},
      {{"diff", "-A", "--at", "rev:1940", "--live", "--kubeconfig", "/nowhere"}, 2, "/nowhere"},
      {{"diff", "-A", "--at", "rev:1940", "--live", "--to", "latest"}, 2, "--live"},
      {{"diff", "-A", "--at", "rev:1940", "-o", "wild"}, 2, "'wild': diff, table, json, yaml or name expected"},
      {{"diff", "-n", "", "--at", "rev:1940"}, 2, "-n: the name of a namespace expected"},
  };
  for (const Row& row : rows) {
    const Ran ran = tidemark(kSnapshot, row.args);
    std::string line;
    for (const std::string& arg : row.args) line += arg + " ";
    EXPECT_EQ(ran.code, row.code) << line << ": " << ran.err;
    EXPECT_NE(ran.err.find(row.says), std::string::npos) << line << ": " << ran.err;
  }
}

}  // namespace
}  // namespace tidemark::testing
