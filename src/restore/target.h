// The moment a restore goes back to.
//
//   latest   the newest revision that can be proven        rev:1234   exactly that revision
//   2024-05-01T12:00:00Z, -2h                              the last revision before the first change after that time
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace tidemark::restore {

struct Target {
  enum class Kind { latest, revision, time };
  Kind kind = Kind::latest;
  Revision revision;  // kind revision
  Time time;          // kind time

  static Target newest() { return {}; }
  static Target at(Revision r) { return {.kind = Kind::revision, .revision = r, .time = {}}; }
  static Target at(Time t) { return {.kind = Kind::time, .revision = {}, .time = t}; }
};

// `now` turns "-2h" into a moment. Errc::invalid: none of the forms above, a revision below 1, a moment after `now`.
// Errc::unsupported: "pin:NAME", and "before:delete:KIND/NAME", which history/when.h reads.
Result<Target> parse_target(std::string_view text, Time now);

std::string print_target(const Target& target);  // "latest", "rev:1234", "2024-05-01T12:00:00Z"

}  // namespace tidemark::restore
