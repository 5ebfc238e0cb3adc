// The directory where blocks of the history index and copies of text are kept between runs.
//
// Nothing in it is needed: whatever is missing, damaged, old or of another object is made again. A file appears whole
// or not at all (write, fsync, rename, fsync directory), under a name that is the digest of its object's identity, so
// any number of processes may share a directory; one may remove what another reads, who then makes it again. Files hold
// names of objects, copies also their values: they are 0600 in a directory of mode 0700. Threads: one at a time;
// processes: any.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/steps.h"
#include "history/index_block.h"
#include "io/file.h"
#include "store/object_store.h"

namespace tidemark::history {

// Which bytes a block tells of: the store's place, the object's key, its size and when it was written. Another object
// that takes the key has another one.
std::string identity_of(std::string_view store_url, const store::ObjectInfo& object);

class IndexCache {
 public:
  struct Options {
    io::Path dir;                           // made when it is missing
    std::uint64_t most_bytes = 4UL << 30U;  // of all files together; what is used is kept beyond until it is closed
    const Clock* clock = &system_clock();   // never null
    Steps* steps = &unwatched_steps();      // never null: told in front of what a crash could cut
  };
  // Removes what crashed processes left. Errc::denied, Errc::io: the directory cannot be made.
  static Result<IndexCache> open(Options options);

  // The block of an object. nullopt: there is none, or it is damaged (it is removed, and told at debug level).
  std::optional<Block> find(const std::string& identity);
  // Removes the block of an object and its copy, because they are not what they should be.
  void remove(const std::string& identity, std::string_view why);

  // A file in the making, and its coming into being. The copy, when there is one, is published first: a block never
  // stands without what it tells of.
  Result<io::PendingFile> begin_block(const std::string& identity);
  Result<io::PendingFile> begin_copy(const std::string& identity);
  Status publish(io::PendingFile& file);
  io::Path copy_path(const std::string& identity) const;

  // Removes those that were not used for the longest time until the others fit; what this process has used stays.
  void evict();
  // It is not used any more: evicts that, too.
  void close();

 private:
  explicit IndexCache(Options options) : options_(std::move(options)) {}
  io::Path path_of(const std::string& identity, std::string_view suffix) const;

  Options options_;
  std::set<std::string> in_use_;  // names without suffixes
};

}  // namespace tidemark::history
