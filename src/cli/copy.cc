// tidemark copy: the points of one store into another, verified, in an order that may be cut anywhere.
#include "copy/copy.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "catalog/lineage.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/points.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "restore/target.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

struct CopyWish {
  std::string store, to, since, compare = "bytes";
  std::vector<std::string> points;
  bool all = false, dry_run = false;
  Format format = Format::table;
};

// One lineage, or what has to follow when others are there: read from one store, put into another.
struct Job {
  std::shared_ptr<store::ObjectStore> from, to;
  copy::Plan plan;
  std::vector<copy::Outcome> there;  // by names and sizes, before anything was done
  copy::Report report;
};

std::string_view outcome_word(copy::Outcome outcome) {
  switch (outcome) {
    case copy::Outcome::copied: return "copied";
    case copy::Outcome::present: return "present";
    case copy::Outcome::differs: return "differs";
    case copy::Outcome::missing: return "missing";
    case copy::Outcome::pending: return "pending";
  }
  return "unknown";
}

class Bar final : public copy::Audience {
 public:
  explicit Bar(Program& program) : program_(program) {}
  void progress(std::string_view step, std::string_view, std::uint64_t done, std::uint64_t all) override {
    program_.progress().update(step, done, all);
  }

 private:
  Program& program_;
};

Result<copy::Selection> selection_of(Program& program, const CopyWish& wish, store::ObjectStore& store) {
  copy::Selection selection;
  if (wish.all || (wish.points.empty() && wish.since.empty())) return selection;
  TM_LET(const catalog::Timeline timeline, catalog::read_timeline(store));
  for (const std::string& wanted : wish.points) {
    TM_LET(const catalog::Point* point, named(store.url(), find_point(timeline, wanted)));
    selection.points.push_back(point->key);
  }
  if (wish.since.empty()) return selection;
  TM_LET(const restore::Target since, named("--since", restore::parse_target(wish.since, program.now())));
  switch (since.kind) {
    case restore::Target::Kind::latest: selection.since_revision = timeline.latest(); break;
    case restore::Target::Kind::revision: selection.since_revision = since.revision; break;
    case restore::Target::Kind::time: selection.since_time = since.time; break;
  }
  return selection;
}

// What tells where the history went on may only stand where that is.
copy::Plan split_successors(copy::Plan& plan) {
  copy::Plan last;
  const auto first =
      std::ranges::stable_partition(plan.items, [](const copy::Item& i) { return i.kind != "successor"; });
  last.items.assign(std::make_move_iterator(first.begin()), std::make_move_iterator(first.end()));
  plan.items.erase(first.begin(), first.end());
  return last;
}

Result<Job> job_of(std::shared_ptr<store::ObjectStore> from, std::shared_ptr<store::ObjectStore> to, copy::Plan plan) {
  Job job{std::move(from), std::move(to), std::move(plan), {}, {}};
  TM_CHECK(copy::check_target(*job.from, job.plan, *job.to));
  TM_LET(job.there, copy::survey_target(job.plan, *job.to));
  return job;
}

Result<std::shared_ptr<store::ObjectStore>> open_target(Program& program, const std::string& url) {
  TM_LET(std::shared_ptr<store::ObjectStore> target, named("--to", program.open_store(url, /*read_only=*/false)));
  TM_CHECK(named("--to", check_place(url)));
  return target;
}

// The histories that followed this one, each into a place beside the target, and then the records that name them.
Status add_successors(Program& program, const CopyWish& wish, copy::Plan records, std::vector<Job>& jobs) {
  const std::shared_ptr<store::ObjectStore> from = jobs.front().from, to = jobs.front().to;
  TM_LET(const auto successors, catalog::read_successors(*from));
  for (const catalog::LineageSuccessor& successor : successors) {
    TM_LET(const std::string from_url, catalog::neighbour_url(wish.store, successor.store));
    TM_LET(const std::string to_url, catalog::neighbour_url(wish.to, successor.store));
    auto opened = program.open_store(from_url, /*read_only=*/true);
    if (!opened && opened.error().code == Errc::not_found) {
      program.err() << fmt::format("note: lineage {} is not where it should be: {}\n", successor.number, from_url);
      continue;
    }
    TM_LET(std::shared_ptr<store::ObjectStore> source, std::move(opened));
    const std::string which = fmt::format("lineage {} ({} -> {})", successor.number, from_url, to_url);
    auto plan = copy::make_plan(*source, {});
    if (!plan && plan.error().code == Errc::not_found) continue;  // turned back, and nothing recorded since
    if (!plan) return named(which, Status(std::unexpected(plan.error())));
    TM_LET(auto target, named(which, open_target(program, to_url)));
    TM_LET(Job job, named(which, job_of(std::move(source), std::move(target), *std::move(plan))));
    jobs.push_back(std::move(job));
  }
  TM_LET(Job last, job_of(from, to, std::move(records)));
  jobs.push_back(std::move(last));
  return {};
}

