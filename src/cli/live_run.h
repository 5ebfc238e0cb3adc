// What `restore`, `undo` and `apply` do with a plan: print it, ask, write it down, run it, tell how it ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/cluster.h"
#include "cli/program.h"
#include "live/execute.h"
#include "live/plan.h"
#include "live/served_kinds.h"
#include "live/undo_log.h"

namespace tidemark::cli {

struct LiveWish {
  ClusterWish cluster;
  std::string undo_store;  // empty: where the history is
  std::string timeout = "2m";
  Format format = Format::table;
  bool yes = false, dry_run = false, undo_on_failure = false;
};
// --kubeconfig, --context, --undo-store, --yes, --dry-run, -o, --undo-on-failure, --timeout, --age-recipients.
void add_live_options(Program& program, CLI::App& app, LiveWish& wish);
// --max-share, in percent, with or without the sign.
void add_share_option(CLI::App& app, int& share, const std::string& help);

// The store for undo points: --undo-store, else `store`. Errc::invalid: `store` is a file or a directory of etcd.
Result<std::unique_ptr<store::ObjectStore>> open_undo_store(Program& program, const LiveWish& wish,
                                                            const std::string& store);

struct LiveTask {
  live::Plan plan{};
  live::PlanOptions options{};
  std::string what{};        // for people: "restore -n shop --at -2h"
  std::uint32_t undoes = 0;  // the restore that this one takes back
  bool complete = true;      // false: some of what was asked for is not in the plan; the output has told
};

class LiveRun {
 public:
  // Requires: all of it outlives this.
  LiveRun(Program& program, const LiveWish& wish, link::KubeClient& client, const live::ServedKinds& served,
          live::UndoLog& log)
      : program_(program), wish_(wish), client_(client), served_(served), log_(log) {}

  Result<Exit> run(LiveTask task);
  // Finishes a restore that was cut; or does again, under a new number, what one has left undone.
  Result<Exit> resume(std::uint32_t number);
  // Takes a restore back.
  Result<Exit> take_back(std::uint32_t number);

 private:
  Result<std::vector<live::StepFailure>> prepare(LiveTask& task);
  Result<bool> approve(const LiveTask& task, const std::vector<live::StepFailure>& refused);
  Result<Exit> execute(std::uint32_t number, const live::UndoBegin& record);
  Result<std::uint32_t> go_on(std::uint32_t number, const live::UndoBegin& record);
  Status need_not_taken_back(std::uint32_t number);
  void tell_obstacles(const std::vector<live::StepFailure>& failures);
  Status close(std::uint32_t number, const live::UndoBegin& record, const live::Executed& all);
  Status end_what_was_cut(std::uint32_t undone);
  Result<Exit> tell(std::uint32_t number, const live::Executed& all);
  live::StepTools tools();
  live::OnStep progress();
  void print(const LiveTask& task);

  Program& program_;
  const LiveWish& wish_;
  link::KubeClient& client_;
  const live::ServedKinds& served_;
  live::UndoLog& log_;
};

}  // namespace tidemark::cli
