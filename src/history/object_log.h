// What became of Kubernetes objects: each version with what it was before, and who wrote it.
//
//   TM_LET(auto versions, Versions::open(origin, span, options));
//   TM_LET(ObjectLog log, ObjectLog::make(*versions, wish));
//   TM_CHECK(log.for_each(listener));
//
// Memory: the newest state of each object that was asked for, and what Versions needs. Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "history/versions.h"
#include "history/wanted.h"
#include "kube/changes.h"

namespace tidemark::history {

struct LogEntry {
  enum class Operation : std::uint8_t { created, updated, deleted };
  const kube::Resource* resource = nullptr;
  std::string_view ns, name;
  Operation operation = Operation::updated;
  RevisionSpan written;
  When when;
  Revision shown_at;                      // see Version
  std::vector<kube::ChangedBy> managers;  // of a deletion none: nothing says who it was
  // With managed fields. `before` is null where there was none or none is known; `after` of a deletion is null.
  const nlohmann::json* before = nullptr;
  const nlohmann::json* after = nullptr;
  Revision before_written;  // 0: nothing is known of it
  std::string unreadable;   // why there is no object
  Errc reason = Errc::corrupt;
  std::string hint;
};

struct LogListener {
  virtual ~LogListener() = default;
  virtual Status entry(const LogEntry& entry) = 0;
  virtual Status lost(RevisionSpan span, std::string_view reason) = 0;
};

class ObjectLog {
 public:
  // `wish.labels` are those of a version or of the one before it. Errc::invalid: words that do not go together.
  // Errc::not_found: a kind that there never was. Requires: `versions` outlives this.
  static Result<ObjectLog> make(Versions& versions, const ObjectWish& wish);

  Status for_each(LogListener& listener);

  const Wanted& wanted() const { return wanted_; }
  // Asked for by name, and no version of it is known; after for_each().
  std::vector<std::pair<const kube::Resource*, std::string>> missing() const;
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  class Teller;
  ObjectLog(Versions& versions, const ObjectWish& wish, Wanted wanted)
      : versions_(versions), wish_(wish), wanted_(std::move(wanted)) {}
  Versions& versions_;
  ObjectWish wish_;
  Wanted wanted_;
  std::set<std::string, std::less<>> seen_;  // keys
  std::vector<std::string> notes_;
};

}  // namespace tidemark::history