Result<std::vector<Job>> jobs_of(Program& program, const CopyWish& wish) {
  TM_LET(std::shared_ptr<store::ObjectStore> from, program.open_store(wish.store, /*read_only=*/true));
  TM_LET(auto to, open_target(program, wish.to));
  if (from->url() == to->url()) return fail(Errc::invalid, "--to: {} is the source itself", to->url());
  TM_LET(const copy::Selection selection, selection_of(program, wish, *from));
  TM_LET(copy::Plan plan, copy::make_plan(*from, selection));
  copy::Plan records = split_successors(plan);
  TM_LET(Job first, job_of(from, to, std::move(plan)));
  std::vector<Job> jobs;
  jobs.push_back(std::move(first));
  if (!records.items.empty()) TM_CHECK(add_successors(program, wish, std::move(records), jobs));
  return jobs;
}

struct Sum {
  std::size_t objects = 0;
  std::uint64_t bytes = 0;
};

Sum planned(const std::vector<Job>& jobs, copy::Outcome outcome) {
  Sum sum;
  for (const Job& job : jobs) {
    for (std::size_t i = 0; i < job.there.size(); ++i) {
      if (job.there[i] != outcome) continue;
      ++sum.objects;
      sum.bytes += job.plan.items[i].size;
    }
  }
  return sum;
}

std::string print_plan(const std::vector<Job>& jobs, bool wide) {
  std::string text;
  for (const Job& job : jobs) {
    if (job.plan.items.empty()) continue;
    text += fmt::format("{} -> {}\n", job.from->url(), job.to->url());
    Table table({"KIND", "SIZE", "STATE", "OBJECT"});
    for (std::size_t i = 0; i < job.plan.items.size(); ++i) {
      const copy::Item& item = job.plan.items[i];
      const bool small = item.kind != "full" && item.kind != "delta";
      if (small && !wide && job.there[i] != copy::Outcome::differs) continue;
      const std::string state(job.there[i] == copy::Outcome::pending ? "to copy" : outcome_word(job.there[i]));
      table.add({std::string(item.kind), human_size(item.size), state, item.key});
    }
    if (!table.empty()) text += table.print();
    for (const std::string& key : job.plan.left_out) text += wide ? "left out  " + key + "\n" : "";
  }
  const Sum copy = planned(jobs, copy::Outcome::pending), there = planned(jobs, copy::Outcome::present);
  text += fmt::format("\nto copy   {} objects, {}\npresent   {} objects, {}, by name and size\n", copy.objects,
                      human_size(copy.bytes), there.objects, human_size(there.bytes));
  if (const Sum other = planned(jobs, copy::Outcome::differs); other.objects > 0) {
    text += fmt::format("differs   {} objects; they stay as they are\n", other.objects);
  }
  return text;
}

Json to_json(const std::vector<Job>& jobs, bool dry_run) {
  Json all{{"kind", "Copy"}, {"formatVersion", 1}, {"dryRun", dry_run}, {"stores", Json::array()}};
  for (const Job& job : jobs) {
    Json objects = Json::array();
    for (std::size_t i = 0; i < job.plan.items.size(); ++i) {
      const copy::Item& item = job.plan.items[i];
      Json fields{{"object", item.key}, {"kind", item.kind}, {"size", item.size}};
      if (dry_run || job.report.items.empty()) {
        fields["outcome"] = outcome_word(job.there[i]);
      } else {
        const copy::CopiedItem& done = job.report.items[i];
        fields["outcome"] = outcome_word(done.outcome);
        if (!done.sha256.empty()) fields["sha256"] = done.sha256;
        if (!done.reason.empty()) fields["reason"] = done.reason;
      }
      objects.push_back(std::move(fields));
    }
    all["stores"].push_back(Json{{"from", job.from->url()}, {"to", job.to->url()}, {"objects", std::move(objects)}});
  }
  return all;
}

void print(Program& program, const CopyWish& wish, const std::vector<Job>& jobs) {
  if (wish.format == Format::json || wish.format == Format::yaml) {
    const Json document = to_json(jobs, wish.dry_run);
    program.out() << (wish.format == Format::json ? print_json(document) : print_yaml(document));
    return;
  }
  if (wish.format == Format::name) {
    for (const Job& job : jobs) {
      for (std::size_t i = 0; i < job.plan.items.size(); ++i) {
        const bool take = wish.dry_run
                              ? job.there[i] == copy::Outcome::pending
                              : !job.report.items.empty() && job.report.items[i].outcome == copy::Outcome::copied;
        if (take) program.out() << job.plan.items[i].key << "\n";
      }
    }
    return;
  }
  if (wish.dry_run) {
    program.out() << print_plan(jobs, wish.format == Format::wide);
    return;
  }
  std::size_t copied = 0, present = 0;
  std::uint64_t bytes = 0;
  for (const Job& job : jobs) {
    copied += job.report.count(copy::Outcome::copied);
    present += job.report.count(copy::Outcome::present);
    bytes += job.report.copied_bytes;
  }
  program.out() << fmt::format("copied {} objects, {}, to {}; {} were there already\n", copied, human_size(bytes),
                               jobs.front().to->url(), present);
}

