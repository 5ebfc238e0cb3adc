// tidemark doctor: what is wrong or missing here, why, and the command that helps: an etcd data directory, a store.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/doctor_store.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "etcd/cluster.h"
#include "inspect/data_dir.h"

namespace tidemark::cli {
namespace {

using inspect::DataDirReport;
using Json = nlohmann::ordered_json;

struct DoctorWish {
  std::string data_dir;
  std::string store;
  Format format = Format::table;
};

std::string place_of(const inspect::Finding& finding) {
  std::string place = finding.file;
  if (finding.offset) place += fmt::format(" at {}", *finding.offset);
  return place;
}

std::string print_facts(const DataDirReport& report) {
  const inspect::DataDirFacts& facts = report.facts;
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  if (facts.member != MemberId{}) {
    line("member", fmt::format("{} of cluster {}, {} members", etcd::hex_id(facts.member.raw()),
                               etcd::hex_id(facts.cluster.raw()), facts.members));
  }
  if (!facts.cluster_version.empty()) {
    line("version",
         facts.cluster_version + (facts.storage_version.empty() ? "" : ", storage " + facts.storage_version));
  }
  if (facts.database_bytes > 0) {
    line("database",
         fmt::format("{}, revision {}, compacted at {}, {} rows, {} live keys", human_size(facts.database_bytes),
                     facts.revision, facts.compacted, facts.rows, facts.live_keys));
  }
  if (facts.segments > 0) {
    line("log", fmt::format("{} segments, entries up to {}, committed up to {}, applied up to {}", facts.segments,
                            facts.last_index, facts.commit, facts.applied.value_or(0)));
  }
  return text;
}

std::string print_table(const DataDirReport& report) {
  std::string text = fmt::format("{:<12}{}\n", "verdict", inspect::verdict_word(report.verdict()));
  text += fmt::format("{:<12}{}\n", "etcd starts", inspect::starts_word(report.starts()));
  text += print_facts(report);
  for (const inspect::Finding& finding : report.findings) {
    const std::string_view weight =
        finding.weight == inspect::Verdict::healthy ? "note" : inspect::verdict_word(finding.weight);
    const std::string place = place_of(finding);
    text += fmt::format("{:<12}{}{}{}\n", weight, place, place.empty() ? "" : ": ", finding.reason);
    if (!finding.help.empty()) text += fmt::format("{:<12}-> {}\n", "", finding.help);
  }
  return text;
}

Json facts_json(const inspect::DataDirFacts& facts) {
  return {{"memberId", etcd::hex_id(facts.member.raw())},
          {"clusterId", etcd::hex_id(facts.cluster.raw())},
          {"members", facts.members},
          {"clusterVersion", facts.cluster_version},
          {"storageVersion", facts.storage_version},
          {"revision", facts.revision.raw()},
          {"compactRevision", facts.compacted.raw()},
          {"rows", facts.rows},
          {"liveKeys", facts.live_keys},
          {"databaseBytes", facts.database_bytes},
          {"consistentIndex", facts.applied ? Json(*facts.applied) : Json(nullptr)},
          {"commit", facts.commit},
          {"lastIndex", facts.last_index},
          {"snapshotIndex", facts.snapshot_index},
          {"segments", facts.segments},
          {"logOnlyEntries", facts.log_only}};
}

Json to_json(const DataDirReport& report) {
  Json all{{"kind", "DataDirectoryReport"}, {"formatVersion", 1}, {"dataDir", report.data_dir}};
  all["verdict"] = inspect::verdict_word(report.verdict());
  all["etcdStarts"] = inspect::starts_word(report.starts());
  all["findings"] = Json::array();
  for (const inspect::Finding& finding : report.findings) {
    all["findings"].push_back(Json{{"weight", inspect::verdict_word(finding.weight)},
                                   {"etcdStarts", inspect::starts_word(finding.etcd)},
                                   {"file", finding.file},
                                   {"offset", finding.offset ? Json(*finding.offset) : Json(nullptr)},
                                   {"reason", finding.reason},
                                   {"help", finding.help}});
  }
  all["facts"] = facts_json(report.facts);
  return all;
}

Result<Exit> doctor(Program& program, const DoctorWish& wish) {
  // With a directory named, a store from the environment is not meant.
  if (wish.data_dir.empty() && !wish.store.empty()) return doctor_store(program, wish.store, wish.format);
  if (wish.data_dir.empty()) {
    return hinted<Exit>(fail(Errc::invalid, "doctor: --data-dir D or --store URL says what to look at"),
                        "tidemark doctor --data-dir /var/lib/etcd, with etcd stopped");
  }
  TM_LET(const DataDirReport report, inspect::inspect_data_dir(wish.data_dir));
  switch (wish.format) {
    case Format::json: program.out() << print_json(to_json(report)); break;
    case Format::yaml: program.out() << print_yaml(to_json(report)); break;
    case Format::name: program.out() << inspect::verdict_word(report.verdict()) << "\n"; break;
    case Format::table:
    case Format::wide: program.out() << print_table(report); break;
  }
  return report.verdict() == inspect::Verdict::healthy ? Exit::done : Exit::findings;
}

}  // namespace

void add_doctor(Program& program) {
  auto wish = std::make_shared<DoctorWish>();
  CLI::App& app = program.verb(
      "doctor", "what is wrong or missing here, why, and the command that helps",
      "tidemark doctor --data-dir /var/lib/etcd              # etcd must be stopped; never writes\n"
      "tidemark doctor --data-dir /var/lib/etcd -o json | jq .verdict\n"
      "tidemark doctor --store dir:/backups/prod             # are the keys that the backup needs kept anywhere?\n",
      [wish](Program& p) { return doctor(p, *wish); });
  app.add_option("--data-dir", wish->data_dir, "the directory of a stopped or broken etcd")->type_name("D");
  app.add_option("--store", wish->store, "backups, a snapshot file or a data directory: which keys do they need?")
      ->envname("TIDEMARK_STORE")
      ->type_name("URL");
  program.add_identities(app);
  program.add_format(app, wish->format);
}

}  // namespace tidemark::cli
