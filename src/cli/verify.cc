// tidemark verify: reads back what a store keeps, proves it, and keeps the proofs beside it.
#include "verify/verify.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "base/rfc3339.h"
#include "cli/output.h"
#include "cli/points.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

using verify::Verification;
using Json = nlohmann::ordered_json;

struct VerifyWish {
  std::string store;
  std::string point;
  bool all = false;
  std::string level = "structure";
  std::string scratch;
  bool no_proof = false;
  Format format = Format::table;
};

std::string spans_words(const std::vector<RevisionSpan>& spans) {
  std::string text;
  for (const RevisionSpan& span : spans) text += (text.empty() ? "" : ", ") + span_words(span);
  return text.empty() ? "nothing" : text;
}

std::string_view likeness_word(restore::Likeness likeness) {
  switch (likeness) {
    case restore::Likeness::same: return "met";
    case restore::Likeness::different: return "different";
    case restore::Likeness::not_provable: return "not provable";
  }
  return "";
}

std::string print_table(const Verification& done) {
  Table table({"KIND", "REVISIONS", "SIZE", "LEVEL", "VERDICT", "OBJECT"});
  for (const verify::ObjectVerdict& object : done.objects) {
    table.add({std::string(kind_word(object.point.name.kind)), revisions_of(object.point),
               human_size(object.point.size), std::string(catalog::level_word(object.level)),
               object.sound ? "sound" : "BAD", object.point.key});
  }
  std::string text = table.print() + "\n";
  for (const verify::Replay& replay : done.replays) {
    text += fmt::format("rebuilt     from {} up to revision {}: {} rows, {} of {} HashKV answers met\n",
                        replay.chain.front().key, replay.reach, replay.rows, replay.met(), replay.witnesses.size());
  }
  for (const verify::Finding& finding : done.findings) {
    text += fmt::format("finding     {}{}{}\n", finding.object, finding.object.empty() ? "" : ": ", finding.reason);
  }
  for (const std::string& note : done.notes) text += "note        " + note + "\n";
  text += fmt::format("restorable  {}\n", spans_words(done.restorable));
  return text;
}

Json replay_fields(const verify::Replay& replay) {
  Json fields{{"base", replay.chain.front().key},
              {"deltas", replay.chain.size() - 1},
              {"reach", replay.reach.raw()},
              {"rows", replay.rows},
              {"sound", replay.sound()}};
  fields["samples"] = Json::array();
  for (const verify::MetWitness& met : replay.witnesses) {
    fields["samples"].push_back(Json{{"object", met.witness.object},
                                     {"revision", met.witness.sample.revision.raw()},
                                     {"compactRevision", met.witness.sample.compact_revision.raw()},
                                     {"recorded", met.witness.sample.hash},
                                     {"found", met.answer.hash},
                                     {"verdict", likeness_word(met.answer.likeness)}});
  }
  return fields;
}

Json to_json(const std::string& url, const Verification& done) {
  Json all{{"kind", "Verification"}, {"formatVersion", 1}, {"store", url}};
  all["level"] = catalog::level_word(done.asked);
  all["sound"] = done.findings.empty();
  all["objects"] = Json::array();
  for (const verify::ObjectVerdict& object : done.objects) {
    all["objects"].push_back(Json{{"kind", kind_word(object.point.name.kind)},
                                  {"object", object.point.key},
                                  {"size", object.point.size},
                                  {"level", catalog::level_word(object.level)},
                                  {"sound", object.sound}});
  }
  all["replays"] = Json::array();
  for (const verify::Replay& replay : done.replays) all["replays"].push_back(replay_fields(replay));
  all["findings"] = Json::array();
  for (const verify::Finding& finding : done.findings) {
    all["findings"].push_back(
        Json{{"object", finding.object}, {"level", catalog::level_word(finding.level)}, {"reason", finding.reason}});
  }
  all["notes"] = done.notes;
  all["restorable"] = Json::array();
  for (const RevisionSpan& span : done.restorable) {
    all["restorable"].push_back(Json{{"first", span.first.raw()}, {"last", span.last.raw()}});
  }
  return all;
}

