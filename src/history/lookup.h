// The newest version of each key that is asked for, over the blocks of a plan, and then their rows.
//
// The deltas in the order of the plan, then the base: a key is settled by the newest that has it. Threads: one.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "history/asked.h"
#include "history/index.h"
#include "history/row_spool.h"
#include "restore/plan.h"

namespace tidemark::history {

class Lookup {
 public:
  // Requires: all of them outlive it.
  Lookup(Index& index, const Asked& asked) : index_(index), asked_(asked) {}

  // Errors as Index::with()'s. Requires: the step and the point outlive this.
  Status add_delta(const restore::Step& step);
  Status add_base(const catalog::Point& base, Revision reach);

  // Of the newest delta: what it holds, and when the last of what was taken was received.
  RevisionSpan held() const { return held_; }
  std::optional<Time> last_change() const { return last_change_; }

  // The rows, those that `keep` does not want without their values. Errors as Index::read()'s and the spool's. Once:
  // what is read is forgotten here.
  Status read(const std::function<bool(std::string_view key, Revision mod)>& keep, RowSpool& into, std::string& bad);

 private:
  struct Settled {
    const catalog::Point* point = nullptr;
    StoredVersion version;  // a tombstone: the key is gone
  };
  using Settle = std::function<void(std::string_view key, std::span<const StoredVersion> versions)>;
  Status look(const catalog::Point& point, const Block& block, const Settle& settle) const;

  using AllSettled = std::map<std::string, Settled, std::less<>>;
  Status read_some(std::span<const AllSettled::iterator> some, RowSpool& into, std::string& bad);

  Index& index_;
  const Asked& asked_;
  AllSettled settled_;
  RevisionSpan held_;
  std::optional<Time> last_change_;
};

}  // namespace tidemark::history
