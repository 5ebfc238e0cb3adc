// `tidemark get` over a real cluster's etcd, held against what its API server answered at that very revision, and over
// a chain of a full and deltas at several moments. testdata/kubernetes-1.36/RECIPE tells how the fixture was made.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "bucket/delta.h"
#include "cli/testing/run.h"
#include "io/compress.h"
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

Ran get(const std::string& store, std::vector<std::string> args) {
  args.insert(args.begin(), "get");
  args.insert(args.end(), {"--store", store, "--progress", "none"});
  return cli::testing::run(args);
}

json got(const std::string& store, std::vector<std::string> args) {
  args.insert(args.end(), {"-o", "json"});
  const Ran ran = get(store, args);
  EXPECT_EQ(ran.code, 0) << ran.err;
  return json::parse(ran.out, nullptr, false);
}

// The files of a tar archive (POSIX ustar: blocks of 512 bytes, a header before each file).
std::map<std::string, json> answers() {
  auto file = io::FileSource::open(kFixture / "json.tar.gz");
  auto plain = io::decompressing(io::Codec::gzip, std::make_unique<io::FileSource>(*std::move(file)));
  const Buffer tar = io::read_all(**plain, 1UL << 30U).value();
  const std::string_view text = as_text(tar);
  std::map<std::string, json> files;
  for (std::size_t at = 0; at + 512 <= text.size() && text[at] != '\0';) {
    const std::string name(text.substr(at, 100).data());
    const std::size_t size = std::stoul(std::string(text.substr(at + 124, 11)), nullptr, 8);
    if (name.ends_with(".json")) files[name.substr(5, name.size() - 10)] = json::parse(text.substr(at + 512, size));
    at += 512 + (size + 511) / 512 * 512;
  }
  return files;
}

// "apis_apps_v1_deployments" -> "deployments.apps".
std::string resource_of(const std::string& path) {
  const std::string plural = path.substr(path.rfind('_') + 1);
  if (path.starts_with("api_")) return plural;
  return plural + "." + path.substr(5, path.find('_', 5) - 5);
}

// What get shows otherwise than the server answered, each with its reason. A path without a value is of the object.
struct Residue {
  const char* resource;
  const char* why;
};
constexpr Residue kNotShown[] = {
    {"componentstatuses", "made up by the server, in no key"},
    {"events.events.k8s.io", "stored and shown as events of the core group"},
};

TEST(Get, EveryKindIsWhatTheServerAnswered) {
  std::set<std::string> passed_over;
  std::size_t objects = 0;
  std::string words;
  std::map<std::string, json> expected;  // "apps/v1 Deployment ns/name"
  const auto id = [](const json& object) {
    return fmt::format("{} {} {}/{}", object.at("apiVersion").get<std::string>(), object.at("kind").get<std::string>(),
                       object.at("metadata").value("namespace", ""),
                       object.at("metadata").at("name").get<std::string>());
  };
  for (const auto& [path, list] : answers()) {
    const std::string resource = resource_of(path);
    if (std::ranges::any_of(kNotShown, [&](const Residue& row) { return row.resource == resource; })) {
      passed_over.insert(resource);
      continue;
    }
    words += (words.empty() ? "" : ",") + resource;
    const std::string kind = list.at("kind");
    for (json item : list.at("items")) {
      // Lists of built-in kinds leave out what the list says.
      item["apiVersion"] = list.at("apiVersion");
      item["kind"] = kind.substr(0, kind.size() - 4);
      expected[id(item)] = item;
    }
  }
  EXPECT_EQ(passed_over.size(), std::size(kNotShown)) << "a row that is not needed";
  const json all = got(kSnapshot, {words, "-A", "--show-managed-fields"});
  ASSERT_EQ(all.at("kind"), "List");
  int differ = 0;
  for (const json& object : all.at("items")) {
    objects++;
    const auto found = expected.find(id(object));
    if (found == expected.end()) {
      ADD_FAILURE() << id(object) << " was not in the server's answers";
      continue;
    }
    if (found->second != object && ++differ <= 5) {
      ADD_FAILURE() << id(object) << ": " << json::diff(found->second, object).dump(2);
    }
    expected.erase(found);
  }
  EXPECT_EQ(differ, 0);
  EXPECT_EQ(objects, 894U);
  for (const auto& [name, object] : expected) ADD_FAILURE() << name << " is not shown";
}

