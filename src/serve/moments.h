// The moments that one server shows: its own, and those that were asked for by a path last.
//
// A word like "latest" or "-2h" means the moment at which it was first asked for, until others have pushed it out.
// Threads: any.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "serve/past_cluster.h"

namespace tidemark::serve {

class Moments {
 public:
  // Requires: `past` and `clock` outlive it. `most`: of those asked for by a path, at least 1.
  Moments(Past& past, std::shared_ptr<PastCluster> own, const Clock& clock, std::size_t most = 4)
      : past_(past), own_(std::move(own)), clock_(clock), most_(most) {}

  // `when` as --at takes it, an object it names in whatever namespace; empty: the server's own. Errors as
  // history::resolve_when()'s and PastCluster::open()'s.
  Result<std::shared_ptr<PastCluster>> at(const std::string& when);

  Counters& counters() { return past_.counters; }

 private:
  std::shared_ptr<PastCluster> known(const std::string& when);
  Result<restore::Target> target_of(const std::string& when);

  struct Known {
    std::string when;
    std::shared_ptr<PastCluster> cluster;
  };
  Past& past_;
  const std::shared_ptr<PastCluster> own_;
  const Clock& clock_;
  const std::size_t most_;
  std::mutex opening_;  // one at a time
  std::mutex mutex_;
  std::list<Known> known_;  // the newest first
};

}  // namespace tidemark::serve
