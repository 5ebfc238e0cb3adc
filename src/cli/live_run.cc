#include "cli/live_run.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/rfc3339.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/plan_output.h"
#include "kube/yaml_text.h"
#include "live/permissions.h"
#include "live/reverse.h"
#include "live/silent_webhooks.h"
#include "live/taken_addresses.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

using live::Executed;
using live::StepFailure;
using live::UndoBegin;
using live::UndoEnd;

constexpr std::size_t kMostTold = 20;
constexpr std::chrono::minutes kTimeout{2};

void tell_failures(Program& program, std::string_view how, const std::vector<StepFailure>& failures) {
  std::size_t told = 0;
  for (const StepFailure& one : failures) {
    if (++told > kMostTold) break;
    const std::string id = one.step->id() + ": ";
    std::string_view why = one.error.what;
    if (why.starts_with(id)) why.remove_prefix(id.size());  // many say themselves what it is about
    program.err() << fmt::format("tidemark: {}: {}{}\n", how, id, why);
  }
  if (failures.size() > kMostTold) program.err() << fmt::format("and {} more\n", failures.size() - kMostTold);
}

// Of a cluster that we may not ask nothing is known.
bool may_be_same(const std::string& one, const std::string& other) {
  return one.empty() || other.empty() || one == other;
}

}  // namespace

void add_live_options(Program& program, CLI::App& app, LiveWish& wish) {
  add_cluster_options(app, wish.cluster);
  app.add_option("--undo-store", wish.undo_store, "where the undo point goes; default: the store")->type_name("URL");
  program.add_recipients(app);
  program.add_format(app, wish.format);
  program.add_yes(app, wish.yes);
  app.add_flag("--dry-run", wish.dry_run, "print the plan, change nothing; with -o yaml for tidemark apply");
  app.add_flag("--undo-on-failure", wish.undo_on_failure, "go back by itself when a step fails");
  const auto is_time = [](const std::string& word) {
    const auto time = parse_duration(word);
    return time ? std::string() : time.error().what;
  };
  app.add_option(
         "--timeout", wish.timeout,
         "how long to wait for what the cluster does in its own time: deleted objects to be gone, namespaces to "
         "be Active, definitions to be served")
      ->check(CLI::Validator(is_time, ""))
      ->capture_default_str()
      ->type_name("TIME");
}

void add_share_option(CLI::App& app, int& share, const std::string& help) {
  const auto without_sign = [](std::string& word) {
    if (word.ends_with('%')) word.pop_back();
    return std::string();
  };
  app.add_option("--max-share", share, help)
      ->transform(CLI::Validator(without_sign, ""))
      ->check(CLI::Validator(CLI::Range(0, 100)).description(""))
      ->default_str(fmt::format("{}%", share))
      ->type_name("PERCENT");
}

Result<std::unique_ptr<store::ObjectStore>> open_undo_store(Program& program, const LiveWish& wish,
                                                            const std::string& store) {
  const std::string& url = wish.undo_store.empty() ? store : wish.undo_store;
  const std::string_view scheme = store::url_scheme(url);
  if (scheme == "file" || scheme == "etcd") {
    return hinted(Result<std::unique_ptr<store::ObjectStore>>(
                      fail(Errc::invalid, "'{}': an undo point cannot be written there", url)),
                  "--undo-store dir:/path keeps it");
  }
  TM_CHECK(check_place(url));
  return program.open_store(url, /*read_only=*/false);
}

live::StepTools LiveRun::tools() {
  return {.client = client_,
          .clock = program_.clock(),
          .steps = program_.steps(),
          .stop = program_.stop(),
          .settle_within = parse_duration(wish_.timeout).value_or(kTimeout)};
}

live::OnStep LiveRun::progress() {
  return
      [this](std::string_view what, std::size_t done, std::size_t all) { program_.progress().update(what, done, all); };
}

void LiveRun::print(const LiveTask& task) {
  program_.progress().finish();
  if (wish_.format == Format::table || wish_.format == Format::wide) {
    print_plan(program_.out(), task.plan, wish_.format == Format::wide);
  } else if (wish_.format == Format::name) {
    for (const live::Step& step : task.plan.steps) {
      if (step.changes()) program_.out() << fmt::format("{} {}\n", action_word(step.action), step.id());
    }
  } else {
    const nlohmann::ordered_json document = live::plan_document(task.plan, task.options);
    std::string text;
    if (wish_.format == Format::yaml) {
      kube::print_yaml(nlohmann::json(document), text);
    } else {
      text = print_json(document);
    }
    program_.out() << text;
  }
  program_.out() << std::flush;
}

