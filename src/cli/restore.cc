// tidemark restore: what was, back. Here the engine: `restore etcd`, a data directory that etcd starts on; objects into
// a running cluster are in restore_objects.cc.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "base/rfc3339.h"
#include "catalog/lineage.h"
#include "cli/history.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/restore_objects.h"
#include "cli/verbs.h"
#include "restore/etcd.h"
#include "restore/swap.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

struct RestoreWish {
  std::string store;
  std::string at = "latest";
  std::string data_dir;
  std::string bump = "auto";
  std::string object;  // "etcd NAME" would be an object of a kind Etcd
  std::uint32_t lineage = 0;
  bool yes = false;
  Format format = Format::table;
  restore::EtcdRestore restore;
};

// The parser takes the word for this verb wherever it stands, and then also what belongs to the other.
Status only_etcd(const CLI::App& parent, const RestoreWish& wish) {
  const auto hint = [](Status status) {
    return hinted(std::move(status), "an object of a kind Etcd is etcd/NAME; the whole store is the bare word etcd");
  };
  if (!wish.object.empty())
    return hint(fail(Errc::invalid, "restore etcd {}: what is '{}'?", wish.object, wish.object));
  for (const CLI::Option* option : parent.get_options()) {
    if (option->count() == 0 || !option->get_envname().empty()) continue;
    return hint(fail(Errc::invalid, "{} does not go with restore etcd", option->get_name()));
  }
  return {};
}

// Prints the plan, and asks before an existing member is swapped out.
class Terminal final : public restore::Audience {
 public:
  Terminal(Program& program, const RestoreWish& wish) : program_(program), wish_(wish) {}

  Result<bool> approve(const restore::Plan& plan, bool changed) override {
    program_.progress().finish();
    if (wish_.format == Format::table || wish_.format == Format::wide) {
      if (changed) program_.out() << "the plan changed: an object was not what its name says\n";
      program_.out() << restore::print_plan_table(plan) << std::flush;
    } else if (wish_.restore.dry_run) {
      print_document(nlohmann::ordered_json::parse(restore::print_plan_json(plan)));
    }
    if (wish_.restore.dry_run || wish_.yes) return true;
    const restore::Places places{wish_.restore.data_dir};
    std::error_code error;
    if (!std::filesystem::exists(places.member(), error)) return true;  // nothing is taken away from anybody
    return program_.confirm(fmt::format("replace '{}'?", places.member().string()));
  }

  void say(std::string_view line) override {
    program_.progress().finish();
    program_.err() << line << '\n';
  }

  void progress(std::string_view step, std::uint64_t done, std::uint64_t all) override {
    program_.progress().update(step, done, all);
  }

  void print_document(const nlohmann::ordered_json& document) {
    program_.out() << (wish_.format == Format::yaml ? print_yaml(document) : print_json(document));
  }

 private:
  Program& program_;
  const RestoreWish& wish_;
};

// The store of the lineage that was asked for; without a wish the one at the URL, and a word if it is not the last.
Result<std::unique_ptr<store::ObjectStore>> open_lineage(Program& program, const RestoreWish& wish) {
  TM_LET(auto first, program.open_store(wish.store, true));
  TM_LET(const auto successors, catalog::read_successors(*first));
  if (wish.lineage <= 1) {
    if (wish.lineage == 0 && !successors.empty()) {
      program.err() << fmt::format(
          "note: this history ends where etcd was turned back; it goes on in lineage {} (--lineage {})\n",
          successors.back().number, successors.back().number);
    }
    return first;
  }
  for (const catalog::LineageSuccessor& successor : successors) {
    if (successor.number != wish.lineage) continue;
    TM_LET(const std::string url, catalog::neighbour_url(wish.store, successor.store));
    return program.open_store(url, true);
  }
  return fail(Errc::not_found, "'{}' knows of no lineage {}", wish.store, wish.lineage);
}

