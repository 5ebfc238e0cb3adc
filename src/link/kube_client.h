// A living Kubernetes API server: what it serves, lists, watches and writes.
//
//   TM_LET(KubeAccess access, read_kube_config({.context = "prod"}, environment));
//   KubeClient client(std::move(access), {.agent = "tidemark/1.0"}, clock);
//   TM_LET(const KubeDiscovery all, client.discover());
//   TM_LET(const KubeListEnd end, client.list(kind, {}, [&](nlohmann::json& object) -> Status { ... }));
//
// Guarantees: the server's certificate is checked against the authority of the kubeconfig and no other, unless that
// says insecure-skip-tls-verify; a call ends within its time, its retries included (at the latest a quarter of it
// later, when a busy server asked for a pause), or by the stop token; what the server calls too much (429 and
// Retry-After) is asked again later, and all other calls of this client wait with it; nothing that could do harm twice
// is sent again unless the server said that it did nothing. HTTP/2 where the server has it. Memory: one page of a list,
// one event of a watch, one object else.
//
// Failures, besides those of net/http.h, are those of kube_refusal.h: each has the server's code, reason and words, and
// a hint where a person can act. After is_no_answer() a write may have been done or not; the hint says so.
// Threads: any; calls run side by side. Callbacks run on the caller's thread.
// Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "link/kube_config.h"
#include "net/retry.h"

namespace tidemark::link {

// One resource that the server serves, in the version of its group that the server prefers.
struct KubeKind {
  std::string group{}, version{}, resource{}, singular{},
      kind{};  // "apps", "v1", "deployments", "deployment", "Deployment"
  bool namespaced = false;
  std::vector<std::string> verbs{}, short_names{}, categories{};
  std::vector<std::string> subresources{};  // "status", "scale"
  std::vector<std::string> versions{};      // all in which it is served; empty: not known

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  // "configmaps", "deployments.apps"
  std::string full_name() const { return group.empty() ? resource : resource + "." + group; }
  bool can(std::string_view verb) const;
  bool has(std::string_view subresource) const;
};

struct KubeDiscovery {
  std::vector<KubeKind> kinds{};  // each once, by the server's order of groups
  std::vector<std::string>
      stale;  // "metrics.k8s.io/v1": registered, and nobody answers. What it serves is not in kinds

  // By full_name(), the resource or the kind; of several the first.
  const KubeKind* find(std::string_view name) const;
};

// Aggregated: two requests; when the server cannot (before 1.26), the classic form is asked for by itself: one request
// for each version of each group.
enum class DiscoveryForm { aggregated, classic };

// Where an object is. Of a kind without namespaces name_space is empty.
struct KubePlace {
  std::string name_space{}, name{};
  std::string subresource{};
};

struct KubeListOptions {
  std::string name_space{};        // empty: all
  std::string labels{}, fields{};  // selectors
  std::string resource_version{};  // exactly this moment; empty: the newest
  int page = 500;
  // The server forgets old moments after some minutes. With this a list that took longer begins again, up to twice and
  // with larger pages: it is called first, and means that all objects so far are void. Without, or after that:
  // Errc::compacted.
  std::function<void()> on_restart{};
};

struct KubeListEnd {
  std::string resource_version{};  // the one moment of all objects; a watch goes on from here
  std::uint64_t objects = 0;
};

struct KubeEvent {
  enum class Type { added, modified, deleted, bookmark };
  Type type = Type::bookmark;
  std::string resource_version{};  // from which to go on after it
};

struct KubeWatchOptions {
  std::string name_space{};
  std::string labels{}, fields{};
  std::string resource_version{};  // of a list, or of the last event
  // After so long the server ends a connection; the next goes on where it ended.
  std::chrono::seconds connection{300};
  // So long without a byte, bookmarks included, and the connection is given up for the next.
  std::chrono::nanoseconds silence = std::chrono::minutes(3);
};

enum class KubePatch { json, merge, strategic };  // strategic: Kubernetes' own kinds only

struct KubeWriteOptions {
  bool dry_run = false;  // admission and validation happen, nothing is stored
  bool force = false;    // apply(): takes over fields that others own
  bool strict = false;   // a field that the server does not know is refused (Errc::invalid) and not dropped
};

struct KubeRemoveOptions {
  std::string uid{}, resource_version{};   // only this very object, only as it was then: else Errc::conflict
  std::string propagation = "Background";  // Background, Foreground, Orphan
  std::optional<int> grace_seconds{};
  bool dry_run = false;
};

struct KubeClientOptions {
  std::string agent = "tidemark";
  std::string field_manager = "tidemark";
  std::chrono::nanoseconds call_within = std::chrono::seconds(60);  // one call, or one page of a list, with its retries
  std::chrono::nanoseconds connect_within = std::chrono::seconds(10);
  net::RetryPolicy retry{};
  std::size_t most_page_bytes = 64UL << 20U;  // of a page that is larger, half is asked for
  std::uint64_t seed = 0;                     // of the jitter
};

struct KubeTraffic {
  std::uint64_t requests = 0, retries = 0, throttled = 0, received_bytes = 0;
};

// A command in a container of a pod that runs: what `kubectl exec` does, without a terminal.
struct KubePodCommand {
  std::string name_space{}, pod{};
  std::string container{};             // empty: the one that the pod names as its default, or its first
  std::vector<std::string> command{};  // a program and its arguments; no shell reads them
  std::optional<Bytes> input{};        // its standard input, all of it; none: it has none
  // All of it. When it is over the connection ends; whether the command ends by that is the container runtime's matter.
  std::chrono::nanoseconds within = std::chrono::minutes(5);
};

struct KubePodOutput {
  std::function<Status(Bytes)> out{}, err{};  // as it comes, in pieces; a failure ends the call. Empty: thrown away
};

class KubeWire;

class KubeClient {
 public:
  using OnObject = std::function<Status(nlohmann::json& object)>;  // may be moved from; a failure ends the call
  using OnEvent = std::function<Status(const KubeEvent& event, nlohmann::json& object)>;

