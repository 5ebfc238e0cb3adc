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

  // Spools and opens the base of the plan, unless it is open already; the digest of a plain file is computed while the
  // work goes on, and verify() waits for it (with `prove` this call does). False: it cannot be used, or is of another
  // revision than its name says; `facts` has learned it.
  Result<bool> open_base(const Plan& plan, Facts& facts, bool prove = false);
  // Base and deltas into places.new_member(). False: learned something, plan again.
  Result<bool> write(const Plan& plan, const etcd::NewCluster& cluster, MemberId self, Facts& facts, Restored& done);
  // Base and result proven: the digest of the base; rows, log, small buckets and membership of what write() wrote.
  // Rows are judged as they were read back while their pages were written (see bolt/page_proof.h), the rest from the
  // files. False: the base is not what it seemed; facts have learned it. Errc::corrupt: the result is not what it
  // should be.
  Result<bool> verify(const Plan& plan, Facts& facts, const Restored& done);

 private:
  Result<bool> write_all(const Plan& plan, const etcd::NewCluster& cluster, MemberId self, Facts& facts,
                         Restored& done);
  Result<bool> learn_base(Facts& facts, const Error& why);
  Status check_key_bucket(const bolt::Reader& database, const Restored& done) const;
  Status check_space(const Plan& plan) const;
  Result<bool> replay_rows(const Plan& plan, bolt::BulkWriter& to, Facts& facts, Replayed& rows);
  LeasePlan leases_at(const Plan& plan, const std::set<std::int64_t>& referenced);
  std::optional<Revision> compacted_at(const Plan& plan) const;
  Status compare_samples(const Plan& plan, const bolt::Reader& database) const;

  const EtcdRestore& wish_;
  Origin& from_;
  Audience& audience_;
  Places places_;
  std::stop_token stop_;
  std::unique_ptr<BaseImage> base_;
  std::string base_key_;
  etcd::RowRun run_;  // of the rows written last
  std::optional<Revision> compacted_;
};

}  // namespace tidemark::restore
