// The member directory of a restore, from approved plan to proven bytes, in D/.tidemark-partial.
#pragma once

#include <memory>

#include "restore/base_image.h"
#include "restore/etcd.h"
#include "restore/swap.h"

namespace tidemark::restore {

class Builder {
 public:
  Builder(const EtcdRestore& wish, Origin& from, Audience& audience, Places places, std::stop_token stop)
      : wish_(wish), from_(from), audience_(audience), places_(std::move(places)), stop_(std::move(stop)) {}

  // Spools and opens the base of the plan, unless it is open already. False: it cannot be used, or is of another
  // revision than its name says; `facts` has learned it.
  Result<bool> open_base(const Plan& plan, Facts& facts);
  // Base and deltas into places.new_member(). False: learned something, plan again.
  Result<bool> write(const Plan& plan, const etcd::NewCluster& cluster, MemberId self, Facts& facts, Restored& done);
  // Reads back what write() wrote. Errc::corrupt: it is not what it should be.
  Status verify(const Plan& plan, const Restored& done);

 private:
  Status check_space(const Plan& plan) const;
  Result<bool> replay_rows(const Plan& plan, bolt::BulkWriter& to, Facts& facts, Replayed& rows);
  LeasePlan leases_at(const Plan& plan, const std::set<std::int64_t>& referenced);
  std::optional<Revision> compacted_at(const Plan& plan) const;

  const EtcdRestore& wish_;
  Origin& from_;
  Audience& audience_;
  Places places_;
  std::stop_token stop_;
  std::unique_ptr<BaseImage> base_;
  std::string base_key_;
};

}  // namespace tidemark::restore
