// tidemark apply: runs a plan that `restore --dry-run -o yaml` printed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/live_run.h"
#include "cli/verbs.h"
#include "io/file.h"
#include "kube/yaml_text.h"
#include "live/moved.h"

namespace tidemark::cli {
namespace {

constexpr std::uint64_t kMostPlan = 1UL << 30U;
constexpr std::size_t kMostMoved = 20;

struct ApplyWish {
  std::string plan, store;
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
  return task;
}

Result<Exit> apply(Program& program, const ApplyWish& wish) {
  TM_LET(LiveTask task, read_task(wish.plan));
  TM_LET(const auto store, open_undo_store(program, wish.live, wish.store));
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
  program.add_store(app, wish->store);
  add_live_options(program, app, wish->live);
}

}  // namespace tidemark::cli
