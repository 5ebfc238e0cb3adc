// Objects as `get` prints them: JSON, YAML, names and templates as kubectl, tables with its columns.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/clock.h"
#include "cli/get_form.h"
#include "history/objects.h"

namespace tidemark::cli {

class ObjectOutput {
 public:
  using Entry = history::Selection::Entry;
  virtual ~ObjectOutput() = default;
  // Errc::unsupported: a template that does not fit the object.
  virtual Status add(const Entry& entry, const nlohmann::json& object) = 0;
  // One that is there and cannot be read: shown where names are enough.
  virtual void add_unreadable(const Entry& entry, std::string_view why) { (void)entry, (void)why; }
  // Errors as add()'s, where the template is of all objects.
  virtual Status finish() = 0;

  struct Options {
    const GetForm* form = nullptr;  // outlives the output
    bool single = false;            // one object, shown alone
    bool namespaces = false;        // a table's column of them
    bool many_kinds = false;
    bool headings = true;  // of tables and custom columns
    Time now;              // what ages are counted from
  };
  // Requires: `to` outlives it.
  static std::unique_ptr<ObjectOutput> make(std::ostream& to, const Options& options);
};

// Those of templates. In get_template.cc.
std::unique_ptr<ObjectOutput> make_template_output(std::ostream& to, const ObjectOutput::Options& options);

}  // namespace tidemark::cli
