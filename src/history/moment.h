// The rows of an etcd as they were at one moment, for a few prefixes of keys: from a base and deltas, or one snapshot.
//
// Nothing is rebuilt: the deltas' events and the base's rows below the prefixes are gathered, everything else is passed
// over. Memory: what was below the prefixes at that moment, never the whole store; with a spool not even that.
// Everything is proven with the same readers as a restore's (digests, order, density) before it is handed out; a bad
// object is planned around as there. With an index the objects were proven when it was made, and the same rows come
// from their places alone; where it cannot be made, everything is read. Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "history/asked.h"
#include "history/index.h"
#include "history/row_spool.h"
#include "io/file.h"
#include "restore/base_image.h"
#include "restore/course.h"
#include "restore/origin.h"
#include "restore/target.h"

namespace tidemark::history {

struct MomentOptions {
  io::Path scratch;  // where a base that is no plain file is unpacked; must exist
  std::stop_token stop;
  // What is being read, and how far: bytes of objects.
  std::function<void(std::string_view step, std::uint64_t done, std::uint64_t all)> progress;
  Index* index = nullptr;  // of the same origin; outlives the moment. nullptr: everything is read
};

class Moment {
 public:
  // Plans and opens the base. Errc::not_found: nothing restorable at that moment, the message names the nearest ones.
  // Errc::corrupt: no usable base. Requires: `from` outlives this; with an index it is its origin.
  static Result<std::unique_ptr<Moment>> open(restore::Origin& from, const restore::Target& target,
                                              MomentOptions options);
  ~Moment();

  // What there was below these prefixes, or what is asked for. It may teach that an object is bad, and so move
  // revision(), when the newest moment was asked for. Errors as open()'s.
  Result<Rows> below(std::span<const std::string> prefixes);
  Result<Rows> below(const Asked& asked);
  // The same, but a row's value stays only when `keep` says so of its key and the revision that wrote it: to find out
  // what is there without the memory for it, and without reading it where there is an index.
  using Keep = std::function<bool(std::string_view key, Revision mod)>;
  Result<Rows> below(std::span<const std::string> prefixes, const Keep& keep);
  Result<Rows> below(const Asked& asked, const Keep& keep);
  // The same for what may be a whole cluster.
  Status below(const Asked& asked, RowSpool& into);

  // The state that is shown: the target, or the newest provable one. The rest is for what is said about it.
  Revision revision() const { return plan_.reach; }
  const restore::Plan& plan() const { return plan_; }
  // No change after the target's time is known: the newest state is shown.
  bool beyond_the_end() const { return course_.beyond_the_end; }
  const io::Path& scratch() const { return options_.scratch; }
  // Reading a few keys costs little. Without an index, or when it had to be given up, it costs as much as everything.
  bool by_index() const { return options_.index != nullptr; }
  // When that revision was the newest: the target's time; else when its last change was received, as far as below() has
  // met it, or the creation of the newest object used.
  Time time() const;

 private:
  Moment(restore::Origin& from, restore::Target target, MomentOptions options)
      : from_(from), target_(target), options_(std::move(options)) {}
  Status settle_base();
  Result<bool> open_base(const restore::Plan& plan);
  Result<bool> base_of_index(const restore::Plan& plan);
  Status gather(const Asked& asked, const Keep& keep, RowSpool& rows);
  Result<bool> try_gather(const Asked& asked, const Keep& keep, RowSpool& rows);
  Result<bool> walk(const Asked& asked, const Keep& keep, RowSpool& rows);
  Result<bool> look_up(const Asked& asked, const Keep& keep, RowSpool& rows);
  Result<bool> learn(const std::string& key, const Error& why);

  restore::Origin& from_;
  restore::Target target_;
  MomentOptions options_;
  restore::Course course_;
  restore::Plan plan_;
  std::unique_ptr<restore::BaseImage> base_;
  std::string base_key_;
  std::optional<Time> last_change_;
};

}  // namespace tidemark::history
