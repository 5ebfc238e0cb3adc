#include "kube/cells.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/rfc3339.h"
#include "kube/age.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

const json kEmptyList = json::array();
const json kEmptyObject = json::object();

const json* find(const json& object, const char* pointer) {
  const json::json_pointer where(pointer);
  return object.contains(where) ? &object.at(where) : nullptr;
}

// The condition of that type is of that status.
bool has_condition(const json& object, const char* type, const char* status) {
  return std::ranges::any_of(list_at(object, "/status/conditions"), [&](const json& condition) {
    return text_at(condition, "/type") == type && text_at(condition, "/status") == status;
  });
}

}  // namespace

std::string text_at(const json& object, const char* pointer) {
  const json* found = find(object, pointer);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t whole_at(const json& object, const char* pointer) {
  const json* found = find(object, pointer);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

bool is_true_at(const json& object, const char* pointer) {
  const json* found = find(object, pointer);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

const json& list_at(const json& object, const char* pointer) {
  const json* found = find(object, pointer);
  return found != nullptr && found->is_array() ? *found : kEmptyList;
}

const json& object_at(const json& object, const char* pointer) {
  const json* found = find(object, pointer);
  return found != nullptr && found->is_object() ? *found : kEmptyObject;
}

std::string text_or_dump(const json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string joined(const json& list, const char* member) {
  std::string text;
  for (const json& one : list) {
    if (!one.is_object()) continue;
    const auto found = one.find(member);
    text += (text.empty() ? "" : ",") + (found == one.end() ? std::string() : text_or_dump(*found));
  }
  return text;
}

std::string labels_text(const json& selector) {
  std::vector<std::pair<std::string, std::string>> rules;  // by their keys, as a server prints them
  // An old kind's selector is the labels themselves.
  const bool plain = !selector.contains("matchLabels") && !selector.contains("matchExpressions");
  for (const auto& [key, value] : (plain ? selector : object_at(selector, "/matchLabels")).items()) {
    rules.emplace_back(key, key + "=" + text_or_dump(value));
  }
  for (const json& rule : list_at(selector, "/matchExpressions")) {
    const std::string key = text_at(rule, "/key"), is = text_at(rule, "/operator");
    if (is == "Exists") rules.emplace_back(key, key);
    if (is == "DoesNotExist") rules.emplace_back(key, "!" + key);
    if (is != "In" && is != "NotIn") continue;
    std::set<std::string> values;
    for (const json& value : list_at(rule, "/values")) values.insert(text_or_dump(value));
    rules.emplace_back(key, fmt::format("{} {} ({})", key, is == "In" ? "in" : "notin", fmt::join(values, ",")));
  }
  std::ranges::stable_sort(rules, {}, [](const auto& rule) { return rule.first; });
  std::string text;
  for (const auto& [key, rule] : rules) text += (text.empty() ? "" : ",") + rule;
  return text;
}

std::string or_none(std::string text) { return text.empty() ? "<none>" : std::move(text); }
std::string or_unknown(std::string text) { return text.empty() ? "<unknown>" : std::move(text); }
std::string or_unset(std::string text) { return text.empty() ? "<unset>" : std::move(text); }

std::string number_at(const json& object, const char* pointer) { return std::to_string(whole_at(object, pointer)); }
std::string count_at(const json& object, const char* pointer) {
  return std::to_string(list_at(object, pointer).size());
}
std::string truth_at(const json& object, const char* pointer) { return is_true_at(object, pointer) ? "true" : "false"; }

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string name_of(const json& object) { return text_at(object, "/metadata/name"); }

std::string default_name_of(const json& object, std::initializer_list<const char*> annotations) {
  const json& all = object_at(object, "/metadata/annotations");
  const bool is_default = std::ranges::any_of(annotations, [&](const char* name) {
    const auto found = all.find(name);
    return found != all.end() && *found == "true";
  });
  return name_of(object) + (is_default ? " (default)" : "");
}

std::string age_of(const json& object, Time now) { return age_at(object, "/metadata/creationTimestamp", now); }

std::vector<std::string> name_and_creation(const json& object, Time) {
  return {name_of(object), text_at(object, "/metadata/creationTimestamp")};
}

std::string age_of_text(const std::string& rfc3339, Time now) {
  const auto then = parse_rfc3339(rfc3339);
  return then ? human_age(now - *then) : "<unknown>";
}

std::string age_at(const json& object, const char* pointer, Time now) {
  return age_of_text(text_at(object, pointer), now);
}

// ---- services

std::string service_ports(const json& service) {
  std::string text;
  for (const json& port : list_at(service, "/spec/ports")) {
    const std::int64_t node_port = whole_at(port, "/nodePort");
    text += fmt::format("{}{}{}/{}", text.empty() ? "" : ",", whole_at(port, "/port"),
                        node_port > 0 ? fmt::format(":{}", node_port) : "", text_at(port, "/protocol"));
  }
  return text;
}

std::string external_ips(const json& service) {
  const std::string type = text_at(service, "/spec/type");
  if (type == "ExternalName") return text_at(service, "/spec/externalName");
  std::string text;
  const auto add = [&](const std::string& ip) {
    if (!ip.empty()) text += (text.empty() ? "" : ",") + ip;
  };
  if (type == "LoadBalancer") {
    for (const json& ingress : list_at(service, "/status/loadBalancer/ingress")) {
      add(text_at(ingress, "/ip").empty() ? text_at(ingress, "/hostname") : text_at(ingress, "/ip"));
    }
  }
  for (const json& ip : list_at(service, "/spec/externalIPs")) add(text_or_dump(ip));
  if (!text.empty()) return text;
  return type == "LoadBalancer" ? "<pending>" : "<none>";
}

// ---- nodes

std::string node_status(const json& node) {
  std::string text = "Unknown";
  for (const json& condition : list_at(node, "/status/conditions")) {
    if (text_at(condition, "/type") != "Ready") continue;
    text = text_at(condition, "/status") == "True" ? "Ready" : "NotReady";
  }
  return is_true_at(node, "/spec/unschedulable") ? text + ",SchedulingDisabled" : text;
}

std::string node_roles(const json& node) {
  constexpr std::string_view kRole = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const auto& [key, value] : object_at(node, "/metadata/labels").items()) {
    if (key.starts_with(kRole) && key.size() > kRole.size()) roles.insert(key.substr(kRole.size()));
    if (key != "kubernetes.io/role" || !value.is_string()) continue;
    if (auto role = value.get<std::string>(); !role.empty()) roles.insert(std::move(role));
  }
  return fmt::format("{}", fmt::join(roles, ","));
}

std::string node_address(const json& node, const char* type) {
  for (const json& address : list_at(node, "/status/addresses")) {
    if (text_at(address, "/type") == type) return text_at(address, "/address");
  }
  return {};
}

// ---- jobs

std::string job_status(const json& job) {
  for (const char* type : {"Complete", "Failed"}) {
    if (has_condition(job, type, "True")) return type;
  }
  if (!text_at(job, "/metadata/deletionTimestamp").empty()) return "Terminating";
  for (const auto& [type, word] : {std::pair{"Suspended", "Suspended"}, std::pair{"FailureTarget", "FailureTarget"},
                                   std::pair{"SuccessCriteriaMet", "SuccessCriteriaMet"}}) {
    if (has_condition(job, type, "True")) return word;
  }
  return "Running";
}

std::string job_completions(const json& job) {
  const std::int64_t succeeded = whole_at(job, "/status/succeeded");
  if (find(job, "/spec/completions") != nullptr) {
    return fmt::format("{}/{}", succeeded, whole_at(job, "/spec/completions"));
  }
  const std::int64_t parallel = whole_at(job, "/spec/parallelism");
  return parallel > 1 ? fmt::format("{}/1 of {}", succeeded, parallel) : fmt::format("{}/1", succeeded);
}

std::string job_duration(const json& job, Time now) {
  const auto began = parse_rfc3339(text_at(job, "/status/startTime"));
  if (!began) return {};
  const auto ended = parse_rfc3339(text_at(job, "/status/completionTime"));
  return human_age((ended ? *ended : now) - *began);
}

}  // namespace tidemark::kube
