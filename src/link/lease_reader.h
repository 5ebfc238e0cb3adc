// All leases with their times: one LeaseTimeToLive per lease, many under way at once. Only link/'s own files include
// this.
#pragma once

#include <optional>
#include <vector>

#include "etcd/member.h"
#include "link/session.h"

namespace tidemark::link {

// Fills `leases`, by ascending id. A lease that expired meanwhile is left out; one whose times may not be asked for
// has 0 as granted_ttl_s.
std::optional<Fault> read_leases(const Attempt& attempt, std::vector<etcd::LeaseState>& leases);

}  // namespace tidemark::link
