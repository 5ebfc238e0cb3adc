#include "cli/restore_objects.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/program.h"
#include "live/object_facts.h"

namespace tidemark::cli {
namespace {

using live::Existing;

// A word of --existing becomes the number that CLI11 reads an enumeration from. What is wrong with it; empty: nothing.
std::string read_existing(std::string& word) {
  static const std::map<std::string, Existing> words{{"skip", Existing::skip},
                                                     {"merge", Existing::merge},
                                                     {"replace", Existing::replace},
                                                     {"recreate", Existing::recreate}};
  const auto found = words.find(word);
  if (found == words.end()) return "'" + word + "': skip, merge, replace or recreate expected";
  word = std::to_string(static_cast<int>(found->second));
  return "";
}

// "20%" or "20".
Result<std::map<std::string, std::string>> read_namespaces(const std::vector<std::string>& words) {
  std::map<std::string, std::string> all;
  for (const std::string& word : words) {
    const std::size_t mark = word.find('=');
    if (mark == std::string::npos || mark == 0 || mark + 1 == word.size()) {
      return fail(Errc::invalid, "--map-namespace {}: THEN=NOW expected", word);
    }
    if (!all.emplace(word.substr(0, mark), word.substr(mark + 1)).second) {
      return fail(Errc::invalid, "--map-namespace: '{}' is there twice", word.substr(0, mark));
    }
  }
  return all;
}

Status check_wish(const RestoreObjectsWish& wish, bool namespace_given) {
  const history::ObjectWish& objects = wish.reading.objects;
  if (wish.reading.store.empty()) {
    return hinted(Status(fail(Errc::invalid, "--store is required")),
                  "--store dir:/path, or the variable TIDEMARK_STORE");
  }
  if (wish.resume != 0) return {};
  if (objects.words.empty() && !objects.all_namespaces && !namespace_given && wish.reading.labels.empty()) {
    return hinted(Status(fail(Errc::invalid, "restore what?")),
                  "'tidemark restore etcd' is the whole store; KIND/NAME, -n NS, -l SELECTOR or -A are objects");
  }
  TM_CHECK(history::Wanted::read(objects, "restore", /*words_needed=*/false));
  return {};
}

Result<Exit> resume(Program& program, const RestoreObjectsWish& wish) {
  TM_LET(const auto store, open_undo_store(program, wish.live, wish.reading.store));
  TM_LET(link::KubeClient client, open_cluster(program, wish.live.cluster));
  TM_LET(link::KubeDiscovery all, client.discover(program.stop()));
  const live::ServedKinds served(std::move(all));
  live::UndoLog log(*store);
  return LiveRun(program, wish.live, client, served, log).resume(wish.resume);
}

// Is the cluster the one that was recorded? Its namespace kube-system says so.
Result<bool> is_same_cluster(Program& program, link::KubeClient& client, history::Moment& moment,
                             const history::ObjectWish& objects) {
  history::ObjectWish system = objects;
  system.words = {"namespaces/kube-system"};
  system.all_namespaces = false;
  system.labels = {};
  system.fields = {};
  TM_LET(const std::string now, cluster_identity(program, client));
  if (now.empty()) return true;
  TM_LET(const history::Selection then, history::Selection::make(moment, system));
  bool same = true;
  TM_CHECK(then.for_each([&](const auto&, const Result<nlohmann::json>& object) -> Status {
    if (object) same = live::uid_in(*object) == now;
    return {};
  }));
  return same;
}

}  // namespace

std::string words_of(std::string_view verb, const history::ObjectWish& objects, std::string_view when) {
  std::string text(verb);
  for (const std::string& word : objects.words) text += " " + word;
  text += objects.all_namespaces ? " -A" : " -n " + objects.ns;
  return fmt::format("{} {}", text, when);
}

bool tell_survey(Program& program, const live::Survey& survey) {
  for (const std::string& note : survey.notes) program.err() << "note: " << note << '\n';
  for (const Error& error : survey.unreadable) program.err() << "tidemark: missing: " << error.what << '\n';
  for (const auto& [kind, name] : survey.missing) {
    program.err() << fmt::format("tidemark: missing: {} '{}': there was none then\n", kind, name);
  }
  bool lost = false;
  for (const live::Unserved& object : survey.input.unserved) {
    if (!object.is_loss) continue;
    program.err() << fmt::format("tidemark: missing: {}: {}\n", object.id, object.reason);
    lost = true;
  }
  if (lost) {
    program.err()
        << "hint: a definition comes back by: tidemark restore crd/NAME, or with -A --cluster-scoped; another "
           "version of a kind by a server that has it switched on\n";
  }
  return survey.unreadable.empty() && survey.missing.empty() && !lost;
}

Result<Exit> restore_objects(Program& program, RestoreObjectsWish& wish, bool namespace_given) {
  TM_CHECK(check_wish(wish, namespace_given));
  if (wish.resume != 0) return resume(program, wish);
  TM_CHECK(named("--at", history::check_when(wish.at, program.now())));
  TM_LET(wish.plan.namespaces, read_namespaces(wish.namespaces));
  ReadingKeys keys(wish.reading);
  TM_CHECK(keys.prepare(wish.reading));
  TM_LET(const auto store, open_undo_store(program, wish.live, wish.reading.store));
  TM_LET(link::KubeClient client, open_cluster(program, wish.live.cluster));
  TM_LET(const History from, open_history(program, wish.reading.store));
  for (const std::string& what : from.origin->left_out()) program.err() << "note: " << what << '\n';
  TM_LET(const io::TempDir scratch, io::TempDir::create(wish.reading.scratch));
  // Which node ports somebody chose, and who keeps an object, is written there.
  wish.reading.objects.managed_fields = true;
  const history::MomentOptions options = moment_options(program, scratch.path());
  TM_LET(const restore::Target target, target_of(program, "--at", wish.at, wish.reading, *from.origin, options));
  TM_LET(const auto moment, history::Moment::open(*from.origin, target, options));
  TM_LET(wish.plan.same_cluster, is_same_cluster(program, client, *moment, wish.reading.objects));

  TM_LET(const live::Survey survey, live::take_survey(*moment, client,
                                                      {.objects = wish.reading.objects,
                                                       .cluster_scoped = wish.cluster_scoped,
                                                       .prune = wish.plan.prune,
                                                       .namespaces = wish.plan.namespaces,
                                                       .with_needed = wish.with_deps},
                                                      program.stop()));
  program.progress().finish();
  const bool known = tell_moment(program, wish.at, *moment);
  const bool complete = tell_survey(program, survey) && known;
  if (survey.input.wanted.empty() && !wish.plan.prune && complete) {
    return fail(Errc::not_found, "there were no such objects at revision {}", moment->revision());
  }
  wish.plan.revision = moment->revision().raw();
  LiveTask task{
      .options = wish.plan, .what = words_of("restore", wish.reading.objects, "--at " + wish.at), .complete = complete};
  TM_LET(task.plan, live::make_plan(survey.input, wish.plan));
  live::UndoLog log(*store);
  return LiveRun(program, wish.live, client, survey.served, log).run(std::move(task));
}

void add_restore_objects_options(Program& program, CLI::App& app, RestoreObjectsWish& wish) {
  app.add_option("WHAT", wish.reading.objects.words,
                 "KIND [NAME...], KIND/NAME..., or several kinds with commas between; without it: with -n all of the "
                 "namespace, with -A all namespaces. The bare word etcd is the whole store");
  app.add_option("--at", wish.at, "latest, rev:1234, -2h, 2024-05-01T12:00:00Z or before:delete:KIND/NAME")
      ->capture_default_str()
      ->type_name("WHEN");
  app.add_option("--existing", wish.plan.existing,
                 "what is there and differs: skip (stays), merge (what was is set, what came since stays), replace "
                 "(exactly what was), recreate (as replace, and deletes what cannot be changed)")
      ->transform(CLI::Validator(read_existing, ""))
      ->type_name("HOW");
  app.add_flag("--prune", wish.plan.prune, "remove what was not there then");
  add_share_option(app, wish.plan.max_share, "how much of what is there --prune may remove");
  app.add_option("--map-namespace", wish.namespaces, "into another namespace")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->type_name("THEN=NOW");
  app.add_flag("--with-deps", wish.with_deps,
               "also what the objects refer to: Secrets, ConfigMaps, accounts, roles, claims, Services; and where they "
               "are missing, classes, volumes and the definitions of custom objects");
  app.add_flag("--status", wish.plan.status, "also put back the status, where it can be written");
  app.add_flag("--cluster-scoped", wish.cluster_scoped, "with -A: also what is in no namespace");
  app.add_option("--resume", wish.resume, "finish a restore that was cut")->type_name("N");
  add_live_options(program, app, wish.live);
  add_object_options(program, app, wish.reading);
  app.get_option("--store")->required(false);  // `restore etcd` has its own
}

}  // namespace tidemark::cli