Result<History> open_origin(Program& program, const RestoreWish& wish) {
  History from;
  const std::string_view scheme = store::url_scheme(wish.store);
  if (scheme == "file" || scheme == "etcd") {
    TM_LET(from, open_history(program, wish.store));
    for (const std::string& what : from.origin->left_out()) program.err() << "note: " << what << '\n';
    return from;
  }
  TM_LET(from.store, open_lineage(program, wish));
  from.origin = restore::store_origin(*from.store);
  return from;
}

void print_result(Program& program, const RestoreWish& wish, const restore::Restored& done,
                  std::chrono::nanoseconds took) {
  program.out() << fmt::format("restored revision {} into '{}': {} rows, {}, in {}\n", done.plan.reach, wish.data_dir,
                               done.rows, human_size(done.database_bytes), print_duration(took));
  program.out() << fmt::format("etcd will come up at revision {}\n", done.header);
  if (!done.former.empty()) program.out() << fmt::format("the former member is '{}'\n", done.former.string());
  program.out() << '\n' << done.report;
  program.out() << fmt::format("\nwritten to '{}' and .json\n", done.reports.front().string());
}

// Where there is no need to, nothing is written anywhere: the machine may be in a bad state.
Result<restore::Target> read_target(Program& program, const RestoreWish& wish, restore::Origin& from) {
  if (!history::asks_history(wish.at)) return named("--at", restore::parse_target(wish.at, program.now()));
  TM_LET(const io::TempDir scratch, io::TempDir::create());
  const ObjectReading every_object;
  return target_anywhere(program, "--at", wish.at, every_object, from, moment_options(program, scratch.path()));
}

Result<Exit> restore_etcd(Program& program, RestoreWish& wish, const CLI::App& parent) {
  TM_CHECK(only_etcd(parent, wish));
  TM_CHECK(named("--at", history::check_when(wish.at, program.now())));
  TM_LET(wish.restore.bump, restore::parse_bump(wish.bump));
  wish.restore.data_dir = wish.data_dir;
  TM_LET(const History from, open_origin(program, wish));
  TM_LET(wish.restore.target, read_target(program, wish, *from.origin));
  Terminal terminal(program, wish);
  restore::Steps steps;
  const Ticks began = program.clock().ticks();
  TM_LET(const restore::Restored done,
         restore::restore_etcd(wish.restore, *from.origin, terminal, program.clock(), steps, program.stop()));
  program.progress().finish();
  const Exit whole = done.plan.complete() ? Exit::done : Exit::partly;
  if (!done.written) {
    if (wish.restore.dry_run) return whole;
    program.err() << "nothing was changed\n";
    return Exit::failed;
  }
  if (wish.format == Format::table || wish.format == Format::wide) {
    print_result(program, wish, done, program.clock().ticks() - began);
  } else if (wish.format == Format::name) {
    program.out() << done.plan.reach.raw() << '\n';
  } else {
    TM_LET(const Buffer report, io::read_file(done.reports.back(), 1UL << 30U));
    terminal.print_document(nlohmann::ordered_json::parse(as_text(report)));
  }
  if (whole == Exit::partly) {
    for (const restore::Hole& hole : done.plan.holes) {
      program.err() << fmt::format("tidemark: missing: revisions {}..{}: {}\n", hole.span.first, hole.span.last,
                                   hole.reason);
    }
  }
  return whole;
}

