#include "live/three_way_kinds.h"

#include <algorithm>

#include "live/json_reach.h"
#include "live/preparation_kinds.h"
#include "live/three_way.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

void note_stays(Target& target, std::string_view field, std::string_view why) {
  target.notes.push_back(fmt::format("{} stays as it is now: {}", field, why));
}

// The entry of a list that has the same value there; nullptr: none.
const json* counterpart(const json& list, const json& of, std::string_view path) {
  const json* value = reach(of, path);
  if (value == nullptr) return nullptr;
  const auto found = std::ranges::find_if(list, [&](const json& entry) {
    const json* its = reach(entry, path);
    return its != nullptr && *its == *value;
  });
  return found == list.end() ? nullptr : &*found;
}

// ---- Services: an address cannot be changed, and what the server picked it would pick again.

void keep_addresses(const json& live, bool may_recreate, Target& target) {
  const std::string has = text_at(live, "/spec/clusterIP");
  // Without an address it may get one, as an ExternalName it may lose it.
  if (has.empty() || text_at(target.body, "/spec/type") == "ExternalName") return;
  const std::string had = text_at(target.body, "/spec/clusterIP");
  if (had != has) {
    if (may_recreate && !had.empty()) return;
    if (!had.empty()) {
      target.notes.push_back(fmt::format(".spec.clusterIP stays {} (was {}): it cannot be changed in place", has, had));
    }
  }
  for (const std::string_view path :
       {"/spec/clusterIP", "/spec/clusterIPs", "/spec/ipFamilies", "/spec/ipFamilyPolicy"}) {
    if (had != has || reach(target.body, path) == nullptr) take_at(target.body, live, path);
  }
}

void keep_ports(const json& live, Target& target) {
  json* ports = reach(target.body, "/spec/ports");
  const std::string type = text_at(target.body, "/spec/type");
  if (ports == nullptr || !ports->is_array() || (type != "NodePort" && type != "LoadBalancer")) return;
  for (json& port : *ports) {
    const json* now = counterpart(list_at(live, "/spec/ports"), port, "/port");
    if (port.is_object() && !port.contains("nodePort") && now != nullptr) take_at(port, *now, "/nodePort");
  }
}

// ---- Pods: of a pod's spec hardly more than the images can be changed. Its placement and its token's volume are new
// ones each time it is made, and are compared with nothing.

