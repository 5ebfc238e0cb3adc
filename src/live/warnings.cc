#include "live/warnings.h"

#include <algorithm>
#include <map>
#include <set>

#include "live/json_reach.h"
#include "live/references.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

// By which label or annotation its keeper marks what it keeps.
struct Mark {
  std::string_view name;
  bool label;
  std::string_view keeper;  // "flux (kustomization {})"
};
constexpr Mark kMarks[] = {
    {"kustomize.toolkit.fluxcd.io/name", true, "flux (kustomization {})"},
    {"helm.toolkit.fluxcd.io/name", true, "flux (helm release {})"},
    {"argocd.argoproj.io/tracking-id", false, "argo cd ({})"},
    {"argocd.argoproj.io/instance", true, "argo cd (application {})"},
    {"meta.helm.sh/release-name", false, "helm (release {})"},
    {"objectset.rio.cattle.io/owner-name", false, "fleet ({})"},
    {"olm.owner", true, "olm ({})"},
};

struct Keeper {
  std::string_view manager, keeper;
};
constexpr Keeper kKeepers[] = {
    {"argocd-application-controller", "argo cd"},
    {"argocd-controller", "argo cd"},
    {"fleetagent", "fleet"},
    {"helm", "helm"},
    {"helm-controller", "flux"},
    {"kustomize-controller", "flux"},
};

// These do not wait for anybody to run them.
bool acts_by_itself(std::string_view keeper) { return !keeper.starts_with("helm"); }

// The cluster's own controllers serve these.
constexpr std::string_view kServedFinalizers[] = {
    "batch.kubernetes.io/job-tracking",
    "customresourcecleanup.apiextensions.k8s.io",
    "kubernetes.io/pv-protection",
    "kubernetes.io/pvc-protection",
    "networking.k8s.io/service-cidr-finalizer",
    "service.kubernetes.io/load-balancer-cleanup",
};

void warn_of_keeper(Draft& draft) {
  const Step& step = draft.step;
  std::string keeper = manager_of(step.before);
  if (keeper.empty()) keeper = manager_of(draft.found.object);
  if (keeper.empty()) return;
  draft.step.warnings.push_back(fmt::format(
      "managed by {}, which {}", keeper,
      acts_by_itself(keeper) ? "will put back its own state" : "may put back its own state with the next upgrade"));
}

void warn_of_controller(Draft& draft) {
  const json* controller = controller_of(draft.step.body);
  if (controller == nullptr) return;
  draft.step.warnings.push_back(fmt::format("{} {} controls it, and may change it again", text_at(*controller, "/kind"),
                                            text_at(*controller, "/name")));
}

void warn_of_finalizers(const World& world, Draft& draft) {
  if (draft.step.action == Action::change) return;  // they stay as they are
  for (const json& finalizer : list_at(draft.step.body, "/metadata/finalizers")) {
    if (!finalizer.is_string()) continue;
    const auto name = finalizer.get<std::string>();
    if (std::ranges::find(kServedFinalizers, name) != std::end(kServedFinalizers) || world.has_finalizer(name))
      continue;
    draft.step.warnings.push_back(fmt::format(
        "finalizer {}: nothing here has it now; when nobody serves it, the object cannot be deleted", name));
  }
}

// "secrets shop/tls is not here: deployments.apps shop/web, deployments.apps shop/api and 3 more need it"
void warn_of_missing(const World& world, const std::vector<Step>& steps, std::vector<std::string>& warnings) {
  std::map<std::string, std::vector<std::string>> missed_by;
  for (const Step& step : steps) {
    if (!step.changes() || step.action == Action::remove) continue;
    for (const Reference& reference : references_of(step.kind, step.body)) {
      if (reference.optional || reference.id() == step.id() || world.there(reference.id()) != There::no) continue;
      missed_by[reference.id()].push_back(step.id());
    }
  }
  for (const auto& [id, who] : missed_by) {
    warnings.push_back(
        fmt::format("{} is not here: {} {} it", id, some_of(who, 3), who.size() == 1 ? "needs" : "need"));
  }
}