void add_etcd_options(CLI::App& app, RestoreWish& wish) {
  restore::EtcdRestore& r = wish.restore;
  r.threads = std::max(1U, std::thread::hardware_concurrency());
  app.add_option("OBJECT", wish.object)->group("");
  app.add_option("--at", wish.at, "latest, rev:1234, -2h, 2024-05-01T12:00:00Z or before:delete:KIND/NAME")
      ->capture_default_str();
  app.add_option("--data-dir", wish.data_dir, "where etcd will start; only D/member is replaced")
      ->required()
      ->type_name("D");
  app.add_option("--name", r.name, "this member's name")->capture_default_str();
  app.add_option("--initial-cluster", r.initial_cluster, "name=peer-url,… of all members")->type_name("MEMBERS");
  app.add_option("--initial-advertise-peer-urls", r.advertise_peer_urls, "this member's peer URLs")->type_name("URLS");
  app.add_option("--initial-cluster-token", r.token, "must differ from the old cluster's while that may still run")
      ->capture_default_str();
  app.add_option("--revision-bump", wish.bump,
                 "auto: above every revision that clients may have seen; none; or a number")
      ->capture_default_str();
  app.add_flag("--keep-history", r.keep_history,
               "keep every revision instead of the newest of each key; readable only with --revision-bump none");
  app.add_flag("--replace", r.replace, "swap out an existing member; one former copy is kept");
  app.add_flag("--skip-digest", r.skip_digest,
               "take a full whose SHA-256 is missing or wrong, after a structural check");
  app.add_option("--target-version", r.target_version, "the etcd that will start on it")
      ->check(CLI::IsMember({"3.4", "3.5", "3.6", "3.7"}));
  app.add_option("--lineage", wish.lineage, "which history, when etcd was turned back and there are several")
      ->type_name("N");
  app.add_option("--threads", r.threads, "how many deltas are read at a time")->check(CLI::Range(1, 256));
  app.add_flag("--dry-run", r.dry_run, "print the plan, write nothing");
}

}  // namespace

void add_restore(Program& program) {
  auto objects = std::make_shared<RestoreObjectsWish>();
  auto namespace_option = std::make_shared<CLI::Option*>(nullptr);
  CLI::App& parent = program.verb(
      "restore", "bring back what was: objects into a running cluster, or a whole etcd",
      "tidemark restore -n shop --at -2h                             # a namespace: what is gone comes back\n"
      "tidemark restore deploy/web -n shop --at -2h --existing replace\n"
      "tidemark restore deploy/web -n shop --at -2h --with-deps      # and its ConfigMaps, Secrets, accounts, claims\n"
      "tidemark restore crd,widgets -A --at rev:123456               # definitions, then their objects\n"
      "tidemark restore -n shop --at -2h --map-namespace shop=shop-then --dry-run\n"
      "tidemark restore -A --cluster-scoped --at -2h --kubeconfig new.yaml   # everything, into an empty cluster\n"
      "tidemark restore -n shop --at -2h --dry-run -o yaml > plan.yaml && tidemark apply plan.yaml\n"
      "tidemark restore etcd --store dir:/backups/prod --data-dir /var/lib/etcd            # the newest state\n"
      "tidemark restore etcd --store dir:/backups/prod --data-dir D --at -2h --replace     # two hours ago\n"
      "tidemark restore etcd --store file:/x/snapshot.db --data-dir D                      # from one snapshot\n"
      "tidemark restore etcd --store etcd:/var/lib/etcd.broken --data-dir D                # from a stopped etcd\n",
      [objects, namespace_option](Program& p) {
        return restore_objects(p, *objects, (*namespace_option)->count() > 0);
      });
  add_restore_objects_options(program, parent, *objects);
  *namespace_option = parent.get_option("--namespace");

  auto wish = std::make_shared<RestoreWish>();
  CLI::App& etcd = program.verb_of(
      parent, "etcd", "a data directory that etcd starts on, as it was at a moment",
      "tidemark restore etcd --store dir:/backups/prod --data-dir /var/lib/etcd --dry-run   # what would be read\n"
      "tidemark restore etcd --store dir:/backups/prod --data-dir D --at rev:1234\n"
      "tidemark restore etcd --store dir:/backups/prod --data-dir D --name m1 \\\n"
      "  --initial-cluster m1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380,m3=https://10.0.0.3:2380 \\\n"
      "  --initial-cluster-token after-the-fire\n",
      [wish, &parent](Program& p) { return restore_etcd(p, *wish, parent); });
  program.add_store(etcd, wish->store);
  program.add_format(etcd, wish->format);
  program.add_yes(etcd, wish->yes);
  add_etcd_options(etcd, *wish);
}

}  // namespace tidemark::cli
