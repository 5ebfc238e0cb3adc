#include "live/taken_addresses.h"

#include <map>
#include <nlohmann/json.hpp>

#include "live/object_facts.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

void add_port(const json& object, const char* member, std::set<std::string>& all) {
  const auto found = object.find(member);
  if (found != object.end() && found->is_number_integer()) all.insert("node port " + found->dump());
}

bool is_for_address(const StepFailure& failure) {
  return failure.step->kind.full_name() == "services" &&
         failure.error.what.find("is already allocated") != std::string::npos;
}

}  // namespace

std::set<std::string> addresses_of(const json& service) {
  std::set<std::string> all;
  for (const json& address : list_at(service, "/spec/clusterIPs")) {
    if (address.is_string() && address != "None") all.insert(address.get<std::string>());
  }
  for (const json& port : list_at(service, "/spec/ports")) {
    if (port.is_object()) add_port(port, "nodePort", all);
  }
  if (const json* spec = reach(service, "/spec"); spec != nullptr && spec->is_object()) {
    add_port(*spec, "healthCheckNodePort", all);
  }
  return all;
}

std::vector<TakenAddress> taken_addresses(link::KubeClient& client, const std::vector<StepFailure>& failures,
                                          const std::stop_token& stop) {
  std::map<std::string, std::string> wanted_by;
  const link::KubeKind* services = nullptr;
  for (const StepFailure& one : failures) {
    if (!is_for_address(one)) continue;
    services = &one.step->kind;
    for (const std::string& address : addresses_of(one.step->body)) wanted_by.emplace(address, one.step->id());
  }
  std::vector<TakenAddress> taken;
  if (services == nullptr) return taken;
  // Who may not list them is told the server's words alone.
  (void)client.list(
      *services, {},
      [&](json& object) -> Status {
        const std::string holder = object_id(*services, object);
        for (const std::string& address : addresses_of(object)) {
          const auto found = wanted_by.find(address);
          if (found != wanted_by.end() && found->second != holder) taken.push_back({address, found->second, holder});
        }
        return {};
      },
      stop);
  return taken;
}

std::string way_around(const TakenAddress& taken) {
  return fmt::format("{} has {}, which {} had: remove it, or make it again without that address", taken.holder,
                     taken.address, taken.wanted_by);
}

}  // namespace tidemark::live
