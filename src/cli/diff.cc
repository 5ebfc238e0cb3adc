// tidemark diff: what changed between two moments.
#include "cli/diff.h"

#include <CLI/CLI.hpp>
#include <map>
#include <ostream>

#include "cli/program.h"
#include "cli/verbs.h"

namespace tidemark::cli {
namespace {

Status check_wish(const DiffWish& wish, bool namespace_given) {
  const history::ObjectWish& objects = wish.reading.objects;
  if (objects.words.empty() && !objects.all_namespaces && !namespace_given) {
    return hinted(
        Status(fail(Errc::invalid, "diff of what?")),
        "diff deploy/web --at -2h, diff cm,secrets -n shop --at -2h, diff -n shop --at -2h, diff -A --at -2h");
  }
  TM_CHECK(history::Wanted::read(objects, "diff", /*words_needed=*/false));
  return {};
}

// A word of -o becomes the number that CLI11 reads an enumeration from. What is wrong with it; empty: nothing.
std::string read_format(std::string& word) {
  static const std::map<std::string, DiffFormat> formats{{"diff", DiffFormat::unified}, {"table", DiffFormat::table},
                                                         {"wide", DiffFormat::table},   {"json", DiffFormat::json},
                                                         {"yaml", DiffFormat::yaml},    {"name", DiffFormat::name}};
  const auto found = formats.find(word);
  if (found == formats.end()) return "'" + word + "': diff, table, json, yaml or name expected";
  word = std::to_string(static_cast<int>(found->second));
  return "";
}

Error never_there(const kube::Resource& resource, const std::string& name, const DiffWish& wish,
                  const history::Moment& before, const history::Moment& after) {
  const std::string where = resource.namespaced ? fmt::format(" in namespace {}", wish.reading.objects.ns) : "";
  return {Errc::not_found,
          fmt::format("{} '{}': there was none{} at revision {} nor at {}", resource.full_name(), name, where,
                      before.revision(), after.revision()),
          resource.namespaced ? "-n NAMESPACE looks elsewhere, log KIND NAME shows when it was"
                              : "log KIND NAME shows when it was"};
}

Result<Exit> show_diff(Program& program, DiffWish& wish, bool namespace_given) {
  TM_CHECK(check_wish(wish, namespace_given));
  if (wish.live) return diff_live(program, wish);
  TM_CHECK(named("--at", history::check_when(wish.at, program.now())));
  TM_CHECK(named("--to", history::check_when(wish.to, program.now())));
  ReadingKeys keys(wish.reading);
  TM_CHECK(keys.prepare(wish.reading));
  TM_LET(const History from, open_history(program, wish.reading.store));
  for (const std::string& what : from.origin->left_out()) program.err() << "note: " << what << '\n';
  TM_LET(const io::TempDir scratch_before, io::TempDir::create(wish.reading.scratch));
  TM_LET(const io::TempDir scratch_after, io::TempDir::create(wish.reading.scratch));
  const auto index = open_index(program, from, wish.reading.index, moment_options(program, scratch_before.path()));
  restore::Origin& origin = index ? index->origin() : *from.origin;
  // Names the flag of a moment that cannot be had. What the store fails with is about the store, and says so itself.
  const auto moment_at = [&](const std::string& flag, const std::string& when,
                             const io::Path& scratch) -> Result<std::unique_ptr<history::Moment>> {
    history::MomentOptions options = moment_options(program, scratch);
    options.index = index.get();
    TM_LET(const restore::Target target, target_of(program, flag, when, wish.reading, origin, options));
    auto moment = history::Moment::open(origin, target, std::move(options));
    const bool of_the_target = !moment && moment.error().code == Errc::not_found;
    return of_the_target ? named(flag + " " + when, std::move(moment)) : std::move(moment);
  };
  TM_LET(const auto before, moment_at("--at", wish.at, scratch_before.path()));
  TM_LET(const auto after, moment_at("--to", wish.to, scratch_after.path()));
  TM_LET(auto comparison, history::Comparison::make(*before, *after, wish.reading.objects));
  program.progress().finish();

  bool complete = tell_moment(program, wish.at, *before);
  complete = tell_moment(program, wish.to, *after) && complete;
  Shortfall shortfall;
  for (const auto& [resource, name] : comparison.missing()) {
    shortfall.add(never_there(*resource, name, wish, *before, *after));
  }
  if (comparison.wanted().single() && !comparison.missing().empty()) {
    const auto& [resource, name] = comparison.missing().front();
    return std::unexpected(never_there(*resource, name, wish, *before, *after));
  }
  const ObjectChanges changes(wish.compared);
  const auto output = DiffOutput::make(program.out(), wish.format, {before->revision(), before->time()},
                                       {after->revision(), after->time()});
  DiffPrinter printer(changes, *output, shortfall);
  TM_CHECK(comparison.for_each([&](const history::Comparison::Pair& pair) -> Status {
    if (program.stop().stop_requested()) return fail(Errc::cancelled, "stopped");
    return printer.add(pair);
  }));
  output->finish();
  for (const std::string& note : comparison.notes()) program.err() << "note: " << note << '\n';
  if (printer.only_noise > 0) {
    program.err() << fmt::format(
        "note: {} more were written, without a change in what is compared (--status, --all-fields)\n",
        printer.only_noise);
  }
  shortfall.tell(program);
  if (!shortfall.lines.empty() || !complete) {
    return printer.differ == 0 && !shortfall.lines.empty() ? exit_of(shortfall.first) : Exit::partly;
  }
  return printer.differ > 0 ? Exit::findings : Exit::done;
}

}  // namespace

void add_diff(Program& program) {
  auto wish = std::make_shared<DiffWish>();
  auto namespace_option = std::make_shared<CLI::Option*>(nullptr);
  CLI::App& app = program.verb(
      "diff", "what changed between two moments, or until now in the cluster",
      "tidemark diff deploy/web -n shop --at -2h --store dir:/backups/prod             # until the newest state\n"
      "tidemark diff -n shop --at -2h --to -1h --store dir:/backups/prod               # a whole namespace\n"
      "tidemark diff -A --at rev:1234 --to rev:2345 -o name --store dir:/backups/prod  # everything: only names\n"
      "tidemark diff -n shop --at -2h --live --store dir:/backups/prod                 # with the running cluster\n"
      "tidemark diff cm,secrets -A -l app=web --at 2026-11-21T10:00:00Z -o json --store dir:/backups/prod\n",
      [wish, namespace_option](Program& p) { return show_diff(p, *wish, (*namespace_option)->count() > 0); });
  app.add_option("WHAT", wish->reading.objects.words,
                 "KIND [NAME...], KIND/NAME..., or several kinds with commas between; without it: with -n all of the "
                 "namespace, with -A all of the cluster, but no events and leases");
  app.add_option("--at", wish->at, "the moment before: rev:1234, -2h, 2024-05-01T12:00:00Z or before:delete:KIND/NAME")
      ->required()
      ->type_name("WHEN");
  auto* const to = app.add_option("--to", wish->to, "the moment after")->capture_default_str()->type_name("WHEN");
  app.add_flag("--live", wish->live, "the running cluster instead of --to")->excludes(to);
  add_cluster_options(app, wish->cluster);
  add_compared_options(app, wish->compared);
  auto* const output = app.add_option("-o,--output", wish->format, "diff (unified, of YAML), table, json, yaml or name")
                           ->transform(CLI::Validator(read_format, ""))
                           ->type_name("FORMAT");
  program.completes(*output, "diff table json yaml name");
  add_object_options(program, app, wish->reading);
  add_index_options(app, wish->reading.index);
  *namespace_option = app.get_option("--namespace");
}

}  // namespace tidemark::cli
