// What a restore writes down before its first step and behind its last: undo point, lock and record in one.
//
//   tidemark/undo/000007/begin      what will be done, and what was there before: put before the first step
//   tidemark/undo/000007/again-001  somebody goes on with it after its process died
//   tidemark/undo/000007/end        how it ended
// A begin without an end is a restore that runs, or was cut. Bytes: doc/format/undo.md. Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "live/plan.h"
#include "live/runner.h"

namespace tidemark::live {

struct UndoBegin {
  std::uint32_t number = 0;
  std::uint32_t undoes = 0;  // the restore that this one takes back; 0: none
  std::string what;          // for people: "restore -n shop --at -2h"
  std::string cluster;       // uid of the namespace kube-system; empty: we may not read it
  Runner runner;
  Time created;
  Existing existing = Existing::replace;
  bool status = false;
  std::vector<Step> steps;  // those that change something, in their order; Step::before is what was there
  Plan plan() const { return {.steps = steps, .warnings = {}}; }
};

struct UndoAgain {
  Runner runner;
  Time created;
};

struct UndoEnd {
  enum class Outcome { done, partly, undone, nothing };
  Outcome outcome = Outcome::done;
  Time ended{};
  std::map<std::string, std::string> made{};  // of what was created: Step::id() -> uid
  std::vector<std::string> failed{};          // a sentence each
};
std::string_view outcome_word(UndoEnd::Outcome outcome);

// One line of JSON with a newline, its checksum last.
std::string print_record(const UndoBegin& record);
std::string print_record(const UndoAgain& record);
std::string print_record(const UndoEnd& record);

// Errc::corrupt: not what the name says, or changed. Errc::unsupported: of a newer version.
Result<UndoBegin> parse_undo_begin(std::string_view text);
Result<UndoAgain> parse_undo_again(std::string_view text);
Result<UndoEnd> parse_undo_end(std::string_view text);

inline constexpr std::string_view kUndoPrefix = "tidemark/undo/";
inline constexpr std::uint32_t kMostUndoNumber = 999'999;
inline constexpr std::uint64_t kMostUndoBytes = 4UL << 30U;
std::string undo_key(std::uint32_t number, std::string_view part);  // part: "begin", "end", "again-001"

// Number and part of a key; nullopt: it is none of these.
struct UndoKey {
  std::uint32_t number = 0;
  std::string_view part;
};
std::optional<UndoKey> parse_undo_key(std::string_view key);

}  // namespace tidemark::live
