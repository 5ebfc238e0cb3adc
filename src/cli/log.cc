// tidemark log: what became of an object, and who changed it.
#include <CLI/CLI.hpp>
#include <ostream>

#include "cli/log_output.h"
#include "cli/object_reading.h"
#include "cli/program.h"
#include "cli/verbs.h"

namespace tidemark::cli {
namespace {

struct LogWish {
  std::string since;
  std::string until = "latest";
  bool patch = false;
  Format format = Format::table;
  kube::Compared compared;
  ObjectReading reading;
};

// Prints, and remembers what could not be.
class LogPrinter final : public history::LogListener {
 public:
  // `printing`: set with the first line.
  LogPrinter(Program& program, LogOutput& output, Shortfall& shortfall, bool& printing)
      : program_(program), output_(output), shortfall_(shortfall), printing_(printing) {}
  Status entry(const history::LogEntry& entry) override {
    begin();
    if (entry.unreadable.empty()) {
      shown++;
    } else {
      unreadable++;
      shortfall_.add({entry.reason, fmt::format("{} (revision {})", entry.unreadable, entry.written.last), entry.hint});
    }
    output_.add(entry);
    return {};
  }
  Status lost(RevisionSpan span, std::string_view reason) override {
    begin();
    output_.lost(span, reason);
    shortfall_.add({Errc::not_found, fmt::format("missing: revisions {}..{}: {}", span.first, span.last, reason), ""});
    return {};
  }
  std::size_t shown = 0, unreadable = 0;

 private:
  void begin() {
    if (!std::exchange(printing_, true)) program_.progress().finish();
  }
  Program& program_;
  LogOutput& output_;
  Shortfall& shortfall_;
  bool& printing_;
};

Error never_there(const kube::Resource& resource, const std::string& name, const LogWish& wish,
                  const history::Versions& versions) {
  const std::string where = resource.namespaced ? fmt::format(" in namespace {}", wish.reading.objects.ns) : "";
  const std::string since = wish.since.empty() ? "" : " since " + wish.since;
  return {Errc::not_found,
          fmt::format("{} '{}': no version of it{}{} up to revision {}", resource.full_name(), name, where, since,
                      versions.reach()),
          resource.namespaced ? "-n NAMESPACE looks elsewhere; without --since the whole history is looked through"
                              : "without --since the whole history is looked through"};
}

Status check_span(const LogWish& wish, Time now) {
  if (!wish.since.empty()) TM_CHECK(named("--since", history::check_when(wish.since, now)));
  return named("--until", history::check_when(wish.until, now));
}

Result<history::VersionWish> read_span(Program& program, const LogWish& wish, restore::Origin& from,
                                       const history::MomentOptions& options) {
  history::VersionWish span;
  if (!wish.since.empty()) {
    TM_LET(span.since, target_of(program, "--since", wish.since, wish.reading, from, options));
  }
  TM_LET(span.until, target_of(program, "--until", wish.until, wish.reading, from, options));
  return span;
}

Result<Exit> show_log(Program& program, LogWish& wish) {
  TM_CHECK(check_span(wish, program.now()));
  ReadingKeys keys(wish.reading);
  TM_CHECK(keys.prepare(wish.reading));
  TM_CHECK(history::Wanted::read(wish.reading.objects, "log"));
  TM_LET(const History from, open_history(program, wish.reading.store));
  for (const std::string& what : from.origin->left_out()) program.err() << "note: " << what << '\n';
  TM_LET(const io::TempDir scratch, io::TempDir::create(wish.reading.scratch));
  history::MomentOptions options = moment_options(program, scratch.path());
  bool printing = false;  // then a bar would stand between the lines
  options.progress = [&printing, show = options.progress](std::string_view step, std::uint64_t done,
                                                          std::uint64_t all) {
    if (!printing) show(step, done, all);
  };
  const auto index = open_index(program, from, wish.reading.index, options);
  options.index = index.get();
  restore::Origin& origin = index ? index->origin() : *from.origin;
  TM_LET(const history::VersionWish span, read_span(program, wish, origin, options));
  TM_LET(const auto versions, history::Versions::open(origin, span, std::move(options)));
  TM_LET(history::ObjectLog log, history::ObjectLog::make(*versions, wish.reading.objects));

  const ObjectChanges changes(wish.compared);
  const auto output = LogOutput::make(program.out(),
                                      {.format = wish.format,
                                       .patch = wish.patch,
                                       .many = !log.wanted().single(),
                                       .namespaces = wish.reading.objects.all_namespaces},
                                      changes);
  Shortfall shortfall;
  LogPrinter printer(program, *output, shortfall, printing);
  TM_CHECK(log.for_each(printer));
  program.progress().finish();
  const auto missing = log.missing();
  if (log.wanted().single() && !missing.empty()) {
    return std::unexpected(never_there(*missing.front().first, missing.front().second, wish, *versions));
  }
  output->finish();
  for (const auto& [resource, name] : missing) shortfall.add(never_there(*resource, name, wish, *versions));
  if (versions->beyond_the_end()) program.err() << "note: no change after " << wish.until << " is in the store\n";
  for (const std::string& note : log.notes()) program.err() << "note: " << note << '\n';
  shortfall.tell(program);
  if (printer.shown + printer.unreadable == 0 && shortfall.lines.empty()) {
    program.err() << fmt::format("no change of such objects up to revision {}\n", versions->reach());
  }
  if (shortfall.lines.empty()) return Exit::done;
  return printer.shown == 0 ? exit_of(shortfall.first) : Exit::partly;
}

}  // namespace

void add_log(Program& program) {
  auto wish = std::make_shared<LogWish>();
  CLI::App& app = program.verb(
      "log", "every version of an object: when, what, and who changed it",
      "tidemark log deploy/web -n shop --store dir:/backups/prod\n"
      "tidemark log deploy/web -n shop -p --since -2h --store dir:/backups/prod      # with the changes themselves\n"
      "tidemark log cm,secrets -n shop --since rev:1234 -o wide --store dir:/backups/prod\n"
      "tidemark log widgets.shop.example.com -A -o json --store dir:/backups/prod    # custom resources\n"
      "tidemark log cm/web -n shop -o name --store dir:/backups/prod                 # what `tidemark get` takes\n",
      [wish](Program& p) { return show_log(p, *wish); });
  app.add_option("WHAT", wish->reading.objects.words,
                 "KIND [NAME...], KIND/NAME..., or several kinds with commas between")
      ->required();
  app.add_flag("-p,--patch", wish->patch, "with what changed, as a unified diff of YAML; Secrets as hashes");
  app.add_option("--since", wish->since,
                 "only changes after that moment: rev:1234, -2h, 2024-05-01T12:00:00Z or before:delete:KIND/NAME")
      ->type_name("WHEN");
  app.add_option("--until", wish->until, "only changes up to that moment")->capture_default_str()->type_name("WHEN");
  add_compared_options(app, wish->compared);
  program.add_format(app, wish->format);
  add_object_options(program, app, wish->reading);
  add_index_options(app, wish->reading.index);
}

}  // namespace tidemark::cli