void print(Program& program, const VerifyWish& wish, const std::string& url, const Verification& done) {
  switch (wish.format) {
    case Format::json: program.out() << print_json(to_json(url, done)); break;
    case Format::yaml: program.out() << print_yaml(to_json(url, done)); break;
    case Format::name:
      for (const verify::ObjectVerdict& object : done.objects) {
        if (!object.sound) program.out() << object.point.key << "\n";
      }
      break;
    case Format::table:
    case Format::wide: program.out() << print_table(done); break;
  }
}

// A verdict stands without its record: a store that cannot be written to is no fault of what it keeps.
void keep_proofs(Program& program, store::ObjectStore& reading, const VerifyWish& wish, const Verification& done) {
  if (wish.no_proof) return;
  const auto kept = [&]() -> Result<std::size_t> {
    TM_LET(const auto store, store::open_store(wish.store, /*read_only=*/false, program.stop()));
    return verify::keep_proofs(*store, done, program.now(), fmt::format("tidemark {}", TM_VERSION));
  }();
  if (!kept) program.err() << fmt::format("note: no proofs kept in {}: {}\n", reading.url(), kept.error().what);
}

Result<Exit> verify_store(Program& program, const VerifyWish& wish) {
  if (wish.all && !wish.point.empty()) return fail(Errc::invalid, "verify: either POINT or --all");
  TM_LET(const auto store, program.open_store(wish.store, /*read_only=*/true));
  verify::Wish asked;
  asked.level = *catalog::parse_level(wish.level);
  asked.threads = std::max(1U, std::thread::hardware_concurrency());
  if (!wish.all) {
    TM_LET(const auto timeline, catalog::read_timeline(*store));
    TM_LET(const catalog::Point* point,
           named(store->url(), find_point(timeline, wish.point.empty() ? "latest" : wish.point)));
    asked.point = *point;
  }
  TM_LET(const io::TempDir scratch, io::TempDir::create(wish.scratch));
  asked.scratch = scratch.path();
  const auto progress = [&](std::string_view step, std::uint64_t done, std::uint64_t all) {
    program.progress().update(step, done, all);
  };
  TM_LET(const Verification done, verify::verify(*store, asked, program.clock(), progress, program.stop()));
  program.progress().finish();
  print(program, wish, store->url(), done);
  keep_proofs(program, *store, wish, done);
  return done.findings.empty() ? Exit::done : Exit::findings;
}

}  // namespace

void add_verify(Program& program) {
  auto wish = std::make_shared<VerifyWish>();
  CLI::App& app = program.verb(
      "verify", "read back what is kept and prove it: digests, structure, a rebuild compared with etcd's own hashes",
      "tidemark verify --store dir:/backups/prod                          # the newest point and all it needs\n"
      "tidemark verify --store dir:/backups/prod --all --level digest     # every byte of every object\n"
      "tidemark verify rev:1234 --store dir:/backups/prod --level replay  # restored in scratch, HashKV compared\n"
      "tidemark verify --store dir:/backups/prod --all -o json | jq .findings\n",
      [wish](Program& p) { return verify_store(p, *wish); });
  app.add_option("POINT", wish->point, "an object's name, a revision, or latest (the default); with all it needs");
  app.add_flag("--all", wish->all, "everything in the store");
  app.add_option("--level", wish->level, "digest: every byte; structure: what it means; replay: a restore in scratch")
      ->check(CLI::IsMember({"digest", "structure", "replay"}))
      ->capture_default_str();
  app.add_option("--scratch", wish->scratch,
                 "where fulls are unpacked and a replay is restored, in a folder of its own; default: $TMPDIR or /tmp")
      ->type_name("DIR");
  app.add_flag("--no-proof", wish->no_proof, "do not keep the result in the store");
  program.add_store(app, wish->store);
  program.add_format(app, wish->format);
}

}  // namespace tidemark::cli
