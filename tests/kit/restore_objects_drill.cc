#include "kit/restore_objects_drill.h"

#include <set>

#include "kube/json_diff.h"

namespace tidemark::testing {
namespace {

std::string own_program() { return std::filesystem::read_symlink("/proc/self/exe").native(); }

// What nobody restores: the cluster makes it by itself.
bool is_made(const link::KubeKind& kind, const std::string& name) {
  static const std::set<std::string> kinds{"events",      "endpoints", "endpointslices",     "leases",
                                           "replicasets", "pods",      "controllerrevisions"};
  return kinds.contains(kind.resource) || name == "kube-root-ca.crt";
}

json compared(json object) {
  json& meta = object["metadata"];
  for (const char* name : {"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"})
    meta.erase(name);
  if (meta.contains("ownerReferences")) {
    for (json& owner : meta["ownerReferences"]) owner.erase("uid");
  }
  object.erase("status");
  return object;
}

}  // namespace

void RestoreObjectsDrill::start(BedSetup setup) {
  has_controllers_ = setup.controllers;
  // Without the API server's compaction, which would leave a gap when there are five minutes between two moments.
  setup.more_flags.insert(setup.more_flags.end(), {"--flag", "kube-apiserver=--etcd-compaction-interval=0"});
  auto bed = BedProcess::start(setup);
  ASSERT_TRUE(bed) << bed.error().what;
  bed_ = std::make_unique<BedProcess>(*std::move(bed));
  temp_ = std::make_unique<io::TempDir>(io::TempDir::create().value());
  auto access = link::read_kube_config({.file = bed_->kubeconfig().string()}, [](std::string_view) { return ""; });
  ASSERT_TRUE(access) << access.error().what;
  admin_ = std::make_unique<link::KubeClient>(*std::move(access));
  auto served = admin_->discover();
  ASSERT_TRUE(served) << served.error().what;
  served_ = *std::move(served);
  const auto first = run_program({tidemark_program(), "record", "--endpoints", bed_->etcd_url(), "--store", store(),
                                  "--spool-dir", (temp_->path() / "spool").string(), "--once", "full"},
                                 {.timeout = kPatience});
  ASSERT_TRUE(first && first->exit_code == 0) << (first ? first->err : first.error().what);
  ready_ = true;
}

void RestoreObjectsDrill::TearDownTestSuite() {
  admin_.reset();
  bed_.reset();
  temp_.reset();
}

std::vector<std::string> RestoreObjectsDrill::command(std::vector<std::string> args, const std::string& user) {
  args.insert(args.begin(), own_program());
  args.insert(args.end(), {"--store", store(), "--kubeconfig", bed_->kubeconfig(user).string(), "--progress", "none"});
  return args;
}

ProgramResult RestoreObjectsDrill::tidemark(std::vector<std::string> args, const std::vector<std::string>& environment,
                                            const std::string& user) {
  ProgramOptions options{.environment = environment, .timeout = kPatience};
  options.environment.push_back("TM_STEP_JOURNAL=" + (temp_->path() / "journal").string());
  auto ran = run_program(command(std::move(args), user), options);
  EXPECT_TRUE(ran) << ran.error().what;
  return ran ? *std::move(ran) : ProgramResult();
}

Result<Child> RestoreObjectsDrill::stopped_before(const std::string& step, const std::vector<std::string>& args) {
  TM_LET(Child child, Child::start(command(args), temp_->path() / "stopped.log",
                                   {.environment = {"TM_STEP_JOURNAL=" + (temp_->path() / "journal").string(),
                                                    "TM_STEP=" + step, "TM_STEP_STOPS=1"}}));
  const bool stands = eventually([&] {
    std::ifstream in(fmt::format("/proc/{}/stat", child.pid()));
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return text.find(") T ") != std::string::npos;
  });
  if (!stands) return fail(Errc::timeout, "it did not come to '{}': {}", step, child.log_tail());
  return child;
}

std::string RestoreObjectsDrill::moment() {
  const auto end = admin_->list(kind("namespaces"), {}, [](json&) -> Status { return {}; });
  EXPECT_TRUE(end) << end.error().what;
  const auto ran = run_program({tidemark_program(), "record", "--endpoints", bed_->etcd_url(), "--store", store(),
                                "--spool-dir", (temp_->path() / "spool").string(), "--once", "delta"},
                               {.timeout = kPatience});
  EXPECT_TRUE(ran && ran->exit_code == 0) << (ran ? ran->err : ran.error().what);
  return end ? "rev:" + end->resource_version : "";
}

const link::KubeKind& RestoreObjectsDrill::kind(const std::string& name) {
  static const link::KubeKind none;
  if (served_.find(name) == nullptr) {
    auto now = admin_->discover();
    EXPECT_TRUE(now) << now.error().what;
    if (now) served_ = *std::move(now);
  }
  const link::KubeKind* found = served_.find(name);
  EXPECT_NE(found, nullptr) << name;
  return found == nullptr ? none : *found;
}

json RestoreObjectsDrill::make(const std::string& kind_name, const std::string& ns, json object) {
  const std::string name = object.at("metadata").at("name");
  const auto made = admin_->create(kind(kind_name), {.name_space = ns, .name = name}, object);
  EXPECT_TRUE(made) << made.error().what;
  return made ? *made : json();
}

json RestoreObjectsDrill::get(const std::string& kind_name, const std::string& ns, const std::string& name) {
  const auto object = admin_->get(kind(kind_name), {.name_space = ns, .name = name});
  return object ? *object : json();
}

void RestoreObjectsDrill::remove(const std::string& kind_name, const std::string& ns, const std::string& name) {
  const auto gone = admin_->remove(kind(kind_name), {.name_space = ns, .name = name});
  EXPECT_TRUE(gone) << gone.error().what;
}

void RestoreObjectsDrill::make_namespace(const std::string& name) {
  make("namespaces", "", {{"metadata", {{"name", name}}}});
  if (!has_controllers_) return;
  EXPECT_TRUE(eventually([&] {
    return !get("serviceaccounts", name, "default").is_null() && !get("configmaps", name, "kube-root-ca.crt").is_null();
  })) << name;
}

void RestoreObjectsDrill::remove_namespace(const std::string& name) {
  remove("namespaces", "", name);
  EXPECT_TRUE(eventually([&] { return get("namespaces", "", name).is_null(); })) << name << " does not go";
}

Dump RestoreObjectsDrill::dump(const std::string& ns) {
  auto all = try_dump(ns);
  EXPECT_TRUE(all) << all.error().what;
  return all ? *std::move(all) : Dump();
}

Result<Dump> RestoreObjectsDrill::try_dump(const std::string& ns) {
  Dump all;
  TM_LET(const link::KubeDiscovery served, admin_->discover());
  for (const link::KubeKind& one : served.kinds) {
    if (!one.namespaced || !one.can("list") || !one.can("create")) continue;
    const auto listed = admin_->list(one, {.name_space = ns}, [&](json& object) -> Status {
      const std::string name = object.at("metadata").at("name");
      if (!is_made(one, name)) all[one.full_name() + " " + ns + "/" + name] = compared(std::move(object));
      return {};
    });
    // Of a kind that has gone since it was discovered there is nothing.
    if (!listed && listed.error().code != Errc::not_found) return std::unexpected(listed.error());
  }
  if (json space = get("namespaces", "", ns); !space.is_null()) all["namespaces " + ns] = compared(std::move(space));
  return all;
}

void RestoreObjectsDrill::expect_dump(const std::string& ns, const Dump& expected) {
  Result<Dump> last;
  if (eventually([&] { return (last = try_dump(ns)) && *last == expected; })) return;
  ASSERT_TRUE(last) << last.error().what;
  const Dump& is = *last;
  for (const auto& [id, object] : expected) {
    if (!is.contains(id)) {
      ADD_FAILURE() << id << " is not there";
      continue;
    }
    for (const kube::JsonChange& change : kube::json_changes(object, is.at(id))) {
      ADD_FAILURE() << id << change.path << ": expected " << (change.before != nullptr ? change.before->dump() : "-")
                    << ", is " << (change.after != nullptr ? change.after->dump() : "-");
    }
  }
  for (const auto& [id, object] : is) {
    if (!expected.contains(id)) ADD_FAILURE() << id << " should not be there";
  }
}

std::string RestoreObjectsDrill::last_restore() {
  std::string last = "0";
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(store_dir() / "tidemark" / "undo", none)) {
    last = std::max(last, entry.path().filename().string());
  }
  return std::to_string(std::stoul(last));
}

}  // namespace tidemark::testing
