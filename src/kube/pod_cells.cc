#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "kube/cells.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

// What is told of all containers of a pod together.
struct Tally {
  std::string status;
  std::int64_t ready = 0, all = 0;
  std::int64_t restarts = 0;
  std::string last_restart;  // RFC 3339; empty: none is known
};

void note_restart(const json& status, std::string& last) {
  const std::string at = text_at(status, "/lastState/terminated/finishedAt");
  last = std::max(last, at);  // of one form, in UTC: the text's order is the time's
}

std::string ended(const json& terminated) {
  const std::int64_t signal = whole_at(terminated, "/signal");
  if (signal != 0) return fmt::format("Signal:{}", signal);
  return fmt::format("ExitCode:{}", whole_at(terminated, "/exitCode"));
}

bool has_condition(const json& pod, const char* type) {
  return std::ranges::any_of(list_at(pod, "/status/conditions"), [&](const json& condition) {
    return text_at(condition, "/type") == type && text_at(condition, "/status") == "True";
  });
}

bool is_gated(const json& pod) {
  return std::ranges::any_of(list_at(pod, "/status/conditions"), [](const json& condition) {
    return text_at(condition, "/type") == "PodScheduled" && text_at(condition, "/reason") == "SchedulingGated";
  });
}

// An init container that keeps running beside the others.
bool is_sidecar(const json& pod, const std::string& name) {
  return std::ranges::any_of(list_at(pod, "/spec/initContainers"), [&](const json& container) {
    return text_at(container, "/name") == name && text_at(container, "/restartPolicy") == "Always";
  });
}

// Why this init container keeps the pod from starting; empty: it does not.
std::string init_reason(const json& status, std::size_t number, std::size_t all, bool sidecar) {
  const json& state = object_at(status, "/state");
  const json& terminated = object_at(state, "/terminated");
  if (state.contains("terminated") && whole_at(terminated, "/exitCode") == 0) return {};
  if (sidecar && is_true_at(status, "/started")) return {};
  if (state.contains("terminated")) {
    const std::string reason = text_at(terminated, "/reason");
    return "Init:" + (reason.empty() ? ended(terminated) : reason);
  }
  const std::string waiting = text_at(state, "/waiting/reason");
  if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + waiting;
  return fmt::format("Init:{}/{}", number, all);
}

// True: an init container holds the pod up.
bool tally_init(const json& pod, Tally& tally, std::int64_t& sidecar_restarts, std::string& sidecar_last) {
  const std::size_t all = list_at(pod, "/spec/initContainers").size();
  std::size_t number = 0;
  for (const json& status : list_at(pod, "/status/initContainerStatuses")) {
    const bool sidecar = is_sidecar(pod, text_at(status, "/name"));
    tally.restarts += whole_at(status, "/restartCount");
    note_restart(status, tally.last_restart);
    if (sidecar) {
      sidecar_restarts += whole_at(status, "/restartCount");
      note_restart(status, sidecar_last);
    }
    std::string reason = init_reason(status, number++, all, sidecar);
    if (reason.empty()) {
      if (sidecar && is_true_at(status, "/ready")) tally.ready++;
      continue;
    }
    tally.status = std::move(reason);
    return true;
  }
  return false;
}

void tally_containers(const json& pod, Tally& tally) {
  bool running = false;
  const json& statuses = list_at(pod, "/status/containerStatuses");
  for (auto status = statuses.rbegin(); status != statuses.rend(); ++status) {
    tally.restarts += whole_at(*status, "/restartCount");
    note_restart(*status, tally.last_restart);
    const json& state = object_at(*status, "/state");
    const std::string waiting = text_at(state, "/waiting/reason");
    if (!waiting.empty()) {
      tally.status = waiting;
    } else if (state.contains("terminated")) {
      const std::string reason = text_at(state, "/terminated/reason");
      tally.status = reason.empty() ? ended(object_at(state, "/terminated")) : reason;
    } else if (is_true_at(*status, "/ready") && state.contains("running")) {
      running = true;
      tally.ready++;
    }
  }
  if (tally.status == "Completed" && running) tally.status = has_condition(pod, "Ready") ? "Running" : "NotReady";
}

Tally tally_of(const json& pod) {
  Tally tally;
  tally.status = text_at(pod, "/status/phase");
  const std::string reason = text_at(pod, "/status/reason");
  if (!reason.empty()) tally.status = reason;
  if (is_gated(pod)) tally.status = "SchedulingGated";
  tally.all = static_cast<std::int64_t>(list_at(pod, "/spec/containers").size());
  for (const json& container : list_at(pod, "/spec/initContainers")) {
    if (text_at(container, "/restartPolicy") == "Always") tally.all++;
  }
  std::int64_t sidecar_restarts = 0;
  std::string sidecar_last;
  if (!tally_init(pod, tally, sidecar_restarts, sidecar_last) || has_condition(pod, "Initialized")) {
    tally.restarts = sidecar_restarts;
    tally.last_restart = sidecar_last;
    tally_containers(pod, tally);
  }
  const std::string phase = text_at(pod, "/status/phase");
  if (!text_at(pod, "/metadata/deletionTimestamp").empty()) {
    if (reason == "NodeLost") {
      tally.status = "Unknown";
    } else if (phase != "Succeeded" && phase != "Failed") {
      tally.status = "Terminating";
    }
  }
  return tally;
}

std::string readiness_gates(const json& pod) {
  const json& gates = list_at(pod, "/spec/readinessGates");
  if (gates.empty()) return "<none>";
  const auto open = std::ranges::count_if(
      gates, [&](const json& gate) { return has_condition(pod, text_at(gate, "/conditionType").c_str()); });
  return fmt::format("{}/{}", open, gates.size());
}

}  // namespace

std::vector<std::string> pod_cells(const json& pod, Time now) {
  const Tally tally = tally_of(pod);
  std::string restarts = std::to_string(tally.restarts);
  if (tally.restarts != 0 && !tally.last_restart.empty()) {
    restarts += fmt::format(" ({} ago)", age_of_text(tally.last_restart, now));
  }
  const auto or_none = [](const std::string& text) { return text.empty() ? std::string("<none>") : text; };
  const json& ips = list_at(pod, "/status/podIPs");
  return {text_at(pod, "/metadata/name"),
          fmt::format("{}/{}", tally.ready, tally.all),
          tally.status,
          restarts,
          age_at(pod, "/metadata/creationTimestamp", now),
          or_none(ips.empty() ? text_at(pod, "/status/podIP") : text_at(ips.front(), "/ip")),
          or_none(text_at(pod, "/spec/nodeName")),
          or_none(text_at(pod, "/status/nominatedNodeName")),
          readiness_gates(pod)};
}

}  // namespace tidemark::kube
