#include "link/kube_client.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "link/kube_list.h"
#include "link/kube_path.h"
#include "link/kube_pod_exec.h"
#include "link/kube_wire.h"

namespace tidemark::link {
namespace {

using nlohmann::json;

struct Way {
  const char* verb;
  const char* method;
  const char* content_type = "application/json";
  bool repeatable = false;
};

Result<json> send_object(KubeWire& wire, const Way& how, const KubeKind& kind, const KubePlace& place, const json& body,
                         const KubeWriteOptions& options, const std::stop_token& stop) {
  KubeCall call{.doing = doing(how.verb, kind, place), .method = how.method};
  TM_LET(call.path, object_path(kind, place));
  net::Query query;
  query.emplace_back("fieldManager", wire.options().field_manager);
  if (options.dry_run) query.emplace_back("dryRun", "All");
  if (options.force) query.emplace_back("force", "true");
  if (options.strict) query.emplace_back("fieldValidation", "Strict");
  call.path += "?" + net::print_query(std::move(query));
  call.content_type = how.content_type;
  call.repeatable = how.repeatable || options.dry_run;
  const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  call.body = as_bytes(text);
  return wire.ask(call, stop);
}

Status need_name(const KubeKind& kind, const KubePlace& place) {
  if (place.name.empty()) return fail(Errc::invalid, "{}: an object's name is missing", kind.full_name());
  return {};
}

}  // namespace

bool KubeKind::can(std::string_view verb) const { return std::ranges::find(verbs, verb) != verbs.end(); }
bool KubeKind::has(std::string_view subresource) const {
  return std::ranges::find(subresources, subresource) != subresources.end();
}

const KubeKind* KubeDiscovery::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      kinds, [&](const KubeKind& one) { return name == one.full_name() || name == one.resource || name == one.kind; });
  return found == kinds.end() ? nullptr : &*found;
}

KubeClient::KubeClient(KubeAccess access, const KubeClientOptions& options, const Clock& clock)
    : wire_(std::make_unique<KubeWire>(std::move(access), options, clock)) {}
KubeClient::KubeClient(KubeClient&&) noexcept = default;
KubeClient& KubeClient::operator=(KubeClient&&) noexcept = default;
KubeClient::~KubeClient() = default;

const KubeAccess& KubeClient::access() const { return wire_->access(); }
KubeTraffic KubeClient::traffic() const { return wire_->traffic(); }

Result<int> KubeClient::exec(const KubePodCommand& command, const KubePodOutput& output, const std::stop_token& stop) {
  return exec_in_pod(*wire_, command, output, stop);
}

Result<std::string> KubeClient::version(const std::stop_token& stop) {
  TM_LET(const json answer, wire_->ask({.doing = "ask the version", .path = "/version"}, stop));
  const auto version = answer.is_object() ? answer.find("gitVersion") : answer.end();
  if (version == answer.end() || !version->is_string()) {
    return fail(Errc::corrupt, "{}/version: no gitVersion", wire_->access().server);
  }
  return version->get<std::string>();
}

Result<KubeDiscovery> KubeClient::discover(const std::stop_token& stop, DiscoveryForm form) {
  return discover_all(*wire_, form, stop);
}

Result<json> KubeClient::get(const KubeKind& kind, const KubePlace& place, const std::stop_token& stop) {
  TM_CHECK(need_name(kind, place));
  KubeCall call{.doing = doing("get", kind, place)};
  TM_LET(call.path, object_path(kind, place));
  return wire_->ask(call, stop);
}

Result<KubeListEnd> KubeClient::list(const KubeKind& kind, const KubeListOptions& options, const OnObject& on_object,
                                     const std::stop_token& stop) {
  return list_all(*wire_, kind, options, on_object, stop);
}

Status KubeClient::watch(const KubeKind& kind, const KubeWatchOptions& options, const OnEvent& on_event,
                         const std::stop_token& stop) {
  return watch_all(*wire_, kind, options, on_event, stop);
}

Result<json> KubeClient::create(const KubeKind& kind, const KubePlace& place, const json& object,
                                const KubeWriteOptions& options, const std::stop_token& stop) {
  // A subresource (pods/eviction) is of an object; an object's own name is in its body.
  const KubePlace where{.name_space = place.name_space,
                        .name = place.subresource.empty() ? std::string() : place.name,
                        .subresource = place.subresource};
  return send_object(*wire_, {.verb = "create", .method = "POST"}, kind, where, object, options, stop);
}

Result<json> KubeClient::put(const KubeKind& kind, const KubePlace& place, const json& object,
                             const KubeWriteOptions& options, const std::stop_token& stop) {
  TM_CHECK(need_name(kind, place));
  return send_object(*wire_, {.verb = "put", .method = "PUT"}, kind, place, object, options, stop);
}

Result<json> KubeClient::patch(const KubeKind& kind, const KubePlace& place, KubePatch how, const json& patch,
                               const KubeWriteOptions& options, const std::stop_token& stop) {
  TM_CHECK(need_name(kind, place));
  const char* type = how == KubePatch::json    ? "application/json-patch+json"
                     : how == KubePatch::merge ? "application/merge-patch+json"
                                               : "application/strategic-merge-patch+json";
  return send_object(*wire_, {.verb = "patch", .method = "PATCH", .content_type = type}, kind, place, patch, options,
                     stop);
}

Result<json> KubeClient::apply(const KubeKind& kind, const KubePlace& place, const json& object,
                               const KubeWriteOptions& options, const std::stop_token& stop) {
  TM_CHECK(need_name(kind, place));
  return send_object(
      *wire_, {.verb = "apply", .method = "PATCH", .content_type = "application/apply-patch+yaml", .repeatable = true},
      kind, place, object, options, stop);
}

Result<json> KubeClient::remove(const KubeKind& kind, const KubePlace& place, const KubeRemoveOptions& options,
                                const std::stop_token& stop) {
  TM_CHECK(need_name(kind, place));
  json body{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"propagationPolicy", options.propagation}};
  if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
  if (!options.resource_version.empty()) body["preconditions"]["resourceVersion"] = options.resource_version;
  if (options.grace_seconds) body["gracePeriodSeconds"] = *options.grace_seconds;
  if (options.dry_run) body["dryRun"] = json::array({"All"});
  KubeCall call{.doing = doing("delete", kind, place), .method = "DELETE"};
  TM_LET(call.path, object_path(kind, place));
  call.content_type = "application/json";
  call.repeatable = options.dry_run;
  const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  call.body = as_bytes(text);
  return wire_->ask(call, stop);
}

}  // namespace tidemark::link
