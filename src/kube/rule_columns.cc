// Tables of what allows, forbids, limits and scales. Source: as kube/kind_columns.h.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kube/age.h"
#include "kube/cells.h"
#include "kube/kind_columns.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;
using Cells = std::vector<std::string>;

// ---- roles

Cells binding(const json& o, Time now) {
  std::string users, groups, accounts;
  const auto add = [](std::string& to, const std::string& name) { to += (to.empty() ? "" : ", ") + name; };
  for (const json& subject : list_at(o, "/subjects")) {
    const std::string kind = text_at(subject, "/kind"), name = text_at(subject, "/name");
    if (kind == "User") add(users, name);
    if (kind == "Group") add(groups, name);
    if (kind == "ServiceAccount") add(accounts, text_at(subject, "/namespace") + "/" + name);
  }
  return {name_of(o), text_at(o, "/roleRef/kind") + "/" + text_at(o, "/roleRef/name"), age_of(o, now), users, groups,
          accounts};
}

Cells signing_request(const json& o, Time now) {
  bool approved = false, denied = false, failed = false;
  for (const json& condition : list_at(o, "/status/conditions")) {
    const std::string type = text_at(condition, "/type");
    approved = approved || type == "Approved";
    denied = denied || type == "Denied";
    failed = failed || type == "Failed";
  }
  std::string state = denied ? "Denied" : approved ? "Approved" : "Pending";
  if (failed) state += ",Failed";
  if (!text_at(o, "/status/certificate").empty()) state += ",Issued";
  const bool lasts = o.contains(json::json_pointer("/spec/expirationSeconds"));
  return {name_of(o),
          age_of(o, now),
          or_none(text_at(o, "/spec/signerName")),
          text_at(o, "/spec/username"),
          lasts ? human_age(std::chrono::seconds(whole_at(o, "/spec/expirationSeconds"))) : "<none>",
          state};
}

// ---- admission

Cells webhooks(const json& o, Time now) { return {name_of(o), count_at(o, "/webhooks"), age_of(o, now)}; }

Cells admission_policy(const json& o, Time now) {
  const json& kind = object_at(o, "/spec/paramKind");
  const char* what = text_at(o, "/kind") == "MutatingAdmissionPolicy" ? "/spec/mutations" : "/spec/validations";
  return {name_of(o), count_at(o, what),
          kind.empty() ? "<unset>" : text_at(kind, "/apiVersion") + "/" + text_at(kind, "/kind"), age_of(o, now)};
}

// As the type prints itself: there is no shorter form of it.
std::string selector_of_parameters(const json& selector) {
  std::string text = "&LabelSelector{MatchLabels:map[string]string{";
  for (const auto& [key, value] : object_at(selector, "/matchLabels").items()) {
    text += key + ": " + text_or_dump(value) + ",";
  }
  text += "},MatchExpressions:[]LabelSelectorRequirement{";
  for (const json& rule : list_at(selector, "/matchExpressions")) {
    std::string values;
    for (const json& value : list_at(rule, "/values")) values += (values.empty() ? "" : " ") + text_or_dump(value);
    text += fmt::format("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},", text_at(rule, "/key"),
                        text_at(rule, "/operator"), values);
  }
  return text + "},}";
}

Cells policy_binding(const json& o, Time now) {
  const json& reference = object_at(o, "/spec/paramRef");
  const std::string name = text_at(reference, "/name"), ns = text_at(reference, "/namespace");
  std::string parameters = "<unset>";
  if (!name.empty()) {
    parameters = (ns.empty() ? "*" : ns) + "/" + name;
  } else if (reference.contains("selector")) {
    parameters = selector_of_parameters(reference["selector"]);
  }
  return {name_of(o), text_at(o, "/spec/policyName"), parameters, age_of(o, now)};
}

// ---- flow control, priorities, disruptions

