// `tidemark serve` over a chain of moments that needs no cluster: what cannot be read in it, who gets in, and what
// kubectl's templates print through it beside what `tidemark get` prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "base/testing/source_dir.h"
#include "bucket/delta.h"
#include "cli/testing/run.h"
#include "io/compress.h"
#include "kit/record_drill.h"
#include "kit/serving.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A custom resource with what templates stumble over.
constexpr const char* kOdd = R"({"apiVersion":"shop.example.com/v1","kind":"Widget",
  "metadata":{"name":"odd","namespace":"shop","labels":{"a.b/c":"d e"}},
  "spec":{"half":1.5,"large":12345678.25,"tiny":0.00001,"huge":1e21,"whole":3,"nothing":null,"on":true,
          "text":"<a&b>\nend","list":[1,"two",null,{"x":[]},2.5],"empty":[],"nested":{"deep":{"er":["z"]}}}})";

// Its definition, which keeps every field: the fixture's own would take most of them away.
constexpr const char* kOddDefinition = R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
  "metadata":{"name":"widgets.shop.example.com"},
  "spec":{"group":"shop.example.com","scope":"Namespaced","names":{"plural":"widgets","singular":"widget",
          "kind":"Widget","listKind":"WidgetList"},"versions":[{"name":"v1","served":true,"storage":true,
          "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})";

class ServeChain : public ::testing::Test {
 protected:
  void SetUp() override {
    const io::Path v2 = temp_.path() / "store/v2";
    ASSERT_TRUE(io::make_dirs(v2));
    std::filesystem::copy_file(io::Path(source_dir()) / "testdata/kubernetes-1.36/snapshot.db.gz",
                               v2 / "Full-00000000-00001940-1795246000.gz");
    auto file =
        io::PendingFile::create(v2 / "Incr-00001941-00001944-1795246300.gz", io::PendingFile::Existing::refuse).value();
    io::GzipSink packed(file);
    bucket::DeltaWriter writer(packed);
    add(writer, "secrets/shop/sealed", "k8s:enc:aescbc:v1:key1:0123456789abcdef0123456789abcdef", 1941);
    add(writer, "secrets/shop/sh.helm.release.v1.web.v1", helm().dump(), 1942);
    add(writer, "configmaps/shop/broken", "no object", 1943);
    add(writer, "shop.example.com/widgets/shop/odd", kOdd, 1944);
    add(writer, "apiextensions.k8s.io/customresourcedefinitions/widgets.shop.example.com", kOddDefinition, 1944);
    ASSERT_TRUE(writer.finish());
    ASSERT_TRUE(packed.finish());
    ASSERT_TRUE(file.commit());
  }
  static void add(bucket::DeltaWriter& to, const std::string& key, const std::string& value, std::int64_t mod) {
    const std::string whole = "/registry/" + key;
    ASSERT_TRUE(to.add({.deletion = false,
                        .key = as_bytes(whole),
                        .value = as_bytes(value),
                        .create = mod,
                        .mod = mod,
                        .version = 1,
                        .lease = 0,
                        .time = Time(std::chrono::seconds(1795246300))}));
  }
  static json helm() {
    return {{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"metadata",
             {{"name", "sh.helm.release.v1.web.v1"},
              {"namespace", "shop"},
              {"labels", {{"owner", "helm"}, {"name", "web"}, {"status", "deployed"}, {"version", "1"}}}}},
            {"type", "helm.sh/release.v1"},
            {"data", {{"release", "SDRzSUFBQUFBQUFBLw=="}}}};
  }
  std::string store() const { return "dir:" + (temp_.path() / "store").string(); }
  io::TempDir temp_ = io::TempDir::create().value();
};

TEST_F(ServeChain, WhatCannotBeReadIsNamed) {
  MUST(const auto past, Serving::start(store(), "rev:1943"));
  std::string warnings;
  const std::string table = past->kubectl({"get", "secrets", "-n", "shop"}, &warnings);
  EXPECT_THAT(table, Not(HasSubstr("sealed")));
  EXPECT_THAT(warnings, HasSubstr("Warning: left out: /registry/secrets/shop/sealed"));
  EXPECT_THAT(past->log(), HasSubstr("/registry/secrets/shop/sealed"));
  EXPECT_THAT(past->refused({"get", "secret", "sealed", "-n", "shop"}),
              AllOf(HasSubstr("Forbidden"), HasSubstr("key1")));
  EXPECT_THAT(past->refused({"get", "cm", "broken", "-n", "shop"}), HasSubstr("/registry/configmaps/shop/broken"));
  past->kubectl({"get", "secrets", "-n", "bank"}, &warnings);
  EXPECT_THAT(warnings, Not(HasSubstr("left out")));
  past->kubectl({"get", "cm", "-A", "-o", "name"}, &warnings);
  EXPECT_THAT(warnings, HasSubstr("left out: /registry/configmaps/shop/broken"));

  // What `helm list` asks for.
  const json releases = past->got({"get", "secrets", "-A", "-l", "owner=helm,status in (deployed)"});
  ASSERT_EQ(releases.at("items").size(), 1U);
  EXPECT_EQ(releases.at("items").front().at("data"), helm().at("data"));
  EXPECT_EQ(past->got({"get", "secrets", "-A", "--field-selector", "type=helm.sh/release.v1"}).at("items").size(), 1U);
  EXPECT_THAT(past->kubectl({"get", "wd", "-A"}), HasSubstr("NAMESPACE"));  // custom resources, by a short name
  EXPECT_EQ(past->stop(), 0) << past->log();
}

TEST_F(ServeChain, OnlyWhoSaysSoIsOpen) {
  struct Row {
    std::vector<std::string> more;
    int code;
    const char* says;
  };
  const Row rows[] = {
      {{"--listen", "0.0.0.0:0"}, 2, "--allow-remote"},
      {{"--listen", "0.0.0.0:0", "--allow-remote"}, 2, "--host NAME"},
      {{"--listen", "0.0.0.0:0", "--allow-remote", "--host", "past", "--insecure-http"}, 2, "only on a loopback"},
      {{"--listen", "127.0.0.1:0", "--host", "a,DNS:b"}, 2, "no host name"},
      {{"--listen", "127.0.0.1"}, 2, "ADDRESS:PORT"},
      {{"--listen", "127.0.0.1:"}, 2, "ADDRESS:PORT"},
      {{"--listen", "127.0.0.1:65536"}, 2, "ADDRESS:PORT"},
      {{"--listen", "127.0.0.1:8o"}, 2, "ADDRESS:PORT"},
      {{"--listen", ":8001"}, 2, "ADDRESS:PORT"},
      {{"--listen", "192.0.2.1:0", "--allow-remote"}, 1, "cannot listen"},
      {{"--at", "rev:99999"}, 4, "99999"},
      {{"--at", "yesterday"}, 2, "--at"},
      {{"--listen", "127.0.0.1:0", "--metrics-listen", "nowhere"}, 2, "for metrics"},
      {{"--listen", "127.0.0.1:0", "--kubeconfig-out", "/nowhere/at/all"}, 4, "/nowhere"},
  };
  for (const Row& row : rows) {
    std::vector<std::string> argv{tidemark_program(), "serve", "--store", store(), "--progress", "none"};
    argv.insert(argv.end(), row.more.begin(), row.more.end());
    const auto ran = run_program(argv, {.timeout = kPatience});
    ASSERT_TRUE(ran) << ran.error().what;
    EXPECT_EQ(ran->exit_code, row.code) << row.says << ": " << ran->err;
    EXPECT_THAT(ran->err, HasSubstr(row.says));
  }
  MUST(const auto open, Serving::start(store(), "rev:1940", {"--insecure-http"}));
  EXPECT_THAT(open->url(), StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(open->log(), HasSubstr("every user of this machine can read every Secret"));
  EXPECT_THAT(open->kubectl({"get", "ns"}), HasSubstr("kube-system"));
  EXPECT_EQ(open->stop(), 0) << open->log();
}

// ---- what an operator is told

// The page of metrics, as a scraper reads it: a value for each name with its labels. Fails the test where it would
// stop.
class Scrape {
 public:
  explicit Scrape(std::map<std::string, double> values) : values_(std::move(values)) {}
  // Without "tidemark_serve_" in front. -1 fails the test: it is not there.
  double at(const std::string& name) const {
    const auto found = values_.find("tidemark_serve_" + name);
    EXPECT_TRUE(found != values_.end()) << name;
    return found == values_.end() ? -1 : found->second;
  }

 private:
  std::map<std::string, double> values_;
};
Scrape scraped(int port) {
  const auto page = run_program({"curl", "-s", "-m", "30", fmt::format("http://127.0.0.1:{}/metrics", port)});
  EXPECT_TRUE(page && page->exit_code == 0);
  static const std::regex kSample(R"re(([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? ([^ ]+))re");
  static const std::regex kAbout("# (HELP|TYPE) ([a-z_]+) (.+)");
  std::map<std::string, double> values;
  std::map<std::string, int> about;  // families: lines about them
  std::istringstream lines(page ? page->out : "");
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (std::regex_match(line, parts, kAbout)) {
      about[parts[2]]++;
      continue;
    }
    if (!std::regex_match(line, parts, kSample)) {
      ADD_FAILURE() << line;
      continue;
    }
    const std::string family = std::regex_replace(parts[1].str(), std::regex("_(bucket|sum|count)$"), "");
    EXPECT_TRUE(about[parts[1]] == 2 || about[family] == 2) << line;
    EXPECT_TRUE(values.emplace(parts[1].str() + parts[2].str(), std::stod(parts[4])).second) << line;
  }
  return Scrape(std::move(values));
}

TEST_F(ServeChain, TellsWhatItDoes) {
  const int port = free_port().value();
  MUST(const auto past,
       Serving::start(store(), "rev:1944",
                      {"--metrics-listen", fmt::format("127.0.0.1:{}", port), "--log-level", "debug"}));
  const auto before = scraped(port);
  EXPECT_EQ(before.at("moments"), 1);
  EXPECT_EQ(before.at("cache_bytes"), 0);
  EXPECT_EQ(before.at("reads_total"), 0);
  EXPECT_GT(before.at("store_calls_total{operation=\"get\",outcome=\"ok\"}"), 0);
  EXPECT_EQ(before.at("store_calls_total{operation=\"put\",outcome=\"ok\"}"), 0);

  past->kubectl({"get", "--raw", "/api/v1/namespaces/shop/configmaps/cm-3"});
  past->kubectl({"get", "--raw", "/api/v1/namespaces/shop/configmaps/cm-4"});
  past->refused({"get", "--raw", "/api/v1/namespaces/shop/configmaps/broken"});
  past->kubectl({"get", "--raw", "/at/rev:1940/api/v1/namespaces/shop/configmaps"});
  // An answer is there before it is counted.
  const auto counted = [&] { return scraped(port).at("requests_in_flight") == 0; };
  ASSERT_TRUE(wait_until(counted));
  const auto after = scraped(port);
  EXPECT_EQ(after.at("requests_total{verb=\"get\",code=\"200\"}"), 2);
  EXPECT_EQ(after.at("requests_total{verb=\"get\",code=\"400\"}"), 1);
  EXPECT_EQ(after.at("requests_total{verb=\"list\",code=\"200\"}"), 1);
  EXPECT_EQ(after.at("request_duration_seconds_count{verb=\"get\"}"), 3);
  EXPECT_EQ(after.at("request_duration_seconds_bucket{verb=\"get\",le=\"+Inf\"}"), 3);
  EXPECT_GT(after.at("request_duration_seconds_sum{verb=\"list\"}"), 0);
  EXPECT_GT(after.at("sent_bytes_total{verb=\"list\"}"), 100);
  EXPECT_EQ(after.at("moments"), 2);
  EXPECT_EQ(after.at("reads_total"), 4);  // three objects, and a namespace of another moment
  EXPECT_EQ(after.at("unreadable_total"), 1);
  EXPECT_GT(after.at("cache_bytes"), 0);
  EXPECT_THAT(past->log(), HasSubstr("verb=get path=/api/v1/namespaces/shop/configmaps/broken code=400 ms="));
  EXPECT_THAT(past->log(), Not(HasSubstr(past->token())));
  EXPECT_EQ(past->stop(), 0) << past->log();
}

// ---- templates: what kubectl prints through the server, and what `tidemark get` prints by itself

struct Templates {
  std::vector<std::string> what;
  std::vector<const char*> alike;   // byte for byte
  std::vector<const char*> anyhow;  // in Go's random order of maps: the same words
};
const std::vector<Templates>& templates() {
  static const std::vector<Templates> all{
      {{"pods", "-A"},
       {"{.items[*].metadata.name}",
        "{range .items[*]}{.metadata.namespace}/{.metadata.name}{\"\\t\"}{.status.phase}{\"\\n\"}{end}",
        "{.items[0].metadata.name}",
        "{.items[-1].metadata.name}",
        "{.items[-3:].metadata.name}",
        "{.items[1:3].metadata.name}",
        "{.items[:4:2].metadata.name}",
        "{.items[::10].metadata.name}",
        "{.items[].metadata.name}",
        "{.items[0,2,-1].metadata.name}",
        "{.items[2:2].metadata.name}",
        "{.items[?(@.metadata.namespace==\"bank\")].metadata.name}",
        "{.items[?(@.metadata.namespace!='bank')].metadata.name}",
        "{.items[?(@.metadata.labels.app=='web-0')].metadata.name}",
        "{.items[?(@.metadata.ownerReferences)].metadata.name}",
        "{.items[?(@.spec.nodeName)].spec.nodeName}",
        "{.items[?(@.spec.terminationGracePeriodSeconds>=30)].metadata.name}",
        "{.items[?(@.spec.terminationGracePeriodSeconds<30)].metadata.name}",
        "{.items[?(@.metadata.name>\"once\")].metadata.name}",
        "{.items[*].spec.containers[*].image}",
        "{.items[*].spec.containers[*].resources.limits.memory}",
        "{range .items[*]}{.metadata.name}:{range .spec.containers[*]} {.name}={.image}{end}{\"\\n\"}{end}",
        "{range .items[*]}{.metadata.name}{range .spec.volumes[*]}{\",\"}{.name}{end};{end}done",
        "{range .items[?(@.metadata.namespace==\"none\")]}{.metadata.name}{end}nothing",
        "{.items[0]['metadata.name','metadata.namespace']}",
        "{.items[0].metadata['name', 'namespace']}",
        "{.items[0].metadata.labels}",
        "{.items[0].metadata.ownerReferences}",
        "{.items[0].metadata.annotations.kubernetes\\.io/limit-ranger}",
        "{.items[0].metadata.annotations['kubernetes\\.io/limit-ranger']}",
        "{.items[0].metadata.annotations['kubernetes.io/limit-ranger']}",
        "{.items[0].metadata.managedFields[0].manager}",
        "{.items[*].none.deeper}",
        "{.kind} {.apiVersion} {.metadata}",
        "{.items[0].spec.tolerations[*].key}",
        "{.items[0].spec.tolerations[?(@.operator==\"Exists\")].effect}",
        "{.items[0].spec.containers[?(@.name==\"c\")].resources.requests.cpu}",
        "{@.kind}{$.kind}",
        "text only",
        "{\"it's\"}{'a \"b\"'}{\"\\u00e9\\x41\\101\"}{1}{-2.5}{true}",
        "{range .items[0:2]}{@.metadata.name} {end}"},
       {"{.items[0].metadata.labels.*}", "{.items[0]..name}", "{..image}",
        "{.items[0].spec.containers[0].resources.*.*}", "{.items[0]..metadata.labels}"}},
      {{"widget/odd", "-n", "shop"},
       {"{.spec.half} {.spec.large} {.spec.tiny} {.spec.huge} {.spec.whole}",
        "{.spec.nothing}|{.spec.none}|{.spec.on}",
        "{.spec.text}",
        "{.spec}",
        "{.spec.list}",
        "{.spec.list[*]}",
        "{range .spec.list[*]}[{@}]{end}",
        "{.spec.list[1:]}",
        "{.spec.list[3].x}",
        "{.spec.empty}{.spec.empty[*]}",
        "{.spec.nested.deep.er[0]}",
        "{.spec..er}",
        "{.metadata.labels.a\\.b/c}",
        "{.metadata.labels['a\\.b/c']}",
        "{.metadata['name','namespace','none']}",
        "{.spec.*.deep}",
        "{.kind.*}",
        "{.}",
        "{range .spec.none}{.x}{end}.",
        "{range .spec.list[*]}{@}",
        "{range .spec['empty','list']}{@};{end}"},
       {"{..}"}},
      {{"deploy,svc", "-A"},
       {"{range .items[*]}{.kind}/{.metadata.name} {.spec.replicas}{.spec.clusterIP}{\"\\n\"}{end}",
        "{.items[?(@.kind==\"Service\")].spec.ports[*].port}", "{.items[?(@.spec.replicas)].metadata.name}"},
       {}},
      {{"widgets", "-n", "nowhere"}, {"{.items[*].metadata.name}", "{.items}", "[{range .items[*]}x{end}]"}, {}},
  };
  return all;
}

class TemplateDrill : public ServeChain {
 protected:
  std::vector<std::string> words(const std::vector<std::string>& what, const std::string& form) {
    std::vector<std::string> all{"get"};
    all.insert(all.end(), what.begin(), what.end());
    all.insert(all.end(), {"-o", form});
    return all;
  }
  cli::testing::Ran ours(const std::vector<std::string>& what, const std::string& form) {
    std::vector<std::string> all = words(what, form);
    all.insert(all.end(), {"--store", store(), "--at", "rev:1944", "--progress", "none", "--cache-dir",
                           (temp_.path() / "index").string()});
    return cli::testing::run(all);
  }
  // One run for all templates of a row, with a mark between them.
  std::string in_one_file(const Templates& row) {
    const io::Path file = temp_.path() / "template";
    std::ofstream out(file);
    for (const auto* all : {&row.alike, &row.anyhow}) {
      for (const char* one : *all) out << one << kMark;
    }
    return "jsonpath-file=" + file.string();
  }
  static std::vector<std::string> parts_of(const std::string& text) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = std::min(text.find(kMark, from), text.size());
      parts.push_back(text.substr(from, end - from));
      from = end + std::string_view(kMark).size();
    }
    return parts;
  }
  static std::vector<std::string> sorted_words(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> all{std::istream_iterator<std::string>(in), {}};
    std::ranges::sort(all);
    return all;
  }
  static constexpr const char* kMark = "\n--- mark ---\n";
};

TEST_F(TemplateDrill, GetPrintsWhatKubectlPrints) {
  MUST(const auto past, Serving::start(store(), "rev:1944"));
  std::size_t compared = 0;
  for (const Templates& row : templates()) {
    // A range without an end takes the rest of the file: such a template is asked alone.
    const auto is_open = [](const char* one) {
      return std::string_view(one).find("{range") != std::string_view::npos &&
             std::string_view(one).find("{end}") == std::string_view::npos;
    };
    Templates together = row;
    std::erase_if(together.alike, is_open);
    const std::string form = in_one_file(together);
    const std::string theirs = past->kubectl(words(row.what, form));
    const cli::testing::Ran own = ours(row.what, form);
    EXPECT_EQ(own.code, 0) << own.err;
    const std::vector<std::string> expected = parts_of(theirs), is = parts_of(own.out);
    ASSERT_EQ(is.size(), expected.size()) << row.what.front();
    ASSERT_EQ(is.size(), together.alike.size() + together.anyhow.size()) << row.what.front();
    for (std::size_t i = 0; i < is.size(); i++, compared++) {
      if (i < together.alike.size()) {
        EXPECT_EQ(is[i], expected[i]) << row.what.front() << " " << together.alike[i];
      } else {
        EXPECT_EQ(sorted_words(is[i]), sorted_words(expected[i]))
            << row.what.front() << " " << together.anyhow[i - together.alike.size()];
      }
    }
    for (const char* one : row.alike) {
      if (!is_open(one)) continue;
      EXPECT_EQ(ours(row.what, std::string("jsonpath=") + one).out,
                past->kubectl(words(row.what, std::string("jsonpath=") + one)))
          << one;
      compared++;
    }
  }
  EXPECT_GE(compared, 60U);
  for (const char* form :
       {"jsonpath-as-json={.spec.list[*]}x{.spec.none}", "jsonpath={.metadata.name}",
        "custom-columns=NAME:.metadata.name,L:spec.list,N:{.spec.nothing},X:.spec.none,M:.spec.nested",
        "custom-columns=ONE:.spec.half,:.spec.text"}) {
    const std::vector<std::string> odd{"widget/odd", "-n", "shop"};
    EXPECT_EQ(ours(odd, form).out, past->kubectl(words(odd, form))) << form;
  }
  const char* columns = "custom-columns=POD:.metadata.name,NODE:.spec.nodeName,IMAGES:.spec.containers[*].image";
  EXPECT_EQ(ours({"pods", "-A"}, columns).out, past->kubectl(words({"pods", "-A"}, columns)));
  const std::vector<std::string> bare{"pods", "-A", "--no-headers"};
  EXPECT_EQ(ours(bare, columns).out, past->kubectl(words(bare, columns)));
  const std::vector<std::string> none{"widgets", "-n", "nowhere"};
  EXPECT_EQ(ours(none, "custom-columns=NAME:.metadata.name").out,
            past->kubectl(words(none, "custom-columns=NAME:.metadata.name")));
}

// What it refuses we refuse, and say where.
TEST_F(TemplateDrill, GetRefusesWhatKubectlRefuses) {
  MUST(const auto past, Serving::start(store(), "rev:1944"));
  struct Row {
    const char* form;
    int code;
    const char* says;
  };
  const Row rows[] = {
      {"jsonpath={.spec", 2, "character 1: '{' is not closed"},
      {"jsonpath={.spec.list[}", 2, "character 12: '[' is not closed"},
      {"jsonpath={.spec.list[9]}", 1, "character 12: there is no index 9 in a list of 5"},
      {"jsonpath={.spec.list[2:1]}", 1, "character 12: the slice begins at 2"},
      {"jsonpath={.spec.half[0]}", 1, "a number is no list"},
      {"jsonpath={.spec.list[?(@==\"two\")]}", 1, "a whole number and a string cannot be compared"},
      {"jsonpath={spec}", 2, "character 2: 'spec' is neither"},
      {"jsonpath={end}", 1, "no range to end"},
      {"jsonpath={.spec.nested..*}", 2, "'*' begins nothing that is known"},
      {"jsonpath={\"\\q\"}", 2, "is not an escape"},
      {"jsonpath=", 2, "something has to stand behind it"},
      {"jsonpath-file=/nowhere", 2, "/nowhere"},
      {"custom-columns=", 2, "something has to stand behind it"},
      {"custom-columns=NAME", 2, "'NAME': a column is HEADING:PATH"},
      {"custom-columns=A:{.a}{.b}", 2, "column A: '{.a}{.b}' is not the path of a column"},
      {"custom-columns=A:.spec.list[9]", 1, "column A: "},
      {"jsonpaths={.a}", 2, "jsonpath=TEMPLATE"},
  };
  for (const Row& row : rows) {
    const std::vector<std::string> odd{"widget/odd", "-n", "shop"};
    const cli::testing::Ran ran = ours(odd, row.form);
    EXPECT_EQ(ran.code, row.code) << row.form << ": " << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(row.says)) << row.form;
    EXPECT_EQ(ran.out, "") << row.form;
    past->refused(words(odd, row.form));
  }
  EXPECT_THAT(ours({"widget/odd", "-n", "shop"}, "jsonpath=.kind").err, HasSubstr("nothing in the template stands in"));
}

