// The cluster as it was at one moment: which kinds it had, and what of each.
//
// Opening looks at every key of the moment once, and reads the definitions and a few objects of each kind. With the
// history index no object of the store is read whole for that, and later only what is asked for: one object, one
// namespace or one kind. Without it opening reads everything, and a kind is read as a whole when something of it is
// first asked for, for one object would cost as much.
// Memory: what was asked for last stays, up to Past::cache_bytes for each moment; what is being answered from stays as
// long as that takes. While a moment opens, a few hundred bytes for each key there was.
// The moment does not move: should the store's objects turn out damaged later, reading fails. Threads: any.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "history/moment.h"
#include "history/object_reader.h"
#include "kube/encryption.h"
#include "serve/counters.h"
#include "serve/served_kinds.h"

namespace tidemark::serve {

// What all moments of one server share. Requires: all of it outlives them.
struct Past {
  restore::Origin& origin;
  std::string etcd_prefix = "/registry";
  kube::Decryptor* decryptor = nullptr;  // nullptr: sealed values stay closed
  history::MomentOptions options;  // `scratch`: each moment makes a folder of its own in it; an index: of `origin`
  std::uint64_t cache_bytes = 128UL << 20U;
  Counters counters = {};
  std::mutex reading = {};  // one reads at a time, of whichever moment
  std::mutex opening = {};  // keys open values one at a time
};

// What is asked for of a kind. Empty: all there is.
struct Part {
  std::string ns, name;  // a name of a namespaced kind: with its namespace
};

// Objects of one kind: at least those of the part that was asked for.
struct Stock {
  struct Unreadable {
    std::string key;
    Error why;
  };
  history::Rows rows;
  std::vector<Unreadable> unreadable;
  std::vector<std::string> other_versions;  // keys of what is shown as it is stored
  std::uint64_t bytes = 0;
};

class PastCluster {
 public:
  // Errors as Moment::open()'s.
  static Result<std::shared_ptr<PastCluster>> open(Past& past, const restore::Target& target);
  PastCluster(const PastCluster&) = delete;
  PastCluster& operator=(const PastCluster&) = delete;
  ~PastCluster();

  Revision revision() const { return revision_; }
  Time time() const { return time_; }
  const ServedKinds& kinds() const { return kinds_; }
  const history::Moment& moment() const { return *moment_; }  // for what is said about it, before others read
  // Definitions that cannot be read.
  const std::vector<std::string>& notes() const { return notes_; }

  // What there is of a part of a kind, or of more. Requires: one of kinds(). Errc::corrupt: the store's objects are not
  // what they were when the moment was opened.
  Result<std::shared_ptr<const Stock>> stock(const ServedKind& kind, const Part& part = {});
  // What every key of the kind begins with, and of one namespace.
  std::string prefix_of(const ServedKind& kind, std::string_view ns = {}) const;

  // Reads objects, one caller's after another's where keys are needed. One object, one thread.
  class Reader {
   public:
    Reader(Past& past, const ServedKind& kind)
        : past_(past), kind_(kind), reader_(past.decryptor, /*managed_fields=*/true) {}
    // As history::ObjectReader::read().
    Result<nlohmann::json> read(const std::string& key, const history::Row& row);

   private:
    Past& past_;
    const ServedKind& kind_;
    history::ObjectReader reader_;
  };
  Reader reader(const ServedKind& kind) const { return {past_, kind}; }

 private:
  PastCluster(Past& past, io::TempDir scratch);
  Status survey();
  void define(const history::Rows& rows);
  Result<std::shared_ptr<const Stock>> read_stock(const ServedKind& kind, const Part& part);
  std::shared_ptr<const Stock> kept(const ServedKind& kind, const Part& part);
  void keep(const ServedKind& kind, const Part& part, std::shared_ptr<const Stock> stock);

  Past& past_;
  io::TempDir scratch_;
  std::unique_ptr<history::Moment> moment_;
  Revision revision_;
  Time time_;
  ServedKinds kinds_;
  std::vector<std::string> notes_;

  struct Kept {
    std::string name;
    std::shared_ptr<const Stock> stock;
  };
  std::mutex mutex_;      // of what follows
  std::list<Kept> kept_;  // the newest first
  std::map<std::string, std::list<Kept>::iterator, std::less<>> kept_at_;
  std::uint64_t kept_bytes_ = 0;
};

}  // namespace tidemark::serve
