#include "kube/columns.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "kube/age.h"
#include "kube/cells.h"
#include "kube/json_path.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;
using Cells = std::vector<std::string>;

// What stands in a cell of nothing.
const char* const kEmptyCell = "<none>";

std::string or_none(std::string text) { return text.empty() ? kEmptyCell : std::move(text); }

std::string number_at(const json& object, const char* pointer) { return std::to_string(whole_at(object, pointer)); }

std::string name_of(const json& o) { return text_at(o, "/metadata/name"); }
std::string age_of(const json& o, Time now) { return age_at(o, "/metadata/creationTimestamp", now); }

void add_containers(const json& o, const char* selector, Cells& to) {
  const json& containers = list_at(o, "/spec/template/spec/containers");
  to.push_back(joined(containers, "name"));
  to.push_back(joined(containers, "image"));
  if (selector != nullptr) to.push_back(or_none(labels_text(object_at(o, selector))));
}

// "RWO,ROX".
std::string access_modes(const json& modes) {
  std::string text;
  for (const auto& [word, letters] : {std::pair{"ReadWriteOnce", "RWO"}, std::pair{"ReadOnlyMany", "ROX"},
                                      std::pair{"ReadWriteMany", "RWX"}, std::pair{"ReadWriteOncePod", "RWOP"}}) {
    if (std::ranges::find(modes, json(word)) != modes.end()) text += (text.empty() ? "" : ",") + std::string(letters);
  }
  return text;
}

constexpr const char* kUnset = "<unset>";

Cells config_map(const json& o, Time now) {
  const std::size_t data = object_at(o, "/data").size() + object_at(o, "/binaryData").size();
  return {name_of(o), std::to_string(data), age_of(o, now)};
}

Cells secret(const json& o, Time now) {
  return {name_of(o), text_at(o, "/type"), std::to_string(object_at(o, "/data").size()), age_of(o, now)};
}

Cells name_space(const json& o, Time now) { return {name_of(o), text_at(o, "/status/phase"), age_of(o, now)}; }

Cells deployment(const json& o, Time now) {
  Cells cells{name_of(o), number_at(o, "/status/readyReplicas") + "/" + number_at(o, "/spec/replicas"),
              number_at(o, "/status/updatedReplicas"), number_at(o, "/status/availableReplicas"), age_of(o, now)};
  add_containers(o, "/spec/selector", cells);
  return cells;
}

Cells replica_set(const json& o, Time now) {
  Cells cells{name_of(o), number_at(o, "/spec/replicas"), number_at(o, "/status/replicas"),
              number_at(o, "/status/readyReplicas"), age_of(o, now)};
  add_containers(o, "/spec/selector", cells);
  return cells;
}

Cells stateful_set(const json& o, Time now) {
  Cells cells{name_of(o), number_at(o, "/status/readyReplicas") + "/" + number_at(o, "/spec/replicas"), age_of(o, now)};
  add_containers(o, nullptr, cells);
  return cells;
}

Cells daemon_set(const json& o, Time now) {
  Cells cells{name_of(o),
              number_at(o, "/status/desiredNumberScheduled"),
              number_at(o, "/status/currentNumberScheduled"),
              number_at(o, "/status/numberReady"),
              number_at(o, "/status/updatedNumberScheduled"),
              number_at(o, "/status/numberAvailable"),
              or_none(labels_text({{"matchLabels", object_at(o, "/spec/template/spec/nodeSelector")}})),
              age_of(o, now)};
  add_containers(o, "/spec/selector", cells);
  return cells;
}

Cells service(const json& o, Time now) {
  const json& ips = list_at(o, "/spec/clusterIPs");
  const std::string cluster_ip = ips.empty() ? text_at(o, "/spec/clusterIP") : text_or_dump(ips.front());
  return {name_of(o),
          text_at(o, "/spec/type"),
          or_none(cluster_ip),
          external_ips(o),
          or_none(service_ports(o)),
          age_of(o, now),
          or_none(labels_text({{"matchLabels", object_at(o, "/spec/selector")}}))};
}

Cells claim(const json& o, Time now) {
  const bool going = !text_at(o, "/metadata/deletionTimestamp").empty();
  const bool bound = !text_at(o, "/spec/volumeName").empty();
  return {
      name_of(o),
      going ? "Terminating" : text_at(o, "/status/phase"),
      text_at(o, "/spec/volumeName"),
      bound ? text_at(o, "/status/capacity/storage") : "",
      bound ? access_modes(list_at(o, "/status/accessModes")) : "",
      text_at(o, "/spec/storageClassName"),
      text_at(o, "/spec/volumeAttributesClassName").empty() ? kUnset : text_at(o, "/spec/volumeAttributesClassName"),
      age_of(o, now),
      text_at(o, "/spec/volumeMode").empty() ? kUnset : text_at(o, "/spec/volumeMode")};
}

Cells volume(const json& o, Time now) {
  const bool going = !text_at(o, "/metadata/deletionTimestamp").empty();
  std::string claimed = text_at(o, "/spec/claimRef/name");
  if (!claimed.empty()) claimed = text_at(o, "/spec/claimRef/namespace") + "/" + claimed;
  return {
      name_of(o),
      text_at(o, "/spec/capacity/storage"),
      access_modes(list_at(o, "/spec/accessModes")),
      text_at(o, "/spec/persistentVolumeReclaimPolicy"),
      going ? "Terminating" : text_at(o, "/status/phase"),
      claimed,
      text_at(o, "/spec/storageClassName"),
      text_at(o, "/spec/volumeAttributesClassName").empty() ? kUnset : text_at(o, "/spec/volumeAttributesClassName"),
      text_at(o, "/status/reason"),
      age_of(o, now),
      text_at(o, "/spec/volumeMode").empty() ? kUnset : text_at(o, "/spec/volumeMode")};
}

