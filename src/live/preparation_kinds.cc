#include "live/preparation_kinds.h"

#include <algorithm>

#include "live/json_reach.h"
#include "live/preparation.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

constexpr std::string_view kJobLabels[] = {"batch.kubernetes.io/controller-uid", "controller-uid"};

// ---- Services: is it a user's own choice, or did the server pick it? The server's picks are in nobody's
// managedFields.

bool says_member(const json& fields, const std::string& member) {
  if (!fields.is_object()) return false;
  return std::ranges::any_of(fields.items(), [&](const auto& entry) {
    return entry.key() == "f:" + member || says_member(entry.value(), member);
  });
}

bool is_chosen(const json& object, const std::string& member) {
  for (const json& entry : list_at(object, "/metadata/managedFields")) {
    if (text_at(entry, "/subresource").empty() && says_member(entry.value("fieldsV1", json()), member)) return true;
  }
  const std::string applied = annotation_of(object, "kubectl.kubernetes.io/last-applied-configuration");
  return applied.find('"' + member + '"') != std::string::npos;
}

// Of one port of a Service, which its number and protocol name; of the same Service others may be the server's picks.
bool is_chosen_port(const json& object, const json& port) {
  const auto protocol = [](const json& of) {
    const std::string said = text_at(of, "/protocol");
    return said.empty() ? "TCP" : said;
  };
  const auto is_this = [&](const json& other) {
    return protocol(other) == protocol(port) && equal_at(other, port, "/port");
  };
  for (const json& entry : list_at(object, "/metadata/managedFields")) {
    const json* ports = reach(entry, "/fieldsV1/f:spec/f:ports");
    if (ports == nullptr || !ports->is_object() || !text_at(entry, "/subresource").empty()) continue;
    for (const auto& [key, fields] : ports->items()) {
      if (!key.starts_with("k:") || !fields.is_object() || !fields.contains("f:nodePort")) continue;
      if (is_this(json::parse(key.substr(2), nullptr, /*allow_exceptions=*/false))) return true;
    }
  }
  const json applied = json::parse(annotation_of(object, "kubectl.kubernetes.io/last-applied-configuration"), nullptr,
                                   /*allow_exceptions=*/false);
  return std::ranges::any_of(list_at(applied, "/spec/ports"),
                             [&](const json& other) { return reach(other, "/nodePort") != nullptr && is_this(other); });
}

void strip_service(const Stripping& how, json& object) {
  if (how.same_cluster && !how.moved) return;
  if (text_at(object, "/spec/clusterIP") != "None") {
    erase_at(object, "/spec/clusterIP");
    erase_at(object, "/spec/clusterIPs");
  }
  if (!how.same_cluster && !is_chosen(object, "ipFamilies")) erase_at(object, "/spec/ipFamilies");
  if (!how.same_cluster && !is_chosen(object, "ipFamilyPolicy")) erase_at(object, "/spec/ipFamilyPolicy");
  // Moved within one cluster a port is still the old one's.
  drop_node_ports(object, /*chosen_too=*/how.moved);
}

void strip_pod(json& object) {
  // The scheduler and the class of priority say these again; a difference is refused.
  for (const std::string_view path : {"/spec/nodeName", "/spec/priority", "/spec/ephemeralContainers"}) {
    erase_at(object, path);
  }
  if (!text_at(object, "/spec/priorityClassName").empty()) erase_at(object, "/spec/preemptionPolicy");
  if (json* spec = reach(object, "/spec")) drop_token_volumes(*spec);
}

void strip_account(json& object) {
  json* secrets = reach(object, "/secrets");
  if (secrets == nullptr || !secrets->is_array()) return;
  const std::string account = text_at(object, "/metadata/name");
  std::erase_if(secrets->get_ref<json::array_t&>(),
                [&](const json& secret) { return is_made_for_account(account, text_at(secret, "/name")); });
  if (secrets->empty()) object.erase("secrets");
}

void strip_authorities(json& object) {
  if (!has_injected_authority(object)) return;
  erase_at(object, "/spec/caBundle");
  for (json* config : client_configs(object)) config->erase("caBundle");
}

template <class Keep>
void keep_entries(json& object, std::string_view path, const Keep& keep) {
  json* list = reach(object, path);
  if (list == nullptr || !list->is_array()) return;
  std::erase_if(list->get_ref<json::array_t&>(), [&](const json& entry) { return !keep(entry); });
  if (list->empty()) erase_at(object, path);
}

}  // namespace

