// What must hold of one row, and of one row behind another: the rules of doc/format/etcd.md, "What must hold", in one
// place for the checks that collect findings and for those that stop at the first.
#pragma once

#include <algorithm>
#include <optional>

#include "etcd/row.h"

namespace tidemark::etcd {

// `found(format, args...)` is called for each rule that is broken.
template <class Found>
void check_put(const RowId& at, const KeyValue& kv, Found&& found) {
  if (kv.mod != at.main) found("says it is of revision {}", kv.mod);
  if (kv.create < Revision(1) || kv.create > kv.mod) found("created at {}, after {}", kv.create, kv.mod);
  if (kv.version < 1) found("version {}", kv.version);
  if ((kv.version == 1) != (kv.create == kv.mod)) found("version {} of a key created at {}", kv.version, kv.create);
}

inline bool is_bare_deletion(const KeyValue& kv) {
  return kv.create == Revision{} && kv.mod == Revision{} && kv.version == 0 && kv.value.empty() &&
         kv.lease == LeaseId{};
}

// Between two rows that follow each other nothing is missing if the store was compacted at that revision or later:
// every revision leaves at least one row, and its rows are committed together. 0: nothing is missing at all.
inline Revision excused_by(const std::optional<RowId>& previous, const RowId& at) {
  if (previous && at.main == previous->main) return at.sub == previous->sub + 1 ? Revision(0) : at.main;
  if (at.sub != 0) return at.main;
  const Revision before = std::max(previous ? previous->main : Revision{}, Revision(1));
  return at.main > before.next() ? at.main.prev() : Revision(0);
}

}  // namespace tidemark::etcd
