// Versions of objects as `log` prints them: a line each, perhaps with a patch; JSON, YAML, or where to look them up.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "cli/object_changes.h"
#include "cli/program.h"
#include "history/object_log.h"

namespace tidemark::cli {

class LogOutput {
 public:
  virtual ~LogOutput() = default;
  virtual void add(const history::LogEntry& entry) = 0;
  virtual void lost(RevisionSpan span, std::string_view reason) = 0;
  virtual void finish() {}

  struct Options {
    Format format = Format::table;
    bool patch = false;
    bool many = false;        // several objects: each line names its own
    bool namespaces = false;  // ... with its namespace
  };
  // Requires: `to` and `changes` outlive it.
  static std::unique_ptr<LogOutput> make(std::ostream& to, const Options& options, const ObjectChanges& changes);
};

}  // namespace tidemark::cli