// By the path of the server, in kubectl's own way of joining paths.
TEST_F(ServeChain, TheMomentBeforeADeletion) {
  const io::Path v2 = temp_.path() / "store/v2";
  auto file = io::PendingFile::create(v2 / "Incr-00001945-00001945-1795246600.gz", io::PendingFile::Existing::refuse);
  ASSERT_TRUE(file);
  io::GzipSink packed(*file);
  bucket::DeltaWriter writer(packed);
  const std::string key = "/registry/shop.example.com/widgets/shop/odd";
  ASSERT_TRUE(writer.add({.deletion = true,
                          .key = as_bytes(key),
                          .value = {},
                          .create = 0,
                          .mod = 1945,
                          .version = 0,
                          .lease = 0,
                          .time = Time(std::chrono::seconds(1795246600))}));
  ASSERT_TRUE(writer.finish());
  ASSERT_TRUE(packed.finish());
  ASSERT_TRUE(file->commit());
  MUST(const auto past, Serving::start(store(), "latest"));
  EXPECT_THAT(past->refused({"get", "widget/odd", "-n", "shop"}), HasSubstr("NotFound"));
  const std::string before = past->url() + "/at/before:delete:widget/odd";
  EXPECT_EQ(past->got({"--server", before, "get", "widget/odd", "-n", "shop"}).at("metadata").at("name"), "odd");
  EXPECT_THAT(past->refused({"get", "--raw", "/at/before:delete:widget/w-0/api/v1/namespaces"}),
              HasSubstr("was not deleted"));
  MUST(const auto direct, Serving::start(store(), "before:delete:widget/odd"));
  EXPECT_THAT(direct->log(), HasSubstr("before:delete:widget/odd is revision 1944"));
  EXPECT_THAT(direct->kubectl({"get", "widget/odd", "-n", "shop", "-o", "name"}), HasSubstr("/odd"));
}

}  // namespace
}  // namespace tidemark::testing
