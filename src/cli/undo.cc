// tidemark undo: what a restore did, back; or objects as they were at a moment.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/restore_objects.h"
#include "cli/verbs.h"

namespace tidemark::cli {
namespace {

struct UndoWish {
  std::string since;
  RestoreObjectsWish objects;
};

// The number of a restore: the only word, and nothing but digits.
std::optional<std::uint32_t> number_of(const std::vector<std::string>& words) {
  std::uint32_t number = 0;
  if (words.size() != 1) return std::nullopt;
  const std::string& word = words.front();
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

Result<Exit> undo_restore(Program& program, const UndoWish& wish, std::uint32_t number) {
  TM_LET(const auto store, open_undo_store(program, wish.objects.live, wish.objects.reading.store));
  TM_LET(link::KubeClient client, open_cluster(program, wish.objects.live.cluster));
  TM_LET(link::KubeDiscovery all, client.discover(program.stop()));
  const live::ServedKinds served(std::move(all));
  live::UndoLog log(*store);
  return LiveRun(program, wish.objects.live, client, served, log).take_back(number);
}

Result<Exit> undo(Program& program, UndoWish& wish, bool namespace_given) {
  if (const auto number = number_of(wish.objects.reading.objects.words)) {
    if (!wish.since.empty()) return fail(Errc::invalid, "--since does not go with the number of a restore");
    return undo_restore(program, wish, *number);
  }
  if (wish.since.empty()) {
    return hinted(Result<Exit>(fail(Errc::invalid, "undo of what?")),
                  "undo N takes restore N back; undo KIND/NAME --since WHEN, undo -n NS --since WHEN");
  }
  // What was then is wanted, exactly: what has changed since goes back, what has come since goes.
  wish.objects.at = wish.since;
  wish.objects.plan.existing = live::Existing::replace;
  wish.objects.plan.prune = true;
  return restore_objects(program, wish.objects, namespace_given);
}

}  // namespace

void add_undo(Program& program) {
  auto wish = std::make_shared<UndoWish>();
  auto namespace_option = std::make_shared<CLI::Option*>(nullptr);
  CLI::App& app =
      program.verb("undo", "put back what was before a restore, or before a moment",
                   "tidemark undo 7                              # what restore 7 did; an undo has a number, too, and "
                   "can be undone\n"
                   "tidemark undo deploy/web -n shop --since -15m\n"
                   "tidemark undo -n shop --since -15m --dry-run  # all of a namespace: what has come since goes\n",
                   [wish, namespace_option](Program& p) { return undo(p, *wish, (*namespace_option)->count() > 0); });
  app.add_option("WHAT", wish->objects.reading.objects.words,
                 "the number of a restore; or KIND [NAME...], KIND/NAME...; without it: with -n all of the namespace");
  app.add_option("--since", wish->since,
                 "the moment that is gone back to: rev:1234, -15m, 2024-05-01T12:00:00Z or before:delete:KIND/NAME")
      ->type_name("WHEN");
  add_share_option(app, wish->objects.plan.max_share, "how much of what is there may be removed");
  add_live_options(program, app, wish->objects.live);
  add_object_options(program, app, wish->objects.reading);
  *namespace_option = app.get_option("--namespace");
}

}  // namespace tidemark::cli
