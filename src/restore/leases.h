// Which leases a restored store gets, and with which time to live.
//
// Deltas carry lease ids but neither grants nor TTLs. So: every lease of the base, and every id that restored rows
// refer to; a TTL that is not in the base comes from the nearest sample, else it is the default. A key whose lease is
// missing would never expire; a lease without keys is harmless and expires.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/ids.h"
#include "etcd/member.h"

namespace tidemark::restore {

// What etcd said of its leases at about a revision.
struct LeaseSample {
  Revision at;
  std::vector<etcd::LeaseState> leases;
};

struct LeasePlan {
  std::vector<etcd::LeaseState> leases;  // ascending by id
  std::size_t from_base = 0, from_samples = 0, by_default = 0;
};

inline constexpr std::int64_t kDefaultLeaseTtlS = 3600;  // what Kubernetes gives its events

LeasePlan plan_leases(const std::vector<etcd::LeaseState>& base, const std::set<std::int64_t>& referenced,
                      const std::vector<LeaseSample>& samples_best_first,
                      std::int64_t default_ttl_s = kDefaultLeaseTtlS);

}  // namespace tidemark::restore
