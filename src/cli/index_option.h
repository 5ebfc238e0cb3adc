// Where verbs that read history keep its index between runs: --cache-dir, --cache-limit, --no-cache. In history.cc.
#pragma once

#include <memory>
#include <string>

#include "cli/history.h"
#include "history/moment.h"

namespace CLI {
class App;
}  // namespace CLI

namespace tidemark::cli {

struct IndexWish {
  std::string dir;          // empty: $XDG_CACHE_HOME/tidemark or $HOME/.cache/tidemark
  std::uint64_t limit = 0;  // bytes; 0: no index is kept or used
  bool off = false;
};

void add_index_options(CLI::App& app, IndexWish& wish);

// nullptr: it is not wanted, there is no place for it (told at debug level), or the history is no store.
// Scratch, end and progress are those of `reading`. Requires: program and history outlive it.
std::unique_ptr<history::Index> open_index(Program& program, const History& from, const IndexWish& wish,
                                           const history::MomentOptions& reading);

}  // namespace tidemark::cli
