// Objects as `get` prints them: JSON, YAML and names as kubectl, tables with its columns.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/clock.h"
#include "cli/program.h"
#include "history/objects.h"

namespace tidemark::cli {

class ObjectOutput {
 public:
  using Entry = history::Selection::Entry;
  virtual ~ObjectOutput() = default;
  virtual void add(const Entry& entry, const nlohmann::json& object) = 0;
  // One that is there and cannot be read: shown where names are enough.
  virtual void add_unreadable(const Entry& entry, std::string_view why) { (void)entry, (void)why; }
  virtual void finish() = 0;

  struct Options {
    Format format = Format::table;
    bool single = false;      // one object, shown alone
    bool namespaces = false;  // a table's column of them
    bool many_kinds = false;
    Time now;  // what ages are counted from
  };
  // Requires: `to` outlives it.
  static std::unique_ptr<ObjectOutput> make(std::ostream& to, const Options& options);
};

}  // namespace tidemark::cli
