#include "live/sent_version.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

struct Alike {
  std::string_view kind;
  // The oldest first: what an older one has the later ones have, too. Empty: there are no more.
  std::array<std::string_view, 4> versions;
};

// Left out on purpose: Ingresses and EndpointSlices before v1, autoscaling/v2beta1, ResourceClaims v1beta1,
// FlowSchemas' levels before v1beta3: there fields have other names. extensions/v1beta1 is another group.
constexpr Alike kAlike[] = {
    {"apiservices.apiregistration.k8s.io", {"v1beta1", "v1"}},
    {"clustertrustbundles.certificates.k8s.io", {"v1alpha1", "v1beta1", "v1"}},
    {"cronjobs.batch", {"v1beta1", "v1"}},
    {"csidrivers.storage.k8s.io", {"v1beta1", "v1"}},
    {"deviceclasses.resource.k8s.io", {"v1beta1", "v1beta2", "v1"}},
    {"flowschemas.flowcontrol.apiserver.k8s.io", {"v1beta1", "v1beta2", "v1beta3", "v1"}},
    {"ingressclasses.networking.k8s.io", {"v1beta1", "v1"}},
    {"mutatingadmissionpolicies.admissionregistration.k8s.io", {"v1alpha1", "v1beta1", "v1"}},
    {"mutatingadmissionpolicybindings.admissionregistration.k8s.io", {"v1alpha1", "v1beta1", "v1"}},
    {"mutatingwebhookconfigurations.admissionregistration.k8s.io", {"v1beta1", "v1"}},
    {"poddisruptionbudgets.policy", {"v1beta1", "v1"}},
    {"prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", {"v1beta3", "v1"}},
    {"resourceclaims.resource.k8s.io", {"v1beta2", "v1"}},
    {"resourceclaimtemplates.resource.k8s.io", {"v1beta2", "v1"}},
    {"runtimeclasses.node.k8s.io", {"v1beta1", "v1"}},
    {"servicecidrs.networking.k8s.io", {"v1beta1", "v1"}},
    {"storageclasses.storage.k8s.io", {"v1beta1", "v1"}},
    {"validatingadmissionpolicies.admissionregistration.k8s.io", {"v1alpha1", "v1beta1", "v1"}},
    {"validatingadmissionpolicybindings.admissionregistration.k8s.io", {"v1alpha1", "v1beta1", "v1"}},
    {"validatingwebhookconfigurations.admissionregistration.k8s.io", {"v1beta1", "v1"}},
    {"volumeattributesclasses.storage.k8s.io", {"v1alpha1", "v1beta1", "v1"}},
};

// In policy/v1beta1 an empty selector is of no pods, in v1 of all of them.
bool means_something_else(const std::string& kind, const json& object) {
  if (kind != "poddisruptionbudgets.policy") return false;
  const json* selector = reach(object, "/spec/selector");
  return selector != nullptr && selector->empty();
}

// May what was kept as `from` be sent as `to`? Only forwards: an older version may lack fields.
bool alike(const std::string& kind, const std::string& from, const std::string& to, const json& object) {
  const auto* const row = std::ranges::find(kAlike, kind, &Alike::kind);
  if (row == std::end(kAlike)) return false;
  const auto& versions = row->versions;
  const auto first = std::ranges::find(versions, from);
  return std::find(first, versions.end(), to) != versions.end() && !means_something_else(kind, object);
}

}  // namespace

std::optional<std::string> version_to_send(const link::KubeKind& kind, const json& object) {
  const std::string api_version = text_at(object, "/apiVersion");
  if (api_version.empty()) return kind.version;
  const std::string kept = version_of(api_version);
  const bool same_group = group_of(api_version) == kind.group;
  if (same_group && kept == kind.version) return kept;
  const std::string name = kind.full_name();
  if (same_group && alike(name, kept, kind.version, object)) return kind.version;
  // Of a server that does not tell its versions: it says itself when that is none of them.
  if (same_group && (kind.versions.empty() || std::ranges::find(kind.versions, kept) != kind.versions.end()))
    return kept;
  for (const std::string& version : kind.versions) {
    if (same_group && alike(name, kept, version, object)) return version;
  }
  return std::nullopt;
}

std::string why_not_sent(const link::KubeKind& kind, const json& object) {
  const std::vector<std::string> versions = kind.versions.empty() ? std::vector{kind.version} : kind.versions;
  std::string served = versions.front();
  for (std::size_t i = 1; i < versions.size(); i++) served += ", " + versions[i];
  const std::string group =
      kind.group.empty() || group_of(text_at(object, "/apiVersion")) == kind.group ? std::string() : kind.group + "/";
  return fmt::format("it was kept as {}, and this cluster serves its kind as {}{} only", text_at(object, "/apiVersion"),
                     group, served);
}

std::vector<AlikeVersions> alike_versions() {
  std::vector<AlikeVersions> all;
  for (const Alike& row : kAlike) {
    const auto end = std::ranges::find(row.versions, std::string_view());
    all.push_back({std::string(row.kind), {row.versions.begin(), end}});
  }
  return all;
}

}  // namespace tidemark::live