  // Connects by the first call.
  explicit KubeClient(KubeAccess access, const KubeClientOptions& options = {}, const Clock& clock = system_clock());
  KubeClient(KubeClient&&) noexcept;
  KubeClient& operator=(KubeClient&&) noexcept;
  ~KubeClient();

  const KubeAccess& access() const;
  KubeTraffic traffic() const;

  // "v1.36.2"
  Result<std::string> version(const std::stop_token& stop = {});
  Result<KubeDiscovery> discover(const std::stop_token& stop = {}, DiscoveryForm form = DiscoveryForm::aggregated);

  Result<nlohmann::json> get(const KubeKind& kind, const KubePlace& place, const std::stop_token& stop = {});
  // All of a kind, page by page, all as of one moment, each once; apiVersion and kind are filled in. A page is handed
  // out when all of it is here.
  Result<KubeListEnd> list(const KubeKind& kind, const KubeListOptions& options, const OnObject& on_object,
                           const std::stop_token& stop = {});
  // What happens after a moment, each change once and in order, over as many connections as it takes. A bookmark has no
  // object (null). Returns only by a failure: cancelled; Errc::compacted: the server has forgotten what follows that
  // moment, so list again; no connection to be had; or what on_event returned.
  Status watch(const KubeKind& kind, const KubeWatchOptions& options, const OnEvent& on_event,
               const std::stop_token& stop);

  // Each returns the object as the server has it now.
  Result<nlohmann::json> create(const KubeKind& kind, const KubePlace& place, const nlohmann::json& object,
                                const KubeWriteOptions& options = {}, const std::stop_token& stop = {});
  // With the object's metadata.resourceVersion only that very state is replaced: else Errc::conflict.
  Result<nlohmann::json> put(const KubeKind& kind, const KubePlace& place, const nlohmann::json& object,
                             const KubeWriteOptions& options = {}, const std::stop_token& stop = {});
  Result<nlohmann::json> patch(const KubeKind& kind, const KubePlace& place, KubePatch how, const nlohmann::json& patch,
                               const KubeWriteOptions& options = {}, const std::stop_token& stop = {});
  // Server-side apply: creates what is missing. Errc::conflict names the fields that others own.
  // Requires: no metadata.managedFields.
  Result<nlohmann::json> apply(const KubeKind& kind, const KubePlace& place, const nlohmann::json& object,
                               const KubeWriteOptions& options = {}, const std::stop_token& stop = {});
  // The object as it was, or goes (finalizers), or the server's Status.
  Result<nlohmann::json> remove(const KubeKind& kind, const KubePlace& place, const KubeRemoveOptions& options = {},
                                const std::stop_token& stop = {});

  // Returns the command's exit status, whatever it is, once it has ended. Over WebSocket: v5.channel.k8s.io, or v4
  // where the server is older (before 1.30). The command is started at most once: when the connection fails later,
  // nobody knows how far it came, and the hint says so. Errc::not_found: no such pod; Errc::invalid: the pod does not
  // run, or has no such container or program; Errc::unsupported: input to a server of v4, which cannot tell the command
  // where its input ends.
  Result<int> exec(const KubePodCommand& command, const KubePodOutput& output, const std::stop_token& stop = {});

 private:
  std::unique_ptr<KubeWire> wire_;
};

}  // namespace tidemark::link
