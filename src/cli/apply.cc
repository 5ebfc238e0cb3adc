// tidemark apply: runs a plan that `restore --dry-run -o yaml` printed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/history.h"
#include "cli/live_run.h"
#include "cli/object_reading.h"
#include "cli/verbs.h"
#include "io/file.h"
#include "kube/yaml_text.h"
#include "live/moved.h"
#include "live/object_facts.h"
#include "live/plan_secrets.h"
#include "restore/target.h"

namespace tidemark::cli {
namespace {

constexpr std::uint64_t kMostPlan = 1UL << 30U;
constexpr std::size_t kMostMoved = 20;

struct ApplyWish {
  std::string plan;
  ObjectReading reading;
  LiveWish live;
};

Result<LiveTask> read_task(const std::string& file) {
  auto text = io::read_file(file, kMostPlan);
  if (!text) {
    Error error = text.error();
    if (error.code == Errc::not_found) error.code = Errc::invalid;  // a wrong word, not a missing object
    return std::unexpected(std::move(error));
  }
  TM_LET(const nlohmann::json document, named(file, kube::parse_yaml(*text)));
  LiveTask task;
  TM_LET(task.plan, named(file, live::read_plan(document, task.options)));
  task.what = "apply " + file;
  task.undoes = task.options.undo;
  return task;
}

// ---- what Secrets hold, which is in no printed plan

using ById = std::map<std::string, nlohmann::json>;  // as Step::id()

Result<ById> read_of_restore(live::UndoLog& log, std::uint32_t number) {
  TM_LET(live::UndoBegin record, log.read(number));
  ById all;
  for (live::Step& step : record.steps) all.emplace(step.id(), std::move(step.before));
  return all;
}

std::string then_of(const std::map<std::string, std::string>& namespaces, const std::string& now) {
  const auto found = std::ranges::find_if(namespaces, [&](const auto& one) { return one.second == now; });
  return found == namespaces.end() ? now : found->first;
}

Result<ById> read_of_moment(Program& program, ApplyWish& wish, const LiveTask& task) {
  ReadingKeys keys(wish.reading);
  TM_CHECK(keys.prepare(wish.reading));
  TM_LET(const History from, open_history(program, wish.reading.store));
  TM_LET(const io::TempDir scratch, io::TempDir::create(wish.reading.scratch));
  const restore::Target target = restore::Target::at(Revision(task.options.revision));
  TM_LET(const auto moment, history::Moment::open(*from.origin, target, moment_options(program, scratch.path())));
  std::map<std::string, std::vector<std::string>> names;  // by namespace, as now
  for (const live::Step& step : task.plan.steps) {
    if (live::needs_then(step)) names[step.name_space].push_back("secrets/" + step.name);
  }
  ById all;
  for (auto& [now, words] : names) {
    history::ObjectWish objects = wish.reading.objects;
    objects.words = std::move(words);
    objects.ns = then_of(task.options.namespaces, now);
    TM_LET(const history::Selection secrets, history::Selection::make(*moment, objects, "apply"));
    TM_CHECK(secrets.for_each([&](const auto& entry, Result<nlohmann::json> object) -> Status {
      if (!object) return std::unexpected(object.error());
      all.emplace(fmt::format("secrets {}/{}", now, entry.name), *std::move(object));
      return {};
    }));
  }
  program.progress().finish();
  return all;
}

// Requires: the steps have what is now.
Status fill_secrets(Program& program, ApplyWish& wish, live::UndoLog& log, LiveTask& task) {
  ById then;
  if (std::ranges::any_of(task.plan.steps, live::needs_then)) {
    if (task.options.undo != 0) {
      TM_LET(then, read_of_restore(log, task.options.undo));
    } else if (task.options.revision != 0) {
      TM_LET(then, named(wish.plan + ": what its Secrets held", read_of_moment(program, wish, task)));
    }
  }
  for (live::Step& step : task.plan.steps) {
    const auto found = then.find(step.id());
    TM_CHECK(hinted(named(wish.plan, live::fill_body(step, found == then.end() ? nlohmann::json() : found->second)),
                    "--store must be the one that the plan was made with; else make the plan again"));
  }
  return {};
}

Result<Exit> apply(Program& program, ApplyWish& wish) {
  TM_LET(LiveTask task, read_task(wish.plan));
  TM_LET(const auto store, open_undo_store(program, wish.live, wish.reading.store));
  TM_LET(link::KubeClient client, open_cluster(program, wish.live.cluster));
  TM_LET(link::KubeDiscovery all, client.discover(program.stop()));
  const live::ServedKinds served(std::move(all));
  TM_LET(const std::vector<std::string> moved, live::what_moved(client, task.plan, program.stop()));
  if (!moved.empty()) {
    for (std::size_t i = 0; i < std::min(moved.size(), kMostMoved); i++) {
      program.err() << fmt::format("tidemark: moved: {}\n", moved[i]);
    }
    return hinted(Result<Exit>(fail(Errc::conflict, "{}: the cluster has moved since the plan was made, in {} objects",
                                    wish.plan, moved.size())),
                  "make the plan again: tidemark restore ... --dry-run -o yaml");
  }
  live::UndoLog log(*store);
  if (task.undoes != 0) {
    TM_LET(const auto end, log.read_end(task.undoes));
    if (!end) TM_CHECK(log.need_dead(task.undoes));
  }
  TM_CHECK(fill_secrets(program, wish, log, task));
  return LiveRun(program, wish.live, client, served, log).run(std::move(task));
}

}  // namespace

void add_apply(Program& program) {
  auto wish = std::make_shared<ApplyWish>();
  CLI::App& app = program.verb("apply", "run a plan that restore or undo printed",
                               "tidemark restore -n shop --at -2h --dry-run -o yaml > plan.yaml\n"
                               "tidemark apply plan.yaml                 # refuses when the cluster has moved since\n",
                               [wish](Program& p) { return apply(p, *wish); });
  app.add_option("PLAN", wish->plan, "the file, as -o yaml or -o json printed it")->required()->type_name("");
  add_live_options(program, app, wish->live);
  add_reading_options(program, app, wish->reading);
}

}  // namespace tidemark::cli
