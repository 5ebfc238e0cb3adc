#include "serve/moments.h"

#include <algorithm>

#include "restore/target.h"

namespace tidemark::serve {

std::shared_ptr<PastCluster> Moments::known(const std::string& when) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(known_, when, &Known::when);
  if (found == known_.end()) return nullptr;
  known_.splice(known_.begin(), known_, found);
  return known_.front().cluster;
}

Result<std::shared_ptr<PastCluster>> Moments::at(const std::string& when) {
  if (when.empty()) return own_;
  TM_LET(const restore::Target target, named("/at/", restore::parse_target(when, clock_.now())));
  if (auto cluster = known(when)) return cluster;
  const std::lock_guard lock(opening_);
  if (auto cluster = known(when)) return cluster;
  TM_LET(auto cluster, PastCluster::open(past_, target));
  const std::lock_guard list_lock(mutex_);
  known_.push_front({when, cluster});
  while (known_.size() > most_) known_.pop_back();
  return cluster;
}

}  // namespace tidemark::serve
