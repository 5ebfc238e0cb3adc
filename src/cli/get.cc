// tidemark get: kubectl get, in the past.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/rfc3339.h"
#include "cli/get_output.h"
#include "cli/history.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "history/objects.h"
#include "link/key_service.h"
#include "restore/target.h"

namespace tidemark::cli {
namespace {

struct GetWish {
  std::string store;
  std::string at = "latest";
  std::string labels, fields;
  std::string scratch;
  std::string encryption_config, kms_endpoint;
  Format format = Format::table;
  history::ObjectWish objects;
};

// What was left out of the answer, for whoever asked.
struct Shortfall {
  std::vector<std::string> lines;
  Errc first = Errc::not_found;  // why the first object could not be read
  std::string hint;
  void add(const Error& error) {
    if (lines.empty()) {
      first = error.code;
      hint = error.hint;
    }
    lines.push_back(error.what);
  }
};

Error not_there(const history::Selection::Missing& missing, const GetWish& wish, Revision at) {
  const std::string where = missing.resource->namespaced ? fmt::format(" in namespace {}", wish.objects.ns) : "";
  return {
      Errc::not_found,
      fmt::format("{} '{}': there was none{} at revision {}", missing.resource->full_name(), missing.name, where, at),
      missing.resource->namespaced ? "-n NAMESPACE looks elsewhere, --at WHEN at another moment"
                                   : "--at WHEN looks at another moment"};
}

// What is to be said of the moment itself. False: revisions before it are lost.
bool tell_moment(Program& program, const GetWish& wish, const history::Moment& moment) {
  if (moment.beyond_the_end()) {
    program.err() << fmt::format("note: no change after {} is in the store: the newest state it holds is shown\n",
                                 wish.at);
  }
  for (const std::string& note : moment.plan().notes) program.err() << "note: " << note << '\n';
  for (const restore::Hole& hole : moment.plan().holes) {
    program.err() << fmt::format("tidemark: missing: revisions {}..{}: {}\n", hole.span.first, hole.span.last,
                                 hole.reason);
  }
  return moment.plan().complete();
}

Result<kube::Decryptor> read_keys(const GetWish& wish, kube::KeyService& service) {
  constexpr std::uint64_t kMostBytes = 4UL << 20U;
  if (wish.encryption_config.empty()) return kube::Decryptor();
  const std::string name = "--encryption-config '" + wish.encryption_config + "'";
  auto text = named(name, io::read_file(wish.encryption_config, kMostBytes));
  if (!text) {
    Error error = text.error();
    if (error.code == Errc::not_found) error.code = Errc::invalid;  // a wrong flag, not a missing object
    return std::unexpected(std::move(error));
  }
  auto providers = named(name, kube::read_encryption_configuration(*text));
  crypto::wipe(*text);
  if (!providers) return std::unexpected(std::move(providers).error());
  return kube::Decryptor(*std::move(providers), &service);
}

// How many were printed; what could not be read goes into `shortfall`.
Result<std::size_t> print_objects(Program& program, const GetWish& wish, const history::Moment& moment,
                                  const history::Selection& selection, Shortfall& shortfall) {
  const auto output = ObjectOutput::make(program.out(), {.format = wish.format,
                                                         .single = selection.single(),
                                                         .namespaces = wish.objects.all_namespaces,
                                                         .many_kinds = selection.many_kinds(),
                                                         .now = moment.time()});
  std::size_t shown = 0;
  TM_CHECK(selection.for_each([&](const auto& entry, const Result<nlohmann::json>& object) -> Status {
    if (program.stop().stop_requested()) return fail(Errc::cancelled, "stopped");
    if (object) {
      output->add(entry, *object);
      shown++;
      return {};
    }
    if (selection.single()) return std::unexpected(object.error());
    output->add_unreadable(entry, object.error().code == Errc::denied ? "encrypted" : "unreadable");
    shortfall.add(object.error());
    return {};
  }));
  output->finish();
  return shown;
}

Result<Exit> get(Program& program, GetWish& wish) {
  TM_LET(const restore::Target target, named("--at", restore::parse_target(wish.at, program.now())));
  TM_LET(wish.objects.labels, named("-l", kube::LabelSelector::parse(wish.labels)));
  TM_LET(wish.objects.fields, named("--field-selector", kube::FieldSelector::parse(wish.fields)));
  link::GrpcKeyService service(wish.kms_endpoint);
  TM_LET(kube::Decryptor decryptor, read_keys(wish, service));
  wish.objects.decryptor = &decryptor;
  TM_LET(const History from, open_history(program, wish.store));
  for (const std::string& what : from.origin->left_out()) program.err() << "note: " << what << '\n';
  TM_LET(const io::TempDir scratch, io::TempDir::create(wish.scratch));
  const history::MomentOptions options{.scratch = scratch.path(),
                                       .stop = program.stop(),
                                       .progress = [&](std::string_view step, std::uint64_t done, std::uint64_t all) {
                                         program.progress().update(step, done, all);
                                       }};
  TM_LET(const auto moment, history::Moment::open(*from.origin, target, options));
  TM_LET(const history::Selection selection, history::Selection::make(*moment, wish.objects));
  program.progress().finish();

  Shortfall shortfall;
  const bool complete = tell_moment(program, wish, *moment);
  for (const auto& missing : selection.missing()) shortfall.add(not_there(missing, wish, moment->revision()));
  if (selection.single() && !selection.missing().empty()) {
    return std::unexpected(not_there(selection.missing().front(), wish, moment->revision()));
  }
  TM_LET(const std::size_t shown, print_objects(program, wish, *moment, selection, shortfall));
  for (const std::string& note : selection.notes()) program.err() << "note: " << note << '\n';
  for (const std::string& line : shortfall.lines) program.err() << "tidemark: " << line << '\n';
  if (!shortfall.hint.empty()) program.err() << "hint: " << shortfall.hint << '\n';
  if (!shortfall.lines.empty()) return shown == 0 ? exit_of(shortfall.first) : Exit::partly;
  if (shown == 0) {
    const bool somewhere = selection.any_namespaced() && !wish.objects.all_namespaces;
    program.err() << (somewhere ? fmt::format("no such objects in namespace {} at revision {}\n", wish.objects.ns,
                                              moment->revision())
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
      "tidemark get deploy web -n shop --at -2h -o yaml --store dir:/backups/prod | kubectl apply -f -\n",
      [wish](Program& p) { return get(p, *wish); });
  app.add_option("WHAT", wish->objects.words, "KIND [NAME...], KIND/NAME..., or several kinds with commas between")
      ->required();
  program.add_store(app, wish->store);
  app.add_option("--at", wish->at, "latest, rev:1234, -2h or 2024-05-01T12:00:00Z")
      ->capture_default_str()
      ->type_name("WHEN");
  app.add_option("-n,--namespace", wish->objects.ns, "the namespace")->capture_default_str()->type_name("NS");
  app.add_flag("-A,--all-namespaces", wish->objects.all_namespaces, "all namespaces");
  app.add_option("-l,--selector", wish->labels, "only objects with these labels: app=web,tier!=db,env in (a,b),!old")
      ->type_name("SELECTOR");
  app.add_option("--field-selector", wish->fields, "metadata.name=NAME, metadata.namespace=NS, with = or !=")
      ->type_name("SELECTOR");
  program.add_format(app, wish->format);
  app.add_flag("--show-managed-fields", wish->objects.managed_fields, "with metadata.managedFields");
  app.add_option("--encryption-config", wish->encryption_config,
                 "the API server's EncryptionConfiguration, to read values encrypted at rest")
      ->type_name("FILE");
  app.add_option("--kms-endpoint", wish->kms_endpoint,
                 "the key management service's socket, instead of the one that the configuration names")
      ->type_name("unix:///PATH");
  app.add_option("--etcd-prefix", wish->objects.etcd_prefix, "what the API server was told where its keys begin")
      ->capture_default_str()
      ->type_name("PREFIX");
  app.add_option("--scratch", wish->scratch,
                 "where fulls are unpacked, in a folder of its own; default: $TMPDIR or /tmp")
      ->type_name("DIR");
}

}  // namespace tidemark::cli
