// What is different in objects, as `diff` prints it: unified diffs of YAML, a table, JSON, YAML or names.
#pragma once

#include <iosfwd>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/object_changes.h"
#include "history/comparison.h"

namespace tidemark::cli {

enum class DiffFormat { unified, table, json, yaml, name };

// A pair that differs in what is compared.
struct ShownPair {
  const history::Comparison::Pair* pair = nullptr;
  nlohmann::json before, after;  // without noise and secrets; null: there was none
  std::string unreadable;        // why only the revisions are known
};

class DiffOutput {
 public:
  // One of the two moments.
  struct Side {
    Revision revision;
    Time time;
  };
  virtual ~DiffOutput() = default;
  virtual void add(const ShownPair& pair) = 0;
  virtual void finish() {}
  // Requires: `to` outlives it.
  static std::unique_ptr<DiffOutput> make(std::ostream& to, DiffFormat format, const Side& from, const Side& until);
};

}  // namespace tidemark::cli