Cells node(const json& o, Time now) {
  return {name_of(o),
          node_status(o),
          or_none(node_roles(o)),
          age_of(o, now),
          text_at(o, "/status/nodeInfo/kubeletVersion"),
          or_none(node_address(o, "InternalIP")),
          or_none(node_address(o, "ExternalIP")),
          text_at(o, "/status/nodeInfo/osImage"),
          text_at(o, "/status/nodeInfo/kernelVersion"),
          text_at(o, "/status/nodeInfo/containerRuntimeVersion")};
}

Cells job(const json& o, Time now) {
  Cells cells{name_of(o), job_status(o), job_completions(o), job_duration(o, now), age_of(o, now)};
  add_containers(o, "/spec/selector", cells);
  return cells;
}

Cells cron_job(const json& o, Time now) {
  const std::string last = text_at(o, "/status/lastScheduleTime");
  return {name_of(o),
          text_at(o, "/spec/schedule"),
          or_none(text_at(o, "/spec/timeZone")),
          is_true_at(o, "/spec/suspend") ? "True" : "False",
          std::to_string(list_at(o, "/status/active").size()),
          last.empty() ? kEmptyCell : age_at(o, "/status/lastScheduleTime", now),
          age_of(o, now)};
}

Cells definition(const json& o, Time) { return {name_of(o), text_at(o, "/metadata/creationTimestamp")}; }

// Headings between blanks; those behind a bar only in wide tables.
struct KindColumns {
  std::string_view kind, group, headings;
  Cells (*cells)(const json&, Time);
};
constexpr KindColumns kKinds[] = {
    {"ConfigMap", "", "NAME DATA AGE", config_map},
    {"Secret", "", "NAME TYPE DATA AGE", secret},
    {"Namespace", "", "NAME STATUS AGE", name_space},
    {"Node", "", "NAME STATUS ROLES AGE VERSION | INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME",
     node},
    {"Pod", "", "NAME READY STATUS RESTARTS AGE | IP NODE NOMINATED_NODE READINESS_GATES", pod_cells},
    {"Service", "", "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE | SELECTOR", service},
    {"PersistentVolumeClaim", "",
     "NAME STATUS VOLUME CAPACITY ACCESS_MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE | VOLUMEMODE", claim},
    {"PersistentVolume", "",
     "NAME CAPACITY ACCESS_MODES RECLAIM_POLICY STATUS CLAIM STORAGECLASS VOLUMEATTRIBUTESCLASS REASON AGE | "
     "VOLUMEMODE",
     volume},
    {"Deployment", "apps", "NAME READY UP-TO-DATE AVAILABLE AGE | CONTAINERS IMAGES SELECTOR", deployment},
    {"ReplicaSet", "apps", "NAME DESIRED CURRENT READY AGE | CONTAINERS IMAGES SELECTOR", replica_set},
    {"StatefulSet", "apps", "NAME READY AGE | CONTAINERS IMAGES", stateful_set},
    {"DaemonSet", "apps",
     "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE_SELECTOR AGE | CONTAINERS IMAGES SELECTOR", daemon_set},
    {"Job", "batch", "NAME STATUS COMPLETIONS DURATION AGE | CONTAINERS IMAGES SELECTOR", job},
    {"CronJob", "batch", "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST_SCHEDULE AGE", cron_job},
    {"CustomResourceDefinition", "apiextensions.k8s.io", "NAME CREATED_AT", definition},
};

const KindColumns* known(const Resource& resource) {
  if (resource.custom) return nullptr;
  const auto found = std::ranges::find_if(
      kKinds, [&](const KindColumns& row) { return row.kind == resource.kind && row.group == resource.group; });
  return found == std::end(kKinds) ? nullptr : &*found;
}

std::vector<Column> read_headings(std::string_view text) {
  std::vector<Column> columns;
  bool wide = false;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    std::string word(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
    std::ranges::replace(word, '_', ' ');
    if (word == "|") {
      wide = true;
    } else {
      columns.push_back({.heading = std::move(word), .wide = wide});
    }
  }
  return columns;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::string custom_cell(const PrinterColumn& column, const json& object, Time now) {
  const auto found = find_path(object, column.json_path);
  if (!found || found->empty()) return "";
  if (column.type == "date") return age_of_text(text_or_dump(*found->front()), now);
  std::string text;
  for (const json* value : *found) {
    if (value->is_null()) continue;
    text += (text.empty() ? "" : " ") + text_or_dump(*value);
    if (column.type != "string") break;
  }
  return text;
}

}  // namespace

std::vector<Column> columns_of(const Resource& resource) {
  if (const KindColumns* kind = known(resource)) return read_headings(kind->headings);
  std::vector<Column> columns{{.heading = "NAME", .wide = false}};
  for (const PrinterColumn& column : resource.columns)
    columns.push_back({.heading = upper(column.name), .wide = column.priority > 0});
  if (resource.columns.empty()) columns.push_back({.heading = "AGE", .wide = false});
  return columns;
}

std::vector<std::string> cells_of(const Resource& resource, const json& object, Time now) {
  if (const KindColumns* kind = known(resource)) return kind->cells(object, now);
  Cells cells{name_of(object)};
  for (const PrinterColumn& column : resource.columns) cells.push_back(custom_cell(column, object, now));
  if (resource.columns.empty()) cells.push_back(age_of(object, now));
  return cells;
}

}  // namespace tidemark::kube
