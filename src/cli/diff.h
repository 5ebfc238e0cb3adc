// `diff`: what both of its forms share, the one of two moments and the one of a moment and the running cluster.
#pragma once

#include <string>

#include "cli/cluster.h"
#include "cli/diff_output.h"
#include "cli/object_reading.h"
#include "cli/program.h"

namespace tidemark::cli {

struct DiffWish {
  std::string at;
  std::string to = "latest";
  bool live = false;
  ClusterWish cluster;
  DiffFormat format = DiffFormat::unified;
  kube::Compared compared;
  ObjectReading reading;
};

// What differs in what is compared, or cannot be read.
class DiffPrinter {
 public:
  DiffPrinter(const ObjectChanges& changes, DiffOutput& output, Shortfall& shortfall)
      : changes_(changes), output_(output), shortfall_(shortfall) {}

  Status add(const history::Comparison::Pair& pair) {
    ShownPair shown{.pair = &pair, .before = {}, .after = {}, .unreadable = {}};
    for (const auto* side : {&pair.before, &pair.after}) {
      if (*side || !shown.unreadable.empty()) continue;
      shown.unreadable = side->error().what;
      shortfall_.add(side->error());
    }
    if (shown.unreadable.empty()) {
      shown.before = changes_.shown(*pair.before);
      shown.after = changes_.shown(*pair.after);
      if (shown.before == shown.after) {
        only_noise++;
        return {};
      }
    }
    differ++;
    output_.add(shown);
    return {};
  }
  std::size_t differ = 0, only_noise = 0;

 private:
  const ObjectChanges& changes_;
  DiffOutput& output_;
  Shortfall& shortfall_;
};

// `diff --live`.
Result<Exit> diff_live(Program& program, DiffWish& wish);

}  // namespace tidemark::cli
