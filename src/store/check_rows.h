// Rows of `store check` that every service has. Private to store/.
#pragma once

#include <string_view>

#include "net/caller.h"
#include "store/check.h"

namespace tidemark::store {

// `refused_at`: by how much the clocks may differ, in words ("15 minutes").
Finding clock_finding(const net::Answer& answer, const Clock& clock, std::string_view refused_at);
// `endpoint`: with its scheme; empty: the service's own.
Finding transport_finding(std::string_view endpoint);

}  // namespace tidemark::store
