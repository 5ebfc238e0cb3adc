// Every version of some keys, in the order in which they were written: from the oldest full that is needed through all
// deltas to the newest, and over stretches that nothing recorded, which are told.
//
//   TM_LET(auto versions, Versions::open(origin, {.since = {}, .until = Target::newest()}, options));
//   TM_CHECK(versions->for_each(asked, listener));
//
// A version is handed out when the object that holds it has proven itself with the readers of a restore. A bad delta is
// planned around as there; where nothing else holds its revisions they are lost, and the next full goes on.
// With an index (MomentOptions) the objects were proven when it was made, and the same versions come from their places
// alone; where it cannot be made, everything is read.
// Memory: the keys that there are, and what one delta holds of them; with an index the places of what one object holds.
// Threads: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "history/moment.h"
#include "history/object_versions.h"

namespace tidemark::history {

// When something was written, as well as the store knows it.
struct When {
  std::optional<Time> received;    // by the recorder: not before it was written, and usually at once
  std::optional<Time> not_before;  // else between these two
  Time not_after;
};

struct Version {
  std::string_view key;
  // Where it was written: one revision; of a deletion that nobody saw a stretch of them.
  RevisionSpan written;
  const Row* row = nullptr;  // nullptr: deleted
  When when;
  // A revision at which a Moment shows it, of a deletion what there was before; the last may be compacted away.
  Revision shown_at;
  bool before_since = false;  // not asked for; only what later ones began from
};

struct VersionListener {
  virtual ~VersionListener() = default;
  virtual Status version(const Version& version) = 0;
  // Nothing holds these revisions one by one; what follows is what a full found afterwards.
  virtual Status lost(RevisionSpan span, std::string_view reason) = 0;
};

struct VersionWish {
  std::optional<restore::Target> since;  // nullopt: from the beginning
  restore::Target until = restore::Target::newest();
};

class Versions {
 public:
  // Errc::not_found: nothing is restorable at `until`. Errc::invalid: `since` is behind it. Errc::corrupt: no usable
  // base. Requires: `from` outlives this.
  static Result<std::unique_ptr<Versions>> open(restore::Origin& from, const VersionWish& wish, MomentOptions options);
  ~Versions();

  // May be called again, also for other keys. Stops when `listener` fails.
  Status for_each(const Asked& asked, VersionListener& listener);

  Revision reach() const { return done_; }  // the newest revision that was read. After for_each()
  bool complete() const { return holes_ == 0; }
  // No change after the time that was asked for is known.
  bool beyond_the_end() const { return course_.beyond_the_end; }

 private:
  class Walk;
  struct Base;
  Versions(restore::Origin& from, MomentOptions options) : from_(from), options_(std::move(options)) {}
  Result<restore::Course> set_course(const restore::Target& target);
  Status settle_since(const VersionWish& wish);
  Result<const catalog::Point*> next_base() const;
  Revision end() const;
  Revision revision_of(const catalog::Point& full) const;
  Result<bool> open_base(const catalog::Point& base);
  Result<bool> base_of_index(const catalog::Point& base);
  Result<bool> tell_base(const catalog::Point& base, Walk& walk);
  Result<bool> tell_rows(Base& base, Walk& walk);
  Status walk_rows(Base& base, Walk& walk);
  Status look_up_rows(Base& base, Walk& walk);
  Result<bool> tell_found(Base& base, std::span<const ObjectVersions::Found> left, ObjectVersions& held, Walk& walk);
  Status tell_deltas(const catalog::Point& base, Walk& walk);
  Result<bool> tell_delta(const restore::Step& step, Walk& walk);
  Result<bool> look_up_delta(const restore::Step& step, const Asked& asked, ObjectVersions& held,
                             ObjectVersions::ById& rows);
  Result<bool> tell_looked_up(const restore::Step& step, const ObjectVersions& held, const ObjectVersions::ById& rows,
                              Walk& walk);
  Status begin(Base& base, Walk& walk);
  Status learn(const std::string& key, const Error& why);

  restore::Origin& from_;
  MomentOptions options_;
  restore::Course course_;
  Revision since_;                 // versions up to here are not asked for
  Revision done_;                  // everything up to here was told; 0: nothing
  std::optional<Time> done_time_;  // when that was the newest
  std::size_t holes_ = 0;
  std::unique_ptr<restore::BaseImage> base_;
  std::string base_key_;
};

// The last state of each key below a prefix, also of those that are gone. Errors as for_each()'s.
Result<Rows> last_rows(Versions& versions, const std::string& prefix);

}  // namespace tidemark::history
