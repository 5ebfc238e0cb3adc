#include "serve/moments.h"

#include <algorithm>

#include "history/when.h"

namespace tidemark::serve {

std::shared_ptr<PastCluster> Moments::known(const std::string& when) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(known_, when, &Known::when);
  if (found == known_.end()) return nullptr;
  known_.splice(known_.begin(), known_, found);
  return known_.front().cluster;
}

Result<restore::Target> Moments::target_of(const std::string& when) {
  if (!history::asks_history(when)) return restore::parse_target(when, clock_.now());
  TM_LET(const io::TempDir scratch, io::TempDir::create(past_.options.scratch));
  history::MomentOptions options = past_.options;
  options.scratch = scratch.path();
  // No keys: they open values one at a time, and here only definitions would need one.
  const history::WhenScope scope{.any_namespace = true, .etcd_prefix = past_.etcd_prefix};
  const std::lock_guard lock(past_.reading);
  return named("/at/", history::resolve_when(when, clock_.now(), past_.origin, scope, options));
}

Result<std::shared_ptr<PastCluster>> Moments::at(const std::string& when) {
  if (when.empty()) return own_;
  TM_CHECK(named("/at/", history::check_when(when, clock_.now())));
  if (auto cluster = known(when)) return cluster;
  const std::lock_guard lock(opening_);
  if (auto cluster = known(when)) return cluster;
  TM_LET(const restore::Target target, target_of(when));
  TM_LET(auto cluster, PastCluster::open(past_, target));
  const std::lock_guard list_lock(mutex_);
  known_.push_front({when, cluster});
  while (known_.size() > most_) known_.pop_back();
  return cluster;
}

}  // namespace tidemark::serve
