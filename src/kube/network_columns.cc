// Tables of what leads to pods. Source: as kube/kind_columns.h.
#include <fmt/ranges.h>

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "kube/cells.h"
#include "kube/kind_columns.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;
using Cells = std::vector<std::string>;

// So many stand in a cell; the rest is counted.
constexpr std::size_t kMostInCell = 3;

std::string first_of(const std::vector<std::string>& all, const char* none) {
  if (all.empty()) return none;
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), kMostInCell); i++) text += (i == 0 ? "" : ",") + all[i];
  if (all.size() > kMostInCell) text += fmt::format(" + {} more...", all.size() - kMostInCell);
  return text;
}

Cells endpoints(const json& o, Time now) {
  std::vector<std::string> all;
  for (const json& subset : list_at(o, "/subsets")) {
    const json& addresses = list_at(subset, "/addresses");
    const json& ports = list_at(subset, "/ports");
    if (ports.empty()) {
      for (const json& address : addresses) all.push_back(text_at(address, "/ip"));
    }
    for (const json& port : ports) {
      for (const json& address : addresses) {
        const std::string ip = text_at(address, "/ip");
        all.push_back(
            fmt::format("{}:{}", ip.find(':') == std::string::npos ? ip : "[" + ip + "]", whole_at(port, "/port")));
      }
    }
  }
  return {name_of(o), first_of(all, list_at(o, "/subsets").empty() ? "<none>" : ""), age_of(o, now)};
}

Cells endpoint_slice(const json& o, Time now) {
  std::vector<std::string> ports, addresses;
  for (const json& port : list_at(o, "/ports")) {
    const std::string name = text_at(port, "/name");
    const bool numbered = port.is_object() && port.contains("port") && port["port"].is_number_integer();
    ports.push_back(numbered ? number_at(port, "/port") : name.empty() ? "*" : name);
  }
  for (const json& endpoint : list_at(o, "/endpoints")) {
    for (const json& address : list_at(endpoint, "/addresses")) addresses.push_back(text_or_dump(address));
  }
  return {name_of(o), text_at(o, "/addressType"), first_of(ports, "<unset>"), first_of(addresses, "<unset>"),
          age_of(o, now)};
}

// What can be reached from outside: sorted, each once.
std::string ingress_addresses(const json& o) {
  std::set<std::string> all;
  for (const json& ingress : list_at(o, "/status/loadBalancer/ingress")) {
    const std::string ip = text_at(ingress, "/ip"), host = text_at(ingress, "/hostname");
    if (!ip.empty() || !host.empty()) all.insert(ip.empty() ? host : ip);
  }
  return fmt::format("{}", fmt::join(all, ","));
}

std::string ingress_hosts(const json& o) {
  const json& rules = list_at(o, "/spec/rules");
  std::vector<std::string> hosts;
  bool more = false;
  for (const json& rule : rules) {
    more = more || hosts.size() == kMostInCell;
    if (const std::string host = text_at(rule, "/host"); !more && !host.empty()) hosts.push_back(host);
  }
  std::string text = hosts.empty() ? "*" : fmt::format("{}", fmt::join(hosts, ","));
  if (more) text += fmt::format(" + {} more...", rules.size() - kMostInCell);
  return text;
}

Cells ingress(const json& o, Time now) {
  const bool classed = o.contains(json::json_pointer("/spec/ingressClassName"));
  return {name_of(o),           classed ? text_at(o, "/spec/ingressClassName") : "<none>", ingress_hosts(o),
          ingress_addresses(o), list_at(o, "/spec/tls").empty() ? "80" : "80, 443",        age_of(o, now)};
}

Cells ingress_class(const json& o, Time now) {
  const json& parameters = object_at(o, "/spec/parameters");
  std::string text = text_at(parameters, "/kind");
  if (parameters.contains("apiGroup")) text += "." + text_at(parameters, "/apiGroup");
  text += "/" + text_at(parameters, "/name");
  return {default_name_of(o, {"ingressclass.kubernetes.io/is-default-class"}), text_at(o, "/spec/controller"),
          parameters.empty() ? "<none>" : text, age_of(o, now)};
}

Cells network_policy(const json& o, Time now) {
  return {name_of(o), or_none(labels_text(object_at(o, "/spec/podSelector"))), age_of(o, now)};
}

Cells service_range(const json& o, Time now) {
  std::string ranges;
  for (const json& range : list_at(o, "/spec/cidrs")) ranges += (ranges.empty() ? "" : ",") + text_or_dump(range);
  return {name_of(o), ranges, age_of(o, now)};
}

Cells ip_address(const json& o, Time) {
  const json& parent = object_at(o, "/spec/parentRef");
  const std::string group = text_at(parent, "/group"), ns = text_at(parent, "/namespace");
  std::string text = lower_case(text_at(parent, "/resource") + (group.empty() ? "" : "." + group));
  if (!ns.empty()) text += "/" + ns;
  return {name_of(o), parent.empty() ? "<none>" : text + "/" + text_at(parent, "/name")};
}

constexpr std::string_view kNetworkGroup = "networking.k8s.io";
constexpr KindColumns kOfNetworks[] = {
    {"Endpoints", "", "NAME ENDPOINTS AGE", endpoints},
    {"EndpointSlice", "discovery.k8s.io", "NAME ADDRESSTYPE PORTS ENDPOINTS AGE", endpoint_slice},
    {"Ingress", kNetworkGroup, "NAME CLASS HOSTS ADDRESS PORTS AGE", ingress},
    {"IngressClass", kNetworkGroup, "NAME CONTROLLER PARAMETERS AGE", ingress_class},
    {"NetworkPolicy", kNetworkGroup, "NAME POD-SELECTOR AGE", network_policy},
    {"ServiceCIDR", kNetworkGroup, "NAME CIDRS AGE", service_range},
    {"IPAddress", kNetworkGroup, "NAME PARENTREF", ip_address},
};

}  // namespace

std::span<const KindColumns> network_columns() { return kOfNetworks; }

}  // namespace tidemark::kube