Cells flow_schema(const json& o, Time now) {
  std::string dangling = "?";
  for (const json& condition : list_at(o, "/status/conditions")) {
    if (text_at(condition, "/type") == "Dangling") dangling = text_at(condition, "/status");
  }
  return {name_of(o),
          text_at(o, "/spec/priorityLevelConfiguration/name"),
          number_at(o, "/spec/matchingPrecedence"),
          or_none(text_at(o, "/spec/distinguisherMethod/type")),
          age_of(o, now),
          dangling};
}

Cells priority_level(const json& o, Time now) {
  const json& limited = object_at(o, "/spec/limited");
  const json& queuing = object_at(limited, "/limitResponse/queuing");
  const auto number = [](const json& from, const char* where) {
    return from.empty() ? std::string("<none>") : number_at(from, where);
  };
  // Called otherwise before v1beta3.
  const bool older = limited.contains("assuredConcurrencyShares");
  return {name_of(o),
          text_at(o, "/spec/type"),
          number(limited, older ? "/assuredConcurrencyShares" : "/nominalConcurrencyShares"),
          number(queuing, "/queues"),
          number(queuing, "/handSize"),
          number(queuing, "/queueLengthLimit"),
          age_of(o, now)};
}

Cells priority_class(const json& o, Time now) {
  return {name_of(o), number_at(o, "/value"), truth_at(o, "/globalDefault"), age_of(o, now),
          text_at(o, "/preemptionPolicy")};
}

Cells disruption_budget(const json& o, Time now) {
  const auto amount = [&](const char* where) {
    const json::json_pointer at(where);
    return o.contains(at) ? text_or_dump(o.at(at)) : std::string("N/A");
  };
  return {name_of(o), amount("/spec/minAvailable"), amount("/spec/maxUnavailable"),
          number_at(o, "/status/disruptionsAllowed"), age_of(o, now)};
}

// ---- scaling

std::string quantity_at(const json& from, const char* where) {
  const json::json_pointer at(where);
  return from.contains(at) ? text_or_dump(from.at(at)) : std::string();
}

// A metric's target, beside what is.
std::string metric_text(const json& metric, const json& is) {
  const std::string type = text_at(metric, "/type");
  const char* source = type == "External"            ? "external"
                       : type == "Pods"              ? "pods"
                       : type == "Object"            ? "object"
                       : type == "Resource"          ? "resource"
                       : type == "ContainerResource" ? "containerResource"
                                                     : nullptr;
  if (source == nullptr) return "<unknown type>";
  const json& spec = object_at(metric, ("/" + std::string(source)).c_str());
  const json& current = object_at(is, ("/" + std::string(source) + "/current").c_str());
  const auto now_or = [](const std::string& text) { return text.empty() ? std::string("<unknown>") : text; };
  const std::string average = quantity_at(spec, "/target/averageValue");
  const std::string average_now = now_or(quantity_at(current, "/averageValue"));
  if (type == "Pods") return average_now + "/" + average;
  if (type == "External" || type == "Object") {
    if (!average.empty()) return average_now + "/" + average + " (avg)";
    return now_or(quantity_at(current, "/value")) + "/" + quantity_at(spec, "/target/value");
  }
  const std::string name = text_at(spec, "/name") + ": ";
  if (!average.empty()) return name + average_now + "/" + average;
  const auto share = [](const json& from, const char* where, const char* none) {
    const std::string percent = quantity_at(from, where);
    return percent.empty() ? std::string(none) : percent + "%";
  };
  return name + share(current, "/averageUtilization", "<unknown>") + "/" +
         share(spec, "/target/averageUtilization", "<auto>");
}

