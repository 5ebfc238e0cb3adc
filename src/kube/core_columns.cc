// Tables of the core group, of apps and of batch. Source: as kube/cells.h.
#include <fmt/format.h>
#include <algorithm>

#include <nlohmann/json.hpp>

#include "kube/cells.h"
#include "kube/kind_columns.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;
using Cells = std::vector<std::string>;

void add_containers(const json& o, const char* selector, Cells& to,
                    const char* containers = "/spec/template/spec/containers") {
  to.push_back(joined(list_at(o, containers), "name"));
  to.push_back(joined(list_at(o, containers), "image"));
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
  return {name_of(o),
          going ? "Terminating" : text_at(o, "/status/phase"),
          text_at(o, "/spec/volumeName"),
          bound ? text_at(o, "/status/capacity/storage") : "",
          bound ? access_modes(list_at(o, "/status/accessModes")) : "",
          text_at(o, "/spec/storageClassName"),
          or_unset(text_at(o, "/spec/volumeAttributesClassName")),
          age_of(o, now),
          or_unset(text_at(o, "/spec/volumeMode"))};
}

Cells volume(const json& o, Time now) {
  const bool going = !text_at(o, "/metadata/deletionTimestamp").empty();
  std::string claimed = text_at(o, "/spec/claimRef/name");
  if (!claimed.empty()) claimed = text_at(o, "/spec/claimRef/namespace") + "/" + claimed;
  return {name_of(o),
          text_at(o, "/spec/capacity/storage"),
          access_modes(list_at(o, "/spec/accessModes")),
          text_at(o, "/spec/persistentVolumeReclaimPolicy"),
          going ? "Terminating" : text_at(o, "/status/phase"),
          claimed,
          text_at(o, "/spec/storageClassName"),
          or_unset(text_at(o, "/spec/volumeAttributesClassName")),
          text_at(o, "/status/reason"),
          age_of(o, now),
          or_unset(text_at(o, "/spec/volumeMode"))};
}

Cells node(const json& o, Time now) {
  return {name_of(o),
          node_status(o),
          or_none(node_roles(o)),
          age_of(o, now),
          text_at(o, "/status/nodeInfo/kubeletVersion"),
          or_none(node_address(o, "InternalIP")),
          or_none(node_address(o, "ExternalIP")),
          or_unknown(text_at(o, "/status/nodeInfo/osImage")),
          or_unknown(text_at(o, "/status/nodeInfo/kernelVersion")),
          or_unknown(text_at(o, "/status/nodeInfo/containerRuntimeVersion"))};
}

Cells job(const json& o, Time now) {
  Cells cells{name_of(o), job_status(o), job_completions(o), job_duration(o, now), age_of(o, now)};
  add_containers(o, "/spec/selector", cells);
  return cells;
}

Cells cron_job(const json& o, Time now) {
  const std::string last = text_at(o, "/status/lastScheduleTime");
  Cells cells{name_of(o),
              text_at(o, "/spec/schedule"),
              or_none(text_at(o, "/spec/timeZone")),
              is_true_at(o, "/spec/suspend") ? "True" : "False",
              count_at(o, "/status/active"),
              last.empty() ? "<none>" : age_at(o, "/status/lastScheduleTime", now),
              age_of(o, now)};
  add_containers(o, "/spec/jobTemplate/spec/selector", cells, "/spec/jobTemplate/spec/template/spec/containers");
  return cells;
}

Cells pod_template(const json& o, Time) {
  Cells cells{name_of(o)};
  add_containers(o, nullptr, cells, "/template/spec/containers");
  cells.push_back(or_none(labels_text({{"matchLabels", object_at(o, "/template/metadata/labels")}})));
  return cells;
}

Cells controller_revision(const json& o, Time now) {
  std::string owner;
  for (const json& reference : list_at(o, "/metadata/ownerReferences")) {
    if (!is_true_at(reference, "/controller")) continue;
    const std::string version = text_at(reference, "/apiVersion");
    const std::size_t slash = version.find('/');
    owner = lower_case(text_at(reference, "/kind"));
    if (slash != std::string::npos) owner += "." + version.substr(0, slash);
    owner += "/" + text_at(reference, "/name");
  }
  return {name_of(o), or_none(owner), number_at(o, "/revision"), age_of(o, now)};
}

