// The cluster as it was at one moment: which kinds it had, and what of each.
//
// Opening walks the moment once, keeping the definitions and one object of each kind. Objects are read kind by kind
// when they are asked for, and the last ones asked for stay, up to a bound of bytes; what is being answered from stays
// as long as that takes. The moment does not move: should the store's objects turn out damaged later, reading fails.
// Threads: any.
#pragma once

#include <functional>
#include <list>
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
#include "serve/served_kinds.h"

namespace tidemark::serve {

// What all moments of one server share. Requires: all of it outlives them.
struct Past {
  restore::Origin& origin;
  std::string etcd_prefix = "/registry";
  kube::Decryptor* decryptor = nullptr;  // nullptr: sealed values stay closed
  history::MomentOptions options;        // `scratch`: each moment makes a folder of its own in it
  std::uint64_t cache_bytes = 128UL << 20U;
  std::mutex reading = {};  // one reads at a time, of whichever moment
  std::mutex opening = {};  // keys open values one at a time
};

// All objects of one kind.
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

  Revision revision() const { return revision_; }
  Time time() const { return time_; }
  const ServedKinds& kinds() const { return kinds_; }
  const history::Moment& moment() const { return *moment_; }  // for what is said about it, before others read
  // Definitions that cannot be read.
  const std::vector<std::string>& notes() const { return notes_; }

  // Everything of a kind, whatever its namespace. Requires: one of kinds().
  Result<std::shared_ptr<const Stock>> stock(const ServedKind& kind);
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
  PastCluster(Past& past, io::TempDir scratch) : past_(past), scratch_(std::move(scratch)) {}
  Status survey();
  void define(const history::Rows& rows);
  Result<std::shared_ptr<const Stock>> read_stock(const ServedKind& kind);
  std::shared_ptr<const Stock> kept(const std::string& name);
  void keep(const std::string& name, std::shared_ptr<const Stock> stock);

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
  std::uint64_t kept_bytes_ = 0;
};

}  // namespace tidemark::serve
