#include "serve/api.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/rfc3339.h"
#include "kube/object_json.h"
#include "serve/asked.h"
#include "serve/zipped_reply.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;
using To = Route::To;

// Of a path with its query, in a line of the log.
constexpr std::size_t kMostLogged = 512;

// What clients that look at it hear of the API server: the newest one whose objects the table of types knows.
json version_of(const std::string& program) {
  const int minor = kube::ObjectOptions().server_minor;
  return {{"major", "1"},
          {"minor", std::to_string(minor)},
          {"gitVersion", fmt::format("v1.{}.0+tidemark.{}", minor, program)},
          {"gitCommit", ""},
          {"gitTreeState", ""},
          {"buildDate", ""},
          {"goVersion", ""},
          {"compiler", ""},
          {"platform", "linux/amd64"}};
}

json root_paths(const ServedKinds& kinds) {
  json paths = {"/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"};
  for (const ServedKinds::Group& group : kinds.groups()) {
    for (const std::string& version : group.versions) {
      if (!group.name.empty()) paths.push_back("/apis/" + group.name + "/" + version);
    }
  }
  return {{"paths", std::move(paths)}};
}

Failure no_such_path() {
  return failure(404, "the server could not find the requested resource: it was not part of this cluster then");
}

Failure read_only(const Asked& asked) {
  Failure no = failure(403, fmt::format("read-only: this is the cluster as it was at {}, revision {}; nothing can be "
                                        "changed in it",
                                        print_rfc3339(asked.cluster.time()), asked.cluster.revision()));
  no.group = asked.route.group;
  no.kind = asked.route.resource;
  no.name = asked.route.name;
  return no;
}

void send_discovery(const Asked& asked, bool core) {
  if (asked.form != Form::discovery) {
    return send_json(asked.reply, 200, core ? core_versions() : group_list(asked.cluster.kinds()));
  }
  const char* type = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const Status sent =
      asked.reply.send(200, {{"Content-Type", type}}, json_text(aggregated_discovery(asked.cluster.kinds(), core)));
  (void)sent;  // who does not listen needs no answer
}

void send_group(const Asked& asked) {
  const ServedKinds::Group* group = asked.cluster.kinds().group(asked.route.group);
  if (group == nullptr || group->name.empty()) return refuse(asked.reply, no_such_path());
  send_json(asked.reply, 200, group_document(*group));
}

// Requires: what every group and version has been asked for.
bool is_served(const Asked& asked) { return !asked.cluster.kinds().of(asked.route.group, asked.route.version).empty(); }

void send_resources(const Asked& asked) {
  if (!is_served(asked)) return refuse(asked.reply, no_such_path());
  send_json(asked.reply, 200, resource_list(asked.cluster.kinds(), asked.route.group, asked.route.version));
}

void send_openapi(const Asked& asked) {
  if (asked.route.version.empty()) return send_json(asked.reply, 200, openapi_index(asked.cluster.kinds()));
  if (!is_served(asked)) return refuse(asked.reply, no_such_path());
  send_json(asked.reply, 200, openapi_of(asked.cluster.kinds(), asked.route.group, asked.route.version));
}

void find_objects(const Asked& asked) {
  const Route& route = asked.route;
  const ServedKind* kind = asked.cluster.kinds().find(route.group, route.version, route.resource);
  if (kind == nullptr) return refuse(asked.reply, no_such_path());
  answer_objects(asked, *kind);
}

void answer_get(const Asked& asked, const std::string& version) {
  switch (asked.route.to) {
    case To::nothing: return refuse(asked.reply, no_such_path());
    case To::root: return send_json(asked.reply, 200, root_paths(asked.cluster.kinds()));
    case To::health: {
      const Status sent = asked.reply.send(200, {{"Content-Type", "text/plain; charset=utf-8"}}, "ok");
      (void)sent;
      return;
    }
    case To::version: return send_json(asked.reply, 200, version_of(version));
    case To::core: return send_discovery(asked, /*core=*/true);
    case To::groups: return send_discovery(asked, /*core=*/false);
    case To::group: return send_group(asked);
    case To::resources: return send_resources(asked);
    case To::openapi_v2: return send_json(asked.reply, 200, openapi_v2());
    case To::openapi_v3: return send_openapi(asked);
    case To::objects:
    case To::object: return find_objects(asked);
  }
}

}  // namespace

void send_json(Reply& reply, int code, const json& value, const ReplyHeaders& more) {
  ReplyHeaders headers{{"Content-Type", "application/json"}};
  headers.insert(headers.end(), more.begin(), more.end());
  const Status sent = reply.send(code, headers, json_text(value));
  (void)sent;  // who does not listen needs no answer
}

void refuse(Reply& reply, const Failure& failure) { send_json(reply, failure.code, status_of(failure)); }

void Api::answer(const Request& request, Reply& reply) const {
  Counters& counters = moments_.counters();
  const Ticks begin = options_.clock.ticks();
  counters.in_flight++;
  CountedReply counted(reply);
  if (takes_gzip(request.accept_encoding)) {
    ZippedReply zipped(counted);
    answer_plain(request, zipped);
  } else {
    answer_plain(request, counted);
  }
  const Verb verb = verb_of(request);
  const auto took = options_.clock.ticks() - begin;
  counters.requests.add(verb, counted.code(), took, counted.bytes());
  counters.in_flight--;
  log_debug("request", "verb={} path={} code={} ms={} bytes={}", kVerbNames[static_cast<std::size_t>(verb)],
            std::string_view(request.target).substr(0, kMostLogged), counted.code(),
            std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), counted.bytes());
}

void Api::answer_plain(const Request& request, Reply& reply) const {
  if (const auto stopped = gate_.stopped(request.host, request.authorization)) return refuse(reply, *stopped);
  const auto target = read_target(request.target);
  if (!target) return refuse(reply, failure_of(target.error()));
  const auto cluster = moments_.at(target->when);
  if (!cluster) {
    log_warning("moment not shown", "at={} reason={}", target->when, cluster.error().what);
    return refuse(reply, failure_of(cluster.error()));
  }
  const Route route = route_of(target->path);
  const Asked asked{.request = request,
                    .target = *target,
                    .route = route,
                    .form = read_accept(request.accept).value_or(Form::object),
                    .cluster = **cluster,
                    .clock = options_.clock,
                    .reply = reply};
  if (request.method == "POST" && answer_review(asked)) return;
  if (request.method != "GET") return refuse(reply, read_only(asked));
  if (!read_accept(request.accept)) {
    return refuse(reply, failure(406, "only application/json is spoken here"));
  }
  answer_get(asked, options_.version);
}

}  // namespace tidemark::serve
