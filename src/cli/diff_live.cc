// tidemark diff --live: a moment, and the running cluster.
#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <ostream>

#include "cli/diff.h"
#include "cli/restore_objects.h"
#include "live/object_facts.h"
#include "live/survey.h"

namespace tidemark::cli {
namespace {

using history::Comparison;
using nlohmann::json;

// An object of both sides; null: there is none.
struct Sides {
  const live::Found* then = nullptr;
  const live::Found* now = nullptr;
};

Revision written(const live::Found* found) {
  if (found == nullptr) return {};
  const std::string version = live::version_in(found->object);
  std::int64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return Revision(number);
}

kube::Resource resource_of(const link::KubeKind& kind) {
  kube::Resource resource;
  resource.plural = kind.resource;
  resource.singular = kind.singular;
  resource.kind = kind.kind;
  resource.group = kind.group;
  resource.namespaced = kind.namespaced;
  return resource;
}

// By kind and place, as a server lists them.
std::map<std::string, Sides> pair_up(const live::PlanInput& input) {
  std::map<std::string, Sides> all;
  for (const live::Found& found : input.wanted) all[live::object_id(found.kind, found.object)].then = &found;
  for (const live::Found& found : input.live) all[live::object_id(found.kind, found.object)].now = &found;
  return all;
}

Status add_pair(const Sides& sides, DiffPrinter& printer) {
  const live::Found& any = sides.then != nullptr ? *sides.then : *sides.now;
  const kube::Resource resource = resource_of(any.kind);
  const std::string ns = live::namespace_in(any.object), name = live::name_in(any.object);
  const std::string key = live::object_id(any.kind, any.object);
  const Comparison::Pair pair{.resource = &resource,
                              .ns = ns,
                              .name = name,
                              .key = &key,
                              .before_written = written(sides.then),
                              .after_written = written(sides.now),
                              .before = sides.then == nullptr ? json() : sides.then->object,
                              .after = sides.now == nullptr ? json() : sides.now->object};
  return printer.add(pair);
}

// What was asked for by its name, was not there then and is there now is a difference like any other.
void drop_those_there(live::Survey& survey) {
  std::erase_if(survey.missing, [&](const auto& missing) {
    return std::ranges::any_of(survey.input.live, [&](const live::Found& found) {
      return found.kind.full_name() == missing.first && live::name_in(found.object) == missing.second;
    });
  });
}

}  // namespace

Result<Exit> diff_live(Program& program, DiffWish& wish) {
  TM_CHECK(named("--at", history::check_when(wish.at, program.now())));
  ReadingKeys keys(wish.reading);
  TM_CHECK(keys.prepare(wish.reading));
  TM_LET(link::KubeClient client, open_cluster(program, wish.cluster));
  TM_LET(const History from, open_history(program, wish.reading.store));
  for (const std::string& what : from.origin->left_out()) program.err() << "note: " << what << '\n';
  TM_LET(const io::TempDir scratch, io::TempDir::create(wish.reading.scratch));
  history::MomentOptions options = moment_options(program, scratch.path());
  const auto index = open_index(program, from, wish.reading.index, options);
  options.index = index.get();
  restore::Origin& origin = index ? index->origin() : *from.origin;
  TM_LET(const restore::Target at, target_of(program, "--at", wish.at, wish.reading, origin, options));
  TM_LET(const auto moment, history::Moment::open(origin, at, options));
  const history::ObjectWish& objects = wish.reading.objects;
  TM_LET(
      live::Survey survey,
      live::take_survey(*moment, client,
                        {.objects = objects, .cluster_scoped = objects.all_namespaces, .prune = true, .namespaces = {}},
                        program.stop()));
  program.progress().finish();
  drop_those_there(survey);
  const bool known = tell_moment(program, wish.at, *moment);
  const auto pairs = pair_up(survey.input);
  Revision newest;
  for (const auto& [id, sides] : pairs) newest = std::max(newest, written(sides.now));

  Shortfall shortfall;
  wish.compared.identity = false;
  const ObjectChanges changes(wish.compared);
  const auto output =
      DiffOutput::make(program.out(), wish.format, {moment->revision(), moment->time()}, {newest, program.now()});
  DiffPrinter printer(changes, *output, shortfall);
  for (const auto& [id, sides] : pairs) {
    if (sides.then != nullptr && sides.now != nullptr && sides.then->object == sides.now->object) continue;
    TM_CHECK(add_pair(sides, printer));
  }
  output->finish();
  const bool complete = tell_survey(program, survey) && known;
  if (!complete) return printer.differ == 0 && pairs.empty() ? Exit::not_found : Exit::partly;
  return printer.differ > 0 ? Exit::findings : Exit::done;
}

}  // namespace tidemark::cli
