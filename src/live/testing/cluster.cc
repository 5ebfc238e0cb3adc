#include "live/testing/cluster.h"

#include <algorithm>
#include <set>

#include "live/immutables.h"
#include "live/json_reach.h"

namespace tidemark::live::testing {
namespace {

using nlohmann::json;

// Server-side apply as far as tests need it: maps are merged, entries of lists by their names, the rest is set.
void apply_onto(json& live, const json& wanted) {
  if (!wanted.is_object() || !live.is_object()) {
    if (!wanted.is_array() || !live.is_array()) {
      live = wanted;
      return;
    }
    for (const json& entry : wanted) {
      const auto same = std::ranges::find_if(live, [&](const json& there) {
        return there == entry || (there.is_object() && entry.is_object() && there.contains("name") &&
                                  entry.contains("name") && there["name"] == entry["name"]);
      });
      if (same == live.end() && (!entry.is_object() || !entry.contains("name"))) {
        live = wanted;  // no list of names: one value
        return;
      }
      if (same == live.end()) {
        live.push_back(entry);
      } else {
        apply_onto(*same, entry);
      }
    }
    return;
  }
  for (const auto& [name, value] : wanted.items()) {
    if (live.contains(name)) {
      apply_onto(live[name], value);
    } else {
      live[name] = value;
    }
  }
}

}  // namespace

Cluster::Cluster(const std::vector<Found>& objects) {
  for (const Found& found : objects) objects_.emplace(object_id(found.kind, found.object), found);
}

void Cluster::fill_in(Found& found) {
  json& metadata = found.object["metadata"];
  metadata["resourceVersion"] = std::to_string(++versions_);
  const std::string kind = found.kind.full_name();
  if (kind == "namespaces") set_at(found.object, "/spec/finalizers", json::array({"kubernetes"}));
  if (kind == "services" && text_at(found.object, "/spec/clusterIP").empty() &&
      text_at(found.object, "/spec/type") != "ExternalName") {
    const std::string address = fmt::format("10.0.{}.{}", versions_ / 256 % 256, versions_ % 256);
    set_at(found.object, "/spec/clusterIP", address);
    set_at(found.object, "/spec/clusterIPs", json::array({address}));
  }
  if (kind == "jobs.batch" && reach(found.object, "/spec/selector") == nullptr) {
    const std::string uid = metadata["uid"];
    set_at(found.object, "/spec/selector/matchLabels", json{{"controller-uid", uid}});
    set_at(found.object, "/spec/template/metadata/labels/controller-uid", uid);
  }
  if (kind == "pods") {
    if (reach(found.object, "/spec/nodeName") == nullptr)
      set_at(found.object, "/spec/nodeName", "n-" + std::to_string(versions_));
    if (reach(found.object, "/spec/priority") == nullptr) set_at(found.object, "/spec/priority", 0);
  }
}

std::string Cluster::create(const Found& given) {
  Found found = given;
  const std::string id = object_id(found.kind, found.object);
  if (objects_.contains(id)) return id + ": already exists";
  if (found.kind.namespaced && !objects_.contains("namespaces " + text_at(found.object, "/metadata/namespace"))) {
    return id + ": its namespace is not there";
  }
  for (const std::string_view path : {"/metadata/uid", "/metadata/resourceVersion", "/metadata/managedFields"}) {
    if (reach(found.object, path) != nullptr) return fmt::format("{}: {} is set on create", id, path);
  }
  if (found.kind.has("status")) found.object.erase("status");
  found.object["metadata"]["uid"] = fmt::format("new-{}", ++uids_);
  found.object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z";
  fill_in(found);
  objects_.emplace(id, std::move(found));
  return {};
}

std::string Cluster::replace(const std::string& id, const json& body) {
  const auto found = objects_.find(id);
  if (found == objects_.end()) return id + ": not found";
  Found now{.kind = found->second.kind, .object = body};
  if (const auto fixed = immutable_differences(now.kind, found->second.object, body); !fixed.empty()) {
    return fmt::format("{}: {} cannot be changed", id, fixed.front());
  }
  for (const std::string_view path : {"/metadata/uid", "/metadata/creationTimestamp", "/metadata/managedFields"}) {
    take_at(now.object, found->second.object, path);
  }
  if (now.kind.has("status")) take_at(now.object, found->second.object, "/status");
  fill_in(now);
  found->second = std::move(now);
  return {};
}

void Cluster::erase(const std::string& id) {
  const auto found = objects_.find(id);
  if (found == objects_.end()) return;
  if (found->second.kind.full_name() == "namespaces") {
    const std::string name = text_at(found->second.object, "/metadata/name");
    std::erase_if(objects_, [&](const auto& entry) {
      return entry.second.kind.namespaced && text_at(entry.second.object, "/metadata/namespace") == name;
    });
  }
  objects_.erase(id);
}

std::string Cluster::fill_owners(const Step& step, json& body) const {
  json* references = reach(body, "/metadata/ownerReferences");
  if (references == nullptr) return {};
  auto owner = step.owners.begin();
  for (json& reference : *references) {
    if (reference.contains("uid")) continue;
    if (owner == step.owners.end()) return step.id() + ": a reference without uid, and no owner for it";
    const auto found = objects_.find(*owner);
    if (found == objects_.end()) return fmt::format("{}: its owner {} is not there yet", step.id(), *owner);
    reference["uid"] = found->second.object["metadata"]["uid"];
    ++owner;
  }
  return {};
}

std::string Cluster::apply_step(const Step& step) {
  const std::string id = step.id();
  json body = step.body;
  if (std::string refusal = fill_owners(step, body); !refusal.empty()) return refusal;
  switch (step.action) {
    case Action::keep:
    case Action::leave_out: return {};
    case Action::remove: erase(id); return {};
    case Action::recreate: erase(id); [[fallthrough]];
    case Action::create:
      if (std::string refusal = create({.kind = step.kind, .object = body}); !refusal.empty()) return refusal;
      break;
    case Action::change:
      if (!has(id)) return id + ": not found";
      if (step.merge) {
        json merged = at(id).object;
        apply_onto(merged, body);
        body = std::move(merged);
      }
      if (std::string refusal = replace(id, body); !refusal.empty()) return refusal;
      break;
  }
  if (!step.status.is_null()) at(id).object["status"] = step.status;
  return {};
}

std::vector<std::string> Cluster::apply(const Plan& plan) {
  std::vector<std::string> refusals;
  for (const Step& step : plan.steps) {
    if (std::string refusal = apply_step(step); !refusal.empty()) refusals.push_back(std::move(refusal));
  }
  return refusals;
}

void Cluster::collect_garbage() {
  for (bool again = true; again;) {
    again = false;
    std::set<std::string> uids;
    for (const auto& [id, found] : objects_) uids.insert(text_at(found.object, "/metadata/uid"));
    std::vector<std::string> orphans;
    for (const auto& [id, found] : objects_) {
      const json& references = list_at(found.object, "/metadata/ownerReferences");
      if (references.empty()) continue;
      const bool owned = std::ranges::any_of(
          references, [&](const json& reference) { return uids.contains(text_at(reference, "/uid")); });
      if (!owned) orphans.push_back(id);
    }
    for (const std::string& id : orphans) erase(id);
    again = !orphans.empty();
  }
}

std::vector<Found> Cluster::all() const {
  std::vector<Found> list;
  for (const auto& [id, found] : objects_) list.push_back(found);
  return list;
}

std::vector<std::string> Cluster::ids() const {
  std::vector<std::string> list;
  for (const auto& [id, found] : objects_) list.push_back(id);
  return list;
}

}  // namespace tidemark::live::testing