Cells event(const json& o, Time now) {
  const auto age = [&](const char* pointer, const std::string& otherwise) {
    return text_at(o, pointer).empty() ? otherwise : age_at(o, pointer, now);
  };
  const std::string first = age("/firstTimestamp", age_at(o, "/eventTime", now));
  std::string last = age("/lastTimestamp", first), count = number_at(o, "/count");
  if (!object_at(o, "/series").empty()) {
    last = age_at(o, "/series/lastObservedTime", now);
    count = number_at(o, "/series/count");
  } else if (count == "0") {
    count = "1";
  }
  const auto either = [&](const char* pointer, const char* otherwise) {
    const std::string text = text_at(o, pointer);
    return text.empty() ? text_at(o, otherwise) : text;
  };
  const std::string name = text_at(o, "/involvedObject/name");
  const std::string host = either("/source/host", "/reportingInstance");
  return {last,
          text_at(o, "/type"),
          text_at(o, "/reason"),
          lower_case(text_at(o, "/involvedObject/kind")) + (name.empty() ? "" : "/" + name),
          text_at(o, "/involvedObject/fieldPath"),
          either("/source/component", "/reportingComponent") + (host.empty() ? "" : ", " + host),
          trimmed(text_at(o, "/message")),
          first,
          count,
          name_of(o)};
}

// Every resource that is limited: "pods: 1/10"; those of limits in a column of their own.
Cells resource_quota(const json& o, Time now) {
  std::string requests, limits;
  const json& used = object_at(o, "/status/used");
  for (const auto& [resource, hard] : object_at(o, "/status/hard").items()) {
    std::string& column = resource.starts_with("limits.") ? limits : requests;
    const auto is = used.find(resource);
    column += fmt::format("{}{}: {}/{}", column.empty() ? "" : ", ", resource,
                          is == used.end() ? "0" : text_or_dump(*is), text_or_dump(hard));
  }
  return {name_of(o), requests, limits, age_of(o, now)};
}

constexpr KindColumns kOfCore[] = {
    {"Node", "", "NAME STATUS ROLES AGE VERSION |INTERNAL-IP |EXTERNAL-IP |OS-IMAGE |KERNEL-VERSION |CONTAINER-RUNTIME",
     node},
    {"PersistentVolume", "",
     "NAME CAPACITY ACCESS_MODES RECLAIM_POLICY STATUS CLAIM STORAGECLASS VOLUMEATTRIBUTESCLASS REASON AGE |VOLUMEMODE",
     volume},
    {"ConfigMap", "", "NAME DATA AGE", config_map},
    {"Secret", "", "NAME TYPE DATA AGE", secret},
    {"Namespace", "", "NAME STATUS AGE", name_space},
    {"Pod", "", "NAME READY STATUS RESTARTS AGE |IP |NODE |NOMINATED_NODE |READINESS_GATES", pod_cells},
    {"Service", "", "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE |SELECTOR", service},
    {"PersistentVolumeClaim", "",
     "NAME STATUS VOLUME CAPACITY ACCESS_MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE |VOLUMEMODE", claim},
    {"Deployment", "apps", "NAME READY UP-TO-DATE AVAILABLE AGE |CONTAINERS |IMAGES |SELECTOR", deployment},
    {"ReplicaSet", "apps", "NAME DESIRED CURRENT READY AGE |CONTAINERS |IMAGES |SELECTOR", replica_set},
    {"StatefulSet", "apps", "NAME READY AGE |CONTAINERS |IMAGES", stateful_set},
    {"DaemonSet", "apps",
     "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE_SELECTOR AGE |CONTAINERS |IMAGES |SELECTOR", daemon_set},
    {"Job", "batch", "NAME STATUS COMPLETIONS DURATION AGE |CONTAINERS |IMAGES |SELECTOR", job},
    {"CronJob", "batch", "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST_SCHEDULE AGE |CONTAINERS |IMAGES |SELECTOR",
     cron_job},
    {"ReplicationController", "", "NAME DESIRED CURRENT READY AGE |CONTAINERS |IMAGES |SELECTOR", replica_set},
    {"PodTemplate", "", "NAME CONTAINERS IMAGES POD_LABELS", pod_template},
    {"ControllerRevision", "apps", "NAME CONTROLLER REVISION AGE", controller_revision},
    {"Event", "", "LAST_SEEN TYPE REASON OBJECT |SUBOBJECT |SOURCE MESSAGE |FIRST_SEEN |COUNT |NAME", event},
    {"Event", "events.k8s.io", "LAST_SEEN TYPE REASON OBJECT |SUBOBJECT |SOURCE MESSAGE |FIRST_SEEN |COUNT |NAME",
     event},
    {"ResourceQuota", "", "NAME REQUEST LIMIT AGE", resource_quota},
    {"LimitRange", "", "NAME CREATED_AT", name_and_creation},
};

}  // namespace

std::span<const KindColumns> core_columns() { return kOfCore; }

}  // namespace tidemark::kube
