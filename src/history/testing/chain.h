// A random history in a store of fulls and deltas, and both ways to ask for what was there: the walk and the index.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/steps.h"
#include "history/versions.h"
#include "store/dir_store.h"
#include "store/metered_store.h"

namespace tidemark::history::testing {

struct ChainOptions {
  int revisions = 60;
  std::size_t value_bytes = 600;  // at most, of most values
  int keys = 25;
  bool objects = false;   // values are Kubernetes objects, as JSON
  bool seekable = false;  // every object is gzip of small members
};

class Chain {
 public:
  explicit Chain(std::uint64_t seed, ChainOptions options = {});

  Revision first() const { return Revision(2); }
  Revision last() const { return last_; }
  std::vector<std::string> some_keys(int count);  // also some that never were
  Revision some_revision();                       // also the one behind the last
  Time some_time();                               // from before the first full to behind the last delta
  std::uint64_t stored_bytes();

  // The objects by their keys, all values changed by `change`.
  using Change = std::function<void(Buffer& value)>;
  std::vector<std::pair<std::string, Buffer>> objects(const Change& change = {}) const;

 private:
  struct Write {
    std::string key, value;
    bool deletion = false;
    std::int64_t create = 0, mod = 0, sub = 0, version = 0, lease = 0;
    Time time;
  };
  struct Object {
    bool full = false, gzip = false;
    Revision first, last;
    std::int64_t compacted = 0;  // of a full; 0: never
    std::size_t member_bytes = 0;
  };
  Buffer full(const Object& object, const Change& change) const;
  Buffer delta(const Object& object, const Change& change) const;
  std::int64_t unix_of(Revision revision) const;

  std::mt19937_64 random_;
  Revision last_;
  std::vector<std::string> names_;
  std::vector<Write> writes_;
  std::vector<Object> objects_;
};

struct Look {
  Rows rows;
  Revision revision;
  Time time;
  bool complete = false;
  std::string said;  // the plan's notes and holes
};

// A directory with a store of a chain, and the index of it.
class IndexedStore {
 public:
  explicit IndexedStore(const Chain& chain);
  IndexedStore(const Chain& chain, io::Path cache, const io::Path& root);  // a second user of the first one's
  explicit IndexedStore(const io::Path& bucket);                           // somebody else's, for reading

  Index& index() { return *index_; }
  // As a new process has it. `later`: so much time has passed.
  void reopen(Steps* steps = nullptr, std::chrono::hours later = std::chrono::hours(0));
  void limit(std::uint64_t most_bytes);
  std::uint64_t most_bytes() const { return most_bytes_; }
  void forbid_copies() { copies_ = false; }  // with the next reopen()

  Result<Look> all(const restore::Target& target, Index* index);
  Result<Rows> keys(const restore::Target& target, const std::vector<std::string>& keys);  // by the index
  // Everything that Versions tells, a line each.
  Result<std::string> log(const VersionWish& wish, const Asked& asked, Index* index);

  const io::Path& root() const { return root_; }  // of the store
  const io::Path& cache_dir() const { return cache_; }
  std::vector<io::Path> cache_files() const;
  std::uint64_t cache_bytes() const;
  std::uint64_t bytes_read() { return tally_.of(store::StoreCall::get).bytes; }
  void replace_all(const Chain::Change& change);
  // Puts the block of every object beside it, as a recorder does, and empties the cache. How many: copies of text
  // cannot be published.
  std::size_t publish_blocks();
  void damage_one(std::uint64_t which);
  // One file of the cache is cut, emptied, changed in one bit or removed.
  void damage_cache(std::mt19937_64& random);

 private:
  void open_store(store::DirStore::Access access);
  io::TempDir temp_ = io::TempDir::create().value();
  io::Path root_, cache_, scratch_;
  const Chain* chain_ = nullptr;
  std::uint64_t most_bytes_ = 1UL << 30U;
  bool copies_ = true;
  store::StoreTally tally_;
  std::unique_ptr<store::ObjectStore> store_;
  std::unique_ptr<restore::Origin> origin_;
  std::unique_ptr<Index> index_;
  std::unique_ptr<Clock> clock_;
};

// The first rows that are not the same, in words; empty: there are none.
std::string difference(const Rows& wanted, const Rows& is);

}  // namespace tidemark::history::testing