// A webhook that nobody answers refuses all that it is asked for.
void warn_of_silent_webhooks(const World& world, std::vector<std::string>& warnings) {
  for (const auto& [id, found] : world.all_live()) {
    if (found->kind.group != "admissionregistration.k8s.io") continue;
    std::set<std::string> silent;
    for (const json& webhook : list_at(found->object, "/webhooks")) {
      const json* service = reach(webhook, "/clientConfig/service");
      if (service == nullptr || text_at(webhook, "/failurePolicy") == "Ignore") continue;
      const std::string its =
          fmt::format("services {}/{}", text_at(*service, "/namespace"), text_at(*service, "/name"));
      if (world.live(its) == nullptr && world.there(its) != There::unknown) silent.insert(its);
    }
    for (const std::string& its : silent) {
      warnings.push_back(fmt::format("{} asks {}, which is not here now: what it is asked for is refused", id, its));
    }
  }
}

// A number is one Service's, whatever the protocol: the server allocates it so.
// "services b/web has node port 30080 now, and services a/web wants it: that is refused until it is free"
void warn_of_ports(const World& world, const std::vector<Step>& steps, std::vector<std::string>& warnings) {
  std::map<std::string, const Step*> by_id;
  std::map<std::int64_t, std::string> wanted;  // by port
  const auto each_port = [](const json& service, const auto& each) {
    for (const json& port : list_at(service, "/spec/ports")) {
      const json* number = reach(port, "/nodePort");
      if (number != nullptr && number->is_number_integer()) each(number->get<std::int64_t>());
    }
  };
  for (const Step& step : steps) {
    if (step.kind.full_name() != "services") continue;
    by_id.emplace(step.id(), &step);
    if (step.action != Action::create && step.action != Action::recreate) continue;
    each_port(step.body, [&](std::int64_t port) { wanted.emplace(port, step.id()); });
  }
  for (const auto& [id, found] : world.all_live()) {
    if (found->kind.full_name() != "services") continue;
    const auto step = by_id.find(id);
    if (step != by_id.end() && step->second->changes()) continue;  // removals of what is needed come first
    const std::string& holder = id;
    each_port(found->object, [&](std::int64_t port) {
      const auto who = wanted.find(port);
      if (who == wanted.end() || who->second == holder) return;
      warnings.push_back(fmt::format("{} has node port {} now, and {} wants it: that is refused until it is free",
                                     holder, port, who->second));
    });
  }
}

void warn_of_namespaces(const std::vector<Step>& steps, std::vector<std::string>& warnings) {
  for (const Step& step : steps) {
    if (step.action != Action::remove || step.kind.full_name() != "namespaces") continue;
    std::vector<std::string> claims;
    for (const Step& other : steps) {
      if (other.name_space == step.name && other.kind.full_name() == "persistentvolumeclaims")
        claims.push_back(other.name);
    }
    std::string text = fmt::format("{} is removed, and all that is in it", step.id());
    if (!claims.empty()) text += ", the data of its claims too: " + some_of(claims, 5);
    warnings.push_back(std::move(text));
  }
}

}  // namespace

std::string manager_of(const json& object) {
  for (const Mark& mark : kMarks) {
    const std::string value = mark.label ? label_of(object, mark.name) : annotation_of(object, mark.name);
    if (!value.empty()) return fmt::format(fmt::runtime(mark.keeper), value);
  }
  for (const json& entry : list_at(object, "/metadata/managedFields")) {
    const auto* const found = std::ranges::find(kKeepers, text_at(entry, "/manager"), &Keeper::manager);
    if (found != std::end(kKeepers)) return std::string(found->keeper);
  }
  return label_of(object, "app.kubernetes.io/managed-by") == "Helm" ? "helm" : std::string();
}

void add_warnings(const World& world, Draft& draft) {
  if (!draft.step.changes()) return;
  warn_of_keeper(draft);
  warn_of_controller(draft);
  warn_of_finalizers(world, draft);
}

std::vector<std::string> plan_warnings(const World& world, const std::vector<Step>& steps) {
  std::vector<std::string> warnings;
  warn_of_missing(world, steps, warnings);
  warn_of_silent_webhooks(world, warnings);
  warn_of_ports(world, steps, warnings);
  warn_of_namespaces(steps, warnings);
  return warnings;
}

}  // namespace tidemark::live
