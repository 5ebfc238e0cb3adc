#include "kit/serve_drill.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/testing/scale.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// As the living server names it.
json in_preferred_version(json object) {
  for (const StoredOlder& row : kStoredOlder) {
    if (object.at("kind") == row.kind && object.at("apiVersion") == row.stored) object["apiVersion"] = row.preferred;
  }
  return object;
}

// A definition whose columns ask for every type, and for what is not there; and an object of it.
constexpr const char* kDial = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: dials.drill.example.com}
spec:
  group: drill.example.com
  scope: Namespaced
  names: {plural: dials, kind: Dial}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    additionalPrinterColumns:
    - {name: First, type: string, jsonPath: ".spec.marks[*].name"}
    - {name: Whole, type: string, jsonPath: ".spec.marks"}
    - {name: Found, type: string, jsonPath: '.spec.marks[?(@.name=="b")].at'}
    - {name: Last, type: integer, jsonPath: ".spec.marks[-1].at"}
    - {name: Beyond, type: integer, jsonPath: ".spec.marks[7].at"}
    - {name: Half, type: integer, jsonPath: .spec.half}
    - {name: Number, type: number, jsonPath: .spec.half}
    - {name: Large, type: number, jsonPath: .spec.large}
    - {name: Not, type: number, jsonPath: .spec.name}
    - {name: "On", type: boolean, jsonPath: .spec.on}
    - {name: Since, type: date, jsonPath: .spec.since}
    - {name: Never, type: date, jsonPath: .spec.name}
    - {name: Named, type: string, jsonPath: '.metadata.annotations.drill\.example\.com/a', priority: 1}
    - {name: Missing, type: string, jsonPath: .spec.missing}
)";
constexpr const char* kDialObject = R"(
apiVersion: drill.example.com/v1
kind: Dial
metadata: {name: one, namespace: default, annotations: {drill.example.com/a: "yes <&>"}}
spec:
  {marks: [{name: a, at: 1}, {name: b, at: 2.5}], half: 2.5, large: 12345678.25, "on": true,
   since: "2026-01-01T00:00:00Z", name: "two\nlines"}
)";

std::string sorted_lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

// Paragraphs.
std::vector<std::string> tables(const std::string& printed) {
  std::vector<std::string> all{""};
  std::istringstream lines(without_ages(printed));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      all.emplace_back();
    } else {
      all.back() += line + "\n";
    }
  }
  // A server prints FlowSchemas by precedence, of one page; we list them by name, on any number of pages.
  for (std::string& table : all) {
    if (table.find(" flowschema.flowcontrol.apiserver.k8s.io/") != std::string::npos) table = sorted_lines(table);
  }
  return all;
}

}  // namespace

std::string id_of(const json& object) {
  const json& meta = object.at("metadata");
  return fmt::format("{} {} {}/{}", object.at("apiVersion").get<std::string>(), object.at("kind").get<std::string>(),
                     meta.value("namespace", ""), meta.at("name").get<std::string>());
}

bool has_no_past(const std::string& resource) {
  return resource == "componentstatuses" || resource == "events.events.k8s.io";
}

void ServeDrill::SetUpTestSuite() {
  auto bed = BedProcess::start({.controllers = false, .scheduler = false});
  ASSERT_TRUE(bed) << bed.error().what;
  bed_ = std::make_unique<BedProcess>(*std::move(bed));
  const auto filled =
      bed_->bed({"fill", "--objects", std::to_string(scaled(200)), "--seed", std::to_string(seed() % 100'000)});
  ASSERT_TRUE(filled) << filled.error().what;
  filled_ = true;
}

void ServeDrill::SetUp() {
  ASSERT_TRUE(filled_) << "there is no bed";
  Recording::SetUp();
}

Result<ServeDrill::Moment> ServeDrill::now(const io::Path& dir) {
  TM_LET(const std::string said, bed_->bed({"dump", "--out", (dir / "dump").string()}));
  Moment moment;
  moment.at = Revision(std::stoll(json::parse(said).at("resource_version").get<std::string>()));
  std::ifstream lines(dir / "dump");
  for (std::string line; std::getline(lines, line);) {
    json object = json::parse(line);
    std::string id = id_of(object);
    moment.objects.emplace(std::move(id), std::move(object));
  }
  TM_LET(moment.printed["cm,pods"], bed_->kubectl({"get", "cm,pods", "-A"}));
  return moment;
}

void ServeDrill::record(const std::string& kind) const {
  const auto ran = run_program(record_args(bed_->etcd_url(), {"--once", kind}), {.timeout = kPatience});
  ASSERT_TRUE(ran && ran->exit_code == 0) << (ran ? ran->err : ran.error().what);
}

Result<std::string> ServeDrill::every_kind() {
  TM_LET(const std::string resources, bed_->kubectl({"api-resources", "--verbs=list", "-o", "name"}));
  std::string kinds;
  std::istringstream words(resources);
  for (std::string word; words >> word;) {
    if (!has_no_past(word)) kinds += (kinds.empty() ? "" : ",") + word;
  }
  return kinds;
}

Status ServeDrill::define_dials(const io::Path& dir) {
  std::ofstream(dir / "dials.yaml") << kDial;
  std::ofstream(dir / "dial.yaml") << kDialObject;
  TM_LET(const std::string defined, bed_->kubectl({"create", "-f", (dir / "dials.yaml").string()}));
  TM_LET(const std::string served,
         bed_->kubectl({"wait", "--for=condition=Established", "crd/dials.drill.example.com", "--timeout=10m"}));
  // Established is told a moment before the last of the server's parts knows of it.
  Result<std::string> made = fail(Errc::timeout, "not tried");
  const bool there = wait_until(
      [&] {
        made = bed_->kubectl({"apply", "-f", (dir / "dial.yaml").string()});
        return made.has_value();
      },
      kPatience);
  if (!there) return std::unexpected(made.error());
  return {};
}

void ServeDrill::expect_tables(const Serving& past, const std::string& kinds, const std::vector<std::string>& more) {
  std::vector<std::string> words{"get", kinds, "-A"};
  words.insert(words.end(), more.begin(), more.end());
  MUST(const std::string live, bed_->kubectl(words));
  const std::vector<std::string> then = tables(past.kubectl(words)), now = tables(live);
  ASSERT_EQ(then.size(), now.size());
  for (std::size_t i = 0; i < now.size(); i++) EXPECT_EQ(then[i], now[i]);
}

void ServeDrill::expect_everything(const Serving& past, const Moment& moment) {
  std::istringstream words(past.kubectl({"api-resources", "--verbs=list", "-o", "name"}));
  std::string kinds;
  for (std::string word; words >> word;) kinds += (kinds.empty() ? "" : ",") + word;
  const json list = past.got({"get", kinds, "-A", "--show-managed-fields"});
  ASSERT_TRUE(list.is_object());
  std::size_t found = 0;
  int shown = 0;
  std::size_t older = 0;
  for (const json& item : list.at("items")) {
    const json object = in_preferred_version(item);
    older += object == item ? 0 : 1;
    const auto live = moment.objects.find(id_of(object));
    if (live == moment.objects.end()) {
      ADD_FAILURE() << id_of(object) << " was not in the living cluster";
      continue;
    }
    found++;
    if (live->second != object && ++shown <= 5) {
      ADD_FAILURE() << id_of(object) << ": " << json::diff(live->second, object).dump(1);
    }
  }
  EXPECT_EQ(found, moment.objects.size());
  EXPECT_EQ(shown, 0);
  EXPECT_GT(older, 0U) << "kStoredOlder has rows that are not needed";
}

}  // namespace tidemark::testing
