#include "live/testing/objects.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "kube/resource.h"
#include "live/json_reach.h"

namespace tidemark::live::testing {
namespace {

using nlohmann::json;

constexpr std::array kWithoutStatus = {"ClusterRole",
                                       "ClusterRoleBinding",
                                       "ConfigMap",
                                       "ControllerRevision",
                                       "Endpoints",
                                       "EndpointSlice",
                                       "Event",
                                       "IngressClass",
                                       "LimitRange",
                                       "Lease",
                                       "PriorityClass",
                                       "Role",
                                       "RoleBinding",
                                       "RuntimeClass",
                                       "Secret",
                                       "ServiceAccount",
                                       "StorageClass",
                                       "CSIDriver",
                                       "DeviceClass",
                                       "PodTemplate",
                                       "MutatingWebhookConfiguration",
                                       "ValidatingWebhookConfiguration"};

const kube::Resources& resources() {
  static const kube::Resources all;
  return all;
}

link::KubeKind of_resource(const kube::Resource& resource) {
  link::KubeKind found{.group = resource.group,
                       .version = resource.group == "autoscaling" ? "v2" : "v1",
                       .resource = resource.plural,
                       .singular = resource.singular,
                       .kind = resource.kind,
                       .namespaced = resource.namespaced,
                       .verbs = {"create", "delete", "get", "list", "patch", "update", "watch"}};
  if (std::ranges::find(kWithoutStatus, resource.kind) == kWithoutStatus.end()) found.subresources = {"status"};
  return found;
}

link::KubeKind custom_kind(std::string_view full_name, bool namespaced) {
  const std::size_t dot = full_name.find('.');
  link::KubeKind found{.group = std::string(full_name.substr(dot + 1)),
                       .version = "v1",
                       .resource = std::string(full_name.substr(0, dot)),
                       .namespaced = namespaced,
                       .subresources = {"status"}};
  found.singular = found.resource.substr(0, found.resource.size() - 1);
  found.kind = found.singular;
  found.kind[0] = static_cast<char>(found.kind[0] - 'a' + 'A');
  return found;
}

}  // namespace

link::KubeKind kind(std::string_view full_name) {
  for (const kube::Resource* resource : resources().all()) {
    if (resource->full_name() == full_name) return of_resource(*resource);
  }
  return custom_kind(full_name, true);
}

link::KubeKind cluster_kind(std::string_view full_name) { return custom_kind(full_name, false); }

Found object(std::string_view id, std::string_view rest) {
  const std::string_view place = id.substr(id.find(' ') + 1);
  const std::size_t slash = place.find('/');
  const std::string name(slash == std::string_view::npos ? place : place.substr(slash + 1));
  Found found{.kind = kind(id.substr(0, id.find(' ')))};
  found.kind.namespaced = slash != std::string_view::npos;
  found.object = {{"apiVersion", found.kind.api_version()},
                  {"kind", found.kind.kind},
                  {"metadata", {{"name", name}, {"uid", "u-" + name}, {"resourceVersion", "1"}}}};
  if (found.kind.namespaced) found.object["metadata"]["namespace"] = std::string(place.substr(0, slash));
  return with(std::move(found), rest);
}

Found of_json(const json& object) {
  const std::string api_version = text_at(object, "/apiVersion");
  for (const kube::Resource* resource : resources().all()) {
    if (resource->kind == text_at(object, "/kind") && resource->group == group_of(api_version)) {
      Found found{.kind = of_resource(*resource), .object = object};
      found.kind.version = version_of(api_version);
      return found;
    }
  }
  std::string plural = text_at(object, "/kind") + "s";
  std::ranges::transform(plural, plural.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  Found found{
      .kind = custom_kind(plural + "." + group_of(api_version), reach(object, "/metadata/namespace") != nullptr),
      .object = object};
  found.kind.kind = text_at(object, "/kind");
  found.kind.version = version_of(api_version);
  return found;
}

Found with(Found found, std::string_view with) {
  found.object.merge_patch(json::parse(with));
  return found;
}

const Step& step_of(const Plan& plan, std::string_view id) {
  const auto found = std::ranges::find(plan.steps, id, &Step::id);
  if (found != plan.steps.end()) return *found;
  ADD_FAILURE() << "no step for " << id << " in\n" << actions(plan);
  static const Step none;
  return none;
}

const char* word(Action action) {
  constexpr std::array kWords = {"create", "change", "recreate", "remove", "keep", "leave out"};
  return kWords.at(static_cast<std::size_t>(action));
}

std::string actions(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) text += fmt::format("{} {}\n", word(step.action), step.id());
  return text;
}

Plan planned(const PlanInput& input, const PlanOptions& options) {
  auto plan = make_plan(input, options);
  if (plan) return *std::move(plan);
  ADD_FAILURE() << plan.error().what;
  return {};
}

}  // namespace tidemark::live::testing