void take_placement(const json& live, Target& target) {
  json* spec = reach(target.body, "/spec");
  const json* now = reach(live, "/spec");
  if (spec == nullptr || now == nullptr) return;
  json then_plain = *spec;
  json now_plain = *now;
  for (json* plain : {&then_plain, &now_plain}) {
    drop_token_volumes(*plain);
    for (const std::string_view path : {"/nodeName", "/priority", "/ephemeralContainers"}) erase_at(*plain, path);
  }
  json images = now_plain;
  for (const std::string_view list : {"/containers", "/initContainers"}) {
    json* containers = reach(images, list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (json& container : *containers) {
      const json* then = counterpart(list_at(then_plain, list), container, "/name");
      if (then != nullptr) take_at(container, *then, "/image");
    }
  }
  for (const std::string_view path : {"/activeDeadlineSeconds", "/tolerations"}) take_at(images, then_plain, path);
  if (images != then_plain) return;  // the rest differs as well: only a new pod could have it
  // As it is, with the images of then.
  json changed = *now;
  for (const std::string_view list : {"/containers", "/initContainers"}) {
    json* containers = reach(changed, list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (json& container : *containers) {
      const json* then = counterpart(list_at(then_plain, list), container, "/name");
      if (then != nullptr) take_at(container, *then, "/image");
    }
  }
  for (const std::string_view path : {"/activeDeadlineSeconds", "/tolerations"}) take_at(changed, then_plain, path);
  *spec = std::move(changed);
}

// ---- Volumes and claims: what binds them, and what they are, can only be had by making them anew, and that is never
// done.

void keep_claim(const json& live, Target& target) {
  json spec = live.value("spec", json::object());
  const json* then = reach(target.body, "/spec");
  if (then == nullptr) return;
  constexpr std::string_view kSize = "/resources/requests/storage";
  constexpr std::string_view kAttributes = "/volumeAttributesClassName";
  json rest_then = *then;
  json rest_now = spec;
  for (json* rest : {&rest_then, &rest_now}) {
    erase_at(*rest, kSize);
    erase_at(*rest, kAttributes);
    erase_at(*rest, "/volumeName");
  }
  if (rest_then != rest_now) note_stays(target, ".spec", "a claim is never deleted to be made again");
  if (!text_at(*then, "/volumeName").empty() && !equal_at(*then, spec, "/volumeName")) {
    note_stays(target, ".spec.volumeName",
               fmt::format("the claim is bound (was bound to {})", text_at(*then, "/volumeName")));
  }
  if (!equal_at(*then, spec, kSize))
    note_stays(target, ".spec.resources.requests.storage", "a volume is not resized by putting objects back");
  take_at(spec, *then, kAttributes);
  set_at(target.body, "/spec", std::move(spec));
}

void keep_volume(const json& live, Target& target) {
  json spec = live.value("spec", json::object());
  const json* then = reach(target.body, "/spec");
  if (then == nullptr) return;
  json rest_then = *then;
  json rest_now = spec;
  for (json* rest : {&rest_then, &rest_now}) {
    erase_at(*rest, "/persistentVolumeReclaimPolicy");
    erase_at(*rest, "/claimRef");
  }
  if (rest_then != rest_now) note_stays(target, ".spec", "a volume is never deleted to be made again");
  for (const std::string_view who : {"/claimRef/namespace", "/claimRef/name"}) {
    if (equal_at(*then, spec, who)) continue;
    note_stays(target, ".spec.claimRef", "it says who has the volume now");
    break;
  }
  take_at(spec, *then, "/persistentVolumeReclaimPolicy");
  set_at(target.body, "/spec", std::move(spec));
}

// ---- The rest

void keep_account_secrets(const json& live, Target& target) {
  const std::string account = text_at(live, "/metadata/name");
  const auto is_made = [&](const json& secret) { return is_made_for_account(account, text_at(secret, "/name")); };
  json secrets = json::array();
  for (const json& secret : list_at(target.body, "/secrets")) {
    if (!is_made(secret)) secrets.push_back(secret);
  }
  for (const json& secret : list_at(live, "/secrets")) {
    if (is_made(secret)) secrets.push_back(secret);
  }
  const json& now = list_at(live, "/secrets");
  const bool same = secrets.size() == now.size() && std::ranges::is_permutation(secrets, now);
  if (same) secrets = now;
  if (secrets.empty()) {
    target.body.erase("secrets");
  } else {
    target.body["secrets"] = std::move(secrets);
  }
}

void keep_token(const json& live, Target& target) {
  take_annotation(target.body, live, "kubernetes.io/service-account.uid");
  for (const std::string_view key : {"/data/token", "/data/ca.crt", "/data/namespace"}) take_at(target.body, live, key);
}

void keep_job_ids(const json& live, Target& target) {
  if (true_at(target.body, "/spec/manualSelector")) return;
  take_at(target.body, live, "/spec/selector");
  json* pod = reach(target.body, "/spec/template");
  const json* pod_now = reach(live, "/spec/template");
  for (const char* label : {"batch.kubernetes.io/controller-uid", "controller-uid"}) {
    take_label(target.body, live, label);
    if (pod != nullptr && pod_now != nullptr) take_label(*pod, *pod_now, label);
  }
}

void keep_authorities(const json& live, Target& target) {
  if (!has_injected_authority(live)) return;
  if (reach(live, "/spec/caBundle") != nullptr) take_at(target.body, live, "/spec/caBundle");
  json now = live;
  const std::vector<json*> theirs = client_configs(now);
  const json& webhooks_now = list_at(live, "/webhooks");
  if (json* webhooks = reach(target.body, "/webhooks"); webhooks != nullptr && webhooks->is_array()) {
    for (json& webhook : *webhooks) {
      const json* same = counterpart(webhooks_now, webhook, "/name");
      if (same != nullptr && reach(webhook, "/clientConfig") != nullptr)
        take_at(webhook, *same, "/clientConfig/caBundle");
    }
    return;
  }
  constexpr std::string_view kConversion = "/spec/conversion/webhook/clientConfig";
  if (reach(target.body, kConversion) != nullptr && !theirs.empty()) {
    take_at(target.body, live, "/spec/conversion/webhook/clientConfig/caBundle");
  }
}

}  // namespace

void three_way_by_kind(const std::string& kind, const json& live, bool may_recreate, Target& target) {
  if (kind == "services") {
    keep_addresses(live, may_recreate, target);
    keep_ports(live, target);
    if (reach(target.body, "/spec/healthCheckNodePort") == nullptr &&
        reach(live, "/spec/healthCheckNodePort") != nullptr &&
        text_at(target.body, "/spec/externalTrafficPolicy") == "Local") {
      take_at(target.body, live, "/spec/healthCheckNodePort");
    }
  }
  if (kind == "namespaces") take_at(target.body, live, "/spec");
  if (kind == "pods") take_placement(live, target);
  if (kind == "persistentvolumeclaims") keep_claim(live, target);
  if (kind == "persistentvolumes") keep_volume(live, target);
  if (kind == "serviceaccounts") keep_account_secrets(live, target);
  if (kind == "secrets" && is_account_token(live)) keep_token(live, target);
  if (kind == "jobs.batch") keep_job_ids(live, target);
  if (kind == "clusterroles.rbac.authorization.k8s.io" && reach(target.body, "/aggregationRule") != nullptr) {
    take_at(target.body, live, "/rules");
  }
  if (kind == "volumesnapshotcontents.snapshot.storage.k8s.io") take_at(target.body, live, "/spec/volumeSnapshotRef");
  keep_authorities(live, target);
}

}  // namespace tidemark::live
