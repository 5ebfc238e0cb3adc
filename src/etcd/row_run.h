// The shape of a run of rows, each for itself and in their order, checked while somebody else walks or writes them;
// runs that were checked by different threads are joined. The rules are those of check_rows() with RowRules::shape.
//
// Where rows are missing is remembered rather than refused: a compaction, known at the end, may be the reason.
#pragma once

#include <optional>
#include <string>

#include "bolt/page.h"
#include "etcd/row.h"

namespace tidemark::etcd {

// Threads: one at a time.
class RowRun {
 public:
  // The next row, above those before. Errc::corrupt: "row 300/2: why".
  Status add(const bolt::Element& row);
  // The rows of a run that begins above the end of this one.
  Status join(const RowRun& above);
  // Is it all that a store compacted at `compacted` (-1: never) has? Errc::corrupt says what is missing.
  Status whole(Revision compacted) const;
  std::uint64_t rows() const { return rows_; }

 private:
  Status follow(const RowId& at);
  void excuse(Revision by, const RowId& at, std::string_view what);

  std::optional<RowId> first_, last_;
  std::uint64_t rows_ = 0;
  Revision excused_by_;  // whole only for a store compacted at or above
  std::string missing_;  // why
};

}  // namespace tidemark::etcd
