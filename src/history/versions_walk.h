// What Versions keeps while it tells. Only for versions.cc and versions_by_index.cc.
#pragma once

#include <algorithm>

#include "history/versions.h"

namespace tidemark::history {

// Which keys are asked for, which of them there are, and who is told.
class Versions::Walk {
 public:
  Walk(const Asked& asked, VersionListener& listener, Revision since)
      : asked_(asked), listener_(listener), since_(since) {}

  const Asked& asked() const { return asked_; }
  bool wants(std::string_view key) const { return asked_.names(key); }
  Status tell(std::string_view key, Revision mod, const Row* row, const When& when) {
    return tell(key, RevisionSpan{mod, mod}, row, when);
  }
  Status tell(std::string_view key, RevisionSpan written, const Row* row, const When& when) {
    if (row != nullptr) {
      there_.emplace(key);
    } else if (const auto gone = there_.find(key); gone != there_.end()) {
      there_.erase(gone);
    }
    return listener_.version({.key = key,
                              .written = written,
                              .row = row,
                              .when = when,
                              .shown_at = row == nullptr ? written.first.prev() : std::max(written.last, readable_from),
                              .before_since = written.last <= since_});
  }
  Status lost(RevisionSpan span, std::string_view reason) {
    if (span.last <= since_) return {};
    return listener_.lost({std::max(span.first, since_.next()), span.last}, reason);
  }
  const std::set<std::string, std::less<>>& there() const { return there_; }
  Revision readable_from;  // of the full that is being told: what was before it is compacted there

 private:
  const Asked& asked_;
  VersionListener& listener_;
  const Revision since_;
  std::set<std::string, std::less<>> there_;
};

// A full that is being told.
struct Versions::Base {
  const catalog::Point& point;
  Revision last;  // up to here
  When when;
  etcd::RowId told;    // and so far it has been
  bool begun = false;  // its listener has heard of it
  bool listener_failed = false;
  std::set<std::string, std::less<>> there = {};  // what there is at the end of it
};

}  // namespace tidemark::history
