// Puts a finished `member` directory into a data directory in one step, and repairs what a crash left.
//
//   D/member                    what etcd starts on: the old one or the new one, whole, at every moment
//   D/.tidemark-partial/member  being built
//   D/.tidemark-partial/swap    the journal: written when the new one is whole and durable, removed when all is done
//   D/member.before-<unix>      the former one; an earlier former one is removed when the new one is in place
//
// With renameat2(RENAME_EXCHANGE) there is never a moment without D/member. Where the file system lacks it there is one
// between two renames; then the journal finishes the swap at the next start of anything that calls recover().
// D may be a mount point: everything happens inside it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "restore/steps.h"

namespace tidemark::restore {

struct Places {
  io::Path root;  // D
  io::Path member() const { return root / "member"; }
  io::Path partial() const { return root / ".tidemark-partial"; }
  io::Path new_member() const { return partial() / "member"; }
  io::Path journal() const { return partial() / "swap"; }
  io::Path former(std::int64_t unix_s) const;
};

// Finishes or undoes a swap that was cut short, and removes an unfinished build. Call it before anything else looks at
// D. A D that does not exist is fine. Returns what it did, for the user; empty: nothing was to be done.
// Requires: no etcd runs on D.
Result<std::string> recover(const io::Path& root, Steps& steps);

struct SwapOptions {
  bool exchange = true;  // false: pretend the file system has no RENAME_EXCHANGE (tests)
};

// Requires: partial()/member is whole and every byte and name in it durable. Returns the path of the former member
// directory; empty when there was none.
Result<io::Path> swap_in(const Places& places, std::int64_t unix_s, Steps& steps, const SwapOptions& options = {});

}  // namespace tidemark::restore
