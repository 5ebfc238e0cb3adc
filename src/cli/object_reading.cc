#include "cli/object_reading.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "cli/program.h"

namespace tidemark::cli {
namespace {

Result<kube::Decryptor> read_keys(const ObjectReading& wish, kube::KeyService& service) {
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

}  // namespace

void add_object_options(Program& program, CLI::App& app, ObjectReading& wish) {
  app.add_option("-n,--namespace", wish.objects.ns, "the namespace")->capture_default_str()->type_name("NS");
  app.add_flag("-A,--all-namespaces", wish.objects.all_namespaces, "all namespaces");
  app.add_option("-l,--selector", wish.labels, "only objects with these labels: app=web,tier!=db,env in (a,b),!old")
      ->type_name("SELECTOR");
  app.add_option("--field-selector", wish.fields, "metadata.name=NAME, metadata.namespace=NS, with = or !=")
      ->type_name("SELECTOR");
  add_reading_options(program, app, wish);
}

void add_reading_options(Program& program, CLI::App& app, ObjectReading& wish) {
  program.add_store(app, wish.store);
  app.add_option("--encryption-config", wish.encryption_config,
                 "the API server's EncryptionConfiguration, to read values encrypted at rest")
      ->type_name("FILE");
  app.add_option("--kms-endpoint", wish.kms_endpoint,
                 "the key management service's socket, instead of the one that the configuration names")
      ->type_name("unix:///PATH");
  app.add_option("--etcd-prefix", wish.objects.etcd_prefix, "what the API server was told where its keys begin")
      ->capture_default_str()
      ->type_name("PREFIX");
  app.add_option("--scratch", wish.scratch,
                 "where fulls are unpacked, in a folder of its own; default: $TMPDIR or /tmp")
      ->type_name("DIR");
}

Status ReadingKeys::prepare(ObjectReading& wish) {
  TM_LET(wish.objects.labels, named("-l", kube::LabelSelector::parse(wish.labels)));
  TM_LET(wish.objects.fields, named("--field-selector", kube::FieldSelector::parse(wish.fields)));
  TM_LET(decryptor_, read_keys(wish, service_));
  wish.objects.decryptor = &decryptor_;
  return {};
}

history::MomentOptions moment_options(Program& program, const io::Path& scratch) {
  return {.scratch = scratch,
          .stop = program.stop(),
          .progress = [&program](std::string_view step, std::uint64_t done, std::uint64_t all) {
            program.progress().update(step, done, all);
          }};
}

namespace {

Result<restore::Target> settle_when(Program& program, std::string_view flag, std::string_view when,
                                    const history::WhenScope& scope, restore::Origin& from,
                                    const history::MomentOptions& options) {
  TM_LET(const restore::Target target, named(flag, history::resolve_when(when, program.now(), from, scope, options)));
  if (!history::asks_history(when)) return target;
  program.progress().finish();
  program.err() << fmt::format("note: {} is revision {}\n", when, target.revision);
  return target;
}

history::WhenScope scope_of(const ObjectReading& wish) {
  return {.ns = wish.objects.ns,
          .any_namespace = wish.objects.all_namespaces,
          .etcd_prefix = wish.objects.etcd_prefix,
          .decryptor = wish.objects.decryptor};
}

}  // namespace

Result<restore::Target> target_of(Program& program, std::string_view flag, std::string_view when,
                                  const ObjectReading& wish, restore::Origin& from,
                                  const history::MomentOptions& options) {
  return settle_when(program, flag, when, scope_of(wish), from, options);
}

Result<restore::Target> target_anywhere(Program& program, std::string_view flag, std::string_view when,
                                        const ObjectReading& wish, restore::Origin& from,
                                        const history::MomentOptions& options) {
  history::WhenScope scope = scope_of(wish);
  scope.any_namespace = true;
  return settle_when(program, flag, when, scope, from, options);
}

bool tell_moment(Program& program, std::string_view asked, const history::Moment& moment) {
  if (moment.beyond_the_end()) {
    program.err() << fmt::format("note: no change after {} is in the store: the newest state it holds is shown\n",
                                 asked);
  }
  for (const std::string& note : moment.plan().notes) program.err() << "note: " << note << '\n';
  for (const restore::Hole& hole : moment.plan().holes) {
    program.err() << fmt::format("tidemark: missing: revisions {}..{}: {}\n", hole.span.first, hole.span.last,
                                 hole.reason);
  }
  return moment.plan().complete();
}

void Shortfall::add(const Error& error) {
  if (lines.empty()) {
    first = error.code;
    hint = error.hint;
  }
  lines.push_back(error.what);
}

void Shortfall::tell(Program& program) const {
  for (const std::string& line : lines) program.err() << "tidemark: " << line << '\n';
  if (!hint.empty()) program.err() << "hint: " << hint << '\n';
}

std::string object_name(const kube::Resource& resource, std::string_view name) {
  std::string kind = resource.kind;
  std::ranges::transform(kind, kind.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (!resource.group.empty()) kind += "." + resource.group;
  return fmt::format("{}/{}", kind, name);
}

}  // namespace tidemark::cli