// True from here on: we may do all of it, and the server has gone through it.
Result<std::vector<StepFailure>> LiveRun::prepare(LiveTask& task) {
  TM_LET(const auto denied, live::ask_permissions(client_, served_, task.plan, program_.stop()));
  if (!denied.empty() && !wish_.dry_run) {
    std::string list = denied.front();
    for (std::size_t i = 1; i < std::min<std::size_t>(denied.size(), kMostTold); i++) list += ", " + denied[i];
    return std::unexpected(
        Error{Errc::denied, "nothing was changed: we may not " + list,
              "grant it by a role and its binding; kubectl auth can-i --list shows what is granted"});
  }
  if (wish_.dry_run) return std::vector<StepFailure>();
  return live::rehearse(tools(), task.plan, progress());
}

Result<bool> LiveRun::approve(const LiveTask& task, const std::vector<StepFailure>& refused) {
  program_.progress().finish();
  tell_failures(program_, "may be refused", refused);
  tell_obstacles(refused);
  if (wish_.yes) return true;
  const link::KubeAccess& access = client_.access();
  return program_.confirm(fmt::format("{} in {} ({}){}: go on?", plan_counts(task.plan),
                                      access.context.empty() ? "the cluster" : access.context, access.server,
                                      refused.empty() ? "" : fmt::format(", {} may be refused", refused.size())));
}

Result<Exit> LiveRun::run(LiveTask task) {
  TM_LET(const std::vector<StepFailure> refused, prepare(task));
  print(task);
  const Exit unless_failed = task.complete ? Exit::done : Exit::partly;
  if (wish_.dry_run || plan_counts(task.plan).empty()) {
    // It was cut before its first step, or taken back by one that was cut behind its last: that is over, too.
    if (!wish_.dry_run && task.undoes != 0) TM_CHECK(end_what_was_cut(task.undoes));
    return unless_failed;
  }
  TM_LET(const bool approved, approve(task, refused));
  if (!approved) {
    program_.err() << "nothing was changed\n";
    return Exit::failed;
  }
  TM_LET(const std::string cluster, cluster_identity(program_, client_));
  UndoBegin record{.number = 0,
                   .undoes = task.undoes,
                   .what = task.what,
                   .cluster = cluster,
                   .runner = live::this_runner(),
                   .created = program_.now(),
                   .existing = task.options.existing,
                   .status = task.options.status,
                   .steps = {}};
  for (const live::Step& step : task.plan.steps) {
    if (step.changes()) record.steps.push_back(step);
  }
  program_.steps().about_to("live: begin");
  TM_LET(record.number, log_.begin(record));
  // From here on this process alone changes the cluster, and what was there is kept.
  TM_LET(const Exit ended, execute(record.number, record));
  return ended == Exit::done ? unless_failed : ended;
}

Result<Exit> LiveRun::execute(std::uint32_t number, const UndoBegin& record) {
  const live::Plan plan = record.plan();
  auto all = live::execute(tools(), plan, progress());
  program_.progress().finish();
  if (!all) {
    Error cut = all.error();
    // The call itself advises to look at what it did: that is how a resume begins.
    if (is_no_answer(cut.code)) cut.hint.clear();
    if (!cut.hint.empty()) cut.hint += "; then ";
    cut.hint += fmt::format("'tidemark restore --resume {}' finishes it, 'tidemark undo {}' goes back", number, number);
    return named(fmt::format("restore {} was cut", number), Result<Exit>(std::unexpected(std::move(cut))));
  }
  program_.steps().about_to("live: end");
  TM_CHECK(hinted(named(fmt::format("restore {} was carried out, but its end could not be recorded", number),
                        close(number, record, *all)),
                  fmt::format("'tidemark restore --resume {}' looks at each step again and records it", number)));
  return tell(number, *all);
}

Status LiveRun::close(std::uint32_t number, const UndoBegin& record, const Executed& all) {
  const bool changed = all.wrote + all.already > 0;
  UndoEnd end{.outcome = all.whole() ? UndoEnd::Outcome::done
                         : changed   ? UndoEnd::Outcome::partly
                                     : UndoEnd::Outcome::nothing,
              .ended = program_.now(),
              .made = all.made,
              .failed = {}};
  for (const StepFailure& one : all.failed) end.failed.push_back(one.error.what);
  TM_CHECK(log_.end(number, end));
  return record.undoes == 0 || !changed ? Status() : end_what_was_cut(record.undoes);
}

// What was cut is over once it is taken back, and so is every cut try to do that.
Status LiveRun::end_what_was_cut(std::uint32_t undone) {
  TM_LET(const auto others, log_.list());
  for (const live::UndoLog::Entry& other : others) {
    if (other.ended) continue;
    TM_LET(const UndoBegin cut, log_.read(other.number));
    if (other.number != undone && cut.undoes != undone) continue;
    TM_CHECK(log_.need_dead(other.number));
    TM_CHECK(log_.end(other.number, {.outcome = UndoEnd::Outcome::undone, .ended = program_.now()}));
  }
  return {};
}