std::string metrics_text(const json& o) {
  constexpr std::size_t kMost = 2;
  const json& metrics = list_at(o, "/spec/metrics");
  const json& is = list_at(o, "/status/currentMetrics");
  // autoscaling/v1 has one, in words of its own.
  const std::string old_target = quantity_at(o, "/spec/targetCPUUtilizationPercentage");
  if (metrics.empty() && !old_target.empty()) {
    const std::string old_now = quantity_at(o, "/status/currentCPUUtilizationPercentage");
    return fmt::format("cpu: {}/{}%", old_now.empty() ? "<unknown>" : old_now + "%", old_target);
  }
  if (metrics.empty()) return "<none>";
  static const json kNothing = json::object();
  std::string text;
  for (std::size_t i = 0; i < std::min(metrics.size(), kMost); i++) {
    text += (i == 0 ? "" : ", ") + metric_text(metrics[i], i < is.size() ? is[i] : kNothing);
  }
  return metrics.size() > kMost ? fmt::format("{} + {} more...", text, metrics.size() - kMost) : text;
}

Cells autoscaler(const json& o, Time now) {
  const bool least = o.contains(json::json_pointer("/spec/minReplicas"));
  return {name_of(o),
          text_at(o, "/spec/scaleTargetRef/kind") + "/" + text_at(o, "/spec/scaleTargetRef/name"),
          metrics_text(o),
          least ? number_at(o, "/spec/minReplicas") : "<unset>",
          number_at(o, "/spec/maxReplicas"),
          number_at(o, "/status/currentReplicas"),
          age_of(o, now)};
}

constexpr std::string_view kRoleGroup = "rbac.authorization.k8s.io";
constexpr std::string_view kAdmissionGroup = "admissionregistration.k8s.io";
constexpr std::string_view kFlowGroup = "flowcontrol.apiserver.k8s.io";
constexpr std::string_view kBindings = "NAME ROLE AGE |USERS |GROUPS |SERVICEACCOUNTS";
constexpr KindColumns kOfRules[] = {
    {"Role", kRoleGroup, "NAME CREATED_AT", name_and_creation},
    {"ClusterRole", kRoleGroup, "NAME CREATED_AT", name_and_creation},
    {"RoleBinding", kRoleGroup, kBindings, binding},
    {"ClusterRoleBinding", kRoleGroup, kBindings, binding},
    {"CertificateSigningRequest", "certificates.k8s.io", "NAME AGE SIGNERNAME REQUESTOR REQUESTEDDURATION CONDITION",
     signing_request},
    {"MutatingWebhookConfiguration", kAdmissionGroup, "NAME WEBHOOKS AGE", webhooks},
    {"ValidatingWebhookConfiguration", kAdmissionGroup, "NAME WEBHOOKS AGE", webhooks},
    {"ValidatingAdmissionPolicy", kAdmissionGroup, "NAME VALIDATIONS PARAMKIND AGE", admission_policy},
    {"MutatingAdmissionPolicy", kAdmissionGroup, "NAME MUTATIONS PARAMKIND AGE", admission_policy},
    {"ValidatingAdmissionPolicyBinding", kAdmissionGroup, "NAME POLICYNAME PARAMREF AGE", policy_binding},
    {"MutatingAdmissionPolicyBinding", kAdmissionGroup, "NAME POLICYNAME PARAMREF AGE", policy_binding},
    {"FlowSchema", kFlowGroup, "NAME PRIORITYLEVEL MATCHINGPRECEDENCE DISTINGUISHERMETHOD AGE MISSINGPL", flow_schema},
    {"PriorityLevelConfiguration", kFlowGroup,
     "NAME TYPE NOMINALCONCURRENCYSHARES QUEUES HANDSIZE QUEUELENGTHLIMIT AGE", priority_level},
    {"PriorityClass", "scheduling.k8s.io", "NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY", priority_class},
    {"PodDisruptionBudget", "policy", "NAME MIN_AVAILABLE MAX_UNAVAILABLE ALLOWED_DISRUPTIONS AGE", disruption_budget},
    {"HorizontalPodAutoscaler", "autoscaling", "NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE", autoscaler},
};

}  // namespace

std::span<const KindColumns> rule_columns() { return kOfRules; }

}  // namespace tidemark::kube
