#include "live/gather.h"

#include <nlohmann/json.hpp>

#include "live/object_facts.h"
#include "live/references.h"

namespace tidemark::live {
namespace {

using link::KubeClient;
using link::KubeKind;
using nlohmann::json;

bool is_meant(const GatherWish& wish, const KubeKind& kind, const json& object) {
  const std::string ns = namespace_in(object), name = name_in(object);
  if (wish.always.contains(object_id(kind, ns, name))) return true;
  const json::json_pointer labels("/metadata/labels");
  return wish.fields.matches(ns, name) && wish.labels.matches(object.contains(labels) ? object.at(labels) : json());
}

void fill_type(json& object, const KubeKind& kind) {
  object["apiVersion"] = kind.api_version();
  object["kind"] = kind.kind;
}

Status list_kind(KubeClient& client, const GatherWish& wish, const KubeKind& kind, const std::stop_token& stop,
                 std::vector<Found>& to) {
  const std::size_t before = to.size();
  const link::KubeListOptions options{.name_space = kind.namespaced ? wish.name_space : std::string(),
                                      .labels = {},
                                      .fields = {},
                                      .resource_version = {},
                                      .on_restart = [&] { to.resize(before); }};
  TM_CHECK(client.list(
      kind, options,
      [&](json& object) -> Status {
        fill_type(object, kind);
        if (is_meant(wish, kind, object)) to.push_back({kind, std::move(object)});
        return {};
      },
      stop));
  return {};
}

}  // namespace

Result<json> look_up(KubeClient& client, const KubeKind& kind, const std::string& name_space, const std::string& name,
                     const std::stop_token& stop) {
  auto object = client.get(kind, {.name_space = kind.namespaced ? name_space : std::string(), .name = name}, stop);
  if (!object && object.error().code == Errc::not_found) return json();
  if (object) fill_type(*object, kind);
  return object;
}

Result<Gathered> gather(KubeClient& client, const GatherWish& wish, const std::stop_token& stop) {
  Gathered all;
  for (const GatherWish::Kind& one : wish.kinds) {
    Status read;
    if (one.names.empty()) {
      read = list_kind(client, wish, one.kind, stop, all.objects);
    } else {
      for (const std::string& name : one.names) {
        auto object = look_up(client, one.kind, wish.name_space, name, stop);
        if (!object) {
          read = std::unexpected(std::move(object).error());
          break;
        }
        if (!object->is_null()) all.objects.push_back({one.kind, *std::move(object)});
      }
    }
    if (read) continue;
    const bool may_miss = read.error().code == Errc::denied || read.error().code == Errc::unsupported;
    if (one.needed || !may_miss) return std::unexpected(std::move(read).error());
    all.notes.push_back(fmt::format("not looked at: {}", read.error().what));
  }
  return all;
}

Result<Beside> gather_beside(KubeClient& client, const ServedKinds& served, std::span<const Found> wanted,
                             std::span<const Found> live, const std::map<std::string, std::string>& namespaces,
                             const std::stop_token& stop) {
  const auto now_of = [&](const std::string& then) {
    const auto mapped = namespaces.find(then);
    return mapped == namespaces.end() ? then : mapped->second;
  };
  std::set<std::string> known;
  for (const Found& found : live) {
    known.insert(object_id(found.kind, namespace_in(found.object), name_in(found.object)));
  }
  Beside beside;
  const auto look = [&](const KubeKind* kind, const std::string& then, const std::string& name) -> Status {
    if (kind == nullptr || name.empty() || !kind->can("get")) return {};
    const std::string ns = kind->namespaced ? now_of(then) : std::string();
    if (kind->namespaced && ns.empty()) return {};  // an account that nobody can be
    std::string id = object_id(*kind, ns, name);
    if (!known.insert(id).second) return {};
    auto object = look_up(client, *kind, ns, name, stop);
    if (!object && object.error().code == Errc::denied) return {};
    if (!object) return std::unexpected(std::move(object).error());
    if (object->is_null()) {
      beside.missing.push_back(std::move(id));
    } else {
      beside.objects.push_back({*kind, *std::move(object)});
    }
    return {};
  };
  const json::json_pointer owners("/metadata/ownerReferences");
  for (const Found& found : wanted) {
    const std::string then = namespace_in(found.object);
    if (found.object.contains(owners) && found.object.at(owners).is_array()) {
      for (const json& owner : found.object.at(owners)) {
        TM_CHECK(look(served.of_object(text_at(owner, "/apiVersion"), text_at(owner, "/kind")), then,
                      text_at(owner, "/name")));
      }
    }
    for (const Reference& needed : references_of(found.kind, found.object)) {
      TM_CHECK(look(served.find(needed.resource, needed.group), needed.name_space, needed.name));
    }
  }
  return beside;
}

}  // namespace tidemark::live