void LiveRun::tell_obstacles(const std::vector<StepFailure>& failures) {
  for (const live::SilentWebhook& webhook : live::silent_webhooks(client_, served_, failures, program_.stop())) {
    program_.err() << "hint: " << live::way_around(webhook) << '\n';
  }
  for (const live::TakenAddress& taken : live::taken_addresses(client_, failures, program_.stop())) {
    program_.err() << "hint: " << live::way_around(taken) << '\n';
  }
}

Result<Exit> LiveRun::tell(std::uint32_t number, const Executed& all) {
  tell_failures(program_, "not done", all.failed);
  tell_obstacles(all.failed);
  std::ostream& to = wish_.format == Format::table || wish_.format == Format::wide ? program_.out() : program_.err();
  to << fmt::format("restore {}: {} written", number, all.wrote);
  if (all.already > 0) to << fmt::format(", {} were already as they should be", all.already);
  if (!all.whole()) to << fmt::format(", {} not done", all.failed.size());
  to << fmt::format("\nundo it with: tidemark undo {}\n", number);
  if (all.whole()) return Exit::done;
  if (!wish_.undo_on_failure) {
    to << fmt::format("try again what is not done: tidemark restore --resume {}\n", number);
    if (all.wrote + all.already > 0) return Exit::partly;
    const bool late =
        std::ranges::all_of(all.failed, [](const StepFailure& one) { return one.error.code == Errc::timeout; });
    return late ? Exit::timed_out : Exit::failed;
  }
  program_.err() << "going back, as --undo-on-failure says\n";
  LiveWish back = wish_;
  back.yes = true;
  back.undo_on_failure = false;
  LiveRun again(program_, back, client_, served_, log_);
  TM_LET(const Exit went_back, again.take_back(number));
  return went_back == Exit::done ? Exit::failed : went_back;
}

Result<Exit> LiveRun::resume(std::uint32_t number) {
  TM_LET(const UndoBegin record, log_.read(number));
  TM_LET(const std::string cluster, cluster_identity(program_, client_));
  if (!may_be_same(cluster, record.cluster)) return fail(Errc::invalid, "restore {} was of another cluster", number);
  TM_LET(const auto end, log_.read_end(number));
  if (end && end->outcome == UndoEnd::Outcome::done) {
    program_.err() << fmt::format("restore {} was carried out: there is nothing to finish\n", number);
    return Exit::done;
  }
  if (end) TM_CHECK(need_not_taken_back(number));
  LiveTask task{.plan = record.plan(), .options = {.existing = record.existing, .status = record.status}};
  print(task);
  if (wish_.dry_run) return Exit::done;
  TM_LET(const bool approved, approve(task, {}));
  if (!approved) return Exit::failed;
  if (end) {
    TM_LET(const std::uint32_t again, go_on(number, record));
    return execute(again, record);
  }
  TM_CHECK(log_.go_on(number, live::this_runner(), program_.now()));
  return execute(number, record);
}

// One that has ended is done again under a number of its own, with the states of before the first try: undoing either
// goes back to the start.
Result<std::uint32_t> LiveRun::go_on(std::uint32_t number, const UndoBegin& record) {
  UndoBegin again = record;
  again.number = 0;
  again.what = fmt::format("restore --resume {}", number);
  again.runner = live::this_runner();
  again.created = program_.now();
  return log_.begin(std::move(again));
}

Status LiveRun::need_not_taken_back(std::uint32_t number) {
  TM_LET(const auto all, log_.list());
  for (const live::UndoLog::Entry& other : all) {
    if (other.number <= number || !other.ended) continue;
    TM_LET(const UndoBegin record, log_.read(other.number));
    if (record.undoes != number) continue;
    return fail(Errc::conflict, "restore {} was taken back by {}: there is nothing to finish", number, other.number);
  }
  return {};
}

Result<Exit> LiveRun::take_back(std::uint32_t number) {
  TM_LET(const UndoBegin record, log_.read(number));
  TM_LET(const auto end, log_.read_end(number));
  if (!end) TM_CHECK(log_.need_dead(number));
  TM_LET(const std::string cluster, cluster_identity(program_, client_));
  if (!may_be_same(cluster, record.cluster)) return fail(Errc::invalid, "restore {} was of another cluster", number);
  TM_LET(live::WayBack back, live::way_back(client_, served_, record, end, program_.stop()));
  return run({.plan = std::move(back.plan),
              .options = back.options,
              .what = fmt::format("undo {}", number),
              .undoes = number});
}

}  // namespace tidemark::cli