// Names what is missing. An error that ended the copy before its first object is simply that error.
Result<Exit> outcome(Program& program, const std::vector<Job>& jobs) {
  std::size_t left = 0, all = 0, copied = 0;
  const Error* stopped = nullptr;
  for (const Job& job : jobs) {
    if (job.report.stopped) stopped = &*job.report.stopped;
    copied += job.report.count(copy::Outcome::copied);
    all += job.plan.items.size();
    for (const copy::CopiedItem& item : job.report.items) {
      if (item.outcome == copy::Outcome::copied || item.outcome == copy::Outcome::present) continue;
      ++left;
      if (item.outcome != copy::Outcome::pending) {
        program.err() << fmt::format("tidemark: not copied: {}: {}\n", item.item.key, item.reason);
      }
    }
    if (job.report.items.empty()) left += job.plan.items.size();
  }
  if (stopped != nullptr) {
    const std::string again = "run the same command again: it goes on where it stopped";
    if (copied == 0) return hinted(Result<Exit>(std::unexpected(*stopped)), again);
    program.err() << fmt::format("tidemark: {}\nhint: {}\n", stopped->what,
                                 stopped->hint.empty() ? again : stopped->hint);
  }
  if (left == 0) return Exit::done;
  program.err() << fmt::format("tidemark: {} of {} objects are not in {}\n", left, all, jobs.front().to->url());
  return Exit::partly;
}

void note_successors(Program& program, const CopyWish& wish, store::ObjectStore& store) {
  const auto successors = catalog::read_successors(store);
  if (!successors || successors->empty()) return;
  const auto url = catalog::neighbour_url(wish.store, successors->back().store);
  program.err() << fmt::format("note: this history goes on in {}, which is only copied with --all or by itself\n",
                               url ? *url : successors->back().store);
}

Result<Exit> copy_store(Program& program, const CopyWish& wish) {
  TM_LET(std::vector<Job> jobs, jobs_of(program, wish));
  if (!wish.all && (!wish.points.empty() || !wish.since.empty())) {
    note_successors(program, wish, *jobs.front().from);
  }
  if (wish.dry_run) {
    print(program, wish, jobs);
    return Exit::done;
  }
  // From here on: every source was read, every target may take what is planned.
  Bar bar(program);
  const auto compare = wish.compare == "sizes" ? copy::Compare::sizes : copy::Compare::bytes;
  for (Job& job : jobs) {
    auto report = [&]() -> Result<copy::Report> {
      TM_CHECK(store::clean_leftovers(*job.to, std::chrono::hours(1), program.now()));
      return copy::copy_plan(*job.from, job.plan, *job.to, compare, bar, program.stop());
    }();
    if (report) {
      job.report = *std::move(report);
    } else {
      job.report.stopped = std::move(report).error();
    }
    if (!job.report.stopped) continue;
    // What was copied before is told all the same, and which of several histories it was that stopped.
    job.report.stopped->what.insert(0, fmt::format("{} -> {}: ", job.from->url(), job.to->url()));
    break;
  }
  program.progress().finish();
  TM_LET(const Exit exit, outcome(program, jobs));
  print(program, wish, jobs);
  return exit;
}

}  // namespace

void add_copy(Program& program) {
  auto wish = std::make_shared<CopyWish>();
  CLI::App& app = program.verb(
      "copy", "the points of a store into another one, verified",
      "tidemark copy --store dir:/backups/prod --to dir:/mnt/offsite/prod            # everything, new objects only\n"
      "tidemark copy --store dir:/backups/prod --to dir:/mnt/offsite/prod --dry-run  # what would be copied\n"
      "tidemark copy --store dir:/backups/prod --to dir:/mnt/offsite/prod --since -24h\n"
      "tidemark copy latest --store dir:/backups/prod --to dir:/tmp/one              # one point and its chain\n",
      [wish](Program& p) { return copy_store(p, *wish); });
  CLI::Option* points =
      app.add_option("POINT", wish->points, "points with the chains that lead to them: names, revisions, latest");
  program.add_store(app, wish->store);
  app.add_option("--to", wish->to, "the store to copy into; an empty place, or an earlier copy of the same history")
      ->required()
      ->type_name("URL");
  program.add_recipients(app);
  CLI::Option* since =
      app.add_option("--since", wish->since, "what restores this moment and all later ones: RFC 3339, -2h, rev:1234")
          ->type_name("WHEN")
          ->excludes(points);
  app.add_flag("--all", wish->all, "everything, and the histories that followed this one; the default")
      ->excludes(points)
      ->excludes(since);
  app.add_option("--compare", wish->compare,
                 "how an object that is there already is compared: bytes reads both, sizes only lists them")
      ->check(CLI::IsMember({"bytes", "sizes"}))
      ->capture_default_str();
  app.add_flag("--dry-run", wish->dry_run, "print the plan with sizes, copy nothing");
  program.add_format(app, wish->format);
}

}  // namespace tidemark::cli
