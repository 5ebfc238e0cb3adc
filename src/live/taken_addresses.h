// Addresses and node ports of Services: who has now what another is to get back.
//
// A server that refuses a Service for that says the address and not whose it is. Threads: one at a time. Source:
// k8s.io/kubernetes pkg/registry/core/service (ipallocator, portallocator: ErrAllocated).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "live/execute.h"

namespace tidemark::live {

// What only one Service of a cluster can have: "10.96.0.10", "node port 30080".
std::set<std::string> addresses_of(const nlohmann::json& service);

struct TakenAddress {
  std::string address{};              // as above
  std::string wanted_by{}, holder{};  // "services shop/web"
};

// Those that failures tell of and a Service has. Changes nothing; empty when we may not list Services.
std::vector<TakenAddress> taken_addresses(link::KubeClient& client, const std::vector<StepFailure>& failures,
                                          const std::stop_token& stop = {});

// What to do about it, a sentence.
std::string way_around(const TakenAddress& taken);

}  // namespace tidemark::live