TEST(Get, OneObjectOfEachNameForm) {
  const json one = got(kSnapshot, {"configmap/cm-3", "-n", "shop"});
  EXPECT_EQ(one.at("kind"), "ConfigMap");
  EXPECT_EQ(one.at("metadata").at("name"), "cm-3");
  EXPECT_FALSE(one.at("metadata").contains("managedFields"));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"cm", "cm-3"}, {"configmaps", "cm-3"}, {"ConfigMap/cm-3"}, {"configmap.v1./cm-3"}}) {
    std::vector<std::string> args = words;
    args.insert(args.end(), {"-n", "shop"});
    EXPECT_EQ(got(kSnapshot, args), one) << words.front();
  }
  const json widgets = got(kSnapshot, {"wd", "-A"});
  EXPECT_EQ(widgets.at("items").size(), 45U);
  EXPECT_EQ(got(kSnapshot, {"widgets.shop.example.com", "-A"}), widgets);
  EXPECT_EQ(got(kSnapshot, {"widget.v1.shop.example.com", "-A"}), widgets);
}

TEST(Get, YamlSaysTheSame) {
  for (const char* kind : {"cm,secrets,svc,deploy,sts,pods", "crd", "wd", "nodes", "ev"}) {
    const json as_json = got(kSnapshot, {kind, "-A"});
    const Ran ran = get(kSnapshot, {kind, "-A", "-o", "yaml"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    const auto read = kube::parse_yaml(as_bytes(ran.out));
    ASSERT_TRUE(read) << kind << ": " << read.error().what;
    EXPECT_EQ(*read, as_json) << kind;
  }
  const Ran one = get(kSnapshot, {"cm/cm-3", "-n", "shop", "-o", "yaml"});
  EXPECT_EQ(kube::parse_yaml(as_bytes(one.out)).value(), got(kSnapshot, {"cm/cm-3", "-n", "shop"}));
}

TEST(Get, NamesTablesAndSelectors) {
  const Ran names = get(kSnapshot, {"deploy,wd", "-A", "-o", "name"});
  EXPECT_NE(names.out.find("deployment.apps/"), std::string::npos);
  EXPECT_NE(names.out.find("widget.shop.example.com/"), std::string::npos);
  const Ran table = get(kSnapshot, {"ns"});
  EXPECT_TRUE(table.out.starts_with("NAME")) << table.out;
  EXPECT_NE(table.out.find("kube-system"), std::string::npos);
  const Ran found =
      get(kSnapshot, {"cm", "-A", "--field-selector", "metadata.name=cm-3,metadata.namespace!=bank", "-o", "name"});
  EXPECT_EQ(found.out, "configmap/cm-3\nconfigmap/cm-3\n");  // of three namespaces
  EXPECT_EQ(get(kSnapshot, {"cm", "-n", "nowhere"}).err, "no such objects in namespace nowhere at revision 1940\n");
}

TEST(Get, Refuses) {
  struct Row {
    std::vector<std::string> args;
    int code;
    const char* says;
  };
  const Row rows[] = {
      {{"cm/none", "-n", "shop"}, 4, "configmaps 'none': there was none in namespace shop at revision 1940"},
      {{"cm", "none", "cm-3", "-n", "shop"}, 3, "configmaps 'none': there was none"},
      {{"cm", "none", "neither", "-n", "shop"}, 4, "'neither'"},
      {{"node/none"}, 4, "nodes 'none': there was none at revision 1940"},
      {{"gadgets"}, 4, "there was no kind 'gadgets'"},
      {{"deploymnet"}, 4, "did you mean deployment?"},
      {{"cm/cm-3", "-A"}, 2, "a name does not go with -A"},
      {{"cm/cm-3", "-l", "a=b"}, 2, "a name does not go with -l"},
      {{"cm/a/b"}, 2, "KIND/NAME expected"},
      {{"cm", "svc/x"}, 2, "no kind may stand alone"},
      {{"cm", "-n", ""}, 2, "-n: the name of a namespace expected"},
      {{"cm", "-l", "a b"}, 2, "selector"},
      {{"cm", "--field-selector", "status.phase=x"}, 1, "only metadata.name"},
      {{"cm", "--at", "rev:99999999"}, 4, "99999999"},
      {{"cm", "--at", "yesterday"}, 2, "--at"},
      {{"cm", "--encryption-config", "/nowhere"}, 2, "/nowhere"},
  };
  for (const Row& row : rows) {
    const Ran ran = get(kSnapshot, row.args);
    EXPECT_EQ(ran.code, row.code) << row.args.front() << ": " << ran.err;
    EXPECT_NE(ran.err.find(row.says), std::string::npos) << row.args.front() << ": " << ran.err;
  }
}

// ---- a chain: the fixture as the full, and deltas behind it

class GetChain : public ::testing::Test {
 protected:
  void SetUp() override {
    const io::Path v2 = root() / "v2";
    ASSERT_TRUE(io::make_dirs(v2));
    std::filesystem::copy_file(kFixture / "snapshot.db.gz", v2 / "Full-00000000-00001940-1795246000.gz");
    delta("Incr-00001941-00001943-1795246300.gz",
          {put("cm-3", 1941, "one"), put("new", 1942, "born"), del("cm-4", 1943)});
    delta("Incr-00001944-00001946-1795246600.gz",
          {put("cm-3", 1944, "two"), del("new", 1945), put("cm-4", 1946, "again")});
  }
  io::Path root() const { return temp_.path() / "store"; }
  std::string store() const { return "dir:" + root().string(); }

  struct Event {
    bool deletion = false;
    std::string key, value;
    std::int64_t mod = 0;
  };
  static Event put(const std::string& name, std::int64_t mod, const std::string& text) {
    const json object{{"apiVersion", "v1"},
                      {"kind", "ConfigMap"},
                      {"metadata", {{"name", name}, {"namespace", "shop"}, {"labels", {{"text", text}}}}},
                      {"data", {{"text", text}}}};
    return {false, "/registry/configmaps/shop/" + name, object.dump(), mod};
  }
  static Event del(const std::string& name, std::int64_t mod) {
    return {true, "/registry/configmaps/shop/" + name, "", mod};
  }
  void delta(const std::string& name, const std::vector<Event>& events) {
    auto file = io::PendingFile::create(root() / "v2" / name, io::PendingFile::Existing::refuse).value();
    io::GzipSink packed(file);
    bucket::DeltaWriter writer(packed);
    for (const Event& event : events) {
      ASSERT_TRUE(writer.add({.deletion = event.deletion,
                              .key = as_bytes(event.key),
                              .value = as_bytes(event.value),
                              .create = event.mod,
                              .mod = event.mod,
                              .version = 1,
                              .lease = 0,
                              // 100 s a revision; that of 1943 is 2026-11-21T07:31:40Z.
                              .time = Time(std::chrono::seconds(1795246300 + 100 * (event.mod - 1943)))}));
    }
    ASSERT_TRUE(writer.finish());
    ASSERT_TRUE(packed.finish());
    ASSERT_TRUE(file.commit());
  }
  // The text in a ConfigMap of shop at a moment; "-": there is none.
  std::string text(const std::string& name, const std::string& at) {
    const Ran ran = get(store(), {"cm/" + name, "-n", "shop", "-o", "json", "--at", at});
    if (ran.code == 4) return "-";
    EXPECT_EQ(ran.code, 0) << ran.err;
    const json object = json::parse(ran.out, nullptr, false);
    return object.value(json::json_pointer("/data/text"), std::string("old"));
  }
  io::TempDir temp_ = io::TempDir::create().value();
};

TEST_F(GetChain, EveryMoment) {
  struct Row {
    const char* at;
    const char* cm3;
    const char* cm4;
    const char* fresh;
  };
  const Row rows[] = {
      {"rev:1940", "old", "old", "-"},   {"rev:1941", "one", "old", "-"},  {"rev:1942", "one", "old", "born"},
      {"rev:1943", "one", "-", "born"},  {"rev:1944", "two", "-", "born"}, {"rev:1945", "two", "-", "-"},
      {"rev:1946", "two", "again", "-"}, {"latest", "two", "again", "-"},  {"2026-11-21T07:32:30Z", "one", "-", "born"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(text("cm-3", row.at), row.cm3) << row.at;
    EXPECT_EQ(text("cm-4", row.at), row.cm4) << row.at;
    EXPECT_EQ(text("new", row.at), row.fresh) << row.at;
  }
}

TEST_F(GetChain, BeforeADeletion) {
  EXPECT_EQ(text("new", "before:delete:cm/new"), "born");
  EXPECT_EQ(text("cm-3", "before:delete:cm/new"), "two");
  EXPECT_EQ(text("cm-4", "before:delete:configmap/cm-4"), "old");  // it came back later
  const auto ran = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--store", store()});
    return cli::testing::run(words);
  };
  const Ran told = ran({"get", "cm/new", "-n", "shop", "--at", "before:delete:cm/new", "-o", "name"});
  EXPECT_NE(told.err.find("note: before:delete:cm/new is revision 1944"), std::string::npos) << told.err;
  const Ran diff = ran({"diff", "cm/new", "-n", "shop", "--at", "before:delete:cm/new", "-o", "name"});
  EXPECT_EQ(diff.code, 10) << diff.err;
  const Ran log = ran({"log", "cm", "-n", "shop", "--since", "before:delete:cm/new", "-o", "json"});
  EXPECT_EQ(log.code, 0) << log.err;
  EXPECT_EQ(log.out.find("1943"), std::string::npos) << log.out;  // from a revision on
  EXPECT_NE(log.out.find("1945"), std::string::npos) << log.out;
  const Ran shown = ran({"show", "before:delete:cm/new", "-o", "name"});
  EXPECT_NE(shown.out.find("Incr-00001944-00001946"), std::string::npos) << shown.err;
  const Ran stays = ran({"get", "cm/cm-3", "-n", "shop", "--at", "before:delete:cm/cm-3"});
  EXPECT_EQ(stays.code, 4) << stays.err;
  EXPECT_NE(stays.err.find("--at: 'before:delete:cm/cm-3': cm/cm-3 in namespace shop was not deleted"),
            std::string::npos)
      << stays.err;
  const Ran wrong = ran({"get", "cm", "--at", "before:delete:cm"});
  EXPECT_EQ(wrong.code, 2) << wrong.err;
  // `restore etcd` has no namespace: there is only one that had it.
  const Ran whole = ran({"restore", "etcd", "--at", "before:delete:cm/new", "--dry-run", "-o", "json", "--data-dir",
                         (temp_.path() / "data").string()});
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_NE(whole.out.find("1944"), std::string::npos) << whole.out;
}

TEST_F(GetChain, ResourceVersionIsTheRevisionThatWroteIt) {
  const json object = got(store(), {"cm/cm-3", "-n", "shop", "--at", "rev:1943"});
  EXPECT_EQ(object.at("metadata").at("resourceVersion"), "1941");
  const json list = got(store(), {"cm", "-A", "-l", "text in (two,again)"});
  EXPECT_EQ(list.at("items").size(), 2U);
}

TEST_F(GetChain, ABadDeltaEndsWhatCanBeShown) {
  const io::Path last = root() / "v2/Incr-00001944-00001946-1795246600.gz";
  Buffer bytes = io::read_file(last, 1UL << 20U).value();
  bytes[bytes.size() / 2] ^= std::byte{1};
  std::filesystem::remove(last);
  ASSERT_TRUE(io::write_file_durably(last, bytes));
  const Ran latest = get(store(), {"cm/cm-3", "-n", "shop", "-o", "json"});
  EXPECT_EQ(latest.code, 3) << latest.err;
  EXPECT_NE(latest.err.find("missing: revisions 1944..1946"), std::string::npos) << latest.err;
  EXPECT_EQ(json::parse(latest.out).at("data").at("text"), "one");
  EXPECT_EQ(get(store(), {"cm/cm-3", "-n", "shop", "--at", "rev:1944"}).code, 4);
  EXPECT_EQ(text("cm-3", "rev:1943"), "one");
}

// ---- recorded from a real etcd: at every moment what that etcd itself answers

json definition() {
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", {{"name", "gears.shop.example.com"}}},
          {"spec",
           {{"group", "shop.example.com"},
            {"scope", "Namespaced"},
            {"names", {{"plural", "gears"}, {"singular", "gear"}, {"kind", "Gear"}, {"shortNames", {"gr"}}}},
            {"versions", {{{"name", "v1"}, {"served", true}, {"storage", true}}}}}}};
}

TEST(GetRecorded, EveryMomentIsWhatEtcdHeld) {
  const io::TempDir temp = io::TempDir::create().value();
  auto etcd = EtcdProcess::start(EtcdVersion::v36);
  ASSERT_TRUE(etcd) << etcd.error().what;
  auto writer = EtcdWriter::connect(*etcd);
  ASSERT_TRUE(writer) << writer.error().what;
  const std::string store = "dir:" + (temp.path() / "store").string();
  const auto record = [&](const std::string& kind) {
    const auto ran =
        run_program({tidemark_program(), "record", "--endpoints", etcd->client_url(), "--store", store, "--once", kind},
                    {.environment = {"XDG_STATE_HOME=" + temp.path().string()}});
    ASSERT_TRUE(ran && ran->exit_code == 0) << kind << ": " << (ran ? ran->err : ran.error().what);
  };
  std::mt19937_64 dice(seed());
  const std::string kinds[] = {"/registry/configmaps/shop/", "/registry/shop.example.com/gears/shop/"};
  Revision last =
      writer
          ->put("/registry/apiextensions.k8s.io/customresourcedefinitions/gears.shop.example.com", definition().dump())
          .value();
  const Revision first = last;
  const auto change = [&](int count) {
    for (int i = 0; i < count; i++) {
      const bool custom = dice() % 2 == 0;
      const std::string name = fmt::format("x{}", dice() % 12);
      if (dice() % 4 == 0) {
        last = writer->del(kinds[custom ? 1 : 0] + name).value();
        continue;
      }
      const json object{{"apiVersion", custom ? "shop.example.com/v1" : "v1"},
                        {"kind", custom ? "Gear" : "ConfigMap"},
                        {"metadata", {{"name", name}, {"namespace", "shop"}}},
                        {custom ? "spec" : "data", {{"text", fmt::format("{}", dice())}}}};
      last = writer->put(kinds[custom ? 1 : 0] + name, object.dump()).value();
    }
  };
  change(20);
  record("full");
  for (int round = 0; round < 3; round++) {
    change(20);
    record("delta");
    if (round == 1) record("full");
  }
  for (int i = 0; i < scaled(8); i++) {
    const Revision at(first.raw() +
                      static_cast<std::int64_t>(dice() % static_cast<std::uint64_t>(last.raw() - first.raw() + 1)));
    json expected = json::array();
    const std::vector<StoredKey> there = writer->read_all(at).value();
    for (const StoredKey& stored : there) {
      if (!stored.key.starts_with(kinds[0]) && !stored.key.starts_with(kinds[1])) continue;
      json object = json::parse(stored.value);
      object["metadata"]["resourceVersion"] = std::to_string(stored.mod.raw());
      expected.push_back(std::move(object));
    }
    const json is = got(store, {"cm,gr", "-n", "shop", "--at", fmt::format("rev:{}", at)});
    EXPECT_EQ(is.at("items"), expected) << "revision " << at.raw() << " of " << first.raw() << ".." << last.raw()
                                        << ", seed " << seed();
  }
  EXPECT_EQ(get(store, {"gr", "--at", "rev:1"}).code, 4);
}

}  // namespace
}  // namespace tidemark::testing