std::vector<std::string> strip_by_kind(const std::string& kind, const Stripping& how, json& object) {
  std::vector<std::string> notes;
  if (kind == "services") strip_service(how, object);
  if (kind == "pods") strip_pod(object);
  if (kind == "jobs.batch") {
    drop_job_ids(object);
    notes.emplace_back("it begins from the start");
  }
  if (kind == "serviceaccounts") strip_account(object);
  if (kind == "secrets" && is_account_token(object)) drop_token(object);
  if (kind == "secrets" && text_at(object, "/type") == "bootstrap.kubernetes.io/token") {
    notes.emplace_back("a token for joining nodes: the cluster removes it at once when it has expired");
  }
  drop_gathered_rules(kind, object);
  strip_authorities(object);
  return notes;
}

void drop_node_ports(json& service, bool chosen_too) {
  if (chosen_too || !is_chosen(service, "healthCheckNodePort")) erase_at(service, "/spec/healthCheckNodePort");
  json* ports = reach(service, "/spec/ports");
  if (ports == nullptr || !ports->is_array()) return;
  for (json& port : *ports) {
    if (port.is_object() && (chosen_too || !is_chosen_port(service, port))) port.erase("nodePort");
  }
}

void drop_gathered_rules(const std::string& kind, json& role) {
  if (kind != "clusterroles.rbac.authorization.k8s.io" || reach(role, "/aggregationRule") == nullptr) return;
  role.erase("rules");
}

void drop_token_volumes(json& pod_spec) {
  const std::string account = text_at(pod_spec, "/serviceAccountName");
  std::vector<std::string> names;
  for (const json& volume : list_at(pod_spec, "/volumes")) {
    const std::string name = text_at(volume, "/name");
    const bool projected = name.starts_with("kube-api-access-") && reach(volume, "/projected") != nullptr;
    const bool secret = is_made_for_account(account, text_at(volume, "/secret/secretName"));
    if (projected || secret) names.push_back(name);
  }
  if (names.empty()) return;
  const auto stays = [&](const json& entry) {
    return std::ranges::find(names, text_at(entry, "/name")) == names.end();
  };
  keep_entries(pod_spec, "/volumes", stays);
  for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
    const auto containers = pod_spec.find(list);
    if (containers == pod_spec.end() || !containers->is_array()) continue;
    for (json& container : *containers) keep_entries(container, "/volumeMounts", stays);
  }
}

void drop_job_ids(json& job) {
  if (true_at(job, "/spec/manualSelector")) return;
  erase_at(job, "/spec/selector");
  for (const std::string_view label : kJobLabels) {
    erase_label(job, label);
    if (json* template_ = reach(job, "/spec/template"); template_ != nullptr) erase_label(*template_, label);
  }
}

void drop_token(json& secret) {
  erase_annotation(secret, "kubernetes.io/service-account.uid");
  for (const std::string_view key : {"/data/token", "/data/ca.crt", "/data/namespace"}) erase_at(secret, key);
  if (const json* data = reach(secret, "/data"); data != nullptr && data->empty()) secret.erase("data");
}

bool is_account_token(const json& secret) { return text_at(secret, "/type") == "kubernetes.io/service-account-token"; }

bool is_made_for_account(const std::string& account, const std::string& name) {
  if (account.empty()) return false;
  return std::ranges::any_of(std::initializer_list<std::string_view>{"-token-", "-dockercfg-"},
                             [&](std::string_view middle) {
                               const std::string front = account + std::string(middle);
                               return name.starts_with(front) && name.size() == front.size() + 5;
                             });
}

bool has_injected_authority(const json& object) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"cert-manager.io/inject-ca-from", "cert-manager.io/inject-ca-from-secret",
                                              "cert-manager.io/inject-apiserver-ca",
                                              "service.beta.openshift.io/inject-cabundle"},
      [&](std::string_view name) { return !annotation_of(object, name).empty(); });
}

std::vector<json*> client_configs(json& object) {
  std::vector<json*> found;
  if (json* webhooks = reach(object, "/webhooks"); webhooks != nullptr && webhooks->is_array()) {
    for (json& webhook : *webhooks) {
      if (json* config = reach(webhook, "/clientConfig"); config != nullptr && config->is_object())
        found.push_back(config);
    }
  }
  json* conversion = reach(object, "/spec/conversion/webhook/clientConfig");
  if (conversion != nullptr && conversion->is_object()) found.push_back(conversion);
  return found;
}

}  // namespace tidemark::live
