#include "restore/leases.h"

#include <algorithm>
#include <map>

namespace tidemark::restore {

LeasePlan plan_leases(const std::vector<etcd::LeaseState>& base, const std::set<std::int64_t>& referenced,
                      const std::vector<LeaseSample>& samples_best_first, std::int64_t default_ttl_s) {
  LeasePlan plan;
  std::map<std::int64_t, etcd::LeaseState> all;
  for (const etcd::LeaseState& lease : base) all[lease.id.raw()] = lease;
  plan.from_base = all.size();
  for (const std::int64_t id : referenced) {
    if (all.contains(id)) continue;
    etcd::LeaseState lease{.id = LeaseId(id), .granted_ttl_s = 0, .remaining_ttl_s = 0};
    for (const LeaseSample& sample : samples_best_first) {
      const auto known = std::find_if(sample.leases.begin(), sample.leases.end(), [&](const etcd::LeaseState& s) {
        return s.id == lease.id && s.granted_ttl_s > 0;
      });
      if (known == sample.leases.end()) continue;
      lease.granted_ttl_s = known->granted_ttl_s;
      break;
    }
    if (lease.granted_ttl_s > 0) {
      ++plan.from_samples;
    } else {
      lease.granted_ttl_s = default_ttl_s;
      ++plan.by_default;
    }
    all[id] = lease;
  }
  for (const auto& [id, lease] : all) plan.leases.push_back(lease);
  return plan;
}

}  // namespace tidemark::restore
