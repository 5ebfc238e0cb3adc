// tidemark store check: is this place fit to keep backups?
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <random>

#include "cli/output.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "store/check.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;
using store::Finding;

constexpr const char* kExamples =
    "tidemark store check dir:/backups/prod\n"
    "tidemark store check 's3://backups/prod?endpoint=https://minio.example:9000&region=eu-central-1'\n"
    "tidemark store check gs://backups/prod\n"
    "tidemark store check az://account/backups/prod\n"
    "tidemark store check s3://backups/prod -o json | jq '.checks[] | select(.result != \"good\")'\n";

struct CheckWish {
  std::string store;
  Format format = Format::table;
};

std::string print_findings(const std::vector<Finding>& findings) {
  Table table({"RESULT", "CHECK", "WHAT WAS SEEN"});
  for (const Finding& f : findings) table.add({std::string(store::verdict_word(f.verdict)), f.name, f.detail});
  std::string text = table.print();
  for (const Finding& f : findings) {
    if (!f.hint.empty()) text += fmt::format("hint: {}: {}\n", f.name, f.hint);
  }
  return text;
}

Json to_json(const std::string& url, const std::vector<Finding>& findings) {
  Json all{{"kind", "StoreCheck"}, {"formatVersion", 1}, {"store", url}, {"fit", store::fit(findings)}};
  all["checks"] = Json::array();
  for (const Finding& f : findings) {
    Json check{{"name", f.name}, {"result", store::verdict_word(f.verdict)}, {"detail", f.detail}};
    if (!f.hint.empty()) check["hint"] = f.hint;
    all["checks"].push_back(std::move(check));
  }
  return all;
}

Result<Exit> check(Program& program, const CheckWish& wish) {
  TM_LET(const auto store, store::open_store(wish.store, /*read_only=*/false, program.stop()));
  std::random_device random;
  store::CheckOptions options;
  options.nonce = fmt::format("{:08x}{:08x}", random(), random());
  options.clock = &program.clock();
  options.stop = program.stop();
  TM_LET(const auto findings, named(store->url(), store::check_store(*store, options)));
  switch (wish.format) {
    case Format::json: program.out() << print_json(to_json(store->url(), findings)); break;
    case Format::yaml: program.out() << print_yaml(to_json(store->url(), findings)); break;
    case Format::name:
      for (const Finding& f : findings) {
        if (f.verdict != Finding::Verdict::good) program.out() << f.name << "\n";
      }
      break;
    case Format::table:
    case Format::wide:
      program.out() << print_findings(findings);
      program.out() << (store::fit(findings) ? "This store is fit to keep backups.\n"
                                             : "This store is NOT fit to keep backups.\n");
      break;
  }
  return store::fit(findings) ? Exit::done : Exit::findings;
}

}  // namespace

void add_store_verbs(Program& program) {
  CLI::App& group = program.verb("store", "look after the place where backups are kept", kExamples, {});
  group.require_subcommand(1);
  auto wish = std::make_shared<CheckWish>();
  CLI::App& app = program.verb_of(group, "check", "try out whether a place is fit to keep backups", kExamples,
                                  [wish](Program& p) { return check(p, *wish); });
  app.add_option("URL,--store", wish->store,
                 "dir:/path, a path, s3://bucket/prefix, gs://bucket/prefix or az://account/container/prefix")
      ->envname("TIDEMARK_STORE")
      ->required()
      ->type_name("URL");
  program.add_format(app, wish->format);
}

}  // namespace tidemark::cli
