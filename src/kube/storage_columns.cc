// Tables of storage, devices, leases, and of what extends the API. Source: as kube/kind_columns.h.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kube/cells.h"
#include "kube/kind_columns.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;
using Cells = std::vector<std::string>;

std::string text_or(const json& o, const char* where, const char* otherwise) {
  const std::string text = text_at(o, where);
  return text.empty() ? otherwise : text;
}

// ---- storage

Cells storage_class(const json& o, Time now) {
  return {default_name_of(
              o, {"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"}),
          text_at(o, "/provisioner"),
          text_or(o, "/reclaimPolicy", "Delete"),
          text_or(o, "/volumeBindingMode", "Immediate"),
          truth_at(o, "/allowVolumeExpansion"),
          age_of(o, now)};
}

Cells attributes_class(const json& o, Time now) { return {name_of(o), text_at(o, "/driverName"), age_of(o, now)}; }

Cells attachment(const json& o, Time now) {
  return {name_of(o),
          text_at(o, "/spec/attacher"),
          text_at(o, "/spec/source/persistentVolumeName"),
          text_at(o, "/spec/nodeName"),
          truth_at(o, "/status/attached"),
          age_of(o, now)};
}

Cells csi_node(const json& o, Time now) { return {name_of(o), count_at(o, "/spec/drivers"), age_of(o, now)}; }

Cells csi_driver(const json& o, Time now) {
  const bool unsaid = !o.contains(json::json_pointer("/spec/attachRequired"));
  const bool tokens = o.contains(json::json_pointer("/spec/tokenRequests"));
  std::string modes;
  for (const json& mode : list_at(o, "/spec/volumeLifecycleModes")) {
    modes += (modes.empty() ? "" : ",") + text_or_dump(mode);
  }
  return {name_of(o),
          unsaid ? "true" : truth_at(o, "/spec/attachRequired"),
          truth_at(o, "/spec/podInfoOnMount"),
          truth_at(o, "/spec/storageCapacity"),
          tokens ? joined(list_at(o, "/spec/tokenRequests"), "audience") : "<unset>",
          truth_at(o, "/spec/requiresRepublish"),
          or_none(modes),
          age_of(o, now)};
}

// ---- devices

Cells resource_claim(const json& o, Time now) {
  const bool going = !text_at(o, "/metadata/deletionTimestamp").empty();
  const bool allocated = o.contains(json::json_pointer("/status/allocation"));
  std::string state = going ? "deleted" : "";
  if (allocated) {
    state += going ? ",allocated" : "allocated";
    if (!list_at(o, "/status/reservedFor").empty()) state += ",reserved";
  } else if (!going) {
    state = "pending";
  }
  return {name_of(o), state, age_of(o, now)};
}

Cells resource_slice(const json& o, Time now) {
  return {name_of(o), text_at(o, "/spec/nodeName"), text_at(o, "/spec/driver"), text_at(o, "/spec/pool/name"),
          age_of(o, now)};
}

Cells device_taint(const json& o, Time now) {
  const std::string added = text_at(o, "/spec/taint/timeAdded");
  return {name_of(o),
          text_at(o, "/spec/taint/key"),
          text_at(o, "/spec/taint/value"),
          text_at(o, "/spec/taint/effect"),
          added.empty() ? "" : age_of_text(added, now),
          age_of(o, now)};
}

// ---- the rest

Cells lease(const json& o, Time now) { return {name_of(o), text_at(o, "/spec/holderIdentity"), age_of(o, now)}; }

Cells lease_candidate(const json& o, Time now) {
  return {name_of(o), text_at(o, "/spec/leaseName"), text_at(o, "/spec/binaryVersion"),
          text_at(o, "/spec/emulationVersion"), age_of(o, now)};
}

Cells runtime_class(const json& o, Time now) { return {name_of(o), text_at(o, "/handler"), age_of(o, now)}; }

Cells trust_bundle(const json& o, Time) { return {name_of(o), or_none(text_at(o, "/spec/signerName"))}; }

Cells version_migration(const json& o, Time) {
  std::string state = "Unknown";
  for (const json& condition : list_at(o, "/status/conditions")) {
    const std::string type = text_at(condition, "/type");
    const bool told = type == "Running" || type == "Failed" || type == "Succeeded";
    if (told && text_at(condition, "/status") == "True") state = type;
  }
  const std::string group = text_at(o, "/spec/resource/group");
  return {name_of(o), text_at(o, "/spec/resource/resource") + (group.empty() ? "" : "." + group), state};
}

Cells api_service(const json& o, Time now) {
  const json& service = object_at(o, "/spec/service");
  std::string available = "Unknown";
  for (const json& condition : list_at(o, "/status/conditions")) {
    if (text_at(condition, "/type") != "Available") continue;
    available = text_at(condition, "/status");
    const std::string reason = text_at(condition, "/reason");
    if (available != "True" && !reason.empty()) available += " (" + reason + ")";
    break;
  }
  return {name_of(o), service.empty() ? "Local" : text_at(service, "/namespace") + "/" + text_at(service, "/name"),
          available, age_of(o, now)};
}

constexpr std::string_view kStorageGroup = "storage.k8s.io";
constexpr std::string_view kDeviceGroup = "resource.k8s.io";
constexpr std::string_view kLeaseGroup = "coordination.k8s.io";
constexpr KindColumns kOfStorage[] = {
    {"StorageClass", kStorageGroup, "NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE",
     storage_class},
    {"VolumeAttributesClass", kStorageGroup, "NAME DRIVERNAME AGE", attributes_class},
    {"VolumeAttachment", kStorageGroup, "NAME ATTACHER PV NODE ATTACHED AGE", attachment},
    {"CSINode", kStorageGroup, "NAME DRIVERS AGE", csi_node},
    {"CSIDriver", kStorageGroup,
     "NAME ATTACHREQUIRED PODINFOONMOUNT STORAGECAPACITY TOKENREQUESTS REQUIRESREPUBLISH MODES AGE", csi_driver},
    {"CSIStorageCapacity", kStorageGroup, "NAME CREATED_AT", name_and_creation},
    {"ResourceClaim", kDeviceGroup, "NAME STATE AGE", resource_claim},
    {"ResourceSlice", kDeviceGroup, "NAME NODE DRIVER POOL AGE", resource_slice},
    {"DeviceTaintRule", kDeviceGroup, "NAME KEY VALUE EFFECT TIMEADDED AGE", device_taint},
    {"Lease", kLeaseGroup, "NAME HOLDER AGE", lease},
    {"LeaseCandidate", kLeaseGroup, "NAME LEASENAME BINARYVERSION EMULATIONVERSION AGE", lease_candidate},
    {"RuntimeClass", "node.k8s.io", "NAME HANDLER AGE", runtime_class},
    {"ClusterTrustBundle", "certificates.k8s.io", "NAME SIGNERNAME", trust_bundle},
    {"StorageVersionMigration", "storagemigration.k8s.io", "NAME RESOURCE STATUS", version_migration},
    {"APIService", "apiregistration.k8s.io", "NAME SERVICE AVAILABLE AGE", api_service},
    {"CustomResourceDefinition", "apiextensions.k8s.io", "NAME CREATED_AT", name_and_creation},
};

}  // namespace

std::span<const KindColumns> storage_columns() { return kOfStorage; }

}  // namespace tidemark::kube
