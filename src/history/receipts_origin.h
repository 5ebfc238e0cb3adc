// An origin whose deltas say nothing but when their revisions were received: for questions of time, which need not read
// deltas that are indexed.
#pragma once

#include "history/index.h"
#include "restore/origin.h"

namespace tidemark::history {

class ReceiptsOrigin final : public restore::Origin {
 public:
  // Requires: both outlive it.
  ReceiptsOrigin(restore::Origin& from, Index& index) : from_(from), index_(index) {}
  Result<catalog::Timeline> timeline() override { return from_.timeline(); }
  // A delta with one event for each receipt of its block, of a key of no meaning; other objects, and bad ones, as they
  // are.
  // Errors as Index::with()'s.
  Result<std::unique_ptr<io::Source>> body(const catalog::Point& point) override;
  std::string url() const override { return from_.url(); }

 private:
  restore::Origin& from_;
  Index& index_;
};

}  // namespace tidemark::history
