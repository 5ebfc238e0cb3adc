// tidemark get: kubectl get, in the past.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/get_output.h"
#include "cli/object_reading.h"
#include "cli/program.h"
#include "cli/verbs.h"

namespace tidemark::cli {
namespace {

struct GetWish {
  std::string at = "latest";
  std::string output = "table";
  bool no_headers = false;
  GetForm form;
  ObjectReading reading;
};

Error not_there(const history::Selection::Missing& missing, const GetWish& wish, Revision at) {
  const std::string where =
      missing.resource->namespaced ? fmt::format(" in namespace {}", wish.reading.objects.ns) : "";
  return {
      Errc::not_found,
      fmt::format("{} '{}': there was none{} at revision {}", missing.resource->full_name(), missing.name, where, at),
      missing.resource->namespaced ? "-n NAMESPACE looks elsewhere, --at WHEN at another moment"
                                   : "--at WHEN looks at another moment"};
}

// How many were printed; what could not be read goes into `shortfall`.
Result<std::size_t> print_objects(Program& program, const GetWish& wish, const history::Moment& moment,
                                  const history::Selection& selection, Shortfall& shortfall) {
  const auto output = ObjectOutput::make(program.out(), {.form = &wish.form,
                                                         .single = selection.single(),
                                                         .namespaces = wish.reading.objects.all_namespaces,
                                                         .many_kinds = selection.many_kinds(),
                                                         .headings = !wish.no_headers,
                                                         .now = moment.time()});
  std::size_t shown = 0;
  TM_CHECK(selection.for_each([&](const auto& entry, const Result<nlohmann::json>& object) -> Status {
    if (program.stop().stop_requested()) return fail(Errc::cancelled, "stopped");
    if (object) {
      shown++;
      return output->add(entry, *object);
    }
    if (selection.single()) return std::unexpected(object.error());
    output->add_unreadable(entry, object.error().code == Errc::denied ? "encrypted" : "unreadable");
    shortfall.add(object.error());
    return {};
  }));
  TM_CHECK(output->finish());
  return shown;
}

// -o, before anything is read.
Status read_form(Program& program, GetWish& wish) {
  TM_LET(wish.form, read_get_form(wish.output));
  if (wish.form.is_template()) wish.reading.objects.managed_fields = true;
  if (wish.form.path && !wish.form.path->has_expression()) {
    program.err() << "note: nothing in the template stands in braces, so it is printed as it is; {.metadata.name} is a "
                     "path\n";
  }
  return {};
}

Result<Exit> get(Program& program, GetWish& wish) {
  TM_CHECK(read_form(program, wish));
  TM_CHECK(named("--at", history::check_when(wish.at, program.now())));
  ReadingKeys keys(wish.reading);
  TM_CHECK(keys.prepare(wish.reading));
  TM_LET(const History from, open_history(program, wish.reading.store));
  for (const std::string& what : from.origin->left_out()) program.err() << "note: " << what << '\n';
  TM_LET(const io::TempDir scratch, io::TempDir::create(wish.reading.scratch));
  history::MomentOptions options = moment_options(program, scratch.path());
  const auto index = open_index(program, from, wish.reading.index, options);
  options.index = index.get();
  restore::Origin& origin = index ? index->origin() : *from.origin;
  TM_LET(const restore::Target target, target_of(program, "--at", wish.at, wish.reading, origin, options));
  TM_LET(const auto moment, history::Moment::open(origin, target, options));
  TM_LET(const history::Selection selection, history::Selection::make(*moment, wish.reading.objects));
  program.progress().finish();

  Shortfall shortfall;
  const bool complete = tell_moment(program, wish.at, *moment);
  for (const auto& missing : selection.missing()) shortfall.add(not_there(missing, wish, moment->revision()));
  if (selection.single() && !selection.missing().empty()) {
    return std::unexpected(not_there(selection.missing().front(), wish, moment->revision()));
  }
  TM_LET(const std::size_t shown, print_objects(program, wish, *moment, selection, shortfall));
  for (const std::string& note : selection.notes()) program.err() << "note: " << note << '\n';
  shortfall.tell(program);
  if (!shortfall.lines.empty()) return shown == 0 ? exit_of(shortfall.first) : Exit::partly;
  if (shown == 0) {
    const bool somewhere = selection.any_namespaced() && !wish.reading.objects.all_namespaces;
    program.err() << (somewhere ? fmt::format("no such objects in namespace {} at revision {}\n",
                                              wish.reading.objects.ns, moment->revision())
                                : fmt::format("no such objects at revision {}\n", moment->revision()));
  }
  return complete ? Exit::done : Exit::partly;
}

}  // namespace

void add_get(Program& program) {
  auto wish = std::make_shared<GetWish>();
  CLI::App& app = program.verb(
      "get", "objects as they were at a moment, in kubectl's words",
      "tidemark get deploy -n shop --at -2h --store dir:/backups/prod\n"
      "tidemark get configmap/web -n shop --at 2026-11-21T10:00:00Z -o yaml --store dir:/backups/prod\n"
      "tidemark get cm,secrets -A -l app=web --at rev:123456 -o json --store dir:/backups/prod\n"
      "tidemark get widgets.shop.example.com -A --store file:/x/snapshot.db    # custom resources, from one snapshot\n"
      "tidemark get deploy web -n shop --at -2h -o yaml --store dir:/backups/prod | kubectl apply -f -\n"
      "tidemark get deploy/web -n shop --at before:delete:deploy/web --store dir:/backups/prod    # as it was last "
      "there\n"
      "tidemark get pods -A --at -2h -o custom-columns=POD:.metadata.name,NODE:.spec.nodeName --store "
      "dir:/backups/prod\n"
      "tidemark get secret/db -n shop -o jsonpath='{.data.password}' --store dir:/backups/prod | base64 -d\n",
      [wish](Program& p) { return get(p, *wish); });
  history::ObjectWish& objects = wish->reading.objects;
  app.add_option("WHAT", objects.words, "KIND [NAME...], KIND/NAME..., or several kinds with commas between")
      ->required();
  app.add_option("--at", wish->at, "latest, rev:1234, -2h, 2024-05-01T12:00:00Z or before:delete:KIND/NAME")
      ->capture_default_str()
      ->type_name("WHEN");
  CLI::Option* const output = app.add_option("-o,--output", wish->output, kGetForms)->type_name("FORMAT");
  program.completes(*output,
                    "table wide json yaml name jsonpath= jsonpath-as-json= jsonpath-file= custom-columns= "
                    "custom-columns-file=");
  app.add_flag("--no-headers", wish->no_headers, "tables and custom columns without their headings");
  app.add_flag("--show-managed-fields", objects.managed_fields, "with metadata.managedFields");
  add_object_options(program, app, wish->reading);
  add_index_options(app, wish->reading.index);
}

}  // namespace tidemark::cli
