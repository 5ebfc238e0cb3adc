#include "restore/etcd.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "base/rfc3339.h"
#include "etcd/data_dir.h"
#include "restore/build.h"
#include "restore/course.h"
#include "restore/kubernetes_report.h"
#include "restore/swap.h"

namespace tidemark::restore {
namespace {

// More rounds than objects cannot be needed; each learns about one.
constexpr int kMostRounds = 10'000;

struct Where {
  etcd::NewCluster cluster;
  MemberId self;
};

Result<Where> plan_members(const EtcdRestore& wish) {
  std::string members = wish.initial_cluster;
  if (members.empty()) {
    std::string urls = wish.advertise_peer_urls.empty() ? "http://localhost:2380" : wish.advertise_peer_urls;
    for (std::size_t begin = 0; begin <= urls.size();) {
      const std::size_t end = std::min(urls.find(',', begin), urls.size());
      members += fmt::format("{}{}={}", members.empty() ? "" : ",", wish.name, urls.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  Where where;
  TM_LET(where.cluster, etcd::plan_cluster(members, wish.token));
  TM_LET(where.self, etcd::choose_member(where.cluster, wish.name, wish.advertise_peer_urls));
  return where;
}

Status check_options(const EtcdRestore& wish) {
  for (const char* known : {"", "3.4", "3.5", "3.6", "3.7"}) {
    if (wish.target_version == known) return {};
  }
  return fail(Errc::invalid, "--target-version {}: 3.4, 3.5, 3.6 or 3.7", wish.target_version);
}

// One restore at a time works on a directory. Held until the descriptor is closed, also by a crash.
Result<io::Fd> lock_directory(const io::Path& root) {
  TM_CHECK(io::make_dirs(root));
  TM_LET(io::Fd fd, io::open_file(root, O_RDONLY | O_DIRECTORY));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::conflict, "another restore is at work on '{}'", root.string());
  }
  return fd;
}

Status check_directory(const EtcdRestore& wish, Audience& audience, Steps& steps) {
  std::error_code error;
  if (!std::filesystem::exists(wish.data_dir, error)) return {};
  TM_LET(const bool held, etcd::held_by_etcd({wish.data_dir}));
  if (held) {
    return hinted(Status(fail(Errc::conflict, "an etcd is running on '{}'", wish.data_dir.string())),
                  "stop it first; nothing was changed");
  }
  if (!wish.dry_run) {
    TM_LET(const std::string repaired, recover(wish.data_dir, steps));
    if (!repaired.empty()) audience.say(repaired);
  }
  if (std::filesystem::exists(Places{wish.data_dir}.member(), error) && !wish.replace) {
    return hinted(Status(fail(Errc::already_exists, "'{}' holds a member already", wish.data_dir.string())),
                  "--replace swaps it for the restored one and keeps it as member.before-<time>");
  }
  return {};
}

// Files of a restore run by root belong to whoever owns the data directory.
Status give_to_owner(const io::Path& root, const io::Path& tree) {
  struct stat about{};
  if (::geteuid() != 0 || ::stat(root.c_str(), &about) != 0 || (about.st_uid == 0 && about.st_gid == 0)) return {};
  std::error_code error;
  if (::lchown(tree.c_str(), about.st_uid, about.st_gid) != 0) return sys_fail("change the owner of", tree.string());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree, error)) {
    if (::lchown(entry.path().c_str(), about.st_uid, about.st_gid) != 0) {
      return sys_fail("change the owner of", entry.path().string());
    }
  }
  return {};
}

void tell_leases(const Restored& done, Audience& audience) {
  if (done.leases.by_default == 0) return;
  audience.say(
      fmt::format("{} leases have no known time to live; they get {} s", done.leases.by_default, kDefaultLeaseTtlS));
}

bool same_course(const Plan& a, const Plan& b) {
  const auto keys = [](const Plan& plan) {
    std::vector<std::string> all{plan.base.key};
    for (const Step& step : plan.steps) all.push_back(step.point.key);
    return all;
  };
  return a.reach == b.reach && a.wanted == b.wanted && keys(a) == keys(b);
}

// Builds and proves D/.tidemark-partial/member, planning again whenever an object is not what it seemed. False: a dry
// run, or not approved.
Result<bool> build(const EtcdRestore& wish, const Where& where, Origin& from, Course& course, Builder& builder,
                   Audience& audience, Restored& done) {
  bool shown = false;
  for (int round = 0; round < kMostRounds; ++round) {
    if (round == 0 && from.nameless()) {
      // Its name says nothing: opened first, so that the plan can.
      TM_LET(const Plan guess, make_plan(course.allowed, {.revision = {}, .or_less = true}, course.facts));
      if (!wish.dry_run || from.plain_file(guess.base)) {
        TM_LET([[maybe_unused]] const bool as_named, builder.open_base(guess, course.facts, wish.dry_run));
      }
    }
    TM_LET(const Plan plan, course.plan());
    if (!shown || !same_course(plan, done.plan)) {
      TM_LET(const bool approved, audience.approve(plan, shown));
      done.plan = plan;
      if (!approved || wish.dry_run) return false;
      shown = true;
    }
    done.plan = plan;
    TM_LET(const bool opened, builder.open_base(plan, course.facts));
    if (!opened) continue;
    TM_LET(const bool whole, builder.write(plan, where.cluster, where.self, course.facts, done));
    if (!whole) continue;
    TM_LET(const bool proven, builder.verify(plan, course.facts, done));
    if (!proven) continue;
    return true;
  }
  return fail(Errc::corrupt, "planning does not come to an end: the objects in the store keep changing");
}

// With D locked, unless it is a dry run.
Result<Restored> restore_locked(const EtcdRestore& wish, const Where& where, Origin& from, Audience& audience,
                                const Clock& clock, Steps& steps, const std::stop_token& stop) {
  TM_CHECK(check_directory(wish, audience, steps));
  TM_LET(Course course, set_course(from, wish.target, stop));
  if (course.beyond_the_end) {
    audience.say(fmt::format("no change after {} is in the store: the newest state it holds is taken",
                             print_rfc3339(wish.target.time)));
  }
  const Places places{wish.data_dir};
  Restored done;
  Builder builder(wish, from, audience, places, stop);
  auto built = build(wish, where, from, course, builder, audience, done);
  if (!built || !*built) {
    if (!wish.dry_run) TM_CHECK(io::remove_tree(places.partial()));  // a dry run leaves even another's journal alone
    if (!built) return std::unexpected(std::move(built).error());
    return done;
  }
  tell_leases(done, audience);
  TM_CHECK(give_to_owner(places.root, places.new_member()));
  // A living etcd may have appeared while we were building.
  TM_LET(const bool held, etcd::held_by_etcd({wish.data_dir}));
  if (held) {
    return fail(Errc::conflict, "an etcd was started on '{}' meanwhile; nothing was changed", places.root.string());
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
  TM_LET(done.former, swap_in(places, now, steps));
  done.written = true;
  audience.progress("report", 0, 0);
  TM_CHECK(write_reports(wish, done, course.whole, course.facts, from, stop));
  return done;
}

}  // namespace

Result<RevisionBump> parse_bump(std::string_view text) {
  RevisionBump bump;
  if (text == "auto") return bump;
  if (text == "none") return RevisionBump{RevisionBump::Kind::none, 0};
  bump.kind = RevisionBump::Kind::by;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bump.by);
  if (error != std::errc{} || end != text.data() + text.size() || bump.by < 0 || bump.by > (1LL << 60)) {
    return fail(Errc::invalid, "--revision-bump {}: auto, none or a whole number", text);
  }
  return bump;
}

Result<Restored> restore_etcd(const EtcdRestore& wish, Origin& from, Audience& audience, const Clock& clock,
                              Steps& steps, const std::stop_token& stop) {
  TM_CHECK(check_options(wish));
  TM_LET(const Where where, plan_members(wish));
  std::error_code error;
  const bool was_there = std::filesystem::exists(wish.data_dir, error);
  io::Fd lock;
  if (!wish.dry_run) {
    TM_LET(lock, lock_directory(wish.data_dir));
  }
  auto done = restore_locked(wish, where, from, audience, clock, steps, stop);
  if (!was_there) std::filesystem::remove(wish.data_dir, error);  // only when nothing is in it
  return done;
}

}  // namespace tidemark::restore
